#include "data/stratified_split.h"

#include <vector>

#include "absl/strings/str_join.h"
#include "data/testing/test_util.h"
#include "tests/testing.h"

namespace seqgraph::data {
namespace {

using ::testing::ElementsAre;

// Row numbers by scikit-learn 1.9.1 with numpy 2.4.6.
TEST(StratifiedSplit, IsScikitLearns) {
  SEQ_ASSERT_OK_AND_ASSIGN(const SplitIndices a,
                           StratifiedSplit({0, 0, 0, 0, 1, 1, 1, 2, 2, 2}, 0.4, 42));
  EXPECT_THAT(a.train, ElementsAre(9, 1, 5, 8, 4, 2));
  EXPECT_THAT(a.test, ElementsAre(6, 3, 0, 7));
  SEQ_ASSERT_OK_AND_ASSIGN(const SplitIndices b,
                           StratifiedSplit({0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1}, 0.3, 7));
  EXPECT_THAT(b.train, ElementsAre(7, 2, 5, 4, 3, 9, 6));
  EXPECT_THAT(b.test, ElementsAre(1, 8, 0, 10));
  SEQ_ASSERT_OK_AND_ASSIGN(const SplitIndices c,
                           StratifiedSplit({0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 2, 3, 3}, 0.5, 1));
  EXPECT_THAT(c.train, ElementsAre(8, 5, 2, 6, 11, 10));
  EXPECT_THAT(c.test, ElementsAre(1, 12, 4, 3, 0, 9, 7));

  std::vector<int32_t> squares(1000);
  for (int i = 0; i < 1000; ++i) squares[static_cast<size_t>(i)] = i * i % 7;  // No class 3, 5, 6.
  SEQ_ASSERT_OK_AND_ASSIGN(const SplitIndices d, StratifiedSplit(squares, 0.2, 42));
  EXPECT_EQ(Sha256Hex(absl::StrJoin(d.train, " ")),
            "1cdf5d1cc3dbc2a582115465d1cdc681bb92fb53d6c9bd8387446117e55fe68c");
  EXPECT_EQ(Sha256Hex(absl::StrJoin(d.test, " ")),
            "a4033a8f6df7cdf487aee0c47e3aa0797a314858e08d704b02c6c6b09dc14507");
}

TEST(StratifiedSplit, RefusesWhatCannotBeSplit) {
  const auto refused = [](std::vector<int32_t> classes, double fraction, const std::string& why) {
    EXPECT_THAT(StratifiedSplit(classes, fraction, 1),
                StatusIs(absl::StatusCode::kInvalidArgument, why));
  };
  refused({}, 0.5, "0 rows cannot be split");
  refused({0, 1, 0, 1}, 1.5, "between 0 and 1");
  refused({0, 0, 1}, 0.5, "class 1 has one row");
  refused({0, 0, 1, 1, 2, 2}, 0.2, "parts of 4 and 2 rows are too small for 3 classes");
}

}  // namespace
}  // namespace seqgraph::data
