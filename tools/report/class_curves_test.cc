#include "tools/report/class_curves.h"

#include <cmath>
#include <vector>

#include "tests/testing.h"

namespace seqgraph::tools {
namespace {

using ::testing::DoubleNear;
using ::testing::Pointwise;

// scikit-learn 1.9.1 of these rows: roc_curve(drop_intermediate=False), roc_auc_score,
// precision_recall_curve, average_precision_score, calibration_curve(n_bins=5), brier_score_loss.
const std::vector<float> kScores = {0.9f, 0.8f, 0.8f,  0.65f, 0.6f,  0.55f,
                                    0.5f, 0.4f, 0.35f, 0.3f,  0.15f, 0.05f};
const std::vector<uint8_t> kIs = {1, 1, 0, 1, 0, 1, 1, 0, 0, 1, 0, 0};

MATCHER(IsNear, "") { return std::abs(std::get<0>(arg) - std::get<1>(arg)) < 1e-12; }

TEST(RocTest, IsThatOfScikitLearn) {
  const ThresholdCurve roc = Roc(kScores, kIs);
  const std::vector<double> x = {0,       0,       1.0 / 6, 1.0 / 6, 2.0 / 6, 2.0 / 6,
                                 2.0 / 6, 3.0 / 6, 4.0 / 6, 4.0 / 6, 5.0 / 6, 1};
  const std::vector<double> y = {0,       1.0 / 6, 2.0 / 6, 3.0 / 6, 3.0 / 6, 4.0 / 6,
                                 5.0 / 6, 5.0 / 6, 5.0 / 6, 1,       1,       1};
  EXPECT_THAT(roc.x, Pointwise(IsNear(), x));
  EXPECT_THAT(roc.y, Pointwise(IsNear(), y));
  EXPECT_NEAR(roc.area, 0.7361111111111112, 1e-12);
}

TEST(RocTest, ByHand) {
  EXPECT_EQ(Roc({0.9f, 0.1f}, {1, 0}).area, 1);
  EXPECT_EQ(Roc({0.1f, 0.9f}, {1, 0}).area, 0);
  EXPECT_EQ(Roc({0.5f, 0.5f}, {1, 0}).area, 0.5);
  EXPECT_TRUE(std::isnan(Roc({0.5f, 0.7f}, {1, 1}).area));
  EXPECT_TRUE(std::isnan(Roc({}, {}).area));
  // What is no number is taken for the class last.
  EXPECT_EQ(Roc({NAN, 0.1f}, {0, 1}).area, 1);
}

TEST(PrecisionRecallTest, IsThatOfScikitLearn) {
  const ThresholdCurve curve = PrecisionRecall(kScores, kIs);
  const std::vector<double> precision = {1,       1,       2.0 / 3, 3.0 / 4,  3.0 / 5,  4.0 / 6,
                                         5.0 / 7, 5.0 / 8, 5.0 / 9, 6.0 / 10, 6.0 / 11, 0.5};
  const std::vector<double> recall = {0,       1.0 / 6, 2.0 / 6, 3.0 / 6, 3.0 / 6, 4.0 / 6,
                                      5.0 / 6, 5.0 / 6, 5.0 / 6, 1,       1,       1};
  EXPECT_THAT(curve.y, Pointwise(IsNear(), precision));
  EXPECT_THAT(curve.x, Pointwise(IsNear(), recall));
  EXPECT_NEAR(curve.area, 0.7329365079365079, 1e-12);
  EXPECT_TRUE(std::isnan(PrecisionRecall({0.5f}, {0}).area));
}

TEST(ReliabilityTest, IsThatOfScikitLearn) {
  const Reliability found = ReliabilityOf(kScores, kIs, 5);
  ASSERT_EQ(found.bins.size(), 5u);
  const double share[] = {0, 0.5, 2.0 / 3, 0.5, 2.0 / 3};
  const double confidence[] = {0.1, 0.325, 0.48333334, 0.625, 0.83333333};
  const int64_t rows[] = {2, 2, 3, 2, 3};
  for (size_t i = 0; i < 5; ++i) {
    EXPECT_NEAR(found.bins[i].share, share[i], 1e-12);
    EXPECT_NEAR(found.bins[i].confidence, confidence[i], 1e-7);
    EXPECT_EQ(found.bins[i].rows, rows[i]);
  }
  EXPECT_NEAR(found.brier, 0.2018750160932541, 1e-7);
  // 2/12 .1 + 2/12 .175 + 3/12 .18333 + 2/12 .125 + 3/12 .16667
  EXPECT_NEAR(found.expected_error, 0.1541666667, 1e-6);
}

TEST(ReliabilityTest, EdgesBelongToTheBinBelow) {
  const Reliability found = ReliabilityOf({0.0f, 0.5f, 1.0f}, {0, 1, 1}, 2);
  ASSERT_EQ(found.bins.size(), 2u);
  EXPECT_EQ(found.bins[0].rows, 2);
  EXPECT_EQ(found.bins[0].confidence, 0.25);
  EXPECT_EQ(found.bins[1].share, 1);
  EXPECT_TRUE(ReliabilityOf({}, {}).bins.empty());
}

}  // namespace
}  // namespace seqgraph::tools
