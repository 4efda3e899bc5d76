// `seqgraph convert`: a trained model into every format and back, and what it refuses.

#include <string>
#include <vector>

#include "base/atomic_file.h"
#include "data/testing/test_util.h"
#include "tests/end_to_end/process.h"
#include "tests/end_to_end/review_files.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using ::testing::HasSubstr;

class ConvertTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { folder_ = new std::string(FolderWithTinyModel()); }

  static ProcessResult Convert(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "convert");
    return RunSeqgraph(arguments, {.folder = *folder_});
  }
  static void ExpectConverts(const std::vector<std::string>& arguments) {
    const ProcessResult result = Convert(arguments);
    ASSERT_EQ(result.status, 0) << result.err;
    EXPECT_THAT(result.out, HasSubstr(arguments[1] + ": "));
  }
  static void ExpectRefuses(const std::vector<std::string>& arguments, const std::string& why) {
    const ProcessResult result = Convert(arguments);
    EXPECT_EQ(result.status, 1);
    EXPECT_THAT(result.err, HasSubstr(why));
  }
  static std::string Content(const std::string& name) {
    return *ReadFile(*folder_ + "/" + name, 1 << 30);
  }

  static std::string* folder_;
};

std::string* ConvertTest::folder_ = nullptr;

TEST_F(ConvertTest, ThroughEveryFormatTheModelStaysTheSame) {
  ExpectConverts({"m.pb", "a.keras"});
  ExpectConverts({"a.keras", "a.pb"});
  for (const std::string ending : {".keras", ".h5", ".textproto", ".pb"}) {
    ExpectConverts({"a.pb", "b" + ending});
    ExpectConverts({"b" + ending, "c.pb"});
    EXPECT_TRUE(Content("a.pb") == Content("c.pb")) << ending;
  }
  ExpectConverts({"a.pb", "old.h5", "--h5_layout=keras2"});
  EXPECT_FALSE(Content("old.h5") == Content("b.h5"));
  ExpectConverts({"old.h5", "c.pb"});
  EXPECT_TRUE(Content("a.pb") == Content("c.pb"));
}

TEST_F(ConvertTest, TheModelFromKerassFileAnswersAsBefore) {
  ExpectConverts({"m.pb", "a.keras"});
  data::WriteFileOrDie(*folder_ + "/words.json",
                       R"({"good": 1, "bad": 2, "number": 3, "was": 4, "it": 5})");
  ExpectConverts({"a.keras", "words.pb", "--words=words.json"});
  const ProcessResult predict = RunSeqgraph(
      {"predict", "words.pb", "--backend=reference", "it was good"}, {.folder = *folder_});
  ASSERT_EQ(predict.status, 0) << predict.err;
  EXPECT_THAT(predict.out, HasSubstr("it was good"));
  data::WriteFileOrDie(*folder_ + "/gap.json", R"({"good": 1, "bad": 3})");
  ExpectRefuses({"a.keras", "x.pb", "--words=gap.json"}, "no word has the rank 2");
}

// Vocabulary, rule and labels go along; where they cannot, or something else cannot, a note says
// so.
TEST_F(ConvertTest, WhatBelongsToTextIsKeptOrSaidToBeLost) {
  const std::vector<std::string> ask = {"--backend=reference", "it was good", "bad"};
  const auto predict = [&](const std::string& model) {
    std::vector<std::string> arguments = {"predict", model};
    arguments.insert(arguments.end(), ask.begin(), ask.end());
    const ProcessResult result = RunSeqgraph(arguments, {.folder = *folder_});
    EXPECT_EQ(result.status, 0) << model << ": " << result.err;
    return result.out;
  };
  const std::string answer = predict("m.pb");
  for (const std::string ending : {".keras", ".h5", ".onnx"}) {
    const ProcessResult there = Convert({"m.pb", "text" + ending});
    ASSERT_EQ(there.status, 0) << there.err;
    EXPECT_THAT(there.err, ::testing::Not(HasSubstr("vocabulary"))) << ending;
    EXPECT_EQ(predict("text" + ending), answer) << ending;
    ExpectConverts({"text" + ending, "text.pb"});
    EXPECT_EQ(predict("text.pb"), answer) << ending;
  }
  for (const std::string ending : {".weights.h5", ".npz"}) {
    const ProcessResult weights = Convert({"m.pb", "text" + ending});
    ASSERT_EQ(weights.status, 0) << weights.err;
    EXPECT_THAT(weights.err, HasSubstr("note: such a file has no place for the rule 'imdb' that "
                                       "makes text tokens, the vocabulary of "))
        << ending;
    EXPECT_THAT(weights.err, HasSubstr("the names of 2 classes")) << ending;
  }
}

TEST_F(ConvertTest, ThroughOnnxTheModelAnswersAsBeforeAndLearnsOn) {
  ExpectConverts({"m.pb", "m.onnx"});
  ExpectConverts({"m.onnx", "back.pb"});
  ExpectConverts({"m.onnx", "more.pb", "--loss=binary_crossentropy"});
  std::string answer;
  for (const std::string model : {"m.pb", "back.pb", "more.pb"}) {
    const ProcessResult predict = RunSeqgraph(
        {"predict", model, "--backend=reference", "it was good", "bad"}, {.folder = *folder_});
    ASSERT_EQ(predict.status, 0) << predict.err;
    if (answer.empty()) answer = predict.out;
    EXPECT_EQ(predict.out, answer) << model;
  }
  const ProcessResult functions = RunSeqgraph({"inspect", "more.pb"}, {.folder = *folder_});
  EXPECT_THAT(functions.out, HasSubstr("train_step"));
  ExpectRefuses({"m.onnx", "x.pb", "--loss=dice"}, "dice");
  ExpectRefuses({"m.onnx", "x.pb", "--dim=time"}, "--dim must be NAME=NUMBER");
  data::WriteFileOrDie(*folder_ + "/bad.onnx", "no model");
  ExpectRefuses({"bad.onnx", "x.pb"}, "cannot load bad.onnx");
}

TEST_F(ConvertTest, WeightsAloneGoIntoAModel) {
  const ProcessResult other =
      RunSeqgraph(WithFlags(TinyTraining("reference"),
                            {"--epochs=1", "--seed=9", "--self_test=none", "--output=other.pb"}),
                  {.folder = *folder_});
  ASSERT_EQ(other.status, 0) << other.err;
  ExpectConverts({"other.pb", "w.npz"});
  ExpectConverts({"other.pb", "w.weights.h5"});
  ExpectConverts({"other.pb", "w.keras"});
  for (const std::string weights : {"w.npz", "w.weights.h5", "w.keras"}) {
    ExpectConverts({"m.pb", "into.pb", "--weights=" + weights});
    ExpectConverts({"into.pb", "into.npz"});
    EXPECT_TRUE(Content("into.npz") == Content("w.npz")) << weights;
  }
  ExpectRefuses({"w.weights.h5", "x.pb"}, "w.weights.h5 holds weights alone");
  ExpectRefuses({"m.pb", "x.pb", "--weights=other.pb"}, "weights are not taken out of such a file");
}

TEST_F(ConvertTest, WhatIsRefusedIsNamed) {
  ExpectRefuses({"m.pb", "m.onnxx"}, "must end in .pb, .textproto, .keras");
  ExpectRefuses({"none.keras", "x.pb"}, "none.keras");
  data::WriteFileOrDie(*folder_ + "/bad.h5", "\x89HDF\r\n\x1a\nand no more");
  ExpectRefuses({"bad.h5", "x.pb"}, "cannot load bad.h5: ");
  ExpectRefuses({"m.pb", "none/x.pb"}, "none");
}

}  // namespace
}  // namespace seqgraph
