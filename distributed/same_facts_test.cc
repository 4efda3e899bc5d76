#include "distributed/same_facts.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "distributed/testing/on_ranks.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

// What each rank is told.
std::vector<absl::Status> CheckOnRanks(const std::vector<Facts>& facts) {
  std::vector<absl::Status> told(facts.size());
  OnRanks(static_cast<int>(facts.size()), [&](Communicator& communicator) {
    const auto rank = static_cast<size_t>(communicator.rank());
    told[rank] = CheckSame(communicator, facts[rank]);
  });
  return told;
}

TEST(CheckSame, IsSatisfiedWithEqualFacts) {
  const Facts facts = {{"data", "5f3a"}, {"options", "--batch=3 \n"}, {"none", ""}};
  for (const absl::Status& told : CheckOnRanks({facts, facts, facts})) SEQ_EXPECT_OK(told);
  SEQ_EXPECT_OK(CheckOnRanks({facts})[0]);
  SEQ_EXPECT_OK(CheckOnRanks({{}, {}})[1]);
}

TEST(CheckSame, TellsAllWhichRankDiffersWhereAndInWhat) {
  const Facts usual = {{"data", "5f3a"}, {"instruction set", "AVX-512"}};
  const Facts older = {{"data", "5f3a"}, {"instruction set", "AVX2"}};
  for (const absl::Status& told : CheckOnRanks({usual, usual, older, older})) {
    EXPECT_TRUE(absl::IsFailedPrecondition(told)) << told;
    EXPECT_EQ(told.message(), absl::StrCat("rank 2 (", HostName(),
                                           "): instruction set is AVX2, and rank 0 has AVX-512"));
  }
}

TEST(CheckSame, AFactThatOneLacksIsDifferent) {
  for (const absl::Status& told : CheckOnRanks({{}, {{"version", "2"}}})) {
    EXPECT_EQ(told.message(),
              absl::StrCat("rank 1 (", HostName(), "): version is 2, and rank 0 has none"));
  }
  EXPECT_FALSE(CheckOnRanks({{{"version", "none"}}, {}})[0].ok());
}

}  // namespace
}  // namespace seqgraph
