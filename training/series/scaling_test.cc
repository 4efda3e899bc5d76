#include "training/series/scaling.h"

#include <algorithm>
#include <cmath>
#include <iostream>
#include <random>
#include <vector>

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
const SeriesTask kForecast = {.kind = SeriesTaskKind::kForecast, .window = 3, .horizon = 1};
const SeriesTask kRegress = {.kind = SeriesTaskKind::kRegress};

FeatureScale Fit(const SeriesSet& set, const std::vector<RowRange>& rows, const SeriesTask& task,
                 ScaleKind kind) {
  absl::StatusOr<FeatureScale> fit = FitScale(set, rows, task, kind);
  SEQ_EXPECT_OK(fit);
  return fit.value_or(FeatureScale());
}

std::vector<RowRange> All(const SeriesSet& set, const SeriesTask& task) {
  return AllRows(set, task).value();
}

// Windows of four steps that overlap; the numbers by numpy.
TEST(FitScale, CountsEachStepOnce) {
  const SeriesSet set = SetOf({8}, 2, {1, 5, 2, 5, 4, 5, 8, 5, 16, 5, -3, 5, 0.5f, 5, 7, 5});
  const std::vector<RowRange> rows = All(set, kForecast);
  ASSERT_EQ(rows.size(), 5u);
  const struct {
    ScaleKind kind;
    double offset, scale, constant;
  } kCases[] = {{ScaleKind::kStandard, 4.4375, 5.496803048136253, 5},
                {ScaleKind::kMinMax, -3, 19, 5},
                {ScaleKind::kRobust, 3, 6.375, 5},
                {ScaleKind::kNone, 0, 1, 0}};
  for (const auto& c : kCases) {
    const FeatureScale fit = Fit(set, rows, kForecast, c.kind);
    EXPECT_THAT(fit.offset, ElementsAre(DoubleNear(c.offset, 1e-14), c.constant));
    EXPECT_THAT(fit.scale, ElementsAre(DoubleNear(c.scale, 1e-14), 1));
  }
}

TEST(FitScale, PassesOverWhatIsMissing) {
  const SeriesSet set = SetOf({4}, 3, {1, NAN, 0, NAN, NAN, 0, 3, NAN, 0, NAN, NAN, 1});
  const std::vector<RowRange> rows = {{0, 0, 4}};
  FeatureScale fit = Fit(set, rows, {}, ScaleKind::kStandard);
  EXPECT_THAT(fit.offset, ElementsAre(2, 0, 0.25));
  EXPECT_THAT(fit.scale, ElementsAre(1, 1, DoubleNear(std::sqrt(3) / 4, 1e-15)));
  // Quartiles 1.5 and 2.5; 0 and 0.25.
  fit = Fit(set, rows, {}, ScaleKind::kRobust);
  EXPECT_THAT(fit.offset, ElementsAre(2, 0, 0));
  EXPECT_THAT(fit.scale, ElementsAre(1, 1, 0.25));
}

// Half of the values alike: no distance between the quartiles.
TEST(FitScale, LeavesAScaleOf1WhereThereIsNone) {
  const SeriesSet set = SetOf({8}, 1, {2, 2, 2, 2, 2, 2, 2, 100});
  const FeatureScale fit = Fit(set, {{0, 0, 8}}, {}, ScaleKind::kRobust);
  EXPECT_THAT(fit.offset, ElementsAre(2));
  EXPECT_THAT(fit.scale, ElementsAre(1));
  // A float is no mean of three of it in doubles by chance only.
  const SeriesSet tenths = SetOf({3}, 1, {0.1f, 0.1f, 0.1f});
  EXPECT_THAT(Fit(tenths, {{0, 0, 3}}, {}, ScaleKind::kStandard).offset, ElementsAre(0.1f));
  EXPECT_THAT(Fit(tenths, {{0, 0, 3}}, {}, ScaleKind::kStandard).scale, ElementsAre(1));
}

TEST(FitScale, NamesWhatIsInfinite) {
  const SeriesSet set = SetOf({2, 2}, 2, {0, 1, 2, 3, 4, 5, 6, INFINITY});
  EXPECT_THAT(FitScale(set, All(set, {}), {}, ScaleKind::kMinMax),
              StatusIs(kInvalid, "scale: series 1, step 1 of 'a.csv': f1 is infinite"));
  SEQ_EXPECT_OK(FitScale(set, {{0, 0, 2}}, {}, ScaleKind::kMinMax));
}

// Means far from 0: against numbers in long double, another formula.
TEST(FitScale, KeepsItsDigits) {
  const unsigned seed = std::random_device()();
  std::cout << "seed " << seed << "\n";
  std::mt19937 random(seed);
  for (const double far : {0.0, 1e3, 1e6}) {
    const SeriesSet set = MakeSet({70, 30}, 2, [&](int64_t, int64_t) {
      return static_cast<float>(far + std::normal_distribution<double>()(random));
    });
    const FeatureScale fit = Fit(set, All(set, kForecast), kForecast, ScaleKind::kStandard);
    for (int k = 0; k < 2; ++k) {
      long double sum = 0, pairs = 0;
      for (int i = 0; i < 100; ++i) sum += set.values[2 * i + k];
      // The variance is half the mean square of all differences.
      for (int i = 0; i < 100; ++i) {
        for (int j = 0; j < 100; ++j) {
          const long double d =
              static_cast<long double>(set.values[2 * i + k]) - set.values[2 * j + k];
          pairs += d * d;
        }
      }
      EXPECT_NEAR(fit.offset[k], static_cast<double>(sum / 100), 1e-12 * (1 + far));
      EXPECT_NEAR(fit.scale[k], static_cast<double>(std::sqrt(pairs / 20000)), 1e-12);
    }
  }
}

// Whatever stands in the later parts, the scale of the training part is the same.
TEST(FitScale, SeesTheTrainingPartAlone) {
  const auto fit = [](float later, ScaleKind kind) {
    const SeriesSet set = MakeSet({100}, 1, [later](int64_t step, int64_t) {
      return step < 70 ? static_cast<float>(step % 13) : later;
    });
    const SeriesSplit split = SplitSeries(set, kForecast, {.validation = 0.1, .test = 0.2}).value();
    return Fit(set, split.train, kForecast, kind);
  };
  for (const ScaleKind kind : {ScaleKind::kStandard, ScaleKind::kMinMax, ScaleKind::kRobust}) {
    EXPECT_EQ(fit(0, kind).offset, fit(1e9f, kind).offset);
    EXPECT_EQ(fit(0, kind).scale, fit(1e9f, kind).scale);
  }
}

// Three million values: quartiles from a part of them, close to the exact ones.
TEST(FitScale, TakesQuartilesOfManyByLot) {
  constexpr int64_t kSteps = 3000000;
  const unsigned seed = std::random_device()();
  std::cout << "seed " << seed << "\n";
  std::mt19937 random(seed);
  const SeriesSet set = MakeSet({kSteps}, 1, [&](int64_t, int64_t) {
    return static_cast<float>(random() % 1000003) / 1000003;
  });
  const FeatureScale fit = Fit(set, {{0, 0, kSteps}}, {}, ScaleKind::kRobust);
  EXPECT_NEAR(fit.offset[0], 0.5, 0.005);
  EXPECT_NEAR(fit.scale[0], 0.5, 0.01);
  const FeatureScale again = Fit(set, {{0, 0, kSteps}}, {}, ScaleKind::kRobust);
  EXPECT_EQ(fit.offset, again.offset);
  EXPECT_EQ(fit.scale, again.scale);
}

TEST(FitTargetScale, IsOfTheColumnsThatAForecastTells) {
  const SeriesSet set = SetOf({5}, 2, {0, 10, 1, 20, 2, 30, 3, 40, 4, 50});
  SeriesTask task = kForecast;
  task.targets = {1};
  SEQ_ASSERT_OK_AND_ASSIGN(const FeatureScale fit,
                           FitTargetScale(set, All(set, task), task, ScaleKind::kMinMax));
  EXPECT_THAT(fit.offset, ElementsAre(10));
  EXPECT_THAT(fit.scale, ElementsAre(40));
}

// Series 0 has two windows and counts once, series 2 is not trained on.
TEST(FitTargetScale, IsOfTheTargetsOfARegression) {
  SeriesSet set = SetOf({4, 2, 2}, 1, std::vector<float>(8));
  set.targets = {1, 10, 3, 30, 100, 1000};
  set.target_names = {"a", "b"};
  std::vector<RowRange> rows = All(set, {.kind = SeriesTaskKind::kRegress, .window = 2});
  ASSERT_EQ(rows.size(), 4u);
  rows.pop_back();
  SEQ_ASSERT_OK_AND_ASSIGN(FeatureScale fit,
                           FitTargetScale(set, rows, kRegress, ScaleKind::kStandard));
  EXPECT_THAT(fit.offset, ElementsAre(2, 20));
  EXPECT_THAT(fit.scale, ElementsAre(1, 10));

  set.targets = {0, 2, 4, 6, 8, 9, 100, 100};
  set.target_names = {"a"};
  set.per_step = true;
  rows = {{0, 0, 4}, {1, 4, 2}};
  SEQ_ASSERT_OK_AND_ASSIGN(
      fit, FitTargetScale(set, rows, {.kind = SeriesTaskKind::kRegress, .per_step = true},
                          ScaleKind::kMinMax));
  EXPECT_THAT(fit.offset, ElementsAre(0));
  EXPECT_THAT(fit.scale, ElementsAre(9));
  EXPECT_THAT(FitTargetScale(set, rows, {}, ScaleKind::kStandard),
              StatusIs(kInvalid, "classify has no targets"));
}

TEST(ScaleKinds, AreFoundByName) {
  EXPECT_EQ(ScaleKindByName("robust").value(), ScaleKind::kRobust);
  EXPECT_THAT(
      ScaleKindByName("max"),
      StatusIs(kInvalid, "unknown scale \"max\": expected one of standard, minmax, robust"));
}

}  // namespace
}  // namespace seqgraph
