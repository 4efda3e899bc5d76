// Series of numbers by the command: train, evaluate, predict for each task, and what is refused.

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "data/testing/test_util.h"
#include "tests/end_to_end/process.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::StartsWith;

std::vector<std::string> Lines(const std::string& text) {
  return absl::StrSplit(text, '\n', absl::SkipEmpty());
}

std::vector<std::string> Fields(const std::string& line) { return absl::StrSplit(line, ','); }

double Number(const std::string& text) {
  double value = std::nan("");
  EXPECT_TRUE(absl::SimpleAtod(text, &value)) << text;
  return value;
}

// Series of 5 to 9 steps that rise ("up") or fall ("down"), from anywhere; in the last column what
// they do in all.
std::string SlopesCsv(int first, int series) {
  std::string csv = "id,t,x,y,way,slope\n";
  for (int i = first; i < first + series; ++i) {
    const bool up = i % 2 == 0;
    const double slope = (up ? 1 : -1) * (0.5 + 0.1 * (i % 7));
    for (int t = 0; t < 5 + i % 5; ++t) {
      absl::StrAppend(&csv, "s", i, ",", t, ",", 10 + i % 11 + slope * t, ",", 1000 - 100 * (i % 3),
                      ",", up ? "up" : "down", ",", slope, "\n");
    }
  }
  return csv;
}

// A sine of 20 steps around 50, and its cosine.
std::string WaveCsv(int steps) {
  std::string csv = "day,level,other\n";
  for (int t = 0; t < steps; ++t) {
    const double angle = 2 * M_PI * t / 20;
    absl::StrAppendFormat(&csv, "%d,%.5f,%.5f\n", t, 50 + 10 * std::sin(angle),
                          3 * std::cos(angle));
  }
  return csv;
}

class SeriesTest : public ::testing::Test {
 protected:
  ProcessResult Run(const std::vector<std::string>& arguments, const std::string& input = "") {
    return RunSeqgraph(arguments, {.folder = folder_}, input);
  }
  void Write(const std::string& name, const std::string& bytes) {
    data::WriteFileOrDie(folder_ + "/" + name, bytes);
  }
  // By default in 40 epochs at a learning rate of 0.02.
  ProcessResult TrainSlopes(const std::vector<std::string>& more) {
    std::vector<std::string> all = {"train",     "--data=slopes.csv", "--series=id",  "--order=t",
                                    "--units=8", "--batch=8",         "--output=m.pb"};
    for (const std::string flag : {"--epochs=40", "--learning_rate=0.02"}) {
      const std::string name = flag.substr(0, flag.find('=') + 1);
      if (std::none_of(more.begin(), more.end(), [&name](const std::string& given) {
            return absl::StartsWith(given, name);
          })) {
        all.push_back(flag);
      }
    }
    all.insert(all.end(), more.begin(), more.end());
    return Run(all);
  }

  const std::string folder_ = MakeTempDir();
};

TEST_F(SeriesTest, RaggedSeriesAreClassified) {
  Write("slopes.csv", SlopesCsv(0, 80));
  Write("new.csv", SlopesCsv(80, 20));
  const ProcessResult train = TrainSlopes({"--label=way", "--column=x,y"});
  ASSERT_EQ(train.status, 0) << train.err;
  EXPECT_THAT(train.out, AllOf(HasSubstr("80 series, 2 features, 5 to 9 steps"),
                               HasSubstr("classify: 64 series to train on, 16 to validate on; "
                                         "2 classes: down, up"),
                               HasSubstr("majority class"), HasSubstr("better than")));
  const ProcessResult test = Run({"evaluate", "m.pb", "--data=new.csv", "--confusion"});
  ASSERT_EQ(test.status, 0) << test.err;
  EXPECT_THAT(test.out, AllOf(HasSubstr("Part: all, 20 rows"), HasSubstr("majority class"),
                              HasSubstr("down"), HasSubstr("is \\ taken for")));
  const ProcessResult answers = Run({"predict", "m.pb", "--data=new.csv"});
  ASSERT_EQ(answers.status, 0) << answers.err;
  const std::vector<std::string> lines = Lines(answers.out);
  ASSERT_THAT(lines, SizeIs(21));
  EXPECT_EQ(lines[0], "id,label,p_down,p_up");
  int right = 0;
  for (int i = 0; i < 20; ++i) {
    const std::vector<std::string> fields = Fields(lines[static_cast<size_t>(i) + 1]);
    ASSERT_THAT(fields, SizeIs(4));
    EXPECT_EQ(fields[0], absl::StrCat("s", 80 + i));
    EXPECT_NEAR(Number(fields[2]) + Number(fields[3]), 1, 1e-6);
    right += fields[1] == (i % 2 == 0 ? "up" : "down");
  }
  EXPECT_GE(right, 18) << answers.out;
  // Rows longer than any that it was trained on, whose beginning is known: the way goes on.
  std::string longer = "id,t,x,y\n";
  for (int t = 0; t < 14; ++t) absl::StrAppend(&longer, "up,", t, ",", 15 + 0.6 * t, ",900\n");
  for (int t = 0; t < 12; ++t) absl::StrAppend(&longer, "down,", t, ",", 15 - 0.6 * t, ",900\n");
  Write("longer.csv", longer);
  const ProcessResult far = Run({"predict", "m.pb", "--data=longer.csv"});
  ASSERT_EQ(far.status, 0) << far.err;
  ASSERT_THAT(Lines(far.out), SizeIs(3));
  EXPECT_THAT(Lines(far.out)[1], StartsWith("up,up,"));
  EXPECT_THAT(Lines(far.out)[2], StartsWith("down,down,"));
  // Without label and number columns, in another order, and beside others: the same answers.
  std::string other = "note,y,id,t,x\n";
  for (const std::string& line : Lines(SlopesCsv(80, 20))) {
    const std::vector<std::string> f = Fields(line);
    if (f[0] != "id") absl::StrAppend(&other, "n,", f[3], ",", f[0], ",", f[1], ",", f[2], "\n");
  }
  Write("other.csv", other);
  const ProcessResult again = Run({"predict", "m.pb", "--data=other.csv", "--output=answers.csv"});
  ASSERT_EQ(again.status, 0) << again.err;
  EXPECT_EQ(data::ReadFileOrDie(folder_ + "/answers.csv"), answers.out);
}

TEST_F(SeriesTest, NumbersAreToldInTheirOwnUnits) {
  Write("slopes.csv", SlopesCsv(0, 120));
  const ProcessResult train =
      TrainSlopes({"--target=slope", "--column=x", "--task=regress", "--epochs=80"});
  ASSERT_EQ(train.status, 0) << train.err;
  EXPECT_THAT(train.out, AllOf(HasSubstr("mean"), HasSubstr("better than mean")));
  const ProcessResult answers = Run({"predict", "m.pb", "--data=slopes.csv"});
  ASSERT_EQ(answers.status, 0) << answers.err;
  const std::vector<std::string> lines = Lines(answers.out);
  ASSERT_THAT(lines, SizeIs(121));
  EXPECT_EQ(lines[0], "id,slope");
  double off = 0;
  for (int i = 0; i < 120; ++i) {
    const double slope = (i % 2 == 0 ? 1 : -1) * (0.5 + 0.1 * (i % 7));
    off += std::abs(Number(Fields(lines[static_cast<size_t>(i) + 1])[1]) - slope) / 120;
  }
  EXPECT_LT(off, 0.2) << answers.out;
}

TEST_F(SeriesTest, AForecastGoesOnBeyondItsHorizonAndLineByLine) {
  Write("wave.csv", WaveCsv(400));
  const std::vector<std::string> training = {
      "train",       "--data=wave.csv",      "--time=day",   "--column=level",
      "--window=10", "--horizon=2",          "--season=20",  "--units=8",
      "--epochs=30", "--learning_rate=0.01", "--output=m.pb"};
  const ProcessResult train = Run(training);
  ASSERT_EQ(train.status, 0) << train.err;
  // Of 80 steps for the test 79, of 40 before them but for the gap of 2 37.
  EXPECT_THAT(train.out, HasSubstr("forecast: 267 windows to train on, 37 to validate on, "
                                   "79 kept for a test"));
  const ProcessResult test = Run({"evaluate", "m.pb", "--data=wave.csv", "--part=test"});
  ASSERT_EQ(test.status, 0) << test.err;
  EXPECT_THAT(test.out, AllOf(HasSubstr("Part: test, 79 rows"), HasSubstr("persistence"),
                              HasSubstr("a season of 20 before")));
  const ProcessResult answers = Run({"predict", "m.pb", "--data=wave.csv"});
  ASSERT_EQ(answers.status, 0) << answers.err;
  const std::vector<std::string> two = Lines(answers.out);
  ASSERT_THAT(two, SizeIs(3));
  EXPECT_EQ(two[0], "series,day,level");
  EXPECT_THAT(two[1], StartsWith("0,400,"));
  EXPECT_THAT(two[2], StartsWith("0,401,"));
  for (int h = 0; h < 2; ++h) {
    EXPECT_NEAR(Number(Fields(two[static_cast<size_t>(h) + 1])[2]),
                50 + 10 * std::sin(2 * M_PI * (400 + h) / 20), 2);
  }
  const ProcessResult far = Run({"predict", "m.pb", "--data=wave.csv", "--roll=5"});
  ASSERT_EQ(far.status, 0) << far.err;
  ASSERT_THAT(Lines(far.out), SizeIs(6));
  EXPECT_EQ(Lines(far.out)[1], two[1]);
  EXPECT_EQ(Lines(far.out)[2], two[2]);
  // What was told of steps 400 and 401 is what the next two are told from.
  Write("longer.csv", absl::StrCat(WaveCsv(400), "400,", Fields(two[1])[2], ",0\n401,",
                                   Fields(two[2])[2], ",0\n"));
  const ProcessResult longer = Run({"predict", "m.pb", "--data=longer.csv"});
  ASSERT_EQ(longer.status, 0) << longer.err;
  EXPECT_EQ(Lines(longer.out)[1], Lines(far.out)[3]);
  EXPECT_EQ(Lines(longer.out)[2], Lines(far.out)[4]);
  // The last ten steps line by line: the tenth is the first that is answered.
  std::string steps = "day,level\n";
  const std::vector<std::string> wave = Lines(WaveCsv(400));
  for (size_t i = wave.size() - 10; i < wave.size(); ++i) {
    absl::StrAppend(&steps, Fields(wave[i])[0], ",", Fields(wave[i])[1], "\n");
  }
  const ProcessResult live = Run({"predict", "m.pb"}, steps);
  ASSERT_EQ(live.status, 0) << live.err;
  ASSERT_THAT(Lines(live.out), SizeIs(3));
  EXPECT_EQ(Fields(Lines(live.out)[1])[2], Fields(two[1])[2]);
  EXPECT_EQ(Fields(Lines(live.out)[2])[2], Fields(two[2])[2]);
}

TEST_F(SeriesTest, QuantilesAreInOrderForMostRows) {
  Write("slopes.csv", SlopesCsv(0, 120));
  const ProcessResult train =
      TrainSlopes({"--target=slope", "--column=x", "--quantiles=0.1,0.5,0.9"});
  ASSERT_EQ(train.status, 0) << train.err;
  const ProcessResult answers = Run({"predict", "m.pb", "--data=slopes.csv"});
  ASSERT_EQ(answers.status, 0) << answers.err;
  const std::vector<std::string> lines = Lines(answers.out);
  EXPECT_EQ(lines[0], "id,slope_q0.1,slope_q0.5,slope_q0.9");
  int ordered = 0;
  for (size_t i = 1; i < lines.size(); ++i) {
    const std::vector<std::string> fields = Fields(lines[i]);
    ordered += Number(fields[1]) <= Number(fields[3]);
  }
  EXPECT_GE(ordered, 100) << answers.out;
}

TEST_F(SeriesTest, StepsAreTagged) {
  std::string csv = "id,t,x,sign\n";
  for (int i = 0; i < 60; ++i) {
    for (int t = 0; t < 4 + i % 3; ++t) {
      const int x = (i * 7 + t * 5) % 11 - 5;
      absl::StrAppend(&csv, i, ",", t, ",", x, ",", x < 0 ? "minus" : "plus", "\n");
    }
  }
  Write("slopes.csv", csv);
  const ProcessResult train = TrainSlopes({"--label=sign", "--task=tag", "--epochs=60"});
  ASSERT_EQ(train.status, 0) << train.err;
  const ProcessResult answers = Run({"predict", "m.pb", "--data=slopes.csv"});
  ASSERT_EQ(answers.status, 0) << answers.err;
  const std::vector<std::string> lines = Lines(answers.out);
  const std::vector<std::string> rows = Lines(csv);
  ASSERT_EQ(lines.size(), rows.size());
  EXPECT_EQ(lines[0], "id,t,label,p_minus,p_plus");
  size_t right = 0;
  for (size_t i = 1; i < rows.size(); ++i) {
    EXPECT_EQ(Fields(lines[i])[1], Fields(rows[i])[1]);
    right += Fields(lines[i])[2] == Fields(rows[i])[3];
  }
  EXPECT_GE(right * 10, (rows.size() - 1) * 9);
}

TEST_F(SeriesTest, WhatIsUnlikeTheTrainingIsReconstructedWorst) {
  Write("wave.csv", WaveCsv(400));
  const ProcessResult train =
      Run({"train", "--data=wave.csv", "--task=reconstruct", "--column=level,other", "--window=10",
           "--units=12", "--epochs=60", "--learning_rate=0.01", "--output=m.pb"});
  ASSERT_EQ(train.status, 0) << train.err;
  std::string odd = WaveCsv(100);
  for (int t = 50; t < 60; ++t) {  // A spike within one window.
    const size_t at = odd.find(absl::StrCat("\n", t, ",")) + 1;
    const size_t end = odd.find('\n', at);
    odd.replace(at, end - at, absl::StrCat(t, ",", t % 2 == 0 ? 75 : 25, ",0"));
  }
  Write("odd.csv", odd);
  const ProcessResult answers = Run({"predict", "m.pb", "--data=odd.csv"});
  ASSERT_EQ(answers.status, 0) << answers.err;
  const std::vector<std::string> lines = Lines(answers.out);
  ASSERT_THAT(lines, SizeIs(11));
  EXPECT_EQ(lines[0], "series,step,error");
  for (size_t i = 1; i < lines.size(); ++i) {
    if (i != 6) {
      EXPECT_LT(Number(Fields(lines[i])[2]), Number(Fields(lines[6])[2])) << answers.out;
    }
  }
}

TEST_F(SeriesTest, OnlyABetterModelReplacesOneAndARunGoesOn) {
  Write("slopes.csv", SlopesCsv(0, 80));
  ASSERT_EQ(TrainSlopes({"--label=way", "--column=x"}).status, 0);
  const std::string good = data::ReadFileOrDie(folder_ + "/m.pb");
  const ProcessResult worse =
      TrainSlopes({"--label=way", "--column=x", "--epochs=1", "--learning_rate=1e-6"});
  ASSERT_EQ(worse.status, 0) << worse.err;
  EXPECT_THAT(worse.out, HasSubstr("m.pb stays as it was"));
  EXPECT_EQ(data::ReadFileOrDie(folder_ + "/m.pb"), good);
  const ProcessResult other = TrainSlopes({"--label=way", "--column=x,y"});
  EXPECT_EQ(other.status, 1);
  EXPECT_THAT(other.err, HasSubstr("m.pb is there already"));
  const ProcessResult resumed =
      Run({"train", "--data=slopes.csv", "--resume=m.pb", "--output=more.pb", "--epochs=2"});
  ASSERT_EQ(resumed.status, 0) << resumed.err;
  EXPECT_THAT(resumed.out, HasSubstr("64 series to train on, 16 to validate on"));
  EXPECT_TRUE(std::filesystem::exists(folder_ + "/more.pb"));
}

TEST_F(SeriesTest, FoldsTellMeanAndSpreadAndSaveNothing) {
  Write("slopes.csv", SlopesCsv(0, 60));
  const ProcessResult run = TrainSlopes({"--label=way", "--column=x", "--folds=3", "--epochs=20"});
  ASSERT_EQ(run.status, 0) << run.err;
  const std::vector<std::string> lines = Lines(run.out);
  const auto first = std::find_if(lines.begin(), lines.end(), [](const std::string& line) {
    return absl::StartsWith(line, "fold ") && absl::StrContains(line, "accuracy");
  });
  ASSERT_GE(lines.end() - first, 7) << run.out;
  double sum = 0, squares = 0;
  const auto accuracy = [&](int line) {
    const std::vector<std::string> cells = absl::StrSplit(first[line], ' ', absl::SkipEmpty());
    return Number(cells[cells.size() - 2]);
  };
  for (int fold = 1; fold <= 3; ++fold) {
    EXPECT_THAT(first[fold], StartsWith(absl::StrCat(fold, " ")));
    sum += accuracy(fold);
    squares += accuracy(fold) * accuracy(fold);
  }
  EXPECT_THAT(first[4], StartsWith("mean of folds"));
  EXPECT_NEAR(accuracy(4), sum / 3, 1e-5);
  EXPECT_THAT(first[5], StartsWith("deviation"));
  EXPECT_NEAR(accuracy(5), std::sqrt(std::max(squares - sum * sum / 3, 0.0) / 2), 1e-4);
  EXPECT_THAT(first[6], StartsWith("without a model: majority class"));
  EXPECT_EQ(accuracy(6), 0.5);
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/m.pb"));
}

TEST_F(SeriesTest, WithoutAValidationTheLastWeightsAreKept) {
  Write("slopes.csv", SlopesCsv(0, 20));
  const ProcessResult train =
      TrainSlopes({"--label=way", "--column=x", "--validation=0", "--epochs=3"});
  ASSERT_EQ(train.status, 0) << train.err;
  EXPECT_THAT(train.out, AllOf(HasSubstr("20 series to train on, 0 to validate on"),
                               HasSubstr("Saved that model: m.pb")));
  Write("other.csv", SlopesCsv(20, 10));
  const ProcessResult apart = TrainSlopes(
      {"--label=way", "--column=x", "--overwrite", "--validation_data=other.csv", "--epochs=3"});
  ASSERT_EQ(apart.status, 0) << apart.err;
  EXPECT_THAT(apart.out, HasSubstr("20 series to train on, 10 to validate on"));
}

// The same losses, the same model, and columns that are known by the names of the table.
TEST_F(SeriesTest, WhatEncodeWroteIsTrainedOnAlike) {
  Write("slopes.csv", SlopesCsv(0, 40));
  Write("new.csv", SlopesCsv(40, 10));
  const std::vector<std::string> columns = {"--series=id", "--order=t", "--label=way",
                                            "--column=x,y"};
  std::vector<std::string> encode = {"encode", "--data=slopes.csv", "--output=kept"};
  encode.insert(encode.end(), columns.begin(), columns.end());
  const ProcessResult written = Run(encode);
  ASSERT_EQ(written.status, 0) << written.err;
  EXPECT_THAT(written.out, AllOf(HasSubstr("40 series, 2 features, 5 to 9 steps"),
                                 HasSubstr("kept/series.safetensors: 280 steps")));
  std::vector<std::string> answers;
  for (const std::string data : {"slopes.csv", "kept"}) {
    std::vector<std::string> train = {
        "train",     "--data=" + data,           "--epochs=3",
        "--units=4", "--output=" + data + ".pb", "--history=" + data + ".history"};
    if (data != "kept") train.insert(train.end(), columns.begin(), columns.end());
    const ProcessResult trained = Run(train);
    ASSERT_EQ(trained.status, 0) << trained.err;
    const ProcessResult predicted = Run({"predict", data + ".pb", "--data=new.csv"});
    ASSERT_EQ(predicted.status, 0) << predicted.err;
    answers.push_back(predicted.out);
  }
  EXPECT_EQ(answers[0], answers[1]);
  EXPECT_EQ(data::ReadFileOrDie(folder_ + "/slopes.csv.history"),
            data::ReadFileOrDie(folder_ + "/kept.history"));
  EXPECT_EQ(Run({"predict", "kept.pb", "--data=kept"}).out,
            Run({"predict", "kept.pb", "--data=slopes.csv"}).out);
  EXPECT_THAT(Run({"train", "--data=kept", "--label=slope"}).err,
              HasSubstr("was written with --label=way, not with --label=slope"));
  EXPECT_THAT(Run({"encode", "--data=slopes.csv", "--maxlen=5", "--output=kept"}).err,
              HasSubstr("--maxlen is for texts"));
}

TEST_F(SeriesTest, WhatIsMissingInAFileIsMissingOnStandardInput) {
  Write("slopes.csv", SlopesCsv(0, 20));
  ASSERT_EQ(TrainSlopes({"--label=way", "--column=x,y", "--missing=zero", "--epochs=1"}).status, 0);
  const ProcessResult zeros = Run({"predict", "m.pb"}, "1,0\n2,0\n0,3\n");
  ASSERT_EQ(zeros.status, 0) << zeros.err;
  ASSERT_THAT(Lines(zeros.out), SizeIs(2));
  EXPECT_EQ(Run({"predict", "m.pb"}, "1,\n2,N/A\nNone,3\n").out, zeros.out);
}

TEST_F(SeriesTest, WhatDoesNotFitIsNamed) {
  Write("slopes.csv", SlopesCsv(0, 20));
  const auto refused = [&](const ProcessResult& result, const std::string& part) {
    EXPECT_NE(result.status, 0);
    EXPECT_THAT(result.err, AllOf(StartsWith("seqgraph: "), HasSubstr(part)));
  };
  refused(TrainSlopes({"--label=way", "--maxlen=7"}), "--maxlen is for texts");
  refused(TrainSlopes({"--label=way", "--model=onehot"}), "--model is for models of texts");
  refused(TrainSlopes({"--label=no"}), "no");
  refused(TrainSlopes({"--column=x"}), "--task=");
  refused(Run({"train", "--data=synthetic", "--window=3"}), "--window is for series");
  ASSERT_EQ(TrainSlopes({"--label=way", "--column=x", "--epochs=1"}).status, 0);
  Write("lacks.csv", "id,t,y\n1,0,2\n1,1,2\n");
  refused(Run({"predict", "m.pb", "--data=lacks.csv"}), "x");
  refused(Run({"predict", "m.pb", "--data=slopes.csv", "--roll=3"}), "--roll is for forecasts");
  refused(Run({"predict", "m.pb", "A text."}), "it takes series of numbers");
  refused(Run({"predict", "m.pb"}, "1\nx2\n"), "line 2");
  std::string same = "id,t,x,way\n";  // All of one length: then others are refused.
  for (int i = 0; i < 20; ++i) {
    for (int t = 0; t < 3; ++t) absl::StrAppend(&same, i, ",", t, ",", i % 2 * t, ",", i % 2, "\n");
  }
  Write("slopes.csv", same);
  ASSERT_EQ(TrainSlopes({"--label=way", "--column=x", "--epochs=1", "--overwrite"}).status, 0);
  Write("short.csv", "id,t,x\n1,0,1\n1,1,1\n");
  refused(Run({"predict", "m.pb", "--data=short.csv"}), "2 steps, and the model was trained on");
}

}  // namespace
}  // namespace seqgraph
