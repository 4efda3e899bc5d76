// How `seqgraph predict` takes text and prints answers.

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "data/testing/test_util.h"
#include "tests/end_to_end/process.h"
#include "tests/end_to_end/review_files.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::SizeIs;

std::vector<std::string> Lines(const std::string& text) {
  return absl::StrSplit(text, '\n', absl::SkipEmpty());
}

class PredictTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { folder_ = new std::string(FolderWithTinyModel()); }

  static std::vector<std::string> Arguments(const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"predict", "m.pb", "--backend=reference"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }

  static ProcessResult Predict(const std::vector<std::string>& more,
                               const std::string& input = "") {
    return RunSeqgraph(Arguments(more), {.folder = *folder_}, input);
  }

  static std::string* folder_;
};

std::string* PredictTest::folder_ = nullptr;

TEST_F(PredictTest, ArgumentsAFileAndStandardInputGetTheSameAnswers) {
  const ProcessResult arguments = Predict({"It was good.", "It was BAD!"});
  ASSERT_EQ(arguments.status, 0) << arguments.err;
  EXPECT_THAT(Lines(arguments.out),
              ElementsAre(MatchesRegex("0\\.[0-9]{4}\t(positive|negative)\tIt was good\\."),
                          MatchesRegex("0\\.[0-9]{4}\t(positive|negative)\tIt was BAD!")));
  data::WriteFileOrDie(*folder_ + "/reviews.txt", "It was good.\r\nIt was BAD!");
  EXPECT_EQ(Predict({"--file=reviews.txt"}).out, arguments.out);
  EXPECT_EQ(Predict({}, "It was good.\nIt was BAD!\n").out, arguments.out);
}

TEST_F(PredictTest, AnAnswerDoesNotDependOnItsNeighbours) {
  std::string many;
  for (int i = 0; i < 100; ++i) absl::StrAppend(&many, "number ", i, " was good\n");
  const std::vector<std::string> together = Lines(Predict({"--format=json"}, many).out);
  ASSERT_THAT(together, SizeIs(100));
  for (const int i : {0, 15, 16, 99}) {
    const std::string alone =
        Predict({"--format=json", absl::StrCat("number ", i, " was good")}).out;
    EXPECT_EQ(alone, together[static_cast<size_t>(i)] + "\n");
  }
}

TEST_F(PredictTest, TextsAreTakenAsTheyAre) {
  // What a parser of command lines might take for a list, a command, a flag, or nothing.
  const ProcessResult result =
      Predict({"[good, bad]", "train", "{so}", "--", "-5 stars", "--help"});
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(Lines(result.out),
              ElementsAre(EndsWith("\t[good, bad]"), EndsWith("\ttrain"), EndsWith("\t{so}"),
                          EndsWith("\t-5 stars"), EndsWith("\t--help")));
}

TEST_F(PredictTest, JsonLinesHoldProbabilityLabelAndTheWholeText) {
  const std::string text = "A \"quoted\" t\xc3\xa9xt, " + std::string(200, 'x');
  const ProcessResult result = Predict({"--format=json", text});
  ASSERT_EQ(result.status, 0) << result.err;
  const nlohmann::json line = nlohmann::json::parse(result.out);
  EXPECT_EQ(line.at("text"), text);
  const double probability = line.at("probability");
  EXPECT_GT(probability, 0);
  EXPECT_LT(probability, 1);
  EXPECT_EQ(line.at("label"), probability > 0.5 ? "positive" : "negative");
}

TEST_F(PredictTest, TheExcerptIsOneLineOfAtMostSixtyCharactersAndHarmless) {
  std::string accents;
  for (int i = 0; i < 70; ++i) accents += "\xc3\xa9";
  const ProcessResult result = Predict({accents, "tab\there\x1b[31mred\nline"});
  ASSERT_EQ(result.status, 0) << result.err;
  const std::vector<std::string> lines = Lines(result.out);
  ASSERT_THAT(lines, SizeIs(2));
  EXPECT_THAT(lines[0], EndsWith("\t" + accents.substr(0, 120) + "..."));
  EXPECT_THAT(lines[1], EndsWith("\ttab here [31mred line"));
}

TEST_F(PredictTest, ALineIsAnsweredBeforeTheInputEnds) {
  Process process(Arguments({}), {.folder = *folder_});
  process.Send("first\n");
  EXPECT_TRUE(process.WaitForOutput("\tfirst\n")) << process.err();
  process.Send("second\n");
  EXPECT_TRUE(process.WaitForOutput("\tsecond\n")) << process.err();
  process.CloseInput();
  EXPECT_EQ(process.Wait(), 0);
}

TEST_F(PredictTest, EmptyInputGivesNoAnswer) {
  const ProcessResult result = Predict({}, "");
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out, IsEmpty());
}

TEST_F(PredictTest, ALineThatIsNoTextIsNamedAfterTheAnswersBeforeIt) {
  const ProcessResult nul = Predict({}, std::string("good\nb\0d\nbad\n", 13));
  EXPECT_EQ(nul.status, 1);
  EXPECT_THAT(Lines(nul.out), ElementsAre(EndsWith("\tgood")));
  EXPECT_THAT(nul.err, AllOf(HasSubstr("standard input: line 2"), HasSubstr("NUL")));
  EXPECT_THAT(Predict({"good", "caf\xe9"}).err, AllOf(HasSubstr("text 2"), HasSubstr("UTF-8")));
  EXPECT_THAT(Predict({}, "good\n\nbad\n").err, HasSubstr("line 2"));
}

TEST_F(PredictTest, AnyBytesAreAnsweredWhereTheyAreWanted) {
  const ProcessResult result =
      Predict({"--any_bytes", "--format=json"}, std::string("g\0od\n\ncaf\xe9\n", 11));
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(Lines(result.out), SizeIs(3));
}

TEST_F(PredictTest, ALineBeyondTheLimitIsRefused) {
  const ProcessResult result = Predict({}, std::string(size_t{5} << 20, 'a'));
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, AllOf(HasSubstr("RESOURCE_EXHAUSTED"), HasSubstr("line 1 is longer")));
}

}  // namespace
}  // namespace seqgraph
