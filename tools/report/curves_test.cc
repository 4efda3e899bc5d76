#include "tools/report/curves.h"

#include <cmath>

#include "tests/testing.h"
#include "tools/runs/run_table.h"

namespace seqgraph::tools {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

RunRecord RunNamed(const std::string& name) {
  RunRecord run;
  run.folder = "runs/" + name;
  run.name = name;
  run.history.columns = {{"epoch", {0, 1, 2}},
                         {"loss", {0.9, 0.5, 0.4}},
                         {"val_loss", {0.8, 0.6, 0.7}},
                         {"accuracy", {0.5, 0.7, 0.8}},
                         {"learning_rate", {1e-3, 1e-3, 1e-4}}};
  run.best_epoch = 1;
  return run;
}

TEST(CurveChartsTest, LossIsFirstAndTheRateIsLast) {
  const RunRecord run = RunNamed("a");
  const std::vector<Chart> charts = CurveCharts({run});
  ASSERT_EQ(charts.size(), 3u);
  EXPECT_EQ(charts[0].title, "loss");
  EXPECT_EQ(charts[1].title, "accuracy");
  EXPECT_EQ(charts[2].title, "learning rate");
  ASSERT_EQ(charts[0].lines.size(), 2u);
  EXPECT_EQ(charts[0].lines[0].name, "training");
  EXPECT_THAT(charts[0].lines[0].x, ElementsAre(1, 2, 3));
  EXPECT_EQ(charts[0].lines[1].name, "validation");
  EXPECT_THAT(charts[0].lines[1].y, ElementsAre(0.8, 0.6, 0.7));
  EXPECT_EQ(charts[0].lines[1].style, ChartLine::Style::kDashed);
  EXPECT_EQ(charts[1].lines.size(), 1u);
}

TEST(CurveChartsTest, RunsLieOverEachOtherInTheirColors) {
  RunRecord other = RunNamed("b");
  other.history.columns.erase("accuracy");
  const RunRecord runs[] = {RunNamed("a"), other};
  const std::vector<Chart> charts = CurveCharts(runs);
  ASSERT_EQ(charts[0].lines.size(), 4u);
  EXPECT_EQ(charts[0].lines[2].name, "b, training");
  EXPECT_EQ(charts[0].lines[2].color, charts[0].lines[3].color);
  EXPECT_NE(charts[0].lines[1].color, charts[0].lines[2].color);
  EXPECT_EQ(charts[1].lines.size(), 1u);
}

TEST(CurveChartsTest, BeforeTheSecondEpochStepsAreShown) {
  RunRecord run;
  run.steps.columns = {
      {"epoch", {0, 0}}, {"step", {5, 10}}, {"total_step", {5, 10}}, {"loss", {0.9, 0.8}}};
  const std::vector<Chart> charts = CurveCharts({run});
  ASSERT_EQ(charts.size(), 1u);
  EXPECT_THAT(charts[0].lines[0].x, ElementsAre(0.5, 1));
  EXPECT_THAT(CurveCharts({RunRecord()}), IsEmpty());
  run.steps.columns.clear();
  run.history.columns = {{"epoch", {0}}, {"loss", {NAN}}};
  EXPECT_THAT(CurveCharts({run}), IsEmpty());
}

TEST(DifferencesTest, AreFlagsFactsAndData) {
  RunRecord a = RunNamed("a"), b = RunNamed("b");
  a.flags = {{"--units", "8"}, {"--cell", "gru"}, {"--run", "runs/a"}};
  b.flags = {{"--units", "16"}, {"--cell", "gru"}, {"--run", "runs/b"}, {"--seed", "2"}};
  a.environment = {{"cpu", "x"}};
  b.environment = {{"cpu", "y"}};
  a.train_hash = "0123456789abcdef";
  b.train_hash = "fedcba9876543210";
  const RunRecord runs[] = {a, b};
  const std::vector<DifferenceRow> rows = Differences(runs);
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_EQ(rows[0].name, "--seed");
  EXPECT_THAT(rows[0].values, ElementsAre("", "2"));
  EXPECT_EQ(rows[1].name, "--units");
  EXPECT_EQ(rows[2].name, "cpu");
  EXPECT_THAT(rows[3].values, ElementsAre("0123456789ab", "fedcba987654"));
  EXPECT_THAT(Differences({a}), IsEmpty());
}

TEST(RunNamesTest, EqualNamesAreFolders) {
  RunRecord a = RunNamed("a"), other = RunNamed("a"), b = RunNamed("b");
  other.folder = "old/a";
  const RunRecord runs[] = {a, other, b};
  EXPECT_THAT(RunNames(runs), ElementsAre("runs/a", "old/a", "b"));
}

TEST(RowThatCountsTest, IsTheBestElseTheLast) {
  RunRecord run = RunNamed("a");
  EXPECT_EQ(RowThatCounts(run), 1);
  run.best_epoch.reset();
  EXPECT_EQ(RowThatCounts(run), 2);
  EXPECT_EQ(RowThatCounts(RunRecord()), -1);
}

TEST(MeasuredColumnsTest, AreThoseOfTheValidationWhereThereAreAny) {
  RunRecord run = RunNamed("a");
  run.history.columns["threads"] = {1, 1, 1};
  EXPECT_THAT(MeasuredColumns(run), ElementsAre("val_loss", "accuracy"));
  EXPECT_EQ(CurveCharts({run}).size(), 3u);
}

TEST(ShellCommandTest, EachArgumentIsOneWord) {
  EXPECT_EQ(
      ShellCommand({"train", "--data=a b", "--class_weight=it's=2", "--units=8", "--label=$x"}),
      "seqgraph train '--data=a b' '--class_weight=it'\\''s=2' --units=8 '--label=$x'");
}

}  // namespace
}  // namespace seqgraph::tools
