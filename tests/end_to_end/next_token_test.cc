// Models of the next token: trained on a text that was written by a rule, judged, and rolled out.

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/counter_random.h"
#include "data/testing/test_util.h"
#include "data/text_check.h"
#include "tests/end_to_end/process.h"
#include "tests/end_to_end/review_files.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::Gt;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// Who comes next is drawn by lot; all else of a sentence follows from who it is.
const std::vector<std::pair<std::string, std::string>>& Meals() {
  static const auto& meals = *new std::vector<std::pair<std::string, std::string>>{
      {"cat", "milk"}, {"dog", "bones"}, {"bird", "seeds"}, {"mouse", "cheese"}};
  return meals;
}

std::string Story(uint64_t seed, int sentences) {
  CounterRandom random(seed, "story");
  std::string text;
  for (int i = 0; i < sentences; ++i) {
    const auto& [who, what] = Meals()[random.NextBelow(Meals().size())];
    absl::StrAppend(&text, "The ", who, " likes ", what, i % 5 == 4 ? ".\n" : ". ");
  }
  return text;
}

// The number behind the name.
double Measured(const std::string& text, const std::string& name) {
  const size_t at = text.find(name);
  EXPECT_NE(at, std::string::npos) << text;
  if (at == std::string::npos) return -1;
  const std::vector<std::string> words =
      absl::StrSplit(text.substr(at + name.size()), absl::ByAnyChar(": \n"), absl::SkipEmpty());
  double value = -1;
  EXPECT_TRUE(!words.empty() && absl::SimpleAtod(words[0], &value)) << text;
  return value;
}

class NextTokenTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new std::string(MakeTempDir());
    Write("story.txt", Story(1, 600));
    Write("other.txt", Story(2, 100));
    log_ = new std::string;
    Train("m.pb", {}, log_);
    Train("words.pb", {"--tokens=words", "--epochs=60"});
  }
  static void Train(const std::string& model, const std::vector<std::string>& more,
                    std::string* log = nullptr) {
    const ProcessResult train =
        Run(WithFlags({"train", "--data=story.txt", "--task=next", "--maxlen=32", "--units=32",
                       "--batch=16", "--epochs=40", "--patience=40", "--learning_rate=0.01",
                       "--output=" + model, "--backend=reference"},
                      more));
    ASSERT_EQ(train.status, 0) << train.err;
    if (log != nullptr) *log = train.out;
  }
  static ProcessResult Run(const std::vector<std::string>& arguments,
                           const std::string& input = "") {
    return RunSeqgraph(arguments, {.folder = *folder_}, input);
  }
  static ProcessResult Roll(const std::vector<std::string>& more, const std::string& model = "m.pb",
                            const std::string& input = "") {
    std::vector<std::string> arguments = {"predict", model, "--backend=reference"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return Run(arguments, input);
  }
  static void Write(const std::string& name, const std::string& bytes) {
    data::WriteFileOrDie(*folder_ + "/" + name, bytes);
  }

  static std::string* folder_;
  static std::string* log_;
};

std::string* NextTokenTest::folder_ = nullptr;
std::string* NextTokenTest::log_ = nullptr;

TEST_F(NextTokenTest, LearnsTheRuleOfAText) {
  EXPECT_THAT(*log_, AllOf(HasSubstr("tokens (characters)"), HasSubstr("Without a model")));
  const ProcessResult judged = Run({"evaluate", "m.pb", "--data=other.txt", "--backend=reference"});
  ASSERT_EQ(judged.status, 0) << judged.err;
  // Of some 21 characters of a sentence only the first of who it is stands in doubt.
  const double loss = Measured(judged.out, "loss"), accuracy = Measured(judged.out, "accuracy");
  const std::string without = judged.out.substr(judged.out.find("Without a model"));
  EXPECT_LT(loss, 0.3 * Measured(without, "loss"));
  EXPECT_GT(accuracy, 0.85);
  EXPECT_LT(Measured(without, "accuracy"), 0.3);
  // What is certain is told whole.
  for (const auto& [who, what] : Meals()) {
    const std::string begun = absl::StrCat("The ", who, " likes ");
    const ProcessResult result =
        Roll({"--temperature=0", absl::StrCat("--roll=", what.size() + 6), begun});
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_EQ(result.out, absl::StrCat(begun, what, ". the \n"));
  }
}

TEST_F(NextTokenTest, WordsStandApart) {
  const ProcessResult result = Roll({"--temperature=0", "--roll=2", "the mouse"}, "words.pb");
  EXPECT_EQ(result.out, "the mouse likes cheese\n") << result.err;
}

TEST_F(NextTokenTest, TheSameSeedGivesTheSameText) {
  const auto drawn = [](const std::vector<std::string>& more) {
    const ProcessResult result = Roll(WithFlags({"--roll=120", "the "}, more));
    EXPECT_EQ(result.status, 0) << result.err;
    return result.out;
  };
  const std::string one = drawn({"--seed=1"});
  EXPECT_EQ(one.size(), 4 + 120 + 1u);
  EXPECT_EQ(one, drawn({"--seed=1"}));
  EXPECT_EQ(one, drawn({}));
  EXPECT_NE(one, drawn({"--seed=2"}));
  // Whatever stands beside it.
  const ProcessResult both = Roll({"--roll=120", "the dog", "the "});
  EXPECT_THAT(both.out, AllOf(StartsWith("the dog"), EndsWith("\n" + one)));
  EXPECT_EQ(drawn({"--temperature=0", "--seed=1"}), drawn({"--temperature=0", "--seed=2"}));
  // The hotter, the less likely.
  const std::string hot = drawn({"--temperature=50"});
  const auto known = [](const std::string& text) {
    int count = 0;
    for (const auto& [who, what] : Meals()) {
      for (const std::string& sentence : std::vector<std::string>(absl::StrSplit(text, ". "))) {
        count += sentence == absl::StrCat("the ", who, " likes ", what);
      }
    }
    return count;
  };
  EXPECT_THAT(known(one), Gt(2)) << one;
  EXPECT_EQ(known(hot), 0) << hot;
}

TEST_F(NextTokenTest, LinesAndFilesGoOnOneByOne) {
  const ProcessResult lines =
      Roll({"--temperature=0", "--roll=6"}, "m.pb", "The cat likes \nThe bird likes \n");
  EXPECT_EQ(lines.out, "The cat likes milk. \nThe bird likes seeds.\n") << lines.err;
  Write("prompts.txt", "The dog likes \n");
  EXPECT_EQ(Roll({"--temperature=0", "--roll=5", "--file=prompts.txt"}).out,
            "The dog likes bones\n");
  const ProcessResult json =
      Roll({"--temperature=0", "--roll=5", "--format=json", "The dog likes "});
  const nlohmann::json object = nlohmann::json::parse(json.out, nullptr, false);
  EXPECT_EQ(object["prompt"], "The dog likes ");
  EXPECT_EQ(object["text"], "The dog likes bones");
}

// Bytes of characters of one to four bytes, of a model that has hardly learned them.
TEST_F(NextTokenTest, CharactersAreWholeWhateverTheTokens) {
  std::string text;
  for (int i = 0; i < 60; ++i) text += "h\xC3\xA9 \xE3\x81\x82\xE3\x82\x8A \xF0\x9F\x98\x80 ";
  Write("bytes.txt", text);
  Train("bytes.pb", {"--data=bytes.txt", "--tokens=bytes", "--epochs=2"});
  const ProcessResult result = Roll({"--roll=200", "h\xC3\xA9 "}, "bytes.pb");
  EXPECT_EQ(result.status, 0) << result.err;
  SEQ_EXPECT_OK(data::CheckText(result.out, data::TokenRule::kBytes));
  EXPECT_THAT(result.out, StartsWith("h\xC3\xA9 "));
}

TEST_F(NextTokenTest, TrainingGoesOnAndPartsAreFoundAgain) {
  Write("on.pb", data::ReadFileOrDie(*folder_ + "/m.pb"));
  const ProcessResult on =
      Run({"train", "--data=story.txt", "--task=next", "--resume=on.pb", "--output=on.pb",
           "--backend=reference", "--epochs=1", "--batch=16"});
  EXPECT_EQ(on.status, 0) << on.err;
  const ProcessResult part =
      Run({"evaluate", "m.pb", "--data=story.txt", "--part=validation", "--backend=reference"});
  ASSERT_EQ(part.status, 0) << part.err;
  // As the best epoch had it.
  EXPECT_NEAR(Measured(part.out, "loss"),
              Measured(log_->substr(log_->find("Best epoch")), "val_loss"), 6e-5)
      << *log_;
  for (const char* name : {"m.textproto", "m.keras", "m.onnx"}) {
    const ProcessResult converted = Run({"convert", "m.pb", name});
    ASSERT_EQ(converted.status, 0) << converted.err;
    const ProcessResult rolled = Roll({"--temperature=0", "--roll=30", "the dog"}, name);
    EXPECT_EQ(rolled.out, Roll({"--temperature=0", "--roll=30", "the dog"}).out) << rolled.err;
  }
}

TEST_F(NextTokenTest, WhatDoesNotGoTogetherIsRefused) {
  const auto error = [](const std::vector<std::string>& arguments) {
    const ProcessResult result = Run(arguments);
    EXPECT_NE(result.status, 0);
    return result.err;
  };
  const auto training = [](const std::string& flag) {
    return std::vector<std::string>{"train", "--data=story.txt", "--task=next", flag,
                                    "--output=x.pb"};
  };
  for (const char* flag : {"--bidirectional", "--pooling=max", "--text_column=a", "--stratify",
                           "--class_weight=balanced"}) {
    EXPECT_THAT(error(training(flag)), HasSubstr("does not go with --task=next")) << flag;
  }
  EXPECT_THAT(error(training("--window=3")), HasSubstr("--window is for series"));
  EXPECT_THAT(error(training("--maxlen=20000")), HasSubstr("give a longer text"));
  EXPECT_THAT(error({"predict", "m.pb", "the "}), HasSubstr("--roll=N says how many"));
  EXPECT_THAT(error({"predict", "m.pb", "--roll=3", "--", ""}), HasSubstr("text 1"));
  EXPECT_THAT(error({"predict", "m.pb", "--roll=3", "--data=story.txt"}),
              HasSubstr("--data and --output are for tables"));
  EXPECT_THAT(error({"predict", "m.pb", "--roll=3", "--temperature=-1", "a"}),
              HasSubstr("--temperature"));
  Write("tiny.tar.gz", data::MakeArchive(TinyReviews(), data::Packing::kTarGz));
  ASSERT_EQ(Run(WithFlags({"train", "--data=tiny.tar.gz", "--output=c.pb", "--backend=reference",
                           "--units=2", "--epochs=1"},
                          {}))
                .status,
            0);
  EXPECT_THAT(error({"predict", "c.pb", "--seed=3", "good"}),
              HasSubstr("--seed is for models of the next token"));
}

}  // namespace
}  // namespace seqgraph
