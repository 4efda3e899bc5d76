// Where an allocation fails: status 1 and a line that says that memory has ended and in which
// command; no crash, and no file that is neither old nor new.

#include <string>

#include "tests/faults/fault_cases.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

class Memory : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!FaultsCanBeMade()) GTEST_SKIP();
  }

  // A single allocation, and all from there on, which leaves nothing to say so with.
  static void Try(FaultTrial trial, int64_t first, int64_t drawn) {
    for (const int64_t k : CallsToTry(trial.name(), trial.Count("memory"), first, drawn)) {
      trial.ExpectNoMemoryIsTold({.kinds = "memory", .at = k, .what = "ENOMEM"});
      if (k % 3 != 0) continue;
      trial.ExpectNoMemoryIsTold(
          {.kinds = "memory", .at = k, .what = "ENOMEM", .calls = 1'000'000'000});
    }
  }
};

TEST_F(Memory, OfCommandsThatWriteAFile) {
  const std::string folder = FolderForFaults();
  for (const FaultCase& each : FileCases()) Try(FaultTrial(each, folder), 0, 25);
}

TEST_F(Memory, OfEncode) {
  const std::string folder = FolderForFaults();
  Try(FaultTrial(EncodeCase(folder), folder), 50, 40);
}

TEST_F(Memory, OfTraining) {
  const std::string folder = FolderForFaults();
  for (const FaultCase& each : TrainCases(folder)) Try(FaultTrial(each, folder), 0, 60);
}

TEST_F(Memory, OfCommandsThatAnswer) {
  const std::string folder = FolderForFaults();
  for (const FaultCase& each : ReadingCases()) Try(FaultTrial(each, folder), 0, 40);
}

}  // namespace
}  // namespace seqgraph
