// Where writing fails: what was there stays, or what is new is whole; one line says why, the status
// is 1, and nothing is left beside it. What can be tried again is.

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/end_to_end/process.h"
#include "tests/faults/fault_cases.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using ::testing::HasSubstr;

// All that can fail, but the allocator.
constexpr char kCalls[] = "write,sync,rename,open,mkdir,close,truncate,lock,unlink,stdout";
// What is tried again, or goes on, where it is interrupted or takes less than it was given.
constexpr char kTriedAgain[] = "write,sync,rename,open,mkdir,close,truncate,lock,unlink,stdout";

class Writes : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!FaultsCanBeMade()) GTEST_SKIP();
  }

  static void Try(FaultTrial trial, int64_t drawn) {
    for (const std::string what : {"ENOSPC", "EIO", "EDQUOT", "EINTR"}) {
      for (const int64_t k :
           CallsToTry(absl::StrCat(trial.name(), ", ", what), trial.Count(kCalls), 0, drawn)) {
        trial.ExpectToldOrDone({.kinds = kCalls, .at = k, .what = what});
      }
    }
    for (const int64_t k : CallsToTry(trial.name() + ", a full disk", trial.Count("write"), 2, 4)) {
      trial.ExpectToldOrDone({.kinds = "write", .at = k, .what = "ENOSPC", .calls = 1'000'000});
    }
    for (const int64_t k :
         CallsToTry(trial.name() + ", interrupted", trial.Count(kTriedAgain), 0, drawn)) {
      trial.ExpectDone({.kinds = kTriedAgain, .at = k, .what = "EINTR", .calls = 3});
    }
    for (const int64_t k :
         CallsToTry(trial.name() + ", short writes", trial.Count("write,stdout"), 0, drawn)) {
      trial.ExpectDone({.kinds = "write,stdout", .at = k, .what = "short", .calls = 5});
    }
  }
};

TEST_F(Writes, OfOneFile) {
  const std::string folder = FolderForFaults();
  for (const FaultCase& each : FileCases()) Try(FaultTrial(each, folder), 6);
}

TEST_F(Writes, OfASet) {
  const std::string folder = FolderForFaults();
  Try(FaultTrial(EncodeCase(folder), folder), 30);
}

TEST_F(Writes, OfNothingButAnswers) {
  const std::string folder = FolderForFaults();
  for (const FaultCase& each : ReadingCases()) Try(FaultTrial(each, folder), 6);
}

TEST_F(Writes, WhereStandardOutputIsFull) {
  const std::string folder = FolderForFaults();
  for (const FaultCase& each : ReadingCases()) {
    const ProcessResult result =
        RunSeqgraph(each.arguments, {.folder = folder, .stdout_path = "/dev/full"});
    EXPECT_EQ(result.status, 1) << each.name;
    EXPECT_EQ(result.err,
              "seqgraph: RESOURCE_EXHAUSTED: cannot write standard output: No space left on "
              "device\n");
  }
}

}  // namespace
}  // namespace seqgraph
