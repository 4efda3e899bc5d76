// `seqgraph fsck`: what it says of whole, damaged, foreign and strange files, and what it leaves.

#include <sys/stat.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "data/testing/test_util.h"
#include "seqgraph.h"
#include "serialization/records.h"
#include "tests/end_to_end/process.h"
#include "tests/end_to_end/review_files.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class FsckTest : public ::testing::Test {
 protected:
  // One of each kind of file, all whole: made once.
  static void SetUpTestSuite() {
    original_ = new std::string(FolderWithTinyModel());
    const auto run = [](const std::vector<std::string>& arguments) {
      const ProcessResult result = RunSeqgraph(arguments, {.folder = *original_});
      ASSERT_EQ(result.status, 0) << absl::StrCat(arguments[0], ": ", result.err);
    };
    for (const char* name : {"m.textproto", "m.keras", "m.h5", "m.onnx", "w.weights.h5", "w.npz"}) {
      run({"convert", "m.pb", name});
    }
    run({"embed", "m.pb", "--output=m.h"});
    run({"encode", "--data=tiny.tar.gz", "--num_words=9", "--maxlen=7", "--data_cache=cache",
         "--output=texts"});
    std::string csv = "id,t,x\n";
    for (int i = 0; i < 40; ++i) absl::StrAppend(&csv, i / 20, ",", i, ",", i % 7, ".5\n");
    data::WriteFileOrDie(*original_ + "/series.csv", csv);
    run({"encode", "--data=series.csv", "--series=id", "--order=t", "--output=series"});
    Sequential sum({.name = "x", .time = 4, .features = 1}, "sum");
    sum.Add(SimpleRNN(1, {.activation = "linear", .return_sequences = true}));
    SEQ_ASSERT_OK_AND_ASSIGN(Model model, sum.Build({.trainable = false}));
    SEQ_ASSERT_OK(SaveModel(model, *original_ + "/sum.pb"));
    Records records;
    records.Set("fit/epoch", int64_t{3});
    records.Set("weights/w", std::vector<double>{1, 2, 3});
    SEQ_ASSERT_OK(WriteRecords(records, *original_ + "/state-3.seqrun"));
    const ProcessResult stream = RunSeqgraph({"stream", "sum.pb", "--save_state=at.state"},
                                             {.folder = *original_}, "1\n2\n");
    ASSERT_EQ(stream.status, 0) << stream.err;
  }
  static void TearDownTestSuite() { delete original_; }

  void SetUp() override { fs::copy(*original_, folder_, fs::copy_options::recursive); }

  ProcessResult Fsck(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "fsck");
    return RunSeqgraph(arguments, {.folder = folder_});
  }
  std::string Read(const std::string& name) const {
    return data::ReadFileOrDie(folder_ + "/" + name);
  }
  void Write(const std::string& name, const std::string& bytes) const {
    data::WriteFileOrDie(folder_ + "/" + name, bytes);
  }
  void Flip(const std::string& name, double where) const {
    std::string bytes = Read(name);
    bytes[static_cast<size_t>(where * static_cast<double>(bytes.size()))] ^= 0x10;
    Write(name, bytes);
  }
  // Of the one file, which is not whole: what is printed.
  std::string Damaged(const std::string& name, const std::string& state = "damaged") const {
    const std::string before = Read(name);
    const ProcessResult result = Fsck({name});
    EXPECT_EQ(result.status, 1) << result.out << result.err;
    EXPECT_THAT(result.out, StartsWith(absl::StrCat(name, ": ", state, " (")));
    EXPECT_EQ(Read(name), before) << "it was changed";
    return result.out;
  }

  static std::string* original_;
  const std::string folder_ = MakeTempDir();
};
std::string* FsckTest::original_ = nullptr;

TEST_F(FsckTest, KnowsEachKindAndFindsItWhole) {
  const ProcessResult result = Fsck({".", "--format=json"});
  EXPECT_EQ(result.status, 0) << result.out << result.err;
  const auto all = nlohmann::json::parse(result.out);
  std::map<std::string, std::string> kinds;
  for (const auto& file : all["files"]) {
    std::string name = fs::path(file["path"].get<std::string>()).filename();
    if (absl::EndsWith(name, ".data")) name = "*.data";
    if (absl::EndsWith(name, ".stat")) continue;  // there if the archive was old enough
    kinds[name] = file["kind"];
    EXPECT_EQ(file["state"], "whole") << file;
    EXPECT_NE(file["what"], "") << file;
    EXPECT_FALSE(file.contains("wrong")) << file;
  }
  const std::map<std::string, std::string> expected = {{"m.pb", "model"},
                                                       {"sum.pb", "model"},
                                                       {"m.textproto", "model as text"},
                                                       {"m.h", "embedded model"},
                                                       {"m.keras", "Keras model"},
                                                       {"m.h5", "HDF5"},
                                                       {"w.weights.h5", "HDF5"},
                                                       {"m.onnx", "ONNX model"},
                                                       {"w.npz", "arrays"},
                                                       {"at.state", "stream state"},
                                                       {"state-3.seqrun", "run state"},
                                                       {"*.data", "data cache"},
                                                       {"texts.json", "encoded texts"},
                                                       {"checksums.txt", "checksums"},
                                                       {"train_tokens.npy", "array"},
                                                       {"train_targets.npy", "array"},
                                                       {"validation_tokens.npy", "array"},
                                                       {"validation_targets.npy", "array"},
                                                       {"test_tokens.npy", "array"},
                                                       {"test_targets.npy", "array"},
                                                       {"series.safetensors", "series"}};
  EXPECT_EQ(kinds, expected);
  EXPECT_EQ(all["others"], 2);  // the archive and the table
  EXPECT_EQ(all["damaged"], 0);
  EXPECT_EQ(all["unknown"], 0);
}

// A bit in the middle of each, a cut, and what a power cut leaves.
TEST_F(FsckTest, FindsDamageInEachKind) {
  for (const char* name : {"m.pb", "m.textproto", "m.h", "m.keras", "at.state", "state-3.seqrun",
                           "w.npz", "series/series.safetensors", "texts/checksums.txt"}) {
    const std::string whole = Read(name);
    Flip(name, 0.5);
    Damaged(name);
    Write(name, whole.substr(0, whole.size() * 9 / 10));
    Damaged(name);
    Write(name, whole);
  }
  // These have no checksum of their own, but an end.
  for (const char* name : {"m.h5", "m.onnx", "texts/train_tokens.npy"}) {
    Write(name, Read(name).substr(0, 1000));
    Damaged(name);
  }
  for (const char* name : {"m.pb", "m.textproto", "state-3.seqrun"}) {
    Write(name, "");
    Damaged(name);
    Write(name, std::string(4096, '\0'));
    Damaged(name);
  }
  for (const std::string& name : NamesIn(folder_ + "/cache")) {
    Flip("cache/" + name, 0.7);
    Damaged("cache/" + name);
  }
}

TEST_F(FsckTest, SaysWhatOfADamagedModelCanBeRead) {
  std::string bytes = Read("m.pb");
  const size_t name = bytes.rfind("dense/kernel");
  ASSERT_NE(name, std::string::npos);
  bytes[name] = '\xFF';  // no letter of a name
  Write("m.pb", bytes);
  EXPECT_THAT(Damaged("m.pb"),
              AllOf(HasSubstr("format version "), HasSubstr("the checksum is wrong"),
                    HasSubstr("functions: 3 of 3 can be read\n"), HasSubstr("variables: "),
                    HasSubstr("0 whole, 1 damaged")));
}

TEST_F(FsckTest, SaysHowFarAModelThatIsCutOffGoes) {
  const std::string bytes = Read("sum.pb");
  const size_t name = bytes.rfind("recurrent_kernel");
  ASSERT_NE(name, std::string::npos);
  Write("sum.pb", bytes.substr(0, name + 20));
  EXPECT_THAT(Damaged("sum.pb"),
              AllOf(HasSubstr("there is no checksum"), HasSubstr("functions: 1 of 1 can be read\n"),
                    HasSubstr("cut off"), HasSubstr("then: what stands at byte ")));
  const std::string text = Read("m.textproto");
  Write("m.textproto", text.substr(0, text.rfind("variables {") + 15));
  EXPECT_THAT(Damaged("m.textproto"), AllOf(HasSubstr("functions: 3 of 3 can be read\n"),
                                            HasSubstr("can be read; "), HasSubstr("then: ")));
}

TEST_F(FsckTest, AMixedSetOfTextsIsDamaged) {
  Write("texts/train_targets.npy", Read("texts/validation_targets.npy"));
  const ProcessResult result = Fsck({"texts"});
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.out,
              AllOf(HasSubstr("train_targets.npy is not the file of checksums.txt"),
                    HasSubstr("train_targets.npy: damaged\n"), HasSubstr("texts.json: whole\n")));
}

TEST_F(FsckTest, WhatCannotBeToldIsNotWhole) {
  Write("notes.md", "# Notes\n");
  EXPECT_THAT(Damaged("notes.md", "unknown"), HasSubstr("of no kind that is known here"));
  const ProcessResult missing = Fsck({"nothing.pb"});
  EXPECT_EQ(missing.status, 1);
  EXPECT_THAT(missing.out, HasSubstr("nothing.pb: unknown (file): "));
  // A newer format may be sealed otherwise.
  std::string bytes = Read("m.pb");
  ASSERT_EQ(bytes[16], '\x10');
  bytes[17] = 99;
  Write("m.pb", bytes);
  EXPECT_THAT(Damaged("m.pb", "unknown"), HasSubstr("format version 99"));
}

TEST_F(FsckTest, FollowsNoLinksAndReadsNoPipes) {
  fs::create_directory(folder_ + "/in");
  fs::create_symlink("../m.pb", folder_ + "/in/file");
  fs::create_symlink("..", folder_ + "/in/folder");
  ASSERT_EQ(::mkfifo((folder_ + "/in/pipe.pb").c_str(), 0600), 0);
  Write("in/README", "no model");
  const ProcessResult result = Fsck({"in"});
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(result.out, "0 whole, 0 damaged, 0 unknown; 2 other files; 2 links not followed\n");
}

TEST_F(FsckTest, NamesAreShownWithoutWhatATerminalObeys) {
  fs::create_directory(folder_ + "/in");
  Write("in/a\x1B[31m\nb.pb: whole.pb", "");
  const ProcessResult result = Fsck({"in"});
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.out, StartsWith("in/a [31m b.pb: whole.pb: damaged (model): "));
}

}  // namespace
}  // namespace seqgraph
