// Ranks as processes that MPI connects (rank.cc), on this machine.

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/distributed/launcher.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using ::testing::HasSubstr;

ProcessResult RunRank(int ranks, const std::vector<std::string>& arguments) {
  RankedProcess job(ranks, "tests/distributed/rank", arguments);
  job.process().CloseInput();
  return job.Wait();
}

class Mpi : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string reason = NoJobHere(); !reason.empty()) GTEST_SKIP() << reason;
  }
};

TEST_F(Mpi, EveryOperationGivesWhatItMust) {
  for (int ranks = 1; ranks <= 4; ++ranks) {
    const ProcessResult result = RunRank(ranks, {"operations"});
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_EQ(result.out, absl::StrCat("operations with ", ranks, " ranks: done\n"));
  }
}

TEST_F(Mpi, TakesMessagesOfAnyLength) {
  for (const char* bytes : {"0", "1", "5000", "33000001"}) {
    const ProcessResult result = RunRank(2, {"large", bytes});
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_EQ(result.out, "large with 2 ranks: done\n");
  }
}

TEST_F(Mpi, AMessageOfAnotherLengthIsAnErrorThatNamesBoth) {
  const ProcessResult shorter = RunRank(2, {"wrong_length", "7", "8"});
  EXPECT_EQ(shorter.status, 1);
  EXPECT_THAT(shorter.err, HasSubstr("rank 1 sent 7 bytes with tag 9, rank 0 expected 8"));
  const ProcessResult longer = RunRank(2, {"wrong_length", "100000", "8"});
  EXPECT_EQ(longer.status, 1);
  EXPECT_THAT(longer.err, HasSubstr("bytes with tag 9, rank 0 expected 8"));
}

TEST_F(Mpi, FindsOutWhoHasSentWork) {
  const ProcessResult result = RunRank(4, {"probe"});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.out, "probe with 4 ranks: done\n");
}

}  // namespace
}  // namespace seqgraph
