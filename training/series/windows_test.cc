#include "training/series/windows.h"

#include <cmath>
#include <iostream>
#include <random>
#include <vector>

#include "gtest/gtest.h"
#include "tests/testing.h"
#include "training/series/testing/series_sets.h"

namespace seqgraph {
namespace {

using data::SeriesSet;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

SeriesSet Count(const std::vector<int64_t>& lengths, int64_t features = 1) {
  return MakeSet(lengths, features, [](int64_t step, int64_t feature) {
    return static_cast<float>(100 * feature + step);
  });
}

SeriesTask Forecast(int64_t window, int64_t horizon) {
  return {.kind = SeriesTaskKind::kForecast, .window = window, .horizon = horizon};
}

std::vector<RowRange> Rows(const SeriesSet& set, const SeriesTask& task) {
  absl::StatusOr<std::vector<RowRange>> rows = AllRows(set, task);
  SEQ_EXPECT_OK(rows);
  return rows.value_or(std::vector<RowRange>());
}

TEST(StretchesOf, LieBetweenGaps) {
  SeriesSet set = Count({4, 6, 3});
  set.gaps = {5, 8};
  EXPECT_THAT(StretchesOf(set, 0), ElementsAre(StepRange{0, 4}));
  EXPECT_THAT(StretchesOf(set, 1), ElementsAre(StepRange{4, 5}, StepRange{5, 8}, StepRange{8, 10}));
  EXPECT_THAT(StretchesOf(set, 2), ElementsAre(StepRange{10, 13}));
}

TEST(AllRows, AreWholeSeriesWithoutAWindow) {
  SeriesSet set = Count({4, 2});
  set.gaps = {1};
  EXPECT_THAT(Rows(set, {}), ElementsAre(RowRange{0, 0, 4}, RowRange{1, 4, 2}));
}

// 7 steps, a gap before step 5: stretches of 5 and 2; and a series of 1.
TEST(AllRows, AreWindowsSideBySide) {
  SeriesSet set = Count({7, 1});
  set.gaps = {5};
  const SeriesTask tag = {.kind = SeriesTaskKind::kTag, .window = 2};
  EXPECT_THAT(Rows(set, tag), ElementsAre(RowRange{0, 0, 2}, RowRange{0, 2, 2}, RowRange{0, 4, 1},
                                          RowRange{0, 5, 2}, RowRange{1, 7, 1}));
  EXPECT_THAT(Rows(set, {.window = 2}), ElementsAre(RowRange{0, 0, 2}, RowRange{0, 2, 2},
                                                    RowRange{0, 5, 2}, RowRange{1, 7, 1}));
  // Overlapping ones end where a window ends with the stretch.
  EXPECT_THAT(Rows(Count({5}), {.kind = SeriesTaskKind::kTag, .window = 3, .stride = 2}),
              ElementsAre(RowRange{0, 0, 3}, RowRange{0, 2, 3}));
  EXPECT_THAT(Rows(Count({6}), {.kind = SeriesTaskKind::kTag, .window = 3, .stride = 2}),
              ElementsAre(RowRange{0, 0, 3}, RowRange{0, 2, 3}, RowRange{0, 4, 2}));
}

TEST(AllRows, OfAForecastAreWindowsWithTheirTargets) {
  EXPECT_THAT(Rows(Count({6}), Forecast(3, 2)),
              ElementsAre(RowRange{0, 0, 3, 3}, RowRange{0, 1, 3, 4}));
  SeriesTask every_third = Forecast(2, 1);
  every_third.stride = 3;
  EXPECT_THAT(Rows(Count({9, 2, 3}), every_third),
              ElementsAre(RowRange{0, 0, 2, 2}, RowRange{0, 3, 2, 5}, RowRange{0, 6, 2, 8},
                          RowRange{2, 11, 2, 13}));
}

// Of the column to be told step 4 is missing; another's gap is the mask's affair.
TEST(AllRows, LeaveOutMissingTargets) {
  SeriesTask task = Forecast(2, 2);
  task.targets = {0};
  const SeriesSet set = SetOf({9}, 2, {0, 0, 1, 1, 2, 2, 3, NAN, NAN, 4, 5, 5, 6, 6, 7, 7, 8, 8});
  EXPECT_THAT(TargetsOf(Rows(set, task)), ElementsAre(2, 5, 6, 7));
  task.stride = 3;
  EXPECT_THAT(TargetsOf(Rows(set, task)), ElementsAre(2, 5));
  task.targets = {1};
  EXPECT_THAT(TargetsOf(Rows(set, task)), ElementsAre(5));
}

TEST(AllRows, KeepToTheirMemory) {
  const SeriesSet set = Count({1000});
  SeriesTask task = Forecast(2, 1);
  EXPECT_THAT(AllRows(set, task, 32 * 900),
              StatusIs(absl::StatusCode::kResourceExhausted, "take 32032 bytes, more than 28800"));
  task.stride = 2;
  SEQ_EXPECT_OK(AllRows(set, task, 32 * 900));
  EXPECT_THAT(AllRows(set, {.window = 2000}), StatusIs(kInvalid, "longer than the longest"));
}

TEST(RowsToPredict, AreTheLastWindows) {
  SeriesSet set = Count({5, 4}, 2);
  SeriesTask task = Forecast(3, 1);
  SEQ_ASSERT_OK_AND_ASSIGN(std::vector<RowRange> rows, RowsToPredict(set, task));
  EXPECT_THAT(rows, ElementsAre(RowRange{0, 2, 3, 5}, RowRange{1, 6, 3, 9}));
  task.known_future = {1};
  SEQ_ASSERT_OK_AND_ASSIGN(rows, RowsToPredict(set, task));
  EXPECT_THAT(rows, ElementsAre(RowRange{0, 1, 3, 4}, RowRange{1, 5, 3, 8}));
  task.window = 4;
  EXPECT_THAT(RowsToPredict(set, task),
              StatusIs(kInvalid,
                       "series 1 of 'a.csv': there are 4 steps, a forecast needs 4 and the "
                       "known columns of 1 more"));
  set.gaps = {4};
  EXPECT_THAT(RowsToPredict(set, Forecast(3, 1)),
              StatusIs(kInvalid, "series 0 of 'a.csv': there are 1 steps behind the last gap"));
  SEQ_ASSERT_OK_AND_ASSIGN(rows, RowsToPredict(set, {}));
  EXPECT_EQ(rows.size(), 2u);
}

// Two steps later, in the same stretch.
TEST(WithKnownFuture, AddsColumnsOfLaterSteps) {
  SeriesSet set = Count({3, 4}, 2);
  set.gaps = {6};
  SeriesTask task = Forecast(2, 2);
  task.known_future = {1};
  const SeriesSet wide = WithKnownFuture(set, task);
  EXPECT_THAT(task.targets, ElementsAre(0));
  EXPECT_THAT(wide.features, ElementsAre("f0", "f1", "f1 in 2"));
  const std::vector<float> expected = {0,   100, 102, 1,   101, NAN, 2,   102, NAN, 3,  103,
                                       105, 4,   104, NAN, 5,   105, NAN, 6,   106, NAN};
  EXPECT_THAT(wide.values, ::testing::Pointwise(::testing::NanSensitiveFloatEq(), expected));
}

// Against the definitions, step by step.
TEST(Windows, OfRandomSetsAreAllThatThereAre) {
  const unsigned seed = std::random_device()();
  std::cout << "seed " << seed << "\n";
  std::mt19937 random(seed);
  int64_t found = 0;
  for (int repeat = 0; repeat < 200; ++repeat) {
    const SeriesSet set = RandomSet(random, 1);
    const SeriesTask task = Forecast(1 + random() % 8, 1 + random() % 4);
    if (task.window + task.horizon > set.max_length()) continue;
    std::vector<RowRange> expected;
    for (int64_t series = 0; series < set.num_series(); ++series) {
      for (int64_t begin = set.begin[series]; begin < set.begin[series + 1]; ++begin) {
        const int64_t end = begin + task.window + task.horizon;
        bool whole = end <= set.begin[series + 1];
        for (const int64_t gap : set.gaps) whole = whole && !(gap > begin && gap < end);
        if (whole) expected.push_back({series, begin, task.window, begin + task.window});
      }
    }
    found += static_cast<int64_t>(expected.size());
    const std::vector<RowRange> rows = Rows(set, task);
    ASSERT_THAT(rows, ElementsAreArray(expected));

    // What the rows see, in disjoint pieces.
    std::vector<int> seen(set.num_steps()), counted(set.num_steps());
    for (int64_t step = 0; step < set.num_steps(); ++step) {
      for (const RowRange& row : rows) seen[step] |= Sees(row, task, step);
    }
    for (const StepRange& piece : StepsOf(rows, task)) {
      ASSERT_LT(piece.begin, piece.end);
      for (int64_t step = piece.begin; step < piece.end; ++step) ++counted[step];
    }
    ASSERT_EQ(seen, counted);

    // Side by side each step is in one row, whatever gaps there are.
    std::vector<int> tagged(set.num_steps());
    for (const RowRange& row : Rows(set, {.kind = SeriesTaskKind::kTag, .window = task.window})) {
      ASSERT_LE(row.steps, task.window);
      for (int64_t step = row.begin; step < row.begin + row.steps; ++step) ++tagged[step];
    }
    ASSERT_EQ(tagged, std::vector<int>(set.num_steps(), 1));
  }
  EXPECT_GT(found, 1000);
}

TEST(StepsOf, SortsRowsInAnyOrder) {
  const std::vector<RowRange> rows = {{0, 10, 5}, {0, 2, 3}, {0, 3, 4}, {0, 15, 1}, {0, 12, 2}};
  EXPECT_THAT(StepsOf(rows, {}), ElementsAre(StepRange{2, 7}, StepRange{10, 16}));
}

}  // namespace
}  // namespace seqgraph
