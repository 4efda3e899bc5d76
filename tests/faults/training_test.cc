// Where a write of `train` fails: it ends with status 0 or 1 and no signal, each file is whole, and
// nothing is left beside it. Whether training goes on is told elsewhere.

#include <string>

#include "absl/strings/str_cat.h"
#include "tests/faults/fault_cases.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

constexpr char kCalls[] = "write,sync,rename,open,mkdir,close,truncate,lock,unlink,stdout";

TEST(TrainingFaults, LeaveFilesWhole) {
  if (!FaultsCanBeMade()) GTEST_SKIP();
  const std::string folder = FolderForFaults();
  for (const FaultCase& each : TrainCases(folder)) {
    FaultTrial trial(each, folder);
    for (const std::string what : {"ENOSPC", "EIO", "EDQUOT", "EINTR"}) {
      for (const int64_t k :
           CallsToTry(absl::StrCat(each.name, ", ", what), trial.Count(kCalls), 0, 25)) {
        trial.ExpectFilesWhole({.kinds = kCalls, .at = k, .what = what});
      }
    }
  }
}

}  // namespace
}  // namespace seqgraph
