// Nothing of what a part is judged by is known to an earlier one. What is looked at are the arrays
// that rows become, and what a training leaves.

#include <algorithm>
#include <cmath>
#include <iostream>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/testing.h"
#include "training/sequential.h"
#include "training/series/baseline.h"
#include "training/series/scaling.h"
#include "training/series/series_examples.h"
#include "training/series/split.h"
#include "training/series/testing/series_sets.h"
#include "training/trainer.h"

namespace seqgraph {
namespace {

using data::SeriesSet;
using Kind = SeriesTaskKind;

constexpr float kCanary = 1e20f;

unsigned Seed() {
  const unsigned seed = std::random_device()();
  std::cout << "seed " << seed << "\n";
  return seed;
}

SeriesTask Forecast(int64_t window, int64_t horizon) {
  return {.kind = Kind::kForecast, .window = window, .horizon = horizon};
}

// The set with other values in the same places.
SeriesSet With(const SeriesSet& set, std::vector<float> values) {
  SeriesSet other = set;
  auto storage = std::make_shared<std::vector<float>>(std::move(values));
  other.values = *storage;
  other.storage = std::move(storage);
  return other;
}

// The inputs of rows, and the labels of a forecast or reconstruction, one after the other.
struct Arrays {
  std::vector<float> inputs, labels;
};

Arrays ArraysOf(const SeriesSet& set, const std::vector<RowRange>& rows, const SeriesTask& task) {
  const bool labels = task.kind == Kind::kForecast || task.kind == Kind::kReconstruct;
  const SeriesExamples made = SeriesExamples::Create(set, rows, task, {.labels = labels}).value();
  const Examples& examples = made.examples();
  if (rows.empty()) return {};
  Arrays arrays;
  arrays.inputs = Filled<float>(examples, "x", {examples.maxlen, set.num_features()});
  if (task.kind == Kind::kForecast) {
    const auto targets = static_cast<int64_t>(ForecastTargets(task, set.num_features()).size());
    arrays.labels = Filled<float>(examples, "labels", {task.horizon * targets});
  } else if (labels) {
    arrays.labels = Filled<float>(examples, "labels", {examples.maxlen, set.num_features()});
  }
  return arrays;
}

bool HasCanary(const SeriesSet& set, const std::vector<RowRange>& rows, const SeriesTask& task) {
  const Arrays arrays = ArraysOf(set, rows, task);
  const auto has = [](const std::vector<float>& values) {
    return std::count(values.begin(), values.end(), kCanary) > 0;
  };
  return has(arrays.inputs) || has(arrays.labels);
}

// White noise, and beside it the same shifted by one: the target of a step is its next input.
SeriesSet Shifted(const std::vector<int64_t>& lengths, std::mt19937& random) {
  std::normal_distribution<float> normal;
  float next = normal(random);
  return MakeSet(lengths, 2, [&](int64_t, int64_t feature) {
    return feature == 0 ? next : next = normal(random);
  });
}

// R^2 of who has seen the training's arrays, and tells of the number that a row last knows what
// followed it there; of one that he has not seen the mean, 0.
double ScoreOfMemory(const SeriesSet& set, const SeriesTask& task,
                     const std::vector<RowRange>& train, const std::vector<RowRange>& test) {
  const Arrays seen = ArraysOf(set, train, task), asked = ArraysOf(set, test, task);
  std::map<float, float> next;
  const size_t width = 2 * static_cast<size_t>(task.window);
  const size_t labels = static_cast<size_t>(task.horizon);
  for (size_t i = 0; i < seen.inputs.size(); i += 2) next[seen.inputs[i]] = seen.inputs[i + 1];
  for (size_t row = 0; row < train.size(); ++row) {
    float last = seen.inputs[(row + 1) * width - 1];
    for (size_t k = 0; k < labels; ++k) {
      next[last] = seen.labels[row * labels + k];
      last = next[last];
    }
  }
  double squares = 0, errors = 0;
  for (size_t row = 0; row < test.size(); ++row) {
    const float truth = asked.labels[row * labels];
    const auto found = next.find(asked.inputs[(row + 1) * width - 1]);
    const double error = truth - (found == next.end() ? 0 : found->second);
    squares += static_cast<double>(truth) * truth;
    errors += error * error;
  }
  return 1 - errors / squares;
}

// The same numbers, dealt by lot instead, are remembered.
TEST(ShiftedSeries, ScoreAsChance) {
  std::mt19937 random(Seed());
  for (const int64_t horizon : {1, 3}) {
    const SeriesSet set = Shifted({400, 300}, random);
    SeriesTask task = Forecast(5, horizon);
    task.targets = {1};
    SEQ_ASSERT_OK_AND_ASSIGN(std::vector<SeriesSplit> splits,
                             FoldSeries(set, task, 3, {.validation = 0.1}));
    SEQ_ASSERT_OK_AND_ASSIGN(splits.emplace_back(),
                             SplitSeries(set, task, {.validation = 0.1, .test = 0.2}));
    for (const SeriesSplit& split : splits) {
      EXPECT_EQ(ScoreOfMemory(set, task, split.train, split.test), 0);
      EXPECT_EQ(ScoreOfMemory(set, task, split.train, split.validation), 0);
      EXPECT_EQ(ScoreOfMemory(set, task, split.validation, split.test), 0);
    }
    SEQ_ASSERT_OK_AND_ASSIGN(std::vector<RowRange> rows, AllRows(set, task));
    std::shuffle(rows.begin(), rows.end(), random);
    EXPECT_GT(ScoreOfMemory(set, task, {rows.begin() + 150, rows.end()},
                            {rows.begin(), rows.begin() + 150}),
              0.8);
  }
}

// A window that reached one step further would hold its own answer.
TEST(ShiftedSeries, AreNotAnsweredByTheirOwnWindows) {
  std::mt19937 random(Seed());
  const SeriesSet set = Shifted({90, 60}, random);
  SeriesTask task = Forecast(7, 2);
  task.targets = {1};
  SEQ_ASSERT_OK_AND_ASSIGN(const std::vector<RowRange> rows, AllRows(set, task));
  const Arrays arrays = ArraysOf(set, rows, task);
  for (size_t row = 0; row < rows.size(); ++row) {
    const std::set<float> window(arrays.inputs.begin() + static_cast<int64_t>(row) * 14,
                                 arrays.inputs.begin() + static_cast<int64_t>(row + 1) * 14);
    EXPECT_FALSE(window.contains(arrays.labels[2 * row]));
    EXPECT_FALSE(window.contains(arrays.labels[2 * row + 1]));
  }
}

// Each value is the number of its stretch.
TEST(Windows, OfAnyTaskKeepToOneStretch) {
  std::mt19937 random(Seed());
  int checked = 0;
  for (int repeat = 0; repeat < 150; ++repeat) {
    const SeriesSet gaps = RandomSet(random, 1);
    std::vector<float> numbers;
    float stretch = 0;
    for (int64_t step = 0; step < gaps.num_steps(); ++step) {
      stretch += static_cast<float>(std::count(gaps.begin.begin(), gaps.begin.end(), step) +
                                    std::count(gaps.gaps.begin(), gaps.gaps.end(), step));
      numbers.push_back(stretch);
    }
    const SeriesSet set = With(gaps, std::move(numbers));
    for (const Kind kind : {Kind::kClassify, Kind::kTag, Kind::kForecast, Kind::kReconstruct}) {
      SeriesTask task = {.kind = kind, .window = 1 + static_cast<int64_t>(random() % 6)};
      task.stride = static_cast<int64_t>(random() % 4);
      if (kind == Kind::kForecast) task.horizon = 1 + static_cast<int64_t>(random() % 4);
      const auto rows = AllRows(set, task);
      if (!rows.ok()) continue;
      for (const RowRange& row : *rows) {
        const Arrays arrays = ArraysOf(set, {row}, task);
        std::set<float> seen(arrays.inputs.begin(), arrays.inputs.end());
        seen.insert(arrays.labels.begin(), arrays.labels.end());
        ASSERT_EQ(seen.size(), 1u) << FactsOf(kind).name << " from step " << row.begin;
        ++checked;
      }
    }
  }
  EXPECT_GT(checked, 5000);
}

// All that a training finds out, as numbers.
std::vector<double> TrainedOn(const SeriesSet& set, const SeriesSplit& split,
                              const SeriesTask& task) {
  std::vector<double> found;
  const auto add = [&found](const auto& numbers) {
    found.insert(found.end(), numbers.begin(), numbers.end());
  };
  for (const ScaleKind kind : {ScaleKind::kStandard, ScaleKind::kMinMax, ScaleKind::kRobust}) {
    for (const FeatureScale& fit : {FitScale(set, split.train, task, kind).value(),
                                    FitTargetScale(set, split.train, task, kind).value()}) {
      add(fit.offset);
      add(fit.scale);
    }
  }
  const auto baselines = FitBaselines(set, split.train, task).value();
  for (const Baseline& baseline : baselines) add(baseline.constants);
  for (const auto* rows : {&split.train, &split.validation}) {
    for (const BaselineResult& result :
         JudgeBaselines(baselines, set, *rows, task, {.metrics = DefaultMetrics(task)}).value()) {
      for (const auto& [name, value] : result.values) found.push_back(value);
    }
  }
  const auto train = SeriesExamples::Create(set, split.train, task).value();
  const auto validation = SeriesExamples::Create(set, split.validation, task).value();
  Sequential stack({.time = task.window, .features = 2});
  stack.Add(SimpleRNN(4)).Add(DenseLayer{.units = 2});
  stack.Add(ReshapeLayer{.target_shape = {2, 1}});
  Model model = stack.Build({.loss = MeanSquaredError(), .optimizer = SGD{}}).value();
  const FitResult fit = Trainer(&model, {.backend = "reference"})
                            .Fit(train.examples(), validation.examples(),
                                 {.epochs = 3, .batch = 8, .metrics = DefaultMetrics(task)})
                            .value();
  for (const auto& [name, epochs] : fit.history.values()) add(epochs);
  for (const Variable& variable : model.variables.all()) {
    if (variable.def.type.dtype == DType::kFloat32) add(variable.value.Elements<float>());
  }
  return found;
}

// Scales, baselines, weights and the losses of training and validation, bit by bit.
TEST(Canary, InTheTestPartPoisonsNoResultOfTheTraining) {
  std::mt19937 random(Seed());
  std::normal_distribution<float> normal;
  SeriesSet set = MakeSet({70, 50}, 2, [&](int64_t, int64_t) { return normal(random); });
  set.gaps = {31, 90};
  SeriesTask task = Forecast(4, 2);
  task.targets = {1};
  task.season = 3;
  SEQ_ASSERT_OK_AND_ASSIGN(const SeriesSplit split, SplitSeries(set, task, {.test = 0.2}));
  std::vector<float> values(set.values.begin(), set.values.end());
  for (const RowRange& row : split.test) {
    for (int64_t i = 0; i < 2 * task.horizon; ++i) values[2 * row.target_begin + i] = kCanary;
  }
  const SeriesSet poisoned = With(set, values);
  EXPECT_TRUE(HasCanary(poisoned, split.test, task));
  const std::vector<double> clean = TrainedOn(set, split, task);
  EXPECT_EQ(TrainedOn(poisoned, split, task), clean);
  // That the numbers tell: a canary where the training may look.
  values[2 * split.train[5].target_begin + 1] = 5;
  EXPECT_NE(TrainedOn(With(set, values), split, task), clean);
}

// Everything from the first step on that a fold's test part tells.
TEST(Canary, InTheFutureOfARollingFoldIsNotSeenBefore) {
  std::mt19937 random(Seed());
  int folds_seen = 0;
  for (int repeat = 0; repeat < 150; ++repeat) {
    const SeriesSet set = RandomSet(random, 2);
    SeriesTask task = Forecast(1 + random() % 5, 1 + random() % 3);
    task.stride = static_cast<int64_t>(random() % 3);
    task.targets = {static_cast<int>(random() % 2)};
    const auto folds = FoldSeries(set, task, 2 + static_cast<int>(random() % 3),
                                  {.validation = 0.2 * static_cast<double>(random() % 2)});
    if (!folds.ok()) continue;
    std::set<int64_t> tested;
    for (const SeriesSplit& fold : *folds) {
      std::vector<float> values(set.values.begin(), set.values.end());
      std::map<int64_t, int64_t> firsts;
      for (const RowRange& row : fold.test) {
        firsts.try_emplace(row.series, row.target_begin);
        EXPECT_TRUE(tested.insert(row.target_begin).second);
      }
      for (const auto& [series, first] : firsts) {
        std::fill(values.begin() + 2 * first, values.begin() + 2 * set.begin[series + 1], kCanary);
      }
      const SeriesSet poisoned = With(set, std::move(values));
      ASSERT_FALSE(HasCanary(poisoned, fold.train, task));
      ASSERT_FALSE(HasCanary(poisoned, fold.validation, task));
      ASSERT_TRUE(HasCanary(poisoned, fold.test, task));
      ++folds_seen;
    }
  }
  EXPECT_GT(folds_seen, 60);
}

// Folds of whole series, by class or by group: values and classes of what is judged.
TEST(Canary, InSeriesOfAFoldIsNotSeenInOthers) {
  std::mt19937 random(Seed());
  int folds_seen = 0;
  for (int repeat = 0; repeat < 60; ++repeat) {
    std::vector<int64_t> lengths(24 + random() % 20);
    for (int64_t& length : lengths) length = 1 + static_cast<int64_t>(random() % 9);
    SeriesSet set = MakeSet(lengths, 1, [](int64_t, int64_t) { return 1; });
    set.class_names = {"a", "b", "canary"};
    for (size_t i = 0; i < lengths.size(); ++i) {
      set.classes.push_back(static_cast<int32_t>(i % 2));
      if (repeat % 2 == 1) set.groups.push_back(std::to_string(random() % 10));
    }
    const SeriesTask task = {.window = static_cast<int64_t>(random() % 4), .stride = 1};
    SEQ_ASSERT_OK_AND_ASSIGN(const auto folds,
                             FoldSeries(set, task, 2 + repeat % 3, {.validation = 0.25}));
    for (const SeriesSplit& fold : folds) {
      std::vector<float> values(set.values.begin(), set.values.end());
      SeriesSet poisoned = set;
      std::set<std::string> groups;
      for (const RowRange& row : fold.test) {
        poisoned.classes[row.series] = 2;
        std::fill(values.begin() + set.begin[row.series],
                  values.begin() + set.begin[row.series + 1], kCanary);
        if (!set.groups.empty()) groups.insert(set.groups[row.series]);
      }
      poisoned = With(poisoned, std::move(values));
      for (const auto* rows : {&fold.train, &fold.validation}) {
        ASSERT_FALSE(HasCanary(poisoned, *rows, task));
        SEQ_ASSERT_OK_AND_ASSIGN(const auto made, SeriesExamples::Create(poisoned, *rows, task));
        const auto classes = Filled<int32_t>(made.examples(), "labels", {});
        ASSERT_EQ(std::count(classes.begin(), classes.end(), 2), 0);
        for (const RowRange& row : *rows) {
          if (!set.groups.empty()) {
            ASSERT_FALSE(groups.contains(set.groups[row.series]));
          }
        }
      }
      ASSERT_TRUE(HasCanary(poisoned, fold.test, task));
      ++folds_seen;
    }
  }
  EXPECT_GE(folds_seen, 120);
}

// A column that is known ahead stands in a row for the very steps to be told, and brings nothing of
// another column, nor of a step beyond a gap, with it.
TEST(KnownFuture, IsThatOfTheStepsToBeTold) {
  std::mt19937 random(Seed());
  int rows_seen = 0, splits = 0;
  for (int repeat = 0; repeat < 150; ++repeat) {
    const SeriesSet set = RandomSet(random, 3);
    SeriesTask task = Forecast(3 + random() % 4, 1 + random() % 3);
    task.known_future = {1};
    const auto narrow_rows = AllRows(set, task);
    if (!narrow_rows.ok()) continue;
    SeriesTask wide_task = task;
    const SeriesSet wide = WithKnownFuture(set, wide_task);
    SEQ_ASSERT_OK_AND_ASSIGN(const std::vector<RowRange> rows, AllRows(wide, wide_task));
    ASSERT_EQ(rows, *narrow_rows);
    const Arrays arrays = ArraysOf(wide, rows, wide_task);
    for (size_t row = 0; row < rows.size(); ++row) {
      for (int64_t i = 0; i < task.window; ++i) {
        const float* const step = arrays.inputs.data() + (row * task.window + i) * 4;
        const float* const then = set.values.data() + (rows[row].begin + i) * 3;
        ASSERT_TRUE(std::equal(step, step + 3, then));
        ASSERT_EQ(step[3], then[3 * task.horizon + 1]);
      }
      const float* const last = arrays.inputs.data() + ((row + 1) * task.window - 1) * 4;
      ASSERT_EQ(last[3], set.values[3 * (rows[row].target_begin + task.horizon - 1) + 1]);
      ++rows_seen;
    }
    const auto split = SplitSeries(wide, wide_task, {.test = 0.25});
    if (!split.ok()) continue;
    ++splits;
    std::vector<float> values(set.values.begin(), set.values.end());
    for (const RowRange& row : split->test) {
      for (int64_t i = 0; i < task.horizon; ++i) {
        values[3 * (row.target_begin + i)] = values[3 * (row.target_begin + i) + 2] = kCanary;
      }
    }
    SeriesTask again = task;
    const SeriesSet poisoned = WithKnownFuture(With(set, std::move(values)), again);
    ASSERT_FALSE(HasCanary(poisoned, split->train, wide_task));
    ASSERT_FALSE(HasCanary(poisoned, split->validation, wide_task));
    ASSERT_TRUE(HasCanary(poisoned, split->test, wide_task));
  }
  EXPECT_GT(rows_seen, 500);
  EXPECT_GT(splits, 20);
}

}  // namespace
}  // namespace seqgraph
