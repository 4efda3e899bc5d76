// Killed before any call that changes a file: what is there is the old or the new, whole, and the
// next start takes away what was left beside it.

#include <string>

#include "tests/faults/fault_cases.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

constexpr char kCalls[] = "write,sync,rename,open,mkdir,close,truncate,lock,unlink";

class Kills : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!FaultsCanBeMade()) GTEST_SKIP();
  }

  static void Try(FaultTrial trial, int64_t drawn) {
    for (const int64_t k : CallsToTry(trial.name(), trial.Count(kCalls), 0, drawn)) {
      trial.ExpectWholeAfterKill({.kinds = kCalls, .at = k, .what = "kill"});
    }
  }
};

TEST_F(Kills, OfOneFile) {
  const std::string folder = FolderForFaults();
  for (const FaultCase& each : FileCases()) Try(FaultTrial(each, folder), 12);
}

TEST_F(Kills, OfASet) {
  const std::string folder = FolderForFaults();
  Try(FaultTrial(EncodeCase(folder), folder), 80);
}

TEST_F(Kills, OfTraining) {
  const std::string folder = FolderForFaults();
  for (const FaultCase& each : TrainCases(folder)) Try(FaultTrial(each, folder), 40);
}

}  // namespace
}  // namespace seqgraph
