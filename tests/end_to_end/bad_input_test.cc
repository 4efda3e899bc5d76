// Bad input: one clear error that names what and where, exit status 1, no half-written file, the
// previous one intact.

#include <google/protobuf/text_format.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "data/testing/test_util.h"
#include "serialization/model.pb.h"
#include "tests/end_to_end/process.h"
#include "tests/end_to_end/review_files.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using ::seqgraph::data::ReadFileOrDie;
using ::seqgraph::data::WriteFileOrDie;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class BadInputTest : public ::testing::Test {
 protected:
  ProcessResult Run(const std::vector<std::string>& arguments) const {
    return RunSeqgraph(arguments, {.folder = folder_});
  }

  std::vector<std::string> Training(const std::vector<std::string>& more) const {
    return WithFlags(TinyTraining("reference"), more);
  }

  // One line on standard error that has all of `parts`, and no other file than before.
  void ExpectError(const std::vector<std::string>& arguments,
                   const std::vector<std::string>& parts) const {
    const std::vector<std::string> before = NamesIn(folder_);
    const ProcessResult result = Run(arguments);
    EXPECT_EQ(result.status, 1) << result.out << result.err;
    EXPECT_THAT(result.err, StartsWith("seqgraph: "));
    EXPECT_EQ(result.err.find('\n'), result.err.size() - 1) << result.err;
    for (const std::string& part : parts) EXPECT_THAT(result.err, HasSubstr(part));
    EXPECT_EQ(NamesIn(folder_), before);
  }

  // A model file "m.textproto" with something changed.
  void WriteChangedModel(const std::function<void(proto::Model&)>& change) const {
    if (!std::filesystem::exists(folder_ + "/good.textproto")) {
      const ProcessResult train = Run(Training({"--epochs=1", "--output=good.textproto"}));
      ASSERT_EQ(train.status, 0) << train.err;
    }
    proto::Model model;
    ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(
        ReadFileOrDie(folder_ + "/good.textproto"), &model));
    change(model);
    std::string text;
    ASSERT_TRUE(google::protobuf::TextFormat::PrintToString(model, &text));
    WriteFileOrDie(folder_ + "/m.textproto", text);
  }

  static std::vector<std::string> Predict(const std::string& model) {
    return {"predict", model, "--backend=reference", "good"};
  }

  const std::string folder_ = FolderWithTinyArchive();
};

TEST_F(BadInputTest, AWrongPathIsNamed) {
  ExpectError(Training({"--data=nowhere.tar.gz"}), {"NOT_FOUND", "nowhere.tar.gz"});
  ExpectError({"evaluate", "none.pb", "--data=tiny.tar.gz"}, {"NOT_FOUND", "none.pb"});
  ExpectError(Predict("none.pb"), {"NOT_FOUND", "none.pb"});
  ExpectError({"inspect", "none.pb"}, {"NOT_FOUND", "none.pb"});
  ExpectError({"summary", "none.pb"}, {"NOT_FOUND", "none.pb"});
}

TEST_F(BadInputTest, ATruncatedArchiveIsRefusedWhereverItEnds) {
  const std::string archive = ReadFileOrDie(folder_ + "/tiny.tar.gz");
  for (const size_t length : {size_t{0}, size_t{5}, archive.size() / 2, archive.size() - 1}) {
    WriteFileOrDie(folder_ + "/cut.tar.gz", archive.substr(0, length));
    ExpectError(Training({"--data=cut.tar.gz"}), {"cut.tar.gz"});
  }
}

TEST_F(BadInputTest, AForeignArchiveIsRefused) {
  WriteFileOrDie(folder_ + "/photos.tar.gz",
                 data::MakeArchive({{"photos/a.jpg", "x"}}, data::Packing::kTarGz));
  ExpectError(Training({"--data=photos.tar.gz"}), {"photos.tar.gz"});
  ExpectError({"encode", "--data=photos.tar.gz", "--output=out"}, {"photos.tar.gz"});
}

TEST_F(BadInputTest, AReviewThatIsNoTextIsNamedUnlessAnyBytesAreWanted) {
  for (const std::string& text :
       {std::string("so\0bad", 6), std::string("caf\xe9"), std::string("...")}) {
    data::Entries entries = TinyReviews();
    entries.emplace_back("aclImdb/train/neg/777_1.txt", text);
    WriteFileOrDie(folder_ + "/odd.tar.gz", data::MakeArchive(entries, data::Packing::kTarGz));
    ExpectError(Training({"--data=odd.tar.gz"}), {"odd.tar.gz", "777_1.txt"});
    const ProcessResult taken =
        Run(Training({"--data=odd.tar.gz", "--any_bytes", "--epochs=1", "--output=odd.pb"}));
    EXPECT_EQ(taken.status, 0) << taken.err;
  }
}

TEST_F(BadInputTest, AnUnknownBackendIsNamedWithThoseThereAre) {
  ExpectError({"train", "--data=tiny.tar.gz", "--backend=quantum"}, {"quantum", "reference"});
  ExpectError({"test", "--backend=quantum", "x.textproto"}, {"quantum", "reference"});
}

TEST_F(BadInputTest, AChangedModelIsRefusedNamingWhatAndWhere) {
  WriteChangedModel([](proto::Model& model) { model.set_format_version(999); });
  ExpectError(Predict("m.textproto"), {"m.textproto", "999"});

  WriteChangedModel(
      [](proto::Model& model) { model.mutable_functions(0)->mutable_nodes(0)->set_op("Warp"); });
  ExpectError(Predict("m.textproto"), {"m.textproto", "Warp"});

  std::string removed;
  WriteChangedModel([&removed](proto::Model& model) {
    removed = model.variables(0).def().name();
    model.mutable_variables()->DeleteSubrange(0, 1);
  });
  ExpectError(Predict("m.textproto"), {"m.textproto", removed});

  WriteChangedModel([](proto::Model& model) {
    auto* type = model.mutable_functions(0)->mutable_inputs(0)->mutable_type();
    type->set_dims(1, type->dims(1) + 1);
  });
  ExpectError(Predict("m.textproto"), {"m.textproto"});

  WriteChangedModel([](proto::Model& model) { model.clear_preprocessing(); });
  ExpectError(Predict("m.textproto"), {"m.textproto", "imdb"});
}

TEST_F(BadInputTest, AModelCannotSendATerminalWhatItWouldObey) {
  WriteChangedModel([](proto::Model& model) {
    model.set_labels(1, "good\x1b[31m");
    model.set_labels(0, "bad\x1b[31m");
    model.set_description("\x1b]0;title\x07");
  });
  const ProcessResult answer = Run(Predict("m.textproto"));
  EXPECT_EQ(answer.status, 0) << answer.err;
  EXPECT_THAT(answer.out, HasSubstr(" [31m\tgood\n"));
  const ProcessResult shown = Run({"inspect", "m.textproto"});
  EXPECT_EQ(shown.status, 0) << shown.err;
  EXPECT_THAT(shown.out, HasSubstr(" ]0;title"));
  for (const std::string& out : {answer.out, shown.out}) {
    EXPECT_EQ(out.find_first_of("\x1b\x07"), std::string::npos) << out;
  }
}

TEST_F(BadInputTest, ACutOrAlteredModelFileIsRefused) {
  ASSERT_EQ(Run(Training({"--epochs=1", "--output=good.pb"})).status, 0);
  const std::string good = ReadFileOrDie(folder_ + "/good.pb");
  WriteFileOrDie(folder_ + "/cut.pb", good.substr(0, good.size() - 7));
  ExpectError(Predict("cut.pb"), {"cut.pb"});
  std::string altered = good;
  altered[good.size() / 2] = static_cast<char>(altered[good.size() / 2] ^ 1);
  WriteFileOrDie(folder_ + "/altered.pb", altered);
  ExpectError(Predict("altered.pb"), {"altered.pb"});
  WriteFileOrDie(folder_ + "/text.pb", "no model\n");
  ExpectError(Predict("text.pb"), {"text.pb"});
}

TEST_F(BadInputTest, ALossThatIsNotFiniteEndsTrainingWithEpochAndBatch) {
  WriteFileOrDie(folder_ + "/m.pb", "the previous file");
  // The first step makes weights whose products overflow.
  ExpectError({"train", "--data=tiny.tar.gz", "--backend=reference", "--num_words=30", "--maxlen=6",
               "--batch=8", "--learning_rate=1e37", "--output=m.pb", "--overwrite"},
              {"epoch 1", "batch ", "loss"});
  EXPECT_EQ(ReadFileOrDie(folder_ + "/m.pb"), "the previous file");
}

TEST_F(BadInputTest, AnOutputThatCannotBeWrittenIsFoundBeforeTraining) {
  WriteFileOrDie(folder_ + "/file", "");
  for (const std::string output :
       {"missing/m.pb", "file/m.pb", "/dev/full", ".", "m.txt", "/proc/m.pb"}) {
    const ProcessResult result = Run(Training({"--output=" + output}));
    EXPECT_EQ(result.status, 1) << output;
    EXPECT_THAT(result.err, HasSubstr("--output")) << output;
    EXPECT_EQ(result.out, "") << output;
  }
  ExpectError(Training({"--history=/dev/full"}), {"--history=/dev/full"});
  ExpectError(Training({"--output=same.pb", "--history=same.pb"}), {"same file"});
  ExpectError({"encode", "--data=tiny.tar.gz", "--output=/dev/full"}, {"--output=/dev/full"});
  ExpectError({"encode", "--data=tiny.tar.gz", "--output=file"}, {"--output=file"});
}

TEST_F(BadInputTest, AFullDiskLeavesThePreviousModelIntact) {
  WriteFileOrDie(folder_ + "/m.pb", "the previous file");
  const std::vector<std::string> before = NamesIn(folder_);
  const ProcessResult result = RunSeqgraph(Training({"--output=m.pb", "--overwrite"}),
                                           {.folder = folder_, .max_file_bytes = 1000});
  EXPECT_EQ(result.status, 1) << result.out;
  EXPECT_THAT(result.err, HasSubstr("RESOURCE_EXHAUSTED"));
  EXPECT_THAT(result.err, HasSubstr("m.pb"));
  EXPECT_EQ(ReadFileOrDie(folder_ + "/m.pb"), "the previous file");
  EXPECT_EQ(NamesIn(folder_), before);
}

TEST_F(BadInputTest, StandardOutputThatTakesNothingIsAnError) {
  const ProcessResult summary =
      RunSeqgraph({"summary"}, {.folder = folder_, .stdout_path = "/dev/full"});
  EXPECT_EQ(summary.status, 1);
  EXPECT_THAT(summary.err, HasSubstr("standard output"));
  const ProcessResult train =
      RunSeqgraph(Training({"--output=m.pb"}), {.folder = folder_, .stdout_path = "/dev/full"});
  EXPECT_EQ(train.status, 1);
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/m.pb")) << "it trained all the same";
}

}  // namespace
}  // namespace seqgraph
