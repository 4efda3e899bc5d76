#include "training/series/split.h"

#include <algorithm>
#include <iostream>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/testing.h"
#include "training/series/testing/series_sets.h"

namespace seqgraph {
namespace {

using data::SeriesSet;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

SeriesTask Forecast(int64_t window, int64_t horizon) {
  return {.kind = SeriesTaskKind::kForecast, .window = window, .horizon = horizon};
}
constexpr SeriesTaskKind kRegress = SeriesTaskKind::kRegress;

SeriesSet Count(const std::vector<int64_t>& lengths) {
  return MakeSet(lengths, 1, [](int64_t step, int64_t) { return static_cast<float>(step); });
}
SeriesSet ForRegression(int64_t series) {
  SeriesSet set = Count(std::vector<int64_t>(series, 2));
  set.targets.resize(series);
  set.target_names = {"y"};
  return set;
}
SeriesSet WithClasses(std::vector<int32_t> classes) {
  SeriesSet set = Count(std::vector<int64_t>(classes.size(), 2));
  set.class_names.resize(*std::max_element(classes.begin(), classes.end()) + 1);
  for (size_t i = 0; i < set.class_names.size(); ++i) set.class_names[i] = "c" + std::to_string(i);
  set.classes = std::move(classes);
  return set;
}

unsigned Seed() {
  const unsigned seed = std::random_device()();
  std::cout << "seed " << seed << "\n";
  return seed;
}

// Of 20 steps the test part's targets are the last 4, the validation part's the 4 before but for
// the last two; steps 10 and 11 are nobody's.
TEST(SplitSeries, ByTimeKeepsAGapOfTheHorizon) {
  const SeriesTask task = Forecast(3, 2);
  SEQ_ASSERT_OK_AND_ASSIGN(SeriesSplit split,
                           SplitSeries(Count({20}), task, {.validation = 0.2, .test = 0.2}));
  EXPECT_THAT(TargetsOf(split.train), ElementsAre(3, 4, 5, 6, 7, 8));
  EXPECT_THAT(TargetsOf(split.validation), ElementsAre(12));
  EXPECT_THAT(TargetsOf(split.test), ElementsAre(16, 17, 18));

  SEQ_ASSERT_OK_AND_ASSIGN(split, SplitSeries(Count({20}), task, {.validation = 0, .test = 0.2}));
  EXPECT_EQ(split.train.back().target_begin, 12);
  EXPECT_THAT(split.validation, IsEmpty());
  SEQ_ASSERT_OK_AND_ASSIGN(split, SplitSeries(Count({20}), task, {.validation = 0.2}));
  EXPECT_EQ(split.train.back().target_begin, 12);
  EXPECT_THAT(TargetsOf(split.validation), ElementsAre(16, 17, 18));
  SEQ_ASSERT_OK_AND_ASSIGN(split, SplitSeries(Count({20}), task, {.validation = 0}));
  EXPECT_EQ(split.train.size(), 16u);
  EXPECT_THAT(split.test, IsEmpty());
}

// Windows of 4, every 2 steps: of 40 steps the last 8 are the test part, the 8 before validation.
TEST(SplitSeries, CutsASingleSeriesIntoPartsOfWindows) {
  const SeriesTask task = {.kind = SeriesTaskKind::kReconstruct, .window = 4, .stride = 2};
  SEQ_ASSERT_OK_AND_ASSIGN(const SeriesSplit split,
                           SplitSeries(Count({40}), task, {.validation = 0.2, .test = 0.2}));
  const auto begins = [](const std::vector<RowRange>& rows) {
    std::vector<int64_t> begins;
    for (const RowRange& row : rows) begins.push_back(row.begin);
    return begins;
  };
  EXPECT_THAT(begins(split.train), ElementsAre(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20));
  EXPECT_THAT(begins(split.validation), ElementsAre(24, 26, 28));
  EXPECT_THAT(begins(split.test), ElementsAre(32, 34, 36));
  EXPECT_THAT(SplitSeries(Count({40}), {.kind = SeriesTaskKind::kReconstruct, .window = 20}),
              StatusIs(kInvalid, "the validation part has no row"));
  EXPECT_THAT(SplitSeries(Count({40}), {.kind = SeriesTaskKind::kReconstruct}),
              StatusIs(kInvalid, "1 series cannot give 1 to the validation part"));
}

// Each series has its own end; a part begins in each with the first window that can be.
TEST(SplitSeries, ByTimeSplitsEachSeries) {
  SeriesTask task = Forecast(2, 1);
  task.stride = 2;
  SEQ_ASSERT_OK_AND_ASSIGN(const SeriesSplit split,
                           SplitSeries(Count({10, 3, 20}), task, {.validation = 0, .test = 0.3}));
  EXPECT_THAT(TargetsOf(split.test), ElementsAre(7, 9, 12, 27, 29, 31));
  EXPECT_THAT(TargetsOf(split.train), ElementsAre(2, 4, 15, 17, 19, 21, 23, 25));
}

// 309 years, the last 20 % of which are judged: as many as int(0.8 * 309) leaves.
TEST(SplitSeries, RoundsSharesUp) {
  SEQ_ASSERT_OK_AND_ASSIGN(const SeriesSplit split, SplitSeries(Count({309}), Forecast(24, 1),
                                                                {.validation = 0, .test = 0.2}));
  EXPECT_EQ(split.test.size(), 62u);
  SEQ_ASSERT_OK_AND_ASSIGN(const SeriesSplit exact, SplitSeries(Count({30}), Forecast(1, 1),
                                                                {.validation = 0, .test = 0.1}));
  EXPECT_EQ(exact.test.size(), 3u);  // 0.1 * 30 is above 3 in doubles
}

// What a value of the test part's targets poisons is not trained on, nor validated by.
TEST(SplitSeries, ACanaryInLaterTargetsIsNotSeenBefore) {
  std::mt19937 random(Seed());
  constexpr float kCanary = 777;
  int splits = 0;
  for (int repeat = 0; repeat < 400; ++repeat) {
    SeriesSet set = RandomSet(random, 2);
    SeriesTask task = Forecast(1 + random() % 6, 1 + random() % 4);
    task.stride = random() % 3;
    task.targets = {1};
    const SplitOptions options = {.validation = random() % 3 * 0.15, .test = 0.25};
    const absl::StatusOr<SeriesSplit> split = SplitSeries(set, task, options);
    if (!split.ok()) continue;
    ++splits;
    std::vector<float> values(set.values.begin(), set.values.end());
    const auto poison = [&](const std::vector<RowRange>& later) {
      for (const RowRange& row : later) {
        for (int64_t i = 0; i < task.horizon; ++i) values[2 * (row.target_begin + i) + 1] = kCanary;
      }
    };
    const auto poisoned = [&](const std::vector<RowRange>& rows) {
      for (const RowRange& row : rows) {
        for (int64_t step = 0; step < set.num_steps(); ++step) {
          if (Sees(row, task, step) && values[2 * step + 1] == kCanary) return true;
        }
      }
      return false;
    };
    poison(split->test);
    ASSERT_FALSE(poisoned(split->validation));
    poison(split->validation);
    ASSERT_FALSE(poisoned(split->train));
    ASSERT_TRUE(poisoned(split->test));
    // The gap: `horizon` steps of the series that are nobody's targets.
    for (const RowRange& row : split->train) {
      for (const auto* later : {&split->validation, &split->test}) {
        for (const RowRange& other : *later) {
          if (other.series != row.series) continue;
          ASSERT_LE(row.target_begin + 2 * task.horizon, other.target_begin);
        }
      }
    }
  }
  EXPECT_GT(splits, 100);
}

// White noise, of which each value follows once: who remembers what followed each value of the
// training rows knows nothing of the test part's. Rows that are dealt by lot instead tell most.
TEST(SplitSeries, WhoRemembersTheTrainingKnowsNothingOfTheTest) {
  std::mt19937 random(Seed());
  const SeriesSet set = MakeSet({300, 200}, 1, [&random](int64_t, int64_t) {
    return std::normal_distribution<float>()(random);
  });
  const SeriesTask task = Forecast(5, 1);
  const auto known = [&](const std::vector<RowRange>& train, const std::vector<RowRange>& test) {
    std::map<float, float> next;
    for (const RowRange& row : train) {
      for (int64_t step = row.begin; step < row.target_begin; ++step) {
        next[set.values[step]] = set.values[step + 1];
      }
    }
    double right = 0;
    for (const RowRange& row : test) {
      const auto found = next.find(set.values[row.target_begin - 1]);
      right += found != next.end() && found->second == set.values[row.target_begin];
    }
    return right / static_cast<double>(test.size());
  };
  SEQ_ASSERT_OK_AND_ASSIGN(const SeriesSplit split, SplitSeries(set, task, {.test = 0.2}));
  EXPECT_EQ(known(split.train, split.test), 0);
  SEQ_ASSERT_OK_AND_ASSIGN(std::vector<RowRange> rows, AllRows(set, task));
  std::shuffle(rows.begin(), rows.end(), random);
  EXPECT_GT(known({rows.begin() + 100, rows.end()}, {rows.begin(), rows.begin() + 100}), 0.9);
}

// Rows of scikit-learn 1.9.1: train_test_split(range(10), test_size=0.25, random_state=42), and
// with test_size=0.4 and these classes as `stratify`.
TEST(SplitSeries, OfWholeSeriesIsScikitLearns) {
  SEQ_ASSERT_OK_AND_ASSIGN(SeriesSplit split,
                           SplitSeries(ForRegression(10), {.kind = kRegress},
                                       {.validation = 0, .test = 0.25, .seed = 42}));
  EXPECT_THAT(SeriesOf(split.test), ElementsAre(1, 5, 8));
  EXPECT_THAT(SeriesOf(split.train), ElementsAre(0, 2, 3, 4, 6, 7, 9));
  SEQ_ASSERT_OK_AND_ASSIGN(split, SplitSeries(WithClasses({0, 0, 0, 0, 1, 1, 1, 2, 2, 2}), {},
                                              {.validation = 0.4, .seed = 42}));
  EXPECT_THAT(SeriesOf(split.validation), ElementsAre(0, 3, 6, 7));
  EXPECT_THAT(SeriesOf(split.train), ElementsAre(1, 2, 4, 5, 8, 9));
}

// 60 series of three classes and 20 groups: shares, classes, groups, and each series in one part.
TEST(SplitSeries, SharesClassesAndGroups) {
  std::vector<int32_t> classes(60);
  for (int i = 0; i < 60; ++i) classes[i] = i % 6 == 0 ? 0 : i % 6 < 3 ? 1 : 2;
  SeriesSet set = WithClasses(classes);
  SEQ_ASSERT_OK_AND_ASSIGN(SeriesSplit split,
                           SplitSeries(set, {}, {.validation = 0.2, .test = 0.3}));
  const auto counts = [&](const std::vector<RowRange>& rows) {
    std::vector<int> counts(3);
    for (const RowRange& row : rows) ++counts[classes[row.series]];
    return counts;
  };
  EXPECT_THAT(counts(split.test), ElementsAre(3, 6, 9));
  EXPECT_THAT(counts(split.validation), ElementsAre(2, 4, 6));
  EXPECT_THAT(counts(split.train), ElementsAre(5, 10, 15));

  set.groups.resize(60);
  for (int i = 0; i < 60; ++i) set.groups[i] = "g" + std::to_string(i * i % 23);
  SEQ_ASSERT_OK_AND_ASSIGN(split,
                           SplitSeries(set, {.window = 1}, {.validation = 0.2, .test = 0.3}));
  std::map<std::string, std::set<int>> parts;
  std::vector<int64_t> series;
  int part = 0;
  for (const auto* rows : {&split.train, &split.validation, &split.test}) {
    EXPECT_TRUE(std::is_sorted(rows->begin(), rows->end(),
                               [](const auto& a, const auto& b) { return a.begin < b.begin; }));
    for (const RowRange& row : *rows) {
      parts[set.groups[row.series]].insert(part);
      series.push_back(row.series);
    }
    ++part;
  }
  for (const auto& [group, in] : parts) EXPECT_EQ(in.size(), 1u) << group;
  std::sort(series.begin(), series.end());
  EXPECT_EQ(series.size(), 120u);  // two windows each
  EXPECT_EQ(std::unique(series.begin(), series.end()) - series.begin(), 60);
}

TEST(SplitSeries, IsFoundAgainFromItsText) {
  const SeriesSet set = ForRegression(50);
  const SplitOptions options = {.validation = 0.1, .test = 1.0 / 3, .seed = 4000000000u};
  EXPECT_EQ(SplitToText({.validation = 0.5, .test = 0.25}), "validation=0.5 test=0.25 seed=1");
  SEQ_ASSERT_OK_AND_ASSIGN(const SplitOptions read, SplitFromText(SplitToText(options)));
  EXPECT_EQ(read.validation, options.validation);
  EXPECT_EQ(read.test, options.test);
  EXPECT_EQ(read.seed, options.seed);
  SEQ_ASSERT_OK_AND_ASSIGN(const SeriesSplit a, SplitSeries(set, {.kind = kRegress}, options));
  SEQ_ASSERT_OK_AND_ASSIGN(const SeriesSplit b, SplitSeries(set, {.kind = kRegress}, read));
  for (const char* part : {"train", "validation", "test"}) {
    SEQ_ASSERT_OK_AND_ASSIGN(const std::vector<RowRange> rows, PartOf(a, part));
    SEQ_ASSERT_OK_AND_ASSIGN(const std::vector<RowRange> again, PartOf(b, part));
    EXPECT_EQ(rows, again);
    EXPECT_FALSE(rows.empty());
  }
  SEQ_ASSERT_OK_AND_ASSIGN(const SeriesSplit c, SplitSeries(set, {.kind = kRegress},
                                                            {.validation = 0.1, .test = 1.0 / 3}));
  EXPECT_NE(a.test, c.test);
  EXPECT_THAT(PartOf(a, "rest"), StatusIs(kInvalid, "expected train, validation or test"));
  for (const char* text : {"", "validation=0.1 test=0.1", "validation=0.1 test=x seed=1",
                           "validation=0.6 test=0.6 seed=1", "validation=nan test=0 seed=1"}) {
    EXPECT_THAT(SplitFromText(text), StatusIs(kInvalid)) << text;
  }
}

TEST(SplitSeries, SaysWhatCannotBeSplit) {
  const auto refused = [](const SeriesSet& set, const SeriesTask& task, const SplitOptions& options,
                          const std::string& why) {
    EXPECT_THAT(SplitSeries(set, task, options), StatusIs(kInvalid, why));
  };
  const SeriesTask regress = {.kind = kRegress};
  refused(ForRegression(4), regress, {.validation = 0.5, .test = 0.5}, "leave nothing to train");
  refused(ForRegression(4), regress, {.validation = -0.5}, "the share for validation is -0.5");
  refused(ForRegression(4), regress, {.test = 1}, "the share for test is 1");
  refused(ForRegression(1), regress, {}, "1 series cannot give 1 to the validation part");
  refused(WithClasses({0, 0, 1}), {}, {.validation = 0.4}, "only one series of \"c1\" is left");
  refused(WithClasses({0, 0, 1, 1, 2, 2}), {}, {}, "validation part: StratifiedSplit: parts of 4");
  refused(Count({10}), Forecast(7, 2), {.validation = 0, .test = 0.1},
          "the train part has no window of 7 steps with 2 to be told behind it");
  refused(Count({20}), Forecast(7, 3), {.validation = 0, .test = 0.1},
          "the test part has no window");
  refused(Count({10}), Forecast(9, 2), {}, "longer than the longest series");
  EXPECT_THAT(SplitSeries(Count({1000}), Forecast(7, 2), {.max_memory = 1000}),
              StatusIs(absl::StatusCode::kResourceExhausted));
}

// Of 12 steps and 3 folds: test parts of 3.
TEST(FoldSeries, RollForecastsOn) {
  SEQ_ASSERT_OK_AND_ASSIGN(const std::vector<SeriesSplit> folds,
                           FoldSeries(Count({12}), Forecast(1, 1), 3, {.validation = 0}));
  ASSERT_EQ(folds.size(), 3u);
  EXPECT_THAT(TargetsOf(folds[0].train), ElementsAre(1));
  EXPECT_THAT(TargetsOf(folds[0].test), ElementsAre(3, 4, 5));
  EXPECT_THAT(TargetsOf(folds[1].train), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(TargetsOf(folds[1].test), ElementsAre(6, 7, 8));
  EXPECT_THAT(TargetsOf(folds[2].train), ElementsAre(1, 2, 3, 4, 5, 6, 7));
  EXPECT_THAT(TargetsOf(folds[2].test), ElementsAre(9, 10, 11));
  SEQ_ASSERT_OK_AND_ASSIGN(const std::vector<SeriesSplit> validated,
                           FoldSeries(Count({40}), Forecast(1, 1), 3, {.validation = 0.25}));
  EXPECT_THAT(TargetsOf(validated[0].train), ElementsAre(1, 2, 3, 4, 5));
  EXPECT_THAT(TargetsOf(validated[0].validation), ElementsAre(7, 8));
}

// Of 16 steps in windows of 2 the test parts have 4, at the end, before it, and before that.
TEST(FoldSeries, RollWindowsOfASingleSeriesOn) {
  const SeriesTask task = {.kind = SeriesTaskKind::kReconstruct, .window = 2};
  SEQ_ASSERT_OK_AND_ASSIGN(std::vector<SeriesSplit> folds,
                           FoldSeries(Count({16}), task, 3, {.validation = 0}));
  const auto begins = [](const std::vector<RowRange>& rows) {
    std::vector<int64_t> of;
    for (const RowRange& row : rows) of.push_back(row.begin);
    return of;
  };
  ASSERT_EQ(folds.size(), 3u);
  EXPECT_THAT(begins(folds[0].train), ElementsAre(0, 2));
  EXPECT_THAT(begins(folds[0].test), ElementsAre(4, 6));
  EXPECT_THAT(begins(folds[1].train), ElementsAre(0, 2, 4, 6));
  EXPECT_THAT(begins(folds[1].test), ElementsAre(8, 10));
  EXPECT_THAT(begins(folds[2].train), ElementsAre(0, 2, 4, 6, 8, 10));
  EXPECT_THAT(begins(folds[2].test), ElementsAre(12, 14));
  // Borders lie between windows, of which there are six; what is left over is nobody's.
  SEQ_ASSERT_OK_AND_ASSIGN(
      folds, FoldSeries(Count({19}), {.kind = SeriesTaskKind::kReconstruct, .window = 3}, 3,
                        {.validation = 0.2}));
  EXPECT_THAT(begins(folds[0].train), ElementsAre(0, 3));
  EXPECT_THAT(begins(folds[0].validation), ElementsAre(6));
  EXPECT_THAT(begins(folds[0].test), ElementsAre(9));
  EXPECT_THAT(begins(folds[2].train), ElementsAre(0, 3, 6, 9));
  EXPECT_THAT(begins(folds[2].validation), ElementsAre(12));
  EXPECT_THAT(begins(folds[2].test), ElementsAre(15));
  // What is validated by lies in between; windows across a border are nobody's.
  SEQ_ASSERT_OK_AND_ASSIGN(
      folds,
      FoldSeries(Count({16}), {.kind = SeriesTaskKind::kReconstruct, .window = 2, .stride = 1}, 3,
                 {.validation = 0.5}));
  EXPECT_THAT(begins(folds[0].train), ElementsAre(0));
  EXPECT_THAT(begins(folds[0].validation), ElementsAre(2));
  EXPECT_THAT(begins(folds[0].test), ElementsAre(4, 5, 6));
  EXPECT_THAT(begins(folds[2].train), ElementsAre(0, 1, 2, 3, 4));
  EXPECT_THAT(begins(folds[2].validation), ElementsAre(6, 7, 8, 9, 10));
  EXPECT_THAT(begins(folds[2].test), ElementsAre(12, 13, 14));
}

TEST(FoldSeries, DealEachSeriesToOneTestPart) {
  std::mt19937 random(Seed());
  for (int repeat = 0; repeat < 50; ++repeat) {
    const int folds = 2 + static_cast<int>(random() % 5);
    std::vector<int32_t> classes(30 + random() % 30);
    for (int32_t& c : classes) c = static_cast<int32_t>(random() % 2);
    classes[0] = 0, classes[1] = 1;
    SeriesSet set = WithClasses(classes);
    const bool grouped = repeat % 2 == 1;
    if (grouped) {
      for (size_t i = 0; i < classes.size(); ++i) {
        set.groups.push_back(std::to_string(random() % 12));
      }
    }
    const absl::StatusOr<std::vector<SeriesSplit>> splits =
        FoldSeries(set, {}, folds, {.validation = 0, .seed = static_cast<uint32_t>(repeat)});
    SEQ_ASSERT_OK(splits);
    std::vector<int> tested(classes.size());
    std::map<std::string, std::set<size_t>> parts;
    std::vector<std::vector<int64_t>> counts(3);  // class 0, class 1, all: of each fold
    for (size_t fold = 0; fold < splits->size(); ++fold) {
      const SeriesSplit& split = (*splits)[fold];
      EXPECT_EQ(split.train.size() + split.test.size(), classes.size());
      for (auto& count : counts) count.push_back(0);
      for (const RowRange& row : split.test) {
        ++tested[row.series];
        ++counts[classes[row.series]].back();
        ++counts[2].back();
        if (grouped) parts[set.groups[row.series]].insert(fold);
      }
      for (const RowRange& row : split.train) {
        for (const RowRange& other : split.test) ASSERT_NE(row.series, other.series);
      }
    }
    EXPECT_EQ(tested, std::vector<int>(classes.size(), 1));
    for (const auto& [group, in] : parts) EXPECT_EQ(in.size(), 1u) << group;
    if (grouped) continue;
    for (const auto& of_class : counts) {
      const auto [least, most] = std::minmax_element(of_class.begin(), of_class.end());
      EXPECT_LE(*most - *least, 1);
    }
  }
}

TEST(FoldSeries, SayWhatCannotBeDealt) {
  const SeriesTask regress = {.kind = kRegress};
  EXPECT_THAT(FoldSeries(ForRegression(4), regress, 1), StatusIs(kInvalid, "folds: 1"));
  EXPECT_THAT(FoldSeries(ForRegression(4), regress, 5), StatusIs(kInvalid, "4 series cannot be"));
  EXPECT_THAT(FoldSeries(ForRegression(4), regress, 4, {.validation = 0.9}),
              StatusIs(kInvalid, "fold 1: split: 3 series cannot give 3 to the validation part"));
  EXPECT_THAT(FoldSeries(Count({10}), Forecast(3, 1), 4),
              StatusIs(kInvalid, "fold 1: split: the train part has no window"));
}

}  // namespace
}  // namespace seqgraph
