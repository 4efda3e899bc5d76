#include "training/confusion_matrix.h"

#include "tests/testing.h"

namespace seqgraph {
namespace {

TEST(PredictedClass, IsTheLargestOrAboveOneHalf) {
  EXPECT_EQ(PredictedClass({0.5f}), 0);
  EXPECT_EQ(PredictedClass({0.501f}), 1);
  EXPECT_EQ(PredictedClass({0.1f, 0.9f}), 1);
  EXPECT_EQ(PredictedClass({0.2f, 0.4f, 0.4f}), 1);
  EXPECT_EQ(PredictedClass({0.5f, 0.3f, 0.2f}), 0);
}

// By hand, and as scikit-learn's precision_recall_fscore_support gives them.
TEST(ConfusionMatrix, CountsAndRatios) {
  const float predictions[] = {
      .8f, .1f, .1f,  // 0 as 0
      .1f, .8f, .1f,  // 0 as 1
      .1f, .8f, .1f,  // 1 as 1
      .1f, .8f, .1f,  // 1 as 1
      .2f, .8f, .0f,  // 2 as 1
  };
  SEQ_ASSERT_OK_AND_ASSIGN(const ConfusionMatrix m,
                           ConfusionMatrix::FromPredictions(predictions, {0, 0, 1, 1, 2}, 3));
  EXPECT_EQ(m.rows(), 5);
  EXPECT_EQ(m.count(0, 1), 1);
  EXPECT_EQ(m.count(1, 0), 0);
  EXPECT_EQ(m.rows_of(0), 2);
  EXPECT_EQ(m.predicted_as(1), 4);
  EXPECT_DOUBLE_EQ(m.accuracy(), 0.6);
  EXPECT_DOUBLE_EQ(m.precision(0), 1);
  EXPECT_DOUBLE_EQ(m.recall(0), 0.5);
  EXPECT_DOUBLE_EQ(m.f1(0), 2.0 / 3);
  EXPECT_DOUBLE_EQ(m.precision(1), 0.5);
  EXPECT_DOUBLE_EQ(m.recall(1), 1);
  EXPECT_DOUBLE_EQ(m.precision(2), 0);  // Never predicted.
  EXPECT_DOUBLE_EQ(m.f1(2), 0);
}

TEST(ConfusionMatrix, OneNumberARowForTwoClasses) {
  SEQ_ASSERT_OK_AND_ASSIGN(const ConfusionMatrix m,
                           ConfusionMatrix::FromPredictions({.9f, .5f, .6f}, {1, 1, 0}, 2));
  EXPECT_EQ(m.count(1, 1), 1);
  EXPECT_EQ(m.count(1, 0), 1);
  EXPECT_EQ(m.count(0, 1), 1);
  EXPECT_EQ(m.count(0, 0), 0);
}

TEST(ConfusionMatrix, RefusesWhatDoesNotFit) {
  const auto status = [](absl::Span<const float> predictions, absl::Span<const int32_t> targets,
                         int64_t classes) {
    return ConfusionMatrix::FromPredictions(predictions, targets, classes).status();
  };
  for (const absl::Status& misfit :
       {status({.1f, .2f}, {0, 1}, 3), status({.1f, .2f, .3f}, {0, 1}, 2), status({}, {}, 2),
        status({.1f}, {0}, 1), status({.1f, .2f, .3f}, {0}, 2)}) {
    EXPECT_THAT(misfit, StatusIs(absl::StatusCode::kInvalidArgument, "one a row and class"));
  }
  EXPECT_THAT(status({.1f}, {2}, 2), StatusIs(absl::StatusCode::kInvalidArgument, "class 2 of 2"));
  EXPECT_THAT(status({.1f}, {-1}, 2), StatusIs(absl::StatusCode::kInvalidArgument, "class -1"));
}

}  // namespace
}  // namespace seqgraph
