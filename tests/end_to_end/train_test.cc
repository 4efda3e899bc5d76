// From reviews to answers through the command alone, on every backend that is built in.

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "backends/all_backends.h"
#include "data/testing/test_util.h"
#include "ops/all_ops.h"
#include "serialization/model_io.h"
#include "tests/end_to_end/process.h"
#include "tests/end_to_end/review_files.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using ::seqgraph::data::ReadFileOrDie;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

std::vector<std::string> Lines(const std::string& text) {
  return absl::StrSplit(text, '\n', absl::SkipEmpty());
}

// The column of a CSV file.
std::vector<double> Column(const std::string& csv, const std::string& name) {
  const std::vector<std::string> lines = Lines(csv);
  const std::vector<std::string> header = absl::StrSplit(lines.at(0), ',');
  const auto column = std::find(header.begin(), header.end(), name) - header.begin();
  std::vector<double> values;
  for (size_t i = 1; i < lines.size(); ++i) {
    const std::vector<std::string> cells = absl::StrSplit(lines[i], ',');
    values.push_back(std::strtod(cells.at(static_cast<size_t>(column)).c_str(), nullptr));
  }
  return values;
}

// The number behind `name` in "loss: 0.25 - accuracy: 1".
double Measured(const std::string& out, const std::string& name) {
  const size_t at = out.find(name + ": ");
  return at == std::string::npos ? -1 : std::strtod(&out[at + name.size() + 2], nullptr);
}

class TrainTest : public ::testing::TestWithParam<std::tuple<std::string, std::string>> {
 protected:
  const std::string& backend() const { return std::get<0>(GetParam()); }
  const std::string& input() const { return std::get<1>(GetParam()); }

  ProcessResult Run(std::vector<std::string> arguments, const std::string& stdin_text = "") const {
    return RunSeqgraph(arguments, {.folder = folder_}, stdin_text);
  }

  ProcessResult Train(const std::vector<std::string>& more) const {
    std::vector<std::string> arguments = WithFlags(TinyTraining(backend()), more);
    arguments.push_back("--model=" + input());
    return Run(arguments);
  }

  const std::string folder_ = FolderWithTinyArchive();
};

TEST_P(TrainTest, ASavedModelAnswersTextAndIsTheBestOfItsHistory) {
  const ProcessResult train = Train({"--output=m.pb", "--history=h.csv"});
  ASSERT_EQ(train.status, 0) << train.err;
  EXPECT_THAT(train.err, IsEmpty());
  EXPECT_THAT(train.out, AllOf(HasSubstr("Data: tiny.tar.gz: 32 reviews to train on, 8 to"),
                               HasSubstr("simple_rnn (SimpleRNN)"), HasSubstr("Total params: "),
                               HasSubstr("Backend " + backend()), HasSubstr("Epoch 1/12"),
                               HasSubstr("Best epoch "), Not(HasSubstr("synthetic"))));
  EXPECT_THAT(NamesIn(folder_), ElementsAre("h.csv", "m.pb", "tiny.tar.gz"));

  const std::vector<double> val_loss = Column(ReadFileOrDie(folder_ + "/h.csv"), "val_loss");
  ASSERT_FALSE(val_loss.empty());
  EXPECT_THAT(ReadFileOrDie(folder_ + "/h.csv"), HasSubstr(",\"" + backend() + " "));
  const std::vector<std::string> evaluate = {"evaluate", "m.pb", "--data=tiny.tar.gz", "--batch=8",
                                             "--backend=" + backend()};
  std::vector<std::string> validate = evaluate;
  validate.push_back("--part=validation");
  const ProcessResult validation = Run(validate);
  ASSERT_EQ(validation.status, 0) << validation.err;
  EXPECT_NEAR(Measured(validation.out, "loss"), *std::min_element(val_loss.begin(), val_loss.end()),
              1e-6);
  const ProcessResult test = Run(evaluate);
  ASSERT_EQ(test.status, 0) << test.err;
  EXPECT_THAT(test.out, HasSubstr("test: 20 reviews, 10 of them positive"));
  // The last word tells all, and the model has seen it.
  EXPECT_EQ(Measured(test.out, "accuracy"), 1) << test.out;

  const ProcessResult answers = Run({"predict", "m.pb", "--backend=" + backend(),
                                     "I thought it was great, great!", "it was awful, awful"});
  ASSERT_EQ(answers.status, 0) << answers.err;
  const std::vector<std::string> lines = Lines(answers.out);
  ASSERT_THAT(lines, SizeIs(2));
  EXPECT_THAT(lines[0], HasSubstr("\tpositive\tI thought it was great, great!"));
  EXPECT_THAT(lines[1], HasSubstr("\tnegative\tit was awful, awful"));
}

TEST_P(TrainTest, EqualRunsWriteEqualBytesAndAnotherSeedOthers) {
  ASSERT_EQ(Train({"--output=a.pb", "--history=a.csv"}).status, 0);
  ASSERT_EQ(Train({"--output=b.pb", "--history=b.csv"}).status, 0);
  ASSERT_EQ(Train({"--output=c.pb", "--history=c.csv", "--seed=2"}).status, 0);
  EXPECT_EQ(ReadFileOrDie(folder_ + "/a.pb"), ReadFileOrDie(folder_ + "/b.pb"));
  EXPECT_EQ(ReadFileOrDie(folder_ + "/a.csv"), ReadFileOrDie(folder_ + "/b.csv"));
  EXPECT_NE(ReadFileOrDie(folder_ + "/a.csv"), ReadFileOrDie(folder_ + "/c.csv"));
}

TEST_P(TrainTest, ATextExportHasTheSameBitsAndGivesTheSameAnswers) {
  ASSERT_EQ(Train({"--output=m.pb"}).status, 0);
  const ProcessResult shown = Run({"inspect", "m.pb", "--format=textproto", "--weights"});
  ASSERT_EQ(shown.status, 0) << shown.err;
  data::WriteFileOrDie(folder_ + "/m.textproto", shown.out);
  std::vector<SelfTest> tests;
  SEQ_ASSERT_OK_AND_ASSIGN(const Model imported,
                           LoadModel(folder_ + "/m.textproto", AllOps(), &tests));
  EXPECT_THAT(tests, SizeIs(1));
  SEQ_ASSERT_OK_AND_ASSIGN(const std::string bytes,
                           SerializeModel(imported, ModelFormat::kBinary, tests));
  EXPECT_TRUE(bytes == ReadFileOrDie(folder_ + "/m.pb"));

  const std::vector<std::string> texts = {"It was good!", "number 7 was dull"};
  std::vector<std::string> outs;
  for (const char* model : {"m.pb", "m.textproto"}) {
    outs.push_back(
        Run({"predict", model, "--format=json", "--backend=" + backend(), texts[0], texts[1]}).out);
  }
  EXPECT_THAT(Lines(outs[0]), SizeIs(2));
  EXPECT_EQ(outs[0], outs[1]);
}

TEST_P(TrainTest, OutputThatIsNoTerminalHasOneLineAnEpochAndNoControlCharacters) {
  const ProcessResult train = Train({"--output=m.pb", "--epochs=3"});
  ASSERT_EQ(train.status, 0) << train.err;
  for (char c : train.out) {
    const unsigned char byte = static_cast<unsigned char>(c);
    ASSERT_TRUE(byte == '\n' || (byte >= 0x20 && byte != 0x7F)) << int{byte} << train.out;
  }
  int epochs = 0;
  for (const std::string& line : Lines(train.out)) epochs += absl::StartsWith(line, "Epoch ");
  EXPECT_EQ(epochs, 3) << train.out;
}

TEST_P(TrainTest, ATerminalGetsABarThatIsRedrawn) {
  if (!TerminalsExist()) GTEST_SKIP() << "no pseudo-terminals here: is /dev/pts mounted?";
  std::vector<std::string> arguments = TinyTraining(backend());
  arguments.insert(arguments.end(), {"--output=m.pb", "--progress=bar"});
  for (const bool plain : {false, true}) {
    ProcessOptions options{.folder = folder_, .terminal = true};
    options.environment = {"TERM=xterm", plain ? "NO_COLOR=1" : "SEQGRAPH_TEST=1"};
    const ProcessResult train = RunSeqgraph(arguments, options);
    ASSERT_EQ(train.status, 0) << train.out;
    EXPECT_THAT(train.out, AllOf(HasSubstr("\r"), HasSubstr("━━━"), HasSubstr("Epoch 12/12")));
    EXPECT_EQ(absl::StrContains(train.out, "\x1b[32m"), !plain) << train.out;
  }
}

TEST_P(TrainTest, InspectAndSummaryShowWhatWasSaved) {
  ASSERT_EQ(Train({"--output=m.pb", "--epochs=1"}).status, 0);
  const ProcessResult text = Run({"inspect", "m.pb"});
  ASSERT_EQ(text.status, 0) << text.err;
  EXPECT_THAT(text.out,
              AllOf(HasSubstr("function predict(tokens: int32[batch, 6])"),
                    HasSubstr("function evaluate("), HasSubstr("function train_step("),
                    HasSubstr("num_words 30, maxlen 6"), HasSubstr("labels negative, positive"),
                    HasSubstr("variable simple_rnn/recurrent_kernel: float32[4, 4]")));
  const ProcessResult one = Run({"inspect", "m.pb", "--function=evaluate"});
  EXPECT_THAT(one.out, AllOf(StartsWith("function evaluate("), Not(HasSubstr("function predict"))));
  EXPECT_THAT(Run({"inspect", "m.pb", "--format=dot", "--function=predict"}).out,
              AllOf(StartsWith("digraph"), HasSubstr("RNNCell")));
  const ProcessResult outline = Run({"inspect", "m.pb", "--format=textproto"});
  EXPECT_THAT(outline.out, HasSubstr("op: \"RNNCell\""));
  const ProcessResult summary = Run({"summary", "m.pb"});
  ASSERT_EQ(summary.status, 0) << summary.err;
  // One-hot: 4 (30 + 4 + 1) + 5. Embedding: 30 16 + 4 (16 + 4 + 1) + 5.
  EXPECT_THAT(summary.out,
              HasSubstr(input() == "onehot" ? "Total params: 145 " : "Total params: 569 "));
}

std::vector<std::string> BackendNames() {
  std::vector<std::string> names;
  for (const auto& backend : AllBackends().all()) names.push_back(backend->info().name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(, TrainTest,
                         ::testing::Combine(::testing::ValuesIn(BackendNames()),
                                            ::testing::Values("embedding", "onehot")),
                         [](const auto& info) {
                           return absl::StrCat(std::get<0>(info.param), "_",
                                               std::get<1>(info.param));
                         });

}  // namespace
}  // namespace seqgraph
