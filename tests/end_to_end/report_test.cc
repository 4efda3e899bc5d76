// Pages and pictures of runs, by the command.

#include <cstdio>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "data/testing/test_util.h"
#include "tests/end_to_end/process.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class ReportTest : public ::testing::Test {
 protected:
  void Train(const std::string& name, std::vector<std::string> flags) const {
    flags.insert(flags.begin(), {"train", "--run=" + name});
    const ProcessResult trained = RunSeqgraph(flags, {.folder = folder_});
    ASSERT_EQ(trained.status, 0) << trained.out << trained.err;
  }
  std::string Path(const std::string& name) const { return absl::StrCat(folder_, "/", name); }
  ProcessResult Report(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "report");
    return RunSeqgraph(arguments, {.folder = folder_});
  }
  std::string Page(const std::string& file = "report.html") const {
    return data::ReadFileOrDie(Path(file));
  }

  const std::string folder_ = MakeTempDir();
};

// What stands between two texts, the first of which must be there; behind it from there on.
std::string Between(const std::string& text, const std::string& begin, const std::string& end) {
  const size_t at = text.find(begin);
  EXPECT_NE(at, std::string::npos) << begin;
  if (at == std::string::npos) return "";
  return text.substr(at + begin.size(), text.find(end, at + begin.size()) - at - begin.size());
}

const std::vector<std::string> kTexts = {"--data=synthetic", "--epochs=2", "--units=4",
                                         "--learning_rate=0.01", "--maxlen=20"};

TEST_F(ReportTest, APageOfTextsHasWhatEvaluateSays) {
  Train("first", kTexts);
  const ProcessResult made = Report({"first"});
  ASSERT_EQ(made.status, 0) << made.err;
  EXPECT_THAT(made.out, HasSubstr("Wrote report.html ("));
  const std::string page = Page();
  for (const char* section : {"Curves", "Confusion", "Thresholds and calibration", "Measured",
                              "Layers", "Graph", "Where the time goes", "Memory", "Environment"}) {
    EXPECT_THAT(page, HasSubstr(absl::StrCat(">", section, "</h2>")));
  }
  const ProcessResult evaluated = RunSeqgraph(
      {"evaluate", "first/best.pb", "--data=synthetic", "--part=validation"}, {.folder = folder_});
  // "loss: 0.123456 - accuracy: 0.5 (synthetic data)"
  double loss = 0;
  ASSERT_TRUE(absl::SimpleAtod(Between(evaluated.out, "loss: ", " "), &loss)) << evaluated.out;
  double told = 0;
  ASSERT_TRUE(absl::SimpleAtod(Between(page, ">loss</th><td class=\"num\">", "<"), &told));
  EXPECT_NEAR(told, loss, 2e-6);
  EXPECT_THAT(page, Not(HasSubstr("could not")));
  EXPECT_LT(page.size(), 300'000u);
}

TEST_F(ReportTest, AForecastIsDrawnOverTheTruth) {
  std::string csv = "day,level\n";
  for (int day = 0; day < 200; ++day) absl::StrAppend(&csv, day, ",", day % 10, "\n");
  data::WriteFileOrDie(Path("days.csv"), csv);
  Train("days", {"--data=days.csv", "--column=level", "--window=10", "--horizon=2", "--epochs=2"});
  const ProcessResult made = Report({"days"});
  ASSERT_EQ(made.status, 0) << made.err;
  EXPECT_THAT(Page(), AllOf(HasSubstr(">Told and true</h2>"), HasSubstr("within the interval"),
                            HasSubstr("Each forecast tells 2 steps")));
  // Its data are no place for the page.
  const ProcessResult over = Report({"days", "--output=days.csv"});
  EXPECT_EQ(over.status, 1);
  EXPECT_THAT(over.err, HasSubstr("the same file"));
  EXPECT_EQ(data::ReadFileOrDie(Path("days.csv")), csv);
  // And without them the rest is told.
  fs::rename(Path("days.csv"), Path("gone.csv"));
  const ProcessResult gone = Report({"days"});
  ASSERT_EQ(gone.status, 0) << gone.err;
  EXPECT_THAT(gone.out, HasSubstr("days.csv is not there any more"));
  EXPECT_THAT(Page(), AllOf(HasSubstr("is not there any more"), HasSubstr(">Layers</h2>"),
                            Not(HasSubstr(">Told and true</h2>"))));
}

TEST_F(ReportTest, EveryTaskHasAPage) {
  std::string csv = "id,t,x,way,slope,state\n", text;
  for (int i = 0; i < 40; ++i) {
    for (int t = 0; t < 6 + i % 4; ++t) {
      const int slope = i % 2 == 0 ? 1 + i % 3 : -1 - i % 3;
      absl::StrAppend(&csv, i, ",", t, ",", slope * t, ",", i % 2 == 0 ? "up" : "down", ",", slope,
                      ",", t % 2 == 0 ? "even" : "odd", "\n");
    }
    absl::StrAppend(&text, "the quick brown fox jumps over the lazy dog. ");
  }
  data::WriteFileOrDie(Path("s.csv"), csv);
  data::WriteFileOrDie(Path("t.txt"), text);
  const std::vector<std::string> series = {"--data=s.csv", "--series=id", "--order=t",
                                           "--column=x"};
  const std::vector<std::pair<std::vector<std::string>, std::string>> tasks = {
      {{"--task=classify", "--label=way"}, "Confusion"},
      {{"--task=tag", "--label=state"}, "Confusion"},
      {{"--task=regress", "--target=slope"}, "Told and true"},
      {{"--task=reconstruct"}, "Measured"},
      {{"--task=next", "--data=t.txt", "--maxlen=20"}, "Measured"},
      {{"--data=synthetic", "--maxlen=20", "--class_weight=balanced"}, "Confusion"},
      {{"--data=synthetic", "--maxlen=20", "--validation=0"}, "Confusion"}};
  for (size_t i = 0; i < tasks.size(); ++i) {
    std::vector<std::string> flags = tasks[i].first;
    if (i < 4) flags.insert(flags.begin(), series.begin(), series.end());
    flags.insert(flags.end(), {"--epochs=2", "--overwrite"});
    const std::string name = absl::StrCat("run", i);
    Train(name, flags);
    const ProcessResult made = Report({name});
    ASSERT_EQ(made.status, 0) << made.err;
    // No line but that it was written: nothing had to be left out.
    EXPECT_THAT(made.out, ::testing::StartsWith("Wrote ")) << flags[0];
    EXPECT_THAT(Page(), AllOf(HasSubstr(absl::StrCat(">", tasks[i].second, "</h2>")),
                              HasSubstr(">Where the time goes</h2>")));
  }
}

TEST_F(ReportTest, RunsAreLaidOverEachOtherAndPlotted) {
  Train("a", kTexts);
  std::vector<std::string> other = kTexts;
  other.push_back("--cell=gru");
  Train("b", other);
  const ProcessResult made = Report({"a", "b", "--judge=off", "--output=a/both.html"});
  ASSERT_EQ(made.status, 0) << made.err;
  EXPECT_THAT(Page("a/both.html"),
              AllOf(HasSubstr("b, validation"), HasSubstr(">What differs</h2>"),
                    Not(HasSubstr(">Confusion"))));
  const ProcessResult drawn =
      RunSeqgraph({"plot", "a", "b", "--output=curves.svg"}, {.folder = folder_});
  ASSERT_EQ(drawn.status, 0) << drawn.err;
  EXPECT_THAT(Page("curves.svg"), AllOf(HasSubstr("<svg"), HasSubstr(">loss</text>")));
  // A folder of runs is all of them.
  fs::create_directory(Path("all"));
  fs::rename(Path("a"), Path("all/a"));
  fs::rename(Path("b"), Path("all/b"));
  const ProcessResult all = Report({"all", "--judge=off"});
  EXPECT_EQ(all.status, 0);
  EXPECT_THAT(all.out, HasSubstr("2 runs"));
  const ProcessResult shown = RunSeqgraph({"plot", "all/a"}, {.folder = folder_});
  EXPECT_EQ(shown.status, 0);
  EXPECT_THAT(shown.out, AllOf(HasSubstr("loss  ⠤⠤ training"), HasSubstr("2 epoch")));
  EXPECT_THAT(shown.out, Not(HasSubstr("\x1b")));
}

TEST_F(ReportTest, WhatIsNoRunIsRefused) {
  fs::create_directory(Path("empty"));
  for (const char* command : {"report", "plot"}) {
    const ProcessResult none = RunSeqgraph({command, "empty"}, {.folder = folder_});
    EXPECT_EQ(none.status, 1);
    EXPECT_THAT(none.err, HasSubstr("empty"));
  }
  data::WriteFileOrDie(Path("empty/run.json"), "{\"format\": \"<script>");
  EXPECT_EQ(Report({"empty"}).status, 1);
  EXPECT_FALSE(fs::exists(Path("report.html")));
  Train("a", kTexts);
  const ProcessResult picture =
      RunSeqgraph({"plot", "a", "--output=curves.pdf"}, {.folder = folder_});
  EXPECT_EQ(picture.status, 1);
  EXPECT_THAT(picture.err, HasSubstr(".svg or .png"));
  const std::string record = data::ReadFileOrDie(Path("a/run.json"));
  const ProcessResult over = Report({"a", "--output=a/run.json"});
  EXPECT_EQ(over.status, 1);
  EXPECT_THAT(over.err, HasSubstr("the same file"));
  EXPECT_EQ(data::ReadFileOrDie(Path("a/run.json")), record);
  EXPECT_EQ(Report({"a", "a"}).status, 1);
}

}  // namespace
}  // namespace seqgraph
