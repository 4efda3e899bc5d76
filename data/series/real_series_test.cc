// The real files of ../shared/series. Their figures were taken by other programs: Python's csv
// module with math.fsum, and numpy.

#include <algorithm>
#include <numeric>

#include "data/series/series_set.h"
#include "tests/testing.h"

namespace seqgraph::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

double Sum(const SeriesSet& set, int64_t feature) {
  double sum = 0;
  for (int64_t i = 0; i < set.num_steps(); ++i) {
    sum += static_cast<double>(set.values[static_cast<size_t>(i * set.num_features() + feature)]);
  }
  return sum;
}

TEST(RealSeries, JapaneseVowels) {
  SEQ_SHARED_OR_SKIP(path, "series/japanese_vowels_train.csv");
  SEQ_ASSERT_OK_AND_ASSIGN(
      const SeriesSet set,
      ReadSeries(path, {.series = "series", .order = "step", .label = "label"}));
  EXPECT_EQ(set.description, path + ": 270 series, 12 features, 7 to 26 steps");
  EXPECT_EQ(set.num_steps(), 4274);
  EXPECT_THAT(set.class_names, ElementsAre("1", "2", "3", "4", "5", "6", "7", "8", "9"));
  for (int c = 0; c < 9; ++c) EXPECT_EQ(std::count(set.classes.begin(), set.classes.end(), c), 30);
  EXPECT_EQ(set.features.front(), "c1");
  EXPECT_EQ(set.names.back(), "269");
  EXPECT_NEAR(Sum(set, 0), 3714.557056, 1e-3);
  EXPECT_NEAR(Sum(set, 11), 368.478536, 1e-3);
  EXPECT_EQ(set.values.back(), 0.173642f);
  EXPECT_EQ(set.times.back(), 8);
  EXPECT_THAT(set.gaps, ElementsAre());
  EXPECT_EQ(set.RowName(269, 8), "line 4275 of '" + path + "'");
}

TEST(RealSeries, OtherVowelsHaveTheClassesOfAModel) {
  SEQ_SHARED_OR_SKIP(path, "series/japanese_vowels_test.csv");
  SeriesSourceOptions options{.series = "series", .order = "step", .label = "label"};
  options.class_names = {"9", "8", "7", "6", "5", "4", "3", "2", "1"};
  SEQ_ASSERT_OK_AND_ASSIGN(const SeriesSet set, ReadSeries(path, options));
  EXPECT_EQ(set.num_series(), 370);
  EXPECT_EQ(set.num_steps(), 5687);
  EXPECT_EQ(set.max_length(), 29);
  EXPECT_EQ(std::count(set.classes.begin(), set.classes.end(), 6), 88);  // "3"
  EXPECT_NEAR(Sum(set, 0), 4292.591332, 1e-3);
}

TEST(RealSeries, Sunspots) {
  SEQ_SHARED_OR_SKIP(path, "series/sunspots.csv");
  SEQ_ASSERT_OK_AND_ASSIGN(const SeriesSet set, ReadSeries(path, {.time = "YEAR"}));
  EXPECT_EQ(set.description, path + ": 1 series, 1 feature, 309 steps");
  EXPECT_THAT(set.features, ElementsAre("SUNACTIVITY"));
  EXPECT_NEAR(Sum(set, 0), 15373.4, 1e-3);
  EXPECT_EQ(set.times.front(), 1700);
  EXPECT_EQ(set.times.back(), 2008);
  EXPECT_FALSE(set.times_are_dates);
  EXPECT_THAT(set.gaps, ElementsAre());
  EXPECT_THAT(set.notes, ElementsAre());
}

TEST(RealSeries, CarbonDioxideHasMissingWeeks) {
  SEQ_SHARED_OR_SKIP(path, "series/co2.csv");
  EXPECT_THAT(ReadSeries(path, {.time = "date"}),
              StatusIs(absl::StatusCode::kInvalidArgument, "59 problems"));
  EXPECT_THAT(
      ReadSeries(path, {.time = "date"}),
      StatusIs(absl::StatusCode::kInvalidArgument, "co2.csv', line 8, column 2 ('co2'): no value"));
  using Missing = SeriesSourceOptions::Missing;
  SEQ_ASSERT_OK_AND_ASSIGN(const SeriesSet masked,
                           ReadSeries(path, {.time = "date", .missing = Missing::kMask}));
  EXPECT_EQ(masked.num_steps(), 2284);
  EXPECT_EQ(std::count_if(masked.values.begin(), masked.values.end(),
                          [](float value) { return value != value; }),
            59);
  EXPECT_TRUE(masked.times_are_dates);
  EXPECT_EQ(masked.times.front(), -371174400);
  EXPECT_EQ(masked.times.back(), 1009584000);
  EXPECT_THAT(masked.gaps, ElementsAre());  // The weeks are there, without a value.
  SEQ_ASSERT_OK_AND_ASSIGN(const SeriesSet dropped,
                           ReadSeries(path, {.time = "date", .missing = Missing::kDrop}));
  EXPECT_EQ(dropped.num_steps(), 2225);
  EXPECT_NEAR(Sum(dropped, 0), 756816.5, 0.1);
  ASSERT_EQ(dropped.gaps.size(), 22u);
  EXPECT_THAT(std::vector<int64_t>(dropped.gaps.begin(), dropped.gaps.begin() + 3),
              ElementsAre(6, 8, 15));
  EXPECT_THAT(dropped.notes, ElementsAre("time has 22 gaps, the first before line 9 of '" + path +
                                         "' (1958-05-17): 14 days, where 7 days are usual"));
}

TEST(RealSeries, Arrays) {
  SEQ_SHARED_OR_SKIP(motions, "series/basic_motions_train.npz");
  SEQ_ASSERT_OK_AND_ASSIGN(const SeriesSet set, ReadSeries(motions, {}));
  EXPECT_EQ(set.description, motions + ": 40 series, 6 features, 100 steps");
  double sum = 0;
  for (float value : set.values) sum += static_cast<double>(value);
  EXPECT_NEAR(sum, 646.184471052984, 1e-9);
  EXPECT_EQ(set.values[0], 0.07910600304603577f);
  EXPECT_EQ(set.Series(3)[30], 0.16124500334262848f);  // Step 5.
  EXPECT_THAT(set.class_names, ElementsAre("0", "1", "2", "3"));
  EXPECT_EQ(set.classes[0], 2);
  EXPECT_EQ(set.classes[39], 0);
  for (int c = 0; c < 4; ++c) EXPECT_EQ(std::count(set.classes.begin(), set.classes.end(), c), 10);

  SEQ_SHARED_OR_SKIP(power, "series/italy_power_demand_test.npz");
  SEQ_ASSERT_OK_AND_ASSIGN(const SeriesSet two, ReadSeries(power, {}));
  EXPECT_EQ(std::count(two.classes.begin(), two.classes.end(), 1), 516);
  EXPECT_EQ(two.values.back(), -0.002542118076235056f);

  SEQ_SHARED_OR_SKIP(covid, "series/covid3month_train.npz");
  SEQ_ASSERT_OK_AND_ASSIGN(const SeriesSet rates, ReadSeries(covid, {}));
  EXPECT_THAT(rates.classes, ElementsAre());
  ASSERT_EQ(rates.targets.size(), 140u);
  EXPECT_EQ(rates.targets[1], 0.07758620381355286f);
  EXPECT_NEAR(std::accumulate(rates.targets.begin(), rates.targets.end(), 0.0), 5.165668322704732,
              1e-6);
  EXPECT_EQ(Sum(rates, 0), 589366);
}

}  // namespace
}  // namespace seqgraph::data
