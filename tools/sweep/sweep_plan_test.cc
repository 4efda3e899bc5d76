#include "tools/sweep/sweep_plan.h"

#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "tests/testing.h"
#include "tools/sweep/sweep_run.h"
#include "tools/sweep/sweep_table.h"

namespace seqgraph::tools {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<SweepAxis> Axes(const std::vector<std::string>& texts) {
  std::vector<SweepAxis> axes;
  for (const std::string& text : texts) {
    absl::StatusOr<SweepAxis> axis = ParseSweepAxis(text);
    EXPECT_TRUE(axis.ok()) << axis.status();
    if (axis.ok()) axes.push_back(*std::move(axis));
  }
  return axes;
}

TEST(SweepPlan, AGridHasEachCombinationOnce) {
  SEQ_ASSERT_OK_AND_ASSIGN(const std::vector<SweepPoint> points,
                           GridPoints(Axes({"--units=8,16", "--cell=rnn,gru"})));
  ASSERT_EQ(points.size(), 4);
  EXPECT_THAT(points[0].flags, ElementsAre("--units=8", "--cell=rnn"));
  EXPECT_THAT(points[1].flags, ElementsAre("--units=8", "--cell=gru"));
  EXPECT_THAT(points[3].flags, ElementsAre("--units=16", "--cell=gru"));
  EXPECT_EQ(points[2].name, "units=16_cell=rnn");
}

TEST(SweepPlan, NamesAreSafeAndDifferent) {
  SEQ_ASSERT_OK_AND_ASSIGN(const std::vector<SweepPoint> points,
                           GridPoints(Axes({"--data=a/b,a b"})));
  EXPECT_EQ(points[0].name, "data=a-b");
  EXPECT_EQ(points[1].name, "data=a-b-2");
}

TEST(SweepPlan, MisuseIsNamed) {
  for (const auto& [text, why] :
       std::vector<std::pair<std::string, std::string>>{{"units=8", "--FLAG=VALUE"},
                                                        {"--units", "--FLAG=VALUE"},
                                                        {"--=8", "--FLAG=VALUE"},
                                                        {"--units=8,,16", "is empty"},
                                                        {"--units=8,8", "twice"},
                                                        {"--rate=2..1", "range"},
                                                        {"--rate=1..inf", "range"}}) {
    const absl::Status status = ParseSweepAxis(text).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << text;
    EXPECT_THAT(std::string(status.message()), HasSubstr(why)) << text;
  }
  EXPECT_TRUE(absl::IsInvalidArgument(GridPoints(Axes({"--rate=1e-4..1e-1"})).status()));
  std::vector<std::string> wide;
  for (const char* flag : {"--a=", "--b=", "--c=", "--d=", "--e="}) {
    std::string text = flag;
    for (int i = 0; i < 7; ++i) text += (i > 0 ? "," : "") + std::to_string(i);
    wide.push_back(text);
  }
  EXPECT_TRUE(absl::IsResourceExhausted(GridPoints(Axes(wide)).status()));
}

TEST(SweepPlan, RandomPointsAreWithinTheirRangesAndOfTheSeedAlone) {
  const auto axes = Axes({"--units=4..64", "--rate=1e-4..1e-1", "--drop=0..0.5", "--cell=rnn,gru"});
  const std::vector<SweepPoint> points = RandomPoints(axes, 400, 1);
  ASSERT_EQ(points.size(), 400);
  int below = 0, low_drop = 0;
  for (const SweepPoint& point : points) {
    int64_t units = 0;
    double rate = 0, drop = 0;
    ASSERT_TRUE(absl::SimpleAtoi(point.flags[0].substr(8), &units)) << point.flags[0];
    ASSERT_TRUE(absl::SimpleAtod(point.flags[1].substr(7), &rate)) << point.flags[1];
    ASSERT_TRUE(absl::SimpleAtod(point.flags[2].substr(7), &drop)) << point.flags[2];
    EXPECT_TRUE(units >= 4 && units <= 64) << units;
    EXPECT_TRUE(rate >= 1e-4 && rate <= 1e-1) << rate;
    EXPECT_TRUE(drop >= 0 && drop <= .5) << drop;
    below += rate < std::sqrt(1e-5) ? 1 : 0;  // the middle of the logarithms
    low_drop += drop < .25 ? 1 : 0;
  }
  // 200 each are expected, with a standard deviation of 10.
  EXPECT_NEAR(below, 200, 50);
  EXPECT_NEAR(low_drop, 200, 50);
  const std::vector<SweepPoint> again = RandomPoints(axes, 400, 1);
  EXPECT_EQ(points[17].flags, again[17].flags);
  EXPECT_NE(points[17].flags, RandomPoints(axes, 400, 2)[17].flags);
  EXPECT_EQ(RandomPoints(Axes({"--cell=rnn,gru"}), 50, 1).size(), 2);  // there are no more
}

TEST(SweepPlan, RungsOfHalving) {
  const auto text = [](const std::vector<SweepRung>& rungs) {
    std::string all;
    for (const SweepRung& rung : rungs) {
      all += std::to_string(rung.points) + "x" + std::to_string(rung.epochs) + " ";
    }
    return all;
  };
  EXPECT_EQ(text(HalvingRungs(27, 1, 27, 3)), "27x1 9x3 3x9 1x27 ");
  EXPECT_EQ(text(HalvingRungs(10, 2, 20, 3)), "10x2 4x6 2x18 1x20 ");
  EXPECT_EQ(text(HalvingRungs(4, 5, 100, 2)), "4x5 2x10 1x100 ");
  EXPECT_EQ(text(HalvingRungs(4, 50, 20, 2)), "4x20 ");
}

TEST(SweepTable, MeanAndSampleDeviation) {
  const MeanAndSpread value = MeanOf({1, 2, NAN, 6});
  EXPECT_EQ(value.count, 3);
  EXPECT_DOUBLE_EQ(value.mean, 3);
  EXPECT_DOUBLE_EQ(value.spread, std::sqrt(7));  // (4 + 1 + 9) / 2
  EXPECT_EQ(MeanOf({5}).spread, 0);
  EXPECT_EQ(MeanOf({}).count, 0);
}

RunRecord RunWith(double accuracy) {
  RunRecord run{.higher_is_better = {{"accuracy", true}, {"loss", false}}};
  run.history.columns = {{"epoch", {0}}, {"val_accuracy", {accuracy}}, {"val_loss", {accuracy}}};
  return run;
}

TEST(SweepTable, TheBestComesFirstByTheMetricsOwnDirection) {
  std::vector<SweepRow> rows = {RowOf({{}, "none"}, {}), RowOf({{}, "low"}, {RunWith(.1)}),
                                RowOf({{}, "high"}, {RunWith(.8), RunWith(.9)})};
  const auto names = [&] {
    std::vector<std::string> all;
    for (const SweepRow& row : rows) all.push_back(row.point.name);
    return all;
  };
  SortRows("val_accuracy", &rows);
  EXPECT_THAT(names(), ElementsAre("high", "low", "none"));
  SortRows("val_loss", &rows);
  EXPECT_THAT(names(), ElementsAre("low", "high", "none"));
}

TEST(Sweep, WhatItGivesItselfMayNotBeGiven) {
  EXPECT_EQ(FlagOfSweep({"--data=a", "--run=b"}), "--run");
  EXPECT_EQ(FlagOfSweep({"--data=a", "--units=8"}), "");
}

}  // namespace
}  // namespace seqgraph::tools
