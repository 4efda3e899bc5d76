// What `train` leaves of a run by default, `runs` and `sweep`.

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "data/testing/test_util.h"
#include "tests/end_to_end/process.h"
#include "tests/end_to_end/review_files.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using ::seqgraph::data::ReadFileOrDie;
using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

namespace fs = std::filesystem;
using Json = nlohmann::json;

const std::vector<std::string> kTrain = {"--data=tiny.tar.gz", "--num_words=30",
                                         "--maxlen=6",         "--batch=8",
                                         "--epochs=4",         "--data_cache=off"};

class RunsTest : public ::testing::Test {
 protected:
  ProcessResult Run(const std::vector<std::string>& arguments, const std::string& runs = "runs") {
    return RunSeqgraph(arguments, {.folder = folder_, .environment = {"SEQGRAPH_RUNS=" + runs}});
  }
  ProcessResult Train(const std::vector<std::string>& more, const std::string& runs = "runs") {
    return Run(WithFlags(With({"train"}, kTrain), more), runs);
  }
  std::vector<std::string> FoldersIn(const std::string& path) const {
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(folder_ + "/" + path)) {
      if (entry.is_directory()) found.push_back(entry.path());
    }
    std::sort(found.begin(), found.end());
    return found;
  }
  Json Sweep(const std::vector<std::string>& flags, const std::vector<std::string>& train) {
    const ProcessResult result = Run(With(With({"sweep", "--format=json"}, flags),
                                          With({"--", "train"}, WithFlags(kTrain, train))));
    EXPECT_EQ(result.status, 0) << result.err;
    return result.status == 0 ? Json::parse(result.out) : Json();
  }

  const std::string folder_ = FolderWithTinyArchive();
};

TEST_F(RunsTest, EveryRunLeavesAFolder) {
  const ProcessResult result = Train({"--units=4", "--output=m.pb"});
  ASSERT_EQ(result.status, 0) << result.err;
  const std::vector<std::string> folders = FoldersIn("runs");
  ASSERT_THAT(folders, SizeIs(1));
  const std::string run = folders[0];
  EXPECT_TRUE(absl::EndsWith(run, "_m")) << run;
  EXPECT_THAT(result.out,
              HasSubstr("The run: runs/" + fs::path(run).filename().string() + ". To see it:"));
  EXPECT_TRUE(fs::equivalent(run + "/best.pb", folder_ + "/m.pb"));  // a link
  EXPECT_TRUE(fs::exists(run + "/last.pb"));
  const std::vector<std::string> history =
      absl::StrSplit(ReadFileOrDie(run + "/history.csv"), '\n');
  EXPECT_EQ(history.size(), 4 + 2);
  const std::vector<std::string> steps = absl::StrSplit(ReadFileOrDie(run + "/steps.csv"), '\n');
  EXPECT_EQ(steps.size(), 4 * 4 + 2);  // 32 rows in batches of 8
  const Json json = Json::parse(ReadFileOrDie(run + "/run.json"));
  EXPECT_EQ(json["status"], "finished");
  EXPECT_EQ(json["flags"]["--units"], "4");
  EXPECT_EQ(json["data"]["train_rows"], 32);
  // The record's own command makes the same model again.
  std::vector<std::string> again = json["command"];
  again.emplace_back("--overwrite");
  const std::string model = ReadFileOrDie(folder_ + "/m.pb");
  ASSERT_EQ(Run(again, "off").status, 0);
  EXPECT_EQ(ReadFileOrDie(folder_ + "/m.pb"), model);
}

TEST_F(RunsTest, AReportOfTheRunComesWithIt) {
  const ProcessResult result = Train({"--output=m.pb", "--report=page.html"});
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("Wrote page.html"));
  const std::string page = ReadFileOrDie(folder_ + "/page.html");
  EXPECT_THAT(page, AllOf(HasSubstr("<html"), HasSubstr("validation"), HasSubstr("</html>")));
  EXPECT_EQ(Train({"--output=m.pb", "--report=page.html", "--run=off"}).status, 2);
  const ProcessResult none = Train({"--output=n.pb", "--report=none.html"}, "off");
  EXPECT_EQ(none.status, 0);
  EXPECT_THAT(none.err, HasSubstr("--report=none.html is not written"));
}

TEST_F(RunsTest, NoneIsLeftWhereNoneIsWantedOrNothingBegan) {
  EXPECT_EQ(Train({"--run=off"}).status, 0);
  EXPECT_EQ(Train({"--output=n.pb"}, "off").status, 0);
  EXPECT_EQ(Train({"--data=none.csv"}).status, 1);
  EXPECT_EQ(Train({"--backend=none", "--run=r"}).status, 1);
  EXPECT_FALSE(fs::exists(folder_ + "/runs"));
  EXPECT_FALSE(fs::exists(folder_ + "/r"));
  // Where it cannot be made, the run goes on all the same.
  std::ofstream(folder_ + "/file") << "x";
  const ProcessResult result = Train({"--output=o.pb"}, "file");
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.err, HasSubstr("nothing is kept of this run"));
  EXPECT_TRUE(fs::exists(folder_ + "/o.pb"));
}

TEST_F(RunsTest, AreListedSortedAndCompared) {
  ASSERT_EQ(Train({"--units=4", "--run=a", "--output=a.pb"}).status, 0);
  ASSERT_EQ(Train({"--units=16", "--run=b", "--output=b.pb"}).status, 0);
  const ProcessResult json = Run({"runs", "a", "b", "--sort=units", "--format=json"});
  ASSERT_EQ(json.status, 0) << json.err;
  const Json runs = Json::parse(json.out);
  ASSERT_THAT(runs, SizeIs(2));
  EXPECT_EQ(runs[0]["run"], "a");
  EXPECT_EQ(runs[1]["flags"]["--units"], "16");
  EXPECT_EQ(runs[1]["status"], "finished");
  EXPECT_EQ(runs[1]["epochs"], 4);
  EXPECT_EQ(
      Json::parse(
          Run({"runs", "a", "b", "--sort=units", "--descending", "--format=json"}).out)[0]["run"],
      "b");
  const std::string csv = Run({"runs", "a", "b", "--format=csv"}).out;
  EXPECT_THAT(csv, HasSubstr("run,status,epochs,best,accuracy,loss,val_accuracy,val_loss,"));
  EXPECT_THAT(csv, HasSubstr("\nb,finished,4,"));
  const std::string difference = Run({"runs", "diff", "a", "b"}).out;
  EXPECT_THAT(difference, HasSubstr("--units"));
  EXPECT_THAT(difference, HasSubstr("histories part in epoch  1"));
  EXPECT_THAT(difference, Not(HasSubstr("--batch")));
  EXPECT_THAT(Run({"runs", "diff", "a", "a"}).out, HasSubstr("The same flags"));
  EXPECT_EQ(Run({"runs", "diff", "a"}).status, 1);
  EXPECT_THAT(Run({"runs", "none"}).err, HasSubstr("none holds no run"));
  EXPECT_THAT(Run({"runs", "a", "--sort=colour"}).err, HasSubstr("no run has 'colour'"));
}

TEST_F(RunsTest, ARunThatWasKilledIsCutOff) {
  Process train(WithFlags(With({"train"}, kTrain),
                          {"--run=a", "--epochs=1000000", "--patience=1000000", "--output=a.pb"}),
                {.folder = folder_});
  ASSERT_TRUE(train.WaitForOutput("Epoch 2/")) << train.err();
  EXPECT_EQ(Json::parse(Run({"runs", "a", "--format=json"}).out)[0]["status"], "running");
  train.Signal(SIGKILL);
  train.Wait();
  EXPECT_EQ(Json::parse(Run({"runs", "a", "--format=json"}).out)[0]["status"], "cut off");
}

TEST_F(RunsTest, ProgressForPrograms) {
  const ProcessResult json = Train({"--progress=json", "--output=j.pb"});
  ASSERT_EQ(json.status, 0) << json.err;
  std::map<std::string, int> events;
  for (const absl::string_view line : absl::StrSplit(json.out, '\n', absl::SkipEmpty())) {
    ASSERT_TRUE(Json::accept(line)) << line;
    const Json event = Json::parse(line);
    ++events[event["event"]];
    EXPECT_TRUE(event["event"] != "epoch" || event["logs"]["val_loss"].is_number()) << line;
  }
  EXPECT_EQ(events["begin"], 1);
  EXPECT_EQ(events["epoch"], 4);
  EXPECT_EQ(events["end"], 1);
  for (const char* flag : {"--quiet", "--verbose=0", "--progress=none"}) {
    const ProcessResult quiet = Train({flag, "--overwrite", "--output=j.pb"});
    EXPECT_EQ(quiet.status, 0);
    EXPECT_EQ(quiet.out + quiet.err, "") << flag;
  }
  EXPECT_THAT(Train({"--verbose=2", "--overwrite", "--output=j.pb"}).out,
              HasSubstr("Epoch 4/4 - 4/4"));
  EXPECT_EQ(Train({"--verbose=2", "--quiet"}).status, 2);
}

TEST_F(RunsTest, ASweepHasTheNumbersOfItsRunsAloneWhateverRunsAtOnce) {
  const std::vector<std::string> flags = {"--units=4,8", "--cell=rnn,gru", "--seeds=2"};
  const Json one = Sweep(With(flags, {"--jobs=1", "--output=one"}), {});
  const Json four = Sweep(With(flags, {"--jobs=4", "--output=four"}), {});
  ASSERT_THAT(one, SizeIs(4));
  ASSERT_THAT(four, SizeIs(4));
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(one[i]["flags"], four[i]["flags"]);
    EXPECT_EQ(one[i]["metrics"], four[i]["metrics"]);
    EXPECT_EQ(one[i]["metrics"]["val_loss"]["runs"], 2);
    if (i == 0) continue;
    EXPECT_GE(one[i]["metrics"]["val_loss"]["mean"], one[i - 1]["metrics"]["val_loss"]["mean"]);
  }
  const std::string run = "units=8_cell=gru_seed=2";
  ASSERT_EQ(
      Train({"--units=8", "--cell=gru", "--seed=2", "--run=alone", "--output=alone.pb"}).status, 0);
  for (const char* file : {"history.csv", "steps.csv", "best.pb", "last.pb"}) {
    EXPECT_EQ(ReadFileOrDie(folder_ + "/alone/" + file),
              ReadFileOrDie(folder_ + "/one/" + run + "/" + file))
        << file;
  }
}

TEST_F(RunsTest, ASweepThatWasKilledGoesOn) {
  const std::vector<std::string> sweep =
      With({"sweep", "--units=3,4,5,6", "--seeds=2", "--jobs=2", "--output=s", "--", "train"},
           WithFlags(kTrain, {"--epochs=12", "--patience=12"}));
  {
    Process cut(sweep, {.folder = folder_});
    ASSERT_TRUE(cut.WaitForOutput("[2/8]")) << cut.err();
    cut.Signal(SIGTERM);
    EXPECT_EQ(cut.Wait(), 128 + SIGTERM) << cut.err();
    EXPECT_THAT(cut.err(), HasSubstr("the same command goes on"));
  }
  const ProcessResult rest = Run(sweep);
  EXPECT_EQ(rest.status, 0) << rest.err;
  EXPECT_THAT(rest.out, Not(HasSubstr("/8] ")));  // fewer are left
  EXPECT_THAT(rest.out,
              ContainsRegex("[1-6] runs in [0-9.]+ s; what each took adds up to [0-9.]+ s"));
  const ProcessResult nothing = Run(sweep);
  EXPECT_EQ(nothing.status, 0);
  EXPECT_THAT(nothing.out, Not(HasSubstr("/1] ")));
  EXPECT_THAT(nothing.out, Not(HasSubstr("adds up to")));
  std::vector<std::string> other = sweep;
  other[4] = "--output=t";
  ASSERT_EQ(Run(other).status, 0);
  for (const std::string& run : FoldersIn("t")) {
    const std::string name = fs::path(run).filename();
    for (const char* file : {"history.csv", "steps.csv", "best.pb", "last.pb", "messages.txt"}) {
      EXPECT_EQ(ReadFileOrDie(run + "/" + file), ReadFileOrDie(folder_ + "/s/" + name + "/" + file))
          << name << " " << file;
    }
  }
  other[4] = "--output=s";
  other[2] = "--seeds=3";
  EXPECT_THAT(Run(other).err, HasSubstr("s holds another sweep"));
}

// Killed at random moments, with all its runs, until it is done.
TEST_F(RunsTest, ASweepThatIsKilledAnywhereEndsWithTheSameBits) {
  const char* soak = std::getenv("SEQGRAPH_SOAK");
  const int kills = soak == nullptr ? 6 : std::atoi(soak);
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::mt19937 random(seed);
  const auto sweep = [&](const std::string& output) {
    return With({"sweep", "--units=3,4,5", "--cell=rnn,gru", "--jobs=2", "--search=halving",
                 "--first_epochs=3", "--eta=2", "--output=" + output, "--", "train"},
                WithFlags(kTrain, {"--epochs=12", "--patience=12", "--save_every=1steps"}));
  };
  ASSERT_EQ(Run(sweep("whole")).status, 0);
  int round = 0;
  int killed = 0;
  for (; killed < kills; ++round) {
    const std::string output = absl::StrCat("cut", round);
    for (bool done = false; !done;) {
      Process cut(sweep(output), {.folder = folder_});
      if (killed >= kills) {
        ASSERT_EQ(cut.Wait(), 0) << cut.err();
        break;
      }
      ::usleep(std::uniform_int_distribution<int>(0, 400'000)(random));
      cut.Signal(SIGKILL);
      const int status = cut.Wait();
      done = status == 0;
      ASSERT_TRUE(done || status == 1000 + SIGKILL) << status << cut.err();
      killed += done ? 0 : 1;
    }
    for (const std::string& run : FoldersIn("whole")) {
      const std::string name = fs::path(run).filename();
      for (const char* file : {"history.csv", "steps.csv", "best.pb", "last.pb", "messages.txt"}) {
        ASSERT_EQ(ReadFileOrDie(run + "/" + file),
                  ReadFileOrDie(absl::StrCat(folder_, "/", output, "/", name, "/", file)))
            << name << " " << file;
      }
    }
    EXPECT_EQ(FoldersIn("whole").size(), FoldersIn(output).size());
  }
  std::printf("%d kills, after which %d sweeps ended; seed %u\n", killed, round, seed);
}

TEST_F(RunsTest, HalvingGivesTheBestMoreEpochs) {
  const Json rows = Sweep({"--units=3,4,5,6", "--search=halving", "--first_epochs=2", "--eta=2"},
                          {"--epochs=8", "--patience=100"});
  ASSERT_THAT(rows, SizeIs(4));
  // 4 in 2 epochs, 2 in 4, 1 in 8.
  EXPECT_EQ(rows[0]["epochs"], 8);
  EXPECT_EQ(rows[1]["epochs"], 4);
  EXPECT_EQ(rows[2]["epochs"], 2);
  EXPECT_EQ(rows[3]["epochs"], 2);
}

TEST_F(RunsTest, ARunThatFailsDoesNotEndASweep) {
  const ProcessResult result =
      Run(With({"sweep", "--units=4,0", "--output=s", "--", "train"}, kTrain));
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, HasSubstr("units=0_seed=1 ended with status 2"));
  EXPECT_THAT(result.out, HasSubstr("units=4_seed=1: 4 epochs"));
  EXPECT_THAT(ReadFileOrDie(folder_ + "/s/units=0_seed=1/output.txt"), HasSubstr("--units"));
}

TEST_F(RunsTest, MisuseOfASweepIsNamed) {
  for (const auto& [arguments, why] : std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"sweep", "--", "train"}, "nothing is swept"},
           {{"sweep", "--units=4,8"}, "expected `-- train`"},
           {{"sweep", "--units=4,8", "--", "predict"}, "expected `-- train`"},
           {{"sweep", "--units=4,4", "--", "train"}, "twice"},
           {{"sweep", "--seed=4,5", "--", "train"}, "--seed cannot be swept"},
           {{"sweep", "--units=4,5", "--", "train", "--run=r"}, "--run behind `--`"},
           {{"sweep", "--units=4,5", "--", "train", "--units=3"}, "--units is swept"},
           {{"sweep", "--units=4..8", "--", "train"}, "is a range"},
           {{"sweep", "--units=4..8", "--search=random", "--", "train"}, "needs --samples"}}) {
    const ProcessResult result = Run(arguments);
    EXPECT_EQ(result.status, 1) << why;
    EXPECT_THAT(result.err, HasSubstr(why));
  }
}

}  // namespace
}  // namespace seqgraph
