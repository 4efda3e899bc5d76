#include "training/series/series_task.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/testing.h"
#include "training/losses.h"
#include "training/series/testing/series_sets.h"

namespace seqgraph {
namespace {

using data::SeriesSet;
using ::testing::ElementsAre;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

SeriesSet Zeros() {
  return MakeSet({3, 5}, 2, [](int64_t, int64_t) { return 0.0f; });
}
SeriesSet WithClasses(std::vector<int32_t> classes, bool per_step = false) {
  SeriesSet set = Zeros();
  set.classes = std::move(classes);
  set.class_names = {"walk", "run"};
  set.per_step = per_step;
  return set;
}
SeriesSet WithTargets(std::vector<float> targets, bool per_step = false) {
  SeriesSet set = Zeros();
  set.targets = std::move(targets);
  set.target_names = {"hot"};
  set.per_step = per_step;
  return set;
}

TEST(SeriesTasks, AreFoundByName) {
  for (const SeriesTaskFacts& facts : SeriesTasks()) {
    SEQ_ASSERT_OK_AND_ASSIGN(const SeriesTaskKind kind, SeriesTaskByName(facts.name));
    EXPECT_EQ(kind, facts.kind);
    EXPECT_EQ(FactsOf(kind).name, facts.name);
    SEQ_EXPECT_OK(LossByName(DefaultLoss({.kind = kind})));
    EXPECT_FALSE(DefaultMetrics({.kind = kind}).empty());
  }
  EXPECT_EQ(SeriesTaskNames(), "classify, regress, tag, forecast, reconstruct");
  EXPECT_THAT(SeriesTaskByName("cluster"),
              StatusIs(kInvalid, "unknown task \"cluster\": expected one of classify, regress"));
}

TEST(SeriesTasks, HaveTheirDefaults) {
  const auto names = [](const SeriesTask& task) {
    std::vector<std::string> names;
    for (const Metric& metric : DefaultMetrics(task)) names.push_back(metric.name);
    return names;
  };
  EXPECT_EQ(DefaultLoss({}), "sparse_categorical_crossentropy");
  EXPECT_EQ(DefaultLoss({.many_labels = true}), "binary_crossentropy");
  EXPECT_THAT(names({}), ElementsAre("accuracy", "f1_score"));
  EXPECT_THAT(names({.many_labels = true}),
              ElementsAre("binary_accuracy", "f1_score_of_labels", "auc"));
  EXPECT_THAT(names({.kind = SeriesTaskKind::kForecast}),
              ElementsAre("mean_absolute_error", "root_mean_squared_error"));
}

TEST(SeriesTask, ChecksItsSettings) {
  const auto refused = [](const SeriesTask& task, const std::string& why) {
    EXPECT_THAT(CheckSeriesTask(task), StatusIs(kInvalid, why));
  };
  const auto forecast = [](SeriesTask task) {
    task.kind = SeriesTaskKind::kForecast;
    return task;
  };
  SEQ_EXPECT_OK(CheckSeriesTask(SeriesTask()));
  SEQ_EXPECT_OK(
      CheckSeriesTask(forecast({.window = 3, .horizon = 1, .quantiles = {0.1, 0.5, 0.9}})));
  refused(forecast({.horizon = 1}), "the window is 0 steps");
  refused(forecast({.window = 3}), "the horizon is 0 steps");
  refused(forecast({.window = 3, .horizon = -1}), "the horizon is -1");
  refused(forecast({.window = int64_t{1} << 40, .horizon = 1}), "the window is 1099511627776");
  refused(forecast({.window = 3, .horizon = 1, .quantiles = {0.5, 0.5}}), "each above");
  refused(forecast({.window = 3, .horizon = 1, .quantiles = {0, 0.5}}), "between 0 and 1");
  refused(forecast({.window = 3, .horizon = 1, .quantiles = {std::nan("")}}), "between 0 and 1");
  refused(forecast({.window = 3, .horizon = 4, .known_future = {1}}), "need a window (3)");
  refused(forecast({.window = 3, .horizon = 1, .targets = {1}, .known_future = {1}}),
          "column 1 is to be told, and is said to be known");
  refused(forecast({.window = 3, .horizon = 1, .targets = {1, 1}}), "column 1 is given twice");
  refused({.horizon = 1}, "classify has no horizon");
  refused({.quantiles = {0.5}}, "classify has no quantiles");
  refused({.kind = SeriesTaskKind::kTag, .many_labels = true}, "tag has no many labels");
  refused({.kind = SeriesTaskKind::kTag, .per_step = true}, "tag has no numbers a step");
  refused({.season = -7}, "the season is -7");
}

TEST(SeriesTask, ChecksLabels) {
  const auto refused = [](const SeriesTask& task, const SeriesSet& set, const std::string& why) {
    EXPECT_THAT(CheckSeriesTask(task, set, SeriesUse::kTrain), StatusIs(kInvalid, why));
  };
  const SeriesTask regress = {.kind = SeriesTaskKind::kRegress},
                   tag = {.kind = SeriesTaskKind::kTag};
  SEQ_EXPECT_OK(CheckSeriesTask({}, WithClasses({0, 1}), SeriesUse::kTrain));
  SEQ_EXPECT_OK(CheckSeriesTask(regress, WithTargets({0.5f, -2}), SeriesUse::kTrain));
  SEQ_EXPECT_OK(
      CheckSeriesTask(tag, WithClasses({0, 1, 0, 1, 1, 1, 1, 1}, true), SeriesUse::kTrain));
  SEQ_EXPECT_OK(CheckSeriesTask({.many_labels = true}, WithTargets({1, 0}), SeriesUse::kTrain));
  SEQ_EXPECT_OK(CheckSeriesTask({.kind = SeriesTaskKind::kRegress, .per_step = true},
                                WithTargets(std::vector<float>(8), true), SeriesUse::kTrain));

  refused({}, Zeros(),
          "classify needs a class for each series (--label); a.csv has no labels, "
          "and the columns f0, f1");
  refused({}, WithTargets({0, 1}), "a.csv has 1 numbers a series, and the columns f0, f1");
  refused(regress, WithClasses({0, 1}), "regress needs one number or several for each series");
  refused(regress, WithTargets(std::vector<float>(8), true), "has 1 numbers a step");
  refused(tag, WithClasses({0, 1}), "tag needs a class for each step");
  refused({}, WithClasses({1, 1}), "all labels of a.csv are \"run\"; there must be two");
  refused({}, WithClasses({1, -1}), "series 1 of 'a.csv' has no label");
  refused({}, WithClasses({1, 2}), "series 1 of 'a.csv' is of class 2, of which there are 2");
  refused(tag, WithClasses({0, 1, 0, 1, 1, -1, 1, 1}, true), "series 1, step 2 of 'a.csv' has no");
  refused(regress, WithTargets({0, NAN}), "series 1 of 'a.csv': hot is nan");
  refused(regress, WithTargets({0, INFINITY}), "series 1 of 'a.csv': hot is inf");
  refused({.many_labels = true}, WithTargets({1, 0.5f}), "hot is 0.5; expected 0 or 1");

  // Who judges may have one class alone, who predicts needs none.
  SEQ_EXPECT_OK(CheckSeriesTask({}, WithClasses({1, 1}), SeriesUse::kJudge));
  SEQ_EXPECT_OK(CheckSeriesTask({}, Zeros(), SeriesUse::kPredict));
}

TEST(SeriesTask, ChecksWindowsAndColumns) {
  SeriesTask task = {.kind = SeriesTaskKind::kForecast, .window = 4, .horizon = 1};
  SEQ_EXPECT_OK(CheckSeriesTask(task, Zeros(), SeriesUse::kTrain));
  task.horizon = 2;
  EXPECT_THAT(CheckSeriesTask(task, Zeros(), SeriesUse::kTrain),
              StatusIs(kInvalid,
                       "a window of 4 steps and a horizon of 2 is longer than the longest series "
                       "of a.csv, which has 5"));
  SEQ_EXPECT_OK(CheckSeriesTask(task, Zeros(), SeriesUse::kPredict));
  task.window = 6;
  EXPECT_THAT(CheckSeriesTask(task, Zeros(), SeriesUse::kPredict),
              StatusIs(kInvalid, "a window of 6 steps is longer"));
  EXPECT_THAT(CheckSeriesTask({.window = 6}, WithClasses({0, 1}), SeriesUse::kTrain),
              StatusIs(kInvalid, "a window of 6 steps is longer"));
  task = {.kind = SeriesTaskKind::kForecast, .window = 2, .horizon = 1, .targets = {2}};
  EXPECT_THAT(CheckSeriesTask(task, Zeros(), SeriesUse::kTrain),
              StatusIs(kInvalid, "target column 2 is not there; there are 2 (f0, f1)"));
  task.targets = {};
  task.known_future = {0, 1};
  EXPECT_THAT(CheckSeriesTask(task, Zeros(), SeriesUse::kTrain),
              StatusIs(kInvalid, "none is left to be told"));
  EXPECT_THAT(CheckSeriesTask({}, SeriesSet(), SeriesUse::kPredict),
              StatusIs(kInvalid, "has no numbers"));
}

TEST(SeriesTask, FindsFeatures) {
  SEQ_ASSERT_OK_AND_ASSIGN(const std::vector<int> found, FeaturesByName(Zeros(), {"f1", "f0"}));
  EXPECT_THAT(found, ElementsAre(1, 0));
  EXPECT_THAT(FeaturesByName(Zeros(), {"f2"}),
              StatusIs(kInvalid, "no column \"f2\" in a.csv, but f0"));
  EXPECT_THAT(ForecastTargets({.known_future = {1}}, 3), ElementsAre(0, 2));
  EXPECT_THAT(ForecastTargets({.targets = {2, 0}}, 3), ElementsAre(2, 0));
  const SeriesSet set = SetOf({3}, 2, {0, 1, NAN, 2, 3, NAN});
  EXPECT_FALSE(IsMissingStep(set, 0));
  EXPECT_TRUE(IsMissingStep(set, 1));
  EXPECT_TRUE(IsMissingStep(set, 2));
}

}  // namespace
}  // namespace seqgraph
