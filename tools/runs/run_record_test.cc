#include "tools/runs/run_record.h"

#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "data/testing/test_util.h"
#include "tests/testing.h"
#include "tools/runs/run_difference.h"
#include "tools/runs/run_log.h"
#include "tools/runs/run_table.h"

namespace seqgraph::tools {
namespace {

using ::seqgraph::data::ReadFileOrDie;
using ::seqgraph::data::WriteFileOrDie;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

RunRecord Example(const std::string& folder, const std::string& units) {
  RunRecord run{.folder = folder,
                .name = std::filesystem::path(folder).filename().string(),
                .command = {"train", "--units=" + units},
                .flags = {{"--units", units}, {"--output", folder + "/m.pb"}},
                .status = RunStatus::kFinished,
                .started = "2026-11-29T10:30:00Z",
                .seconds = 1.5,
                .environment = {{"cpu", "a \"quoted\" one"}},
                .seed = 7,
                .monitor = "val_loss",
                .best_epoch = 1,
                .higher_is_better = {{"accuracy", true}, {"loss", false}}};
  run.history.columns = {{"epoch", {0, 1, 2}}, {"loss", {.5, .4, .3}}, {"val_loss", {.6, .5, .7}}};
  return run;
}

TEST(RunRecord, ReadsBackWhatItWrote) {
  const std::string folder = MakeTempDir();
  const RunRecord run = Example(folder, "8");
  SEQ_ASSERT_OK(SaveRunRecord(run));
  WriteFileOrDie(
      folder + "/history.csv",
      "epoch,loss,backends,threads\n0,0.5,\"simd, \"\"1\"\"\",\"2\"\n1,nan,\"simd\",\"2\"\n");
  WriteFileOrDie(folder + "/messages.txt", "a\nb\n");
  SEQ_ASSERT_OK_AND_ASSIGN(const RunRecord read, LoadRunRecord(folder));
  EXPECT_EQ(read.name, run.name);
  EXPECT_EQ(read.command, run.command);
  EXPECT_EQ(read.flags, run.flags);
  EXPECT_EQ(read.status, RunStatus::kFinished);
  EXPECT_EQ(read.environment, run.environment);
  EXPECT_EQ(read.best_epoch, run.best_epoch);
  EXPECT_EQ(read.higher_is_better, run.higher_is_better);
  EXPECT_EQ(read.seconds, 1.5);
  EXPECT_EQ(read.seed, 7);
  EXPECT_EQ(read.messages, "a\nb\n");
  // What stands in quotes is no number.
  ASSERT_EQ(read.history.columns.size(), 2);
  EXPECT_THAT(read.history["epoch"], ElementsAre(0, 1));
  EXPECT_EQ(read.history["loss"][0], .5);
  EXPECT_TRUE(std::isnan(read.history["loss"][1]));
  EXPECT_EQ(read.steps.rows(), 0);
}

TEST(RunRecord, WhatIsNoneIsRefusedByName) {
  const std::string folder = MakeTempDir();
  EXPECT_TRUE(absl::IsNotFound(LoadRunRecord(folder).status()));
  for (const char* text : {"", "{", "[]", "{\"format\": 2}", "{\"format\": 1, \"status\": \"x\"}",
                           "{\"format\": 1, \"status\": \"finished\", \"seed\": \"a\"}",
                           "{\"format\": 1, \"status\": \"finished\", \"flags\": 3}",
                           "{\"format\": 1, \"status\": \"finished\", \"data\": 3}"}) {
    WriteFileOrDie(folder + "/run.json", text);
    const absl::Status status = LoadRunRecord(folder).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << text << ": " << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("run.json")) << text;
  }
}

TEST(RunTable, ShowsBestEpochsAndFlagsThatDiffer) {
  RunRecord a = Example("/runs/a", "8"), b = Example("/runs/b", "16");
  b.history.columns["val_loss"] = {.9, .4, .8};
  const RunTable table = TableOfRuns({a, b});
  EXPECT_THAT(table.header, ElementsAre("run", "status", "epochs", "best", "loss", "val_loss",
                                        "seconds", "--units"));
  EXPECT_THAT(table.rows[0],
              ElementsAre("a", "finished", "3", "2", "0.4000", "0.5000", "1.5", "8"));
  EXPECT_THAT(table.rows[1],
              ElementsAre("b", "finished", "3", "2", "0.4000", "0.4000", "1.5", "16"));
}

TEST(RunTable, SortsNumbersByTheirSizeAndMissingOnesLast) {
  std::vector<RunRecord> runs = {Example("/a", "16"), Example("/b", "8"), Example("/c", "100")};
  runs.push_back(Example("/none", ""));
  runs.back().flags.erase("--units");
  const auto names = [&] {
    std::vector<std::string> all;
    for (const RunRecord& run : runs) all.push_back(run.name);
    return all;
  };
  SEQ_ASSERT_OK(SortRuns("units", false, &runs));
  EXPECT_THAT(names(), ElementsAre("b", "a", "c", "none"));
  SEQ_ASSERT_OK(SortRuns("--units", true, &runs));
  EXPECT_THAT(names(), ElementsAre("c", "a", "b", "none"));
  const absl::Status none = SortRuns("colour", false, &runs);
  EXPECT_TRUE(absl::IsInvalidArgument(none));
  EXPECT_THAT(std::string(none.message()), HasSubstr("val_loss"));
  EXPECT_EQ(runs.size(), 4);
}

TEST(RunDifference, NamesFlagsNumbersAndTheEpochInWhichHistoriesPart) {
  const RunRecord a = Example("/a", "8");
  EXPECT_TRUE(DifferencesOfRuns(a, a).empty());
  RunRecord b = Example("/b", "16");
  b.history.columns["loss"][2] = .25;
  const std::vector<RunDifference> all = DifferencesOfRuns(a, b);
  ASSERT_EQ(all.size(), 2);
  EXPECT_EQ(all[0].what, "--units");
  EXPECT_EQ(all[0].a, "8");
  EXPECT_EQ(all[0].b, "16");
  EXPECT_THAT(all[1].what, HasSubstr("part"));
  EXPECT_EQ(all[1].a, "3");
}

TEST(UpToEpoch, IsTheRunAsItStoodThen) {
  const RunRecord run = Example("a", "8");
  const RunRecord one = UpToEpoch(run, 1), two = UpToEpoch(run, 2), all = UpToEpoch(run, 9);
  EXPECT_THAT(one.history["val_loss"], ElementsAre(.6));
  EXPECT_EQ(one.best_epoch, 0);
  EXPECT_EQ(FinalMetrics(one).at("loss"), .5);
  EXPECT_EQ(two.best_epoch, 1);
  EXPECT_THAT(two.history["epoch"], ElementsAre(0, 1));
  EXPECT_EQ(all.history.columns, run.history.columns);
  EXPECT_EQ(all.best_epoch, 1);
  EXPECT_EQ(UpToEpoch(run, 0).best_epoch, std::nullopt);
}

TEST(BestRow, IsTheFirstOfTheBestNumbers) {
  const double nan = std::nan("");
  EXPECT_EQ(BestRow({nan, 2, 1, 1}, /*higher_is_better=*/false), 2);
  EXPECT_EQ(BestRow({nan, 2, 2, 1}, /*higher_is_better=*/true), 1);
  EXPECT_EQ(BestRow({nan}, /*higher_is_better=*/true), std::nullopt);
}

TEST(StepLog, IsThinnedToABoundWhateverTheMoment) {
  const Logs logs = {{"loss", 1}};
  StepLog log(/*most=*/8), resumed(8);
  for (int64_t step = 1; step <= 100; ++step) {
    log.Add(step, static_cast<int>(step / 10), step % 10, {{"loss", static_cast<double>(step)}});
    ASSERT_LE(log.Table().rows(), 8) << step;
    if (step != 37) continue;
    Records records;
    StateWriter state(&records, "");
    log.Save(state);
    SEQ_ASSERT_OK(resumed.Load(StateReader(&records, "")));
    for (int64_t more = 38; more <= 100; ++more) {
      resumed.Add(more, static_cast<int>(more / 10), more % 10,
                  {{"loss", static_cast<double>(more)}});
    }
  }
  EXPECT_THAT(log.Table()["total_step"], ElementsAre(16, 32, 48, 64, 80, 96));
  EXPECT_THAT(log.Table()["loss"], ElementsAre(16, 32, 48, 64, 80, 96));
  EXPECT_EQ(log.Table().columns, resumed.Table().columns);
}

TEST(StepLog, AHostileStateIsRefused) {
  Records records;
  StateWriter state(&records, "");
  state.Set("stride", int64_t{0});
  state.Set("names", std::vector<std::string>{"loss"});
  state.Set("values", std::vector<double>(4));
  StepLog log(8);
  EXPECT_FALSE(log.Load(StateReader(&records, "")).ok());
  state.Set("stride", int64_t{1});
  state.Set("values", std::vector<double>(5));
  EXPECT_FALSE(log.Load(StateReader(&records, "")).ok());
  state.Set("values", std::vector<double>(4 * 9));
  EXPECT_FALSE(log.Load(StateReader(&records, "")).ok());
  state.Set("values", std::vector<double>(4 * 8));
  SEQ_EXPECT_OK(log.Load(StateReader(&records, "")));
}

TEST(LinkFile, IsASecondNameAndReplacesWhatWasThere) {
  const std::string folder = MakeTempDir();
  WriteFileOrDie(folder + "/a", "one");
  WriteFileOrDie(folder + "/link", "old");
  SEQ_ASSERT_OK(LinkFile(folder + "/a", folder + "/link"));
  SEQ_ASSERT_OK(LinkFile(folder + "/a", folder + "/link"));
  EXPECT_TRUE(std::filesystem::equivalent(folder + "/a", folder + "/link"));
  EXPECT_FALSE(std::filesystem::exists(folder + "/link.new"));
  EXPECT_FALSE(LinkFile(folder + "/none", folder + "/link").ok());
  EXPECT_EQ(ReadFileOrDie(folder + "/link"), "one");
}

TEST(RunLog, KeepsTheRecordUpToDateForAHundredthOfTheTime) {
  const std::string folder = MakeTempDir();
  double now = 0;
  RunLog log(Example(folder, "8"), {.clock = [&] { return now; }});
  Model model;
  FitContext context{model};
  SEQ_ASSERT_OK(log.OnTrainBegin(context));
  log.Wait();
  SEQ_ASSERT_OK_AND_ASSIGN(RunRecord run, LoadRunRecord(folder));
  EXPECT_EQ(run.status, RunStatus::kRunning);
  EXPECT_EQ(run.history.rows(), 0);
  for (int epoch = 0; epoch < 3; ++epoch) {
    SEQ_ASSERT_OK(log.OnEpochBegin(context, epoch));
    SEQ_ASSERT_OK(log.OnBatchEnd(context, 0, {{"loss", .5}}));
    now += .4;
    Logs logs = {{"loss", .5}, {"val_loss", epoch == 1 ? .3 : .4}};
    SEQ_ASSERT_OK(log.OnEpochEnd(context, epoch, logs));
    log.Wait();
    SEQ_ASSERT_OK_AND_ASSIGN(run, LoadRunRecord(folder));
    EXPECT_EQ(run.history.rows(), epoch < 2 ? 0 : 3);
  }
  EXPECT_EQ(run.best_epoch, 1);
  EXPECT_THAT(run.steps["total_step"], ElementsAre(1, 2, 3));
  context.messages = {"said"};
  SEQ_ASSERT_OK(log.OnTrainEnd(context));
  SEQ_ASSERT_OK(log.Finish(RunStatus::kFailed, "why"));
  SEQ_ASSERT_OK_AND_ASSIGN(run, LoadRunRecord(folder));
  EXPECT_EQ(run.status, RunStatus::kFailed);
  EXPECT_EQ(run.error, "why");
  EXPECT_EQ(run.messages, "said\n");
  EXPECT_NEAR(run.seconds, 1.2, 1e-9);
}

TEST(RunLog, SaysOnceThatItCannotWriteAndWritesAgain) {
  const std::string folder = MakeTempDir();
  const std::string gone = folder + "/run";
  double now = 0;
  RunLog log(Example(gone, "8"), {.clock = [&] { return now; }});
  Model model;
  FitContext context{model};
  SEQ_ASSERT_OK(log.OnTrainBegin(context));
  for (int epoch = 0; epoch < 4; ++epoch) {
    log.Wait();
    if (epoch == 2) std::filesystem::create_directory(gone);
    now += 1000;
    Logs logs = {{"loss", .5}};
    SEQ_ASSERT_OK(log.OnEpochEnd(context, epoch, logs));
  }
  EXPECT_THAT(context.notes, ElementsAre(HasSubstr("record is not written")));
  log.Wait();
  SEQ_ASSERT_OK_AND_ASSIGN(const RunRecord run, LoadRunRecord(gone));
  EXPECT_EQ(run.history.rows(), 4);
  // What is as it was is left alone, but not what somebody has taken away.
  std::filesystem::remove(gone + "/history.csv");
  SEQ_ASSERT_OK(log.Finish(RunStatus::kFinished, ""));
  SEQ_ASSERT_OK_AND_ASSIGN(const RunRecord ended, LoadRunRecord(gone));
  EXPECT_EQ(ended.history.rows(), 4);
  EXPECT_EQ(ended.status, RunStatus::kFinished);
}

}  // namespace
}  // namespace seqgraph::tools
