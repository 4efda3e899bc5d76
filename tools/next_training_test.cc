#include "tools/next_training.h"

#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "tests/testing.h"

namespace seqgraph::tools {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(NextTokenRows, TheLastWindowsAreToValidateBy) {
  std::vector<int32_t> codes(11);
  std::iota(codes.begin(), codes.end(), 4);
  SEQ_ASSERT_OK_AND_ASSIGN(const NextTokenRows rows, NextTokenRowsOf("a.txt", codes, 3, 0.2));
  EXPECT_EQ(rows.Part("train").rows, 2);
  EXPECT_THAT(rows.Part("train").tokens, ElementsAre(4, 5, 6, 7, 8, 9));
  EXPECT_THAT(rows.Part("validation").tokens, ElementsAre(10, 11, 12));
  EXPECT_THAT(rows.Part("validation").targets, ElementsAre(11, 12, 13));
  EXPECT_EQ(rows.Part("test").rows, 3);
  SEQ_ASSERT_OK_AND_ASSIGN(const NextTokenRows all, NextTokenRowsOf("a.txt", codes, 10, 0));
  EXPECT_EQ(all.Part("train").rows, 1);
  EXPECT_EQ(all.Part("validation").rows, 0);
  for (const auto& [maxlen, share] : {std::pair(11, 0.0), {5, 0.6}}) {
    EXPECT_THAT(NextTokenRowsOf("a.txt", codes, maxlen, share).status(),
                StatusIs(absl::StatusCode::kInvalidArgument, "'a.txt' has 11 tokens"));
  }
}

// Codes 4, 4, 5 of six, each counted once more: 3 / 9 and 2 / 9 for those that are judged.
TEST(FrequencyBaseline, TellsTheLossOfHowOftenTokensAre) {
  const std::vector<int32_t> counted = {4, 4, 5}, judged = {4, 5};
  const std::string line = FrequencyBaseline({.targets = counted}, {.targets = judged}, 6);
  // (ln 3 + ln 4.5) / 2.
  EXPECT_THAT(line, HasSubstr("loss 1.3013 - accuracy 0.5000"));
}

}  // namespace
}  // namespace seqgraph::tools
