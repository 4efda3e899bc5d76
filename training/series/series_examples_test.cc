#include "training/series/series_examples.h"

#include <cmath>
#include <iostream>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/testing.h"
#include "training/series/series_task.h"
#include "training/series/split.h"
#include "training/series/testing/series_sets.h"

namespace seqgraph {
namespace {

using data::SeriesSet;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr float kNone = kMissingStep;

// The examples of all rows, moved once.
SeriesExamples Made(const SeriesSet& set, const SeriesTask& task,
                    const SeriesExamplesOptions& options = {}) {
  SeriesExamples made =
      SeriesExamples::Create(set, AllRows(set, task).value(), task, options).value();
  return made;
}

TEST(SeriesExamples, OfWholeSeriesAreRagged) {
  SeriesSet set = SetOf({2, 3}, 2, {1, 2, 3, 4, 5, 6, NAN, 8, 9, 10});
  set.classes = {1, 0};
  set.class_names = {"a", "b"};
  set.weights = {0.5f, 2};
  const SeriesExamples made = Made(set, {});
  EXPECT_THAT(Filled<float>(made.examples(), "x", {3, 2}),
              ElementsAre(1, 2, 3, 4, kNone, kNone, 5, 6, kNone, kNone, 9, 10));
  EXPECT_THAT(Filled<int32_t>(made.examples(), "labels", {}), ElementsAre(1, 0));
  EXPECT_THAT(Filled<float>(made.examples(), "labels", {1}), ElementsAre(1, 0));
  EXPECT_THAT(Filled<float>(made.examples(), "sample_weight", {}), ElementsAre(0.5f, 2));
  EXPECT_EQ(made.examples().NameOfRow(1), "series 1 of 'a.csv'");

  const SeriesExamples wider = Made(set, {}, {.max_steps = 4});
  EXPECT_EQ(wider.examples().maxlen, 4);
  const SeriesExamples cut = Made(set, {}, {.max_steps = 1, .cut = true});
  EXPECT_THAT(Filled<float>(cut.examples(), "x", {1, 2}), ElementsAre(3, 4, 9, 10));
  EXPECT_THAT(SeriesExamples::Create(set, AllRows(set, {}).value(), {}, {.max_steps = 2}),
              StatusIs(kInvalid,
                       "begins at series 1, step 0 of 'a.csv' has 3 steps, more than the "
                       "2 of the model"));
}

TEST(SeriesExamples, OfARegressionHaveTheTargetsOfTheirSeries) {
  SeriesSet set = SetOf({4, 2}, 1, {1, 2, 3, 4, 5, 6});
  set.targets = {10, 11, 20, 21};
  set.target_names = {"a", "b"};
  set.weights = {1, 3, 2, 4, 5, 7};
  set.weights_per_step = true;
  const SeriesExamples made = Made(set, {.kind = SeriesTaskKind::kRegress, .window = 2});
  EXPECT_THAT(Filled<float>(made.examples(), "x", {2, 1}), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(Filled<float>(made.examples(), "labels", {2}), ElementsAre(10, 11, 10, 11, 20, 21));
  EXPECT_THAT(Filled<float>(made.examples(), "sample_weight", {}), ElementsAre(2, 3, 6));
  EXPECT_EQ(made.examples().NameOfRow(1), "series 0, step 2 of 'a.csv'");
}

TEST(SeriesExamples, OfTagsHaveAClassAndAWeightAStep) {
  SeriesSet set = SetOf({2, 3}, 1, {1, 2, 3, 4, 5});
  set.classes = {1, 0, 1, 1, 0};
  set.class_names = {"a", "b"};
  set.per_step = true;
  set.weights = {1, 2, 3, 4, 5};
  set.weights_per_step = true;
  const SeriesTask tag = {.kind = SeriesTaskKind::kTag};
  const SeriesExamples made = Made(set, tag);
  EXPECT_THAT(Filled<float>(made.examples(), "x", {3, 1}), ElementsAre(1, 2, kNone, 3, 4, 5));
  EXPECT_THAT(Filled<int32_t>(made.examples(), "labels", {3}), ElementsAre(1, 0, 0, 1, 1, 0));
  EXPECT_THAT(Filled<float>(made.examples(), "sample_weight", {3}), ElementsAre(1, 2, 0, 3, 4, 5));
  set.weights = {7, 8};
  set.weights_per_step = false;
  const SeriesExamples by_series = Made(set, tag);
  EXPECT_THAT(Filled<float>(by_series.examples(), "sample_weight", {3}),
              ElementsAre(7, 7, 7, 8, 8, 8));
  EXPECT_THAT(
      SeriesExamples::Create(set, AllRows(set, tag).value(), tag, {.max_steps = 2, .cut = true}),
      StatusIs(kInvalid, "has 3 steps"));
}

TEST(SeriesExamples, OfNumbersAStepHaveThem) {
  SeriesSet set = SetOf({1, 2}, 1, {1, 2, 3});
  set.targets = {10, 11, 20, 21, 30, 31};
  set.target_names = {"a", "b"};
  set.per_step = true;
  const SeriesExamples made = Made(set, {.kind = SeriesTaskKind::kRegress, .per_step = true});
  EXPECT_THAT(Filled<float>(made.examples(), "labels", {2, 2}),
              ElementsAre(10, 11, 0, 0, 20, 21, 30, 31));
}

TEST(SeriesExamples, OfAForecastHaveTheStepsBehind) {
  SeriesSet set = MakeSet({6}, 3, [](int64_t step, int64_t feature) {
    return static_cast<float>(10 * step + feature);
  });
  set.weights = {1, 2, 3, 4, 5, 6};
  set.weights_per_step = true;
  const SeriesTask task = {
      .kind = SeriesTaskKind::kForecast, .window = 2, .horizon = 2, .stride = 2, .targets = {2, 0}};
  const SeriesExamples made = Made(set, task);
  EXPECT_THAT(Filled<float>(made.examples(), "x", {2, 3}),
              ElementsAre(0, 1, 2, 10, 11, 12, 20, 21, 22, 30, 31, 32));
  EXPECT_THAT(Filled<float>(made.examples(), "labels", {4}),
              ElementsAre(22, 20, 32, 30, 42, 40, 52, 50));
  EXPECT_THAT(Filled<float>(made.examples(), "sample_weight", {2}), ElementsAre(3, 4, 5, 6));
  const std::vector<RowRange> last = RowsToPredict(set, task).value();
  SEQ_ASSERT_OK_AND_ASSIGN(const SeriesExamples asked,
                           SeriesExamples::Create(set, last, task, {.labels = false}));
  EXPECT_FALSE(asked.examples().has_labels());
  EXPECT_THAT(Filled<float>(asked.examples(), "x", {2, 3}), ElementsAre(40, 41, 42, 50, 51, 52));
}

TEST(SeriesExamples, OfReconstructionsHaveTheirInputs) {
  const SeriesSet set = SetOf({1, 2}, 2, {1, 2, 3, 4, NAN, 6});
  const SeriesExamples made = Made(set, {.kind = SeriesTaskKind::kReconstruct});
  EXPECT_THAT(Filled<float>(made.examples(), "labels", {2, 2}),
              ElementsAre(1, 2, 0, 0, 3, 4, 0, 0));
}

TEST(SeriesExamples, OfNoRowsAreNone) {
  SeriesSet set = SetOf({2}, 1, {1, 2});
  set.classes = {0};
  set.class_names = {"a", "b"};
  SEQ_ASSERT_OK_AND_ASSIGN(const SeriesExamples made,
                           SeriesExamples::Create(set, {}, {}, {.max_steps = 7}));
  EXPECT_EQ(made.examples().rows, 0);
  EXPECT_EQ(made.examples().maxlen, 7);
  SEQ_EXPECT_OK(made.examples().Validate());
  EXPECT_THAT(SeriesExamples::Create(set, {}, {.kind = SeriesTaskKind::kRegress}),
              StatusIs(kInvalid, "regress needs one number or several"));
}

}  // namespace
}  // namespace seqgraph
