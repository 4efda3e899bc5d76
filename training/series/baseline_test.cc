#include "training/series/baseline.h"

#include <cmath>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include "base/status_macros.h"
#include "gtest/gtest.h"
#include "tests/testing.h"
#include "training/series/split.h"
#include "training/series/testing/series_sets.h"

namespace seqgraph {
namespace {

using data::SeriesSet;
using ::testing::DoubleNear;
using ::testing::ElementsAre;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
const SeriesTask kRegress = {.kind = SeriesTaskKind::kRegress};

SeriesSet Zeros(int64_t series) {
  return MakeSet(std::vector<int64_t>(series, 2), 1, [](int64_t, int64_t) { return 0.0f; });
}

// The baselines of the training rows, judged on others by the default metrics and `more`.
absl::StatusOr<std::vector<BaselineResult>> Judged(const SeriesSet& set,
                                                   const std::vector<RowRange>& train,
                                                   const std::vector<RowRange>& test,
                                                   const SeriesTask& task,
                                                   std::vector<Metric> more = {}) {
  SEQ_ASSIGN_OR_RETURN(const std::vector<Baseline> baselines, FitBaselines(set, train, task));
  std::vector<Metric> metrics = DefaultMetrics(task);
  for (Metric& metric : more) metrics.push_back(std::move(metric));
  return JudgeBaselines(baselines, set, test, task, {.metrics = metrics});
}

// Shares 1/2, 1/3, 1/6; of those judged a third is of class 0, with weights 6/10.
TEST(Baseline, OfClassesIsTheMajority) {
  SeriesSet set = Zeros(9);
  set.classes = {0, 1, 0, 2, 1, 0, 1, 0, 2};
  set.class_names = {"walk", "run", "sit"};
  set.weights = {1, 1, 1, 1, 1, 1, 3, 6, 1};
  SEQ_ASSERT_OK_AND_ASSIGN(const std::vector<RowRange> rows, AllRows(set, {}));
  const std::vector<RowRange> train(rows.begin(), rows.begin() + 6),
      test(rows.begin() + 6, rows.end());
  SEQ_ASSERT_OK_AND_ASSIGN(const auto baselines, FitBaselines(set, train, {}));
  EXPECT_EQ(baselines[0].name, "majority class \"walk\"");
  EXPECT_THAT(baselines[0].constants,
              ElementsAre(0.5, DoubleNear(1.0 / 3, 1e-15), DoubleNear(1.0 / 6, 1e-15)));
  SEQ_ASSERT_OK_AND_ASSIGN(
      const auto results,
      Judged(set, train, test, {}, {Weighted(Accuracy()), MetricByName("kl_divergence").value()}));
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(results[0].name, "majority class \"walk\"");
  EXPECT_EQ(results[0].values.at("accuracy"), 1.0 / 3);
  EXPECT_EQ(results[0].values.at("weighted_accuracy"), 0.6);
  // F1 1/2 for class 0, 0 for the others; the mean of -log of 1/3, 1/2 and 1/6, clipped at 1e-7.
  EXPECT_NEAR(results[0].values.at("f1_score"), 0.5 / 3, 1e-15);
  EXPECT_NEAR(results[0].values.at("kl_divergence"), std::log(36) / 3, 1e-5);
}

// The probability of the second, 0.6: one number a row.
TEST(Baseline, OfTwoClassesTellsTheSecond) {
  SeriesSet set = Zeros(5);
  set.classes = {1, 1, 0, 1, 0};
  set.class_names = {"summer", "winter"};
  SEQ_ASSERT_OK_AND_ASSIGN(const std::vector<RowRange> rows, AllRows(set, {}));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto results,
                           Judged(set, rows, rows, {}, {AUC(), Precision(), MeanAbsoluteError()}));
  EXPECT_EQ(results[0].values.at("accuracy"), 0.6);
  EXPECT_EQ(results[0].values.at("f1_score"), 0.375);  // 2 3 / (2 3 + 2) and 0
  EXPECT_EQ(results[0].values.at("auc"), 0.5);
  EXPECT_EQ(results[0].values.at("precision"), 0.6);
  EXPECT_NEAR(results[0].values.at("mean_absolute_error"), (3 * 0.4 + 2 * 0.6) / 5, 1e-7);
  EXPECT_THAT(JudgeBaselines({{.name = "b", .constants = {1}}}, set, rows, {}, {.width = 1}),
              StatusIs(kInvalid, "baseline b: it tells 1 numbers, of 2"));
  EXPECT_THAT(JudgeBaselines({}, set, rows, {}, {.width = 2}),
              StatusIs(kInvalid, "predictions are 2 wide, the labels 1"));
}

TEST(Baseline, OfManyLabelsIsTheShareOfEach) {
  SeriesSet set = Zeros(4);
  set.targets = {1, 0, 1, 0, 1, 1, 0, 0};
  set.target_names = {"a", "b"};
  const SeriesTask task = {.many_labels = true};
  SEQ_ASSERT_OK_AND_ASSIGN(const std::vector<RowRange> rows, AllRows(set, task));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto results, Judged(set, rows, rows, task));
  EXPECT_EQ(results[0].values.at("binary_accuracy"), 0.75);
  EXPECT_EQ(results[0].values.at("f1_score_of_labels"), (6.0 / 7) / 2);
}

// The mean of 1, 3, 5, told of 4 and 7: errors 1 and 4.
TEST(Baseline, OfARegressionIsTheMean) {
  SeriesSet set = Zeros(5);
  set.targets = {1, 3, 5, 4, 7};
  set.target_names = {"y"};
  SEQ_ASSERT_OK_AND_ASSIGN(const std::vector<RowRange> rows, AllRows(set, kRegress));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto results, Judged(set, {rows.begin(), rows.begin() + 3},
                                                      {rows.begin() + 3, rows.end()}, kRegress));
  EXPECT_EQ(results[0].name, "mean");
  EXPECT_EQ(results[0].values.at("mean_absolute_error"), 2.5);
  EXPECT_NEAR(results[0].values.at("root_mean_squared_error"), std::sqrt(8.5), 1e-15);
  EXPECT_NEAR(results[0].values.at("r2_score"), 1 - 17 / 4.5, 1e-14);
}

// Steps 1 and 5 are missing and count neither in the shares nor in the judgement.
TEST(Baseline, OfTagsCountsStepsThatAreThere) {
  SeriesSet set = SetOf({4, 3}, 1, {0, NAN, 0, 0, 0, NAN, 0});
  set.classes = {0, 1, 1, 1, 0, 0, 1};
  set.class_names = {"a", "b"};
  set.per_step = true;
  const SeriesTask tag = {.kind = SeriesTaskKind::kTag};
  SEQ_ASSERT_OK_AND_ASSIGN(const std::vector<RowRange> rows, AllRows(set, tag));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto baselines, FitBaselines(set, rows, tag));
  EXPECT_THAT(baselines[0].constants, ElementsAre(0.4, 0.6));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto results, Judged(set, rows, {rows[1]}, tag));
  EXPECT_EQ(results[0].values.at("accuracy"), 0.5);
}

// Means 2 and 20 of the steps that are whole.
TEST(Baseline, OfReconstructionsIsTheMeanOfEachFeature) {
  SeriesSet set = SetOf({3, 2}, 2, {1, 10, 3, 30, NAN, 20, 2, 50, 2, NAN});
  const SeriesTask task = {.kind = SeriesTaskKind::kReconstruct};
  SEQ_ASSERT_OK_AND_ASSIGN(const std::vector<RowRange> rows, AllRows(set, task));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto results, Judged(set, {rows[0]}, {rows[1]}, task));
  EXPECT_EQ(results[0].values.at("mean_squared_error"), 450);
  EXPECT_EQ(results[0].values.at("mean_absolute_error"), 15);
}

TEST(Baseline, OfAForecastIsTheLastValueOrThatOfASeasonBefore) {
  const SeriesSet set = SetOf({10}, 1, {1, 2, 4, 1, 2, 4, 1, 2, 5, 1});
  SeriesTask task = {.kind = SeriesTaskKind::kForecast, .window = 2, .horizon = 4, .season = 3};
  const std::vector<RowRange> train = {{0, 0, 2, 2}}, test = {{0, 4, 2, 6}};
  SEQ_ASSERT_OK_AND_ASSIGN(const auto results, Judged(set, train, test, task));
  ASSERT_EQ(results.size(), 3u);
  EXPECT_EQ(results[0].name, "persistence");  // 4, told of 1, 2, 5, 1
  EXPECT_EQ(results[0].values.at("mean_absolute_error"), 9.0 / 4);
  EXPECT_EQ(results[1].name, "a season of 3 before");  // 1, 2, 4, 1
  EXPECT_EQ(results[1].values.at("mean_absolute_error"), 1.0 / 4);
  EXPECT_EQ(results[2].name, "mean");  // of the six steps 1 to 4, 14 / 6
  EXPECT_NEAR(results[2].values.at("mean_absolute_error"), (2 * 8.0 / 6 + 2.0 / 6 + 16.0 / 6) / 4,
              1e-6);
  // Seven before the first there is nothing but the last value, 4; then come 1, 2, 4.
  task.season = 7;
  SEQ_ASSERT_OK_AND_ASSIGN(const auto far, Judged(set, train, test, task));
  EXPECT_EQ(far[1].values.at("mean_absolute_error"), (3 + 1 + 3 + 3) / 4.0);
  EXPECT_THAT(
      JudgeBaselines({{.kind = Baseline::Kind::kPersistence, .name = "p", .constants = {0}}}, set,
                     {{0, 0, 10}}, {.kind = SeriesTaskKind::kReconstruct}, {}),
      StatusIs(kInvalid, "baseline p: it is a forecast's"));
}

// Against the definitions, on random sets with gaps and missing values, two columns of three.
TEST(Baseline, OfRandomForecastsByTheDefinition) {
  const unsigned seed = std::random_device()();
  std::cout << "seed " << seed << "\n";
  std::mt19937 random(seed);
  int rows_seen = 0;
  for (int repeat = 0; repeat < 100; ++repeat) {
    SeriesSet set = RandomSet(random, 3);
    std::vector<float> values(set.values.begin(), set.values.end());
    for (float& value : values) {
      if (random() % 10 == 0) value = NAN;
    }
    set.values = values;
    const SeriesTask task = {.kind = SeriesTaskKind::kForecast,
                             .window = 1 + static_cast<int64_t>(random() % 5),
                             .horizon = 1 + static_cast<int64_t>(random() % 3),
                             .targets = {2, 0},
                             .season = 1 + static_cast<int>(random() % 6)};
    const auto rows = AllRows(set, task);
    if (!rows.ok() || rows->empty()) continue;
    SEQ_ASSERT_OK_AND_ASSIGN(const auto baselines, FitBaselines(set, *rows, task));
    SEQ_ASSERT_OK_AND_ASSIGN(const auto results, Judged(set, *rows, *rows, task));
    double persistence = 0, seasonal = 0;
    for (const RowRange& row : *rows) {
      ++rows_seen;
      const auto in_stretch = [&](int64_t step) {
        bool inside = step >= set.begin[row.series];
        for (const int64_t gap : set.gaps) inside = inside && !(gap > step && gap <= row.begin);
        return inside;
      };
      for (int64_t ahead = 0; ahead < task.horizon; ++ahead) {
        for (int column = 0; column < 2; ++column) {
          const auto value = [&](int64_t step) { return values[3 * step + task.targets[column]]; };
          const double truth = value(row.target_begin + ahead);
          double last = static_cast<float>(baselines[0].constants[column]);
          for (int64_t step = row.begin; step < row.target_begin; ++step) {
            if (!std::isnan(value(step))) last = value(step);
          }
          double before = last;
          for (int64_t k = 100; k > 0; --k) {
            const int64_t step = row.target_begin + ahead - k * task.season;
            if (step < row.target_begin && in_stretch(step) && !std::isnan(value(step))) {
              before = value(step);
            }
          }
          persistence += std::abs(truth - last);
          seasonal += std::abs(truth - before);
        }
      }
    }
    const double labels = static_cast<double>(rows->size()) * task.horizon * 2;
    ASSERT_NEAR(results[0].values.at("mean_absolute_error"), persistence / labels, 1e-6);
    ASSERT_NEAR(results[1].values.at("mean_absolute_error"), seasonal / labels, 1e-6);
  }
  EXPECT_GT(rows_seen, 1000);
}

TEST(BaselineVerdict, SaysWhoIsBetter) {
  const std::vector<BaselineResult> results = {{"persistence", {{"mean_absolute_error", 25.5}}},
                                               {"mean", {{"mean_absolute_error", 40}}}};
  const Metric mae = MeanAbsoluteError();
  EXPECT_EQ(BaselineVerdict(results, {{"mean_absolute_error", 21.5}}, mae),
            "better than persistence: mean_absolute_error 21.5, without a model 25.5");
  EXPECT_EQ(BaselineVerdict(results, {{"val_mean_absolute_error", 25.5}}, mae, "val_"),
            "no better than persistence: mean_absolute_error 25.5, without a model 25.5");
  EXPECT_EQ(BaselineVerdict(results, {{"loss", 1}}, mae), "");
  EXPECT_EQ(BaselineVerdict({}, {{"mean_absolute_error", 1}}, mae), "");
  EXPECT_FALSE(Beats(std::nan(""), 0.5, mae));
  EXPECT_FALSE(Beats(0.5, 0.5, Accuracy()));
  EXPECT_TRUE(Beats(0.6, 0.5, Accuracy()));
}

}  // namespace
}  // namespace seqgraph
