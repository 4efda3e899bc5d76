// No command writes over what it reads, or twice to one file, by whatever path: every declared
// output of every command against every declared input.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "data/testing/test_util.h"
#include "serialization/onnx/onnx.pb.h"
#include "tests/end_to_end/process.h"
#include "tests/end_to_end/review_files.h"
#include "tests/testing.h"
#include "tools/all_commands.h"
#include "tools/command_files.h"

namespace seqgraph {
namespace {

namespace fs = std::filesystem;
using ::seqgraph::tools::AllCommands;
using ::seqgraph::tools::CommandDef;
using ::seqgraph::tools::CommandFiles;
using ::seqgraph::tools::DeclaredFiles;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A command with its flags, as main.cc declares them.
struct Declared {
  explicit Declared(const CommandDef& def) : name(def.name), command(def.make()) {
    tools::Flags flags(&app, &files);
    command->Declare(flags);
  }

  // The command line that gives these values, and what else the command cannot do without.
  std::vector<std::string> Line(const std::map<std::string, std::string>& values) const {
    std::vector<std::string> flags = {name}, arguments;
    for (const CLI::Option* option : app.get_options()) {
      const std::string flag = option->get_name();
      const auto found = values.find(flag);
      if (found == values.end() && !option->get_required()) continue;
      const std::string value = found == values.end() ? "other.file" : found->second;
      if (option->get_positional()) {
        arguments.push_back(value);
      } else {
        flags.push_back(absl::StrCat(flag, "=", value));
      }
    }
    flags.insert(flags.end(), arguments.begin(), arguments.end());
    return flags;
  }

  std::string name;
  CLI::App app;
  CommandFiles files;
  std::unique_ptr<tools::Command> command;
};

std::map<std::string, std::string> Contents(const std::string& folder) {
  std::map<std::string, std::string> contents;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    contents[entry.path().string()] =
        entry.is_regular_file() ? data::ReadFileOrDie(entry.path().string()) : "";
  }
  return contents;
}

// The ways to write the path of a file in the current folder, of which each exists.
constexpr const char* kSpellings[] = {"", "./", "sub/../", "soft/", "links/"};

class FilesTest : public ::testing::Test {
 protected:
  // What is written to `output` where it has files of its own names.
  static std::string NameFor(const DeclaredFiles& output) {
    return output.written.empty() ? "input.file" : output.written[0];
  }
  // What the flag is given so that it writes that file, in the folder of that spelling.
  static std::string ValueFor(const DeclaredFiles& output, const std::string& spelling) {
    if (output.written.empty()) return absl::StrCat(spelling, "input.file");
    return spelling.empty() ? "." : spelling;
  }

  // A folder with the file, a folder `soft` that is the same, and one of links to it.
  static std::string MakeFolder(const std::string& file) {
    const std::string folder = MakeTempDir();
    data::WriteFileOrDie(folder + "/other.file", "another");
    data::WriteFileOrDie(folder + "/" + file, "what the user had");
    fs::create_directory(folder + "/sub");
    fs::create_directory(folder + "/links");
    fs::create_symlink(".", folder + "/soft");
    fs::create_hard_link(folder + "/" + file, folder + "/links/" + file);
    return folder;
  }

  static void ExpectRefused(const std::vector<std::string>& line, const ProcessOptions& options) {
    const auto before = Contents(options.folder);
    const ProcessResult result = RunSeqgraph(line, options);
    const std::string shown = absl::StrJoin(line, " ");
    EXPECT_EQ(result.status, 1) << shown << "\n" << result.out << result.err;
    EXPECT_THAT(result.out, IsEmpty()) << shown;
    EXPECT_THAT(result.err, AllOf(HasSubstr("the same file"), HasSubstr("nothing was done")))
        << shown;
    EXPECT_EQ(Contents(options.folder), before) << shown;
  }
};

TEST_F(FilesTest, AnOutputThatIsAnInputIsRefusedForEveryCommand) {
  int pairs = 0;
  for (const CommandDef& def : AllCommands()) {
    const Declared declared(def);
    for (const DeclaredFiles& output : declared.files.declared()) {
      for (const DeclaredFiles& input : declared.files.declared()) {
        if (!output.is_output() || input.is_output() || output.may_replace == input.flag) continue;
        ++pairs;
        const std::string file = NameFor(output);
        const std::string folder = MakeFolder(file);
        for (const char* spelling : kSpellings) {
          // With a slash: a plugin is named by a path.
          ExpectRefused(declared.Line({{output.flag, ValueFor(output, spelling)},
                                       {input.flag, absl::StrCat("./", file)}}),
                        {.folder = folder});
        }
      }
    }
  }
  EXPECT_GT(pairs, 30);
}

TEST_F(FilesTest, TwoOutputsInOneFileAreRefusedForEveryCommand) {
  int pairs = 0;
  for (const CommandDef& def : AllCommands()) {
    const Declared declared(def);
    for (const DeclaredFiles& output : declared.files.declared()) {
      for (const DeclaredFiles& other : declared.files.declared()) {
        if (!output.is_output() || !other.is_output() || output.flag == other.flag) continue;
        if (!other.written.empty()) continue;  // Then the other way round.
        ++pairs;
        const std::string file = NameFor(output);
        const std::string folder = MakeFolder(file);
        for (const char* spelling : kSpellings) {
          const auto line =
              declared.Line({{output.flag, ValueFor(output, spelling)}, {other.flag, file}});
          ExpectRefused(line, {.folder = folder});
        }
        // Nor where the file is not there yet.
        fs::remove(folder + "/" + file);
        ExpectRefused(declared.Line({{output.flag, ValueFor(output, "soft/")}, {other.flag, file}}),
                      {.folder = folder});
      }
    }
  }
  EXPECT_GT(pairs, 8);
}

TEST_F(FilesTest, WhatTheShellReadsAndWritesCountsToo) {
  for (const CommandDef& def : AllCommands()) {
    const Declared declared(def);
    for (const DeclaredFiles& files : declared.files.declared()) {
      const std::string file = NameFor(files);
      const std::string folder = MakeFolder(file);
      const auto line = declared.Line(
          {{files.flag, files.is_output() ? ValueFor(files, "") : absl::StrCat("./", file)}});
      if (files.is_output()) {
        ExpectRefused(line, {.folder = folder, .stdin_path = folder + "/" + file});
      }
      ExpectRefused(line, {.folder = folder, .stdout_path = folder + "/" + file});
    }
  }
}

// Texts in folders of classes, which --data and --test_data may be.
class DataFolderTest : public FilesTest {
 protected:
  DataFolderTest() {
    fs::create_directories(folder_ + "/topics/a");
    fs::create_directories(folder_ + "/topics/b");
    for (const char* text : {"a/1.txt", "a/2.txt", "b/3.txt", "b/4.txt"}) {
      data::WriteFileOrDie(absl::StrCat(folder_, "/topics/", text), "some words\n");
    }
  }
  const std::string folder_ = MakeTempDir();
};

TEST_F(DataFolderTest, ATextInAFolderIsAnInput) {
  fs::create_symlink("topics/b/3.txt", folder_ + "/link.csv");
  fs::create_hard_link(folder_ + "/topics/b/3.txt", folder_ + "/hard.csv");
  for (const char* path : {"topics/a/1.txt", "./topics/../topics/a/1.txt", "link.csv", "hard.csv",
                           "topics/a/new.txt"}) {
    ExpectRefused({"train", "--data=topics", absl::StrCat("--history=", path)},
                  {.folder = folder_});
    ExpectRefused({"evaluate", "m.pb", "--data=topics", absl::StrCat("--profile=", path)},
                  {.folder = folder_});
    ExpectRefused({"diff", "m.pb", "--data=topics", absl::StrCat("--case=", path)},
                  {.folder = folder_});
  }
  ExpectRefused({"encode", "--data=topics", "--output=topics/a"}, {.folder = folder_});
  // A folder of a class that lies elsewhere, and one that leads round in a circle.
  fs::rename(folder_ + "/topics/b", folder_ + "/elsewhere");
  fs::create_symlink("../elsewhere", folder_ + "/topics/b");
  fs::create_symlink(".", folder_ + "/topics/c");
  ExpectRefused({"train", "--data=topics", "--history=elsewhere/3.txt"}, {.folder = folder_});
}

TEST_F(DataFolderTest, WhatIsNoTextMayLieBesideThem) {
  const ProcessResult train = RunSeqgraph({"train", "--data=.", "--epochs=1", "--validation=0.5",
                                           "--output=topics/m.pb", "--history=h.csv"},
                                          {.folder = folder_ + "/topics"});
  // The folder topics/topics is not there, but the path is no input.
  EXPECT_THAT(train.err, HasSubstr("there is no folder topics"));
  for (int run = 0; run < 2; ++run) {
    const ProcessResult again =
        RunSeqgraph({"train", "--data=.", "--epochs=1", "--validation=0.5", "--history=h.csv"},
                    {.folder = folder_ + "/topics"});
    EXPECT_EQ(again.status, 0) << again.err;
  }
}

// Moves the contents of all initializers of a model into another file beside it.
void MoveWeightsOut(const std::string& path, const std::string& to) {
  onnx_proto::ModelProto model;
  ASSERT_TRUE(model.ParseFromString(data::ReadFileOrDie(path)));
  std::string bytes;
  for (onnx_proto::TensorProto& tensor : *model.mutable_graph()->mutable_initializer()) {
    if (tensor.raw_data().size() < 64) continue;  // Shapes and the like.
    tensor.set_data_location(onnx_proto::TensorProto::EXTERNAL);
    for (const auto& [key, value] : {std::pair<std::string, std::string>{"location", to},
                                     {"offset", absl::StrCat(bytes.size())},
                                     {"length", absl::StrCat(tensor.raw_data().size())}}) {
      auto* entry = tensor.add_external_data();
      entry->set_key(key);
      entry->set_value(value);
    }
    bytes += tensor.raw_data();
    tensor.clear_raw_data();
  }
  ASSERT_FALSE(bytes.empty());
  data::WriteFileOrDie(path, model.SerializeAsString());
  data::WriteFileOrDie(fs::path(path).replace_filename(to), bytes);
}

TEST(ExternalDataOfOnnx, IsNotWrittenOver) {
  const std::string folder = MakeTempDir();
  const ProcessResult made =
      RunSeqgraph({"train", "--epochs=1", "--output=m.pb"}, {.folder = folder});
  ASSERT_EQ(made.status, 0) << made.err;
  ASSERT_EQ(RunSeqgraph({"convert", "m.pb", "m.onnx"}, {.folder = folder}).status, 0);
  MoveWeightsOut(folder + "/m.onnx", "weights.npz");
  const std::string before = data::ReadFileOrDie(folder + "/weights.npz");
  const ProcessResult whole = RunSeqgraph({"convert", "m.onnx", "other.npz"}, {.folder = folder});
  ASSERT_EQ(whole.status, 0) << whole.err;
  for (const std::vector<std::string>& line : std::vector<std::vector<std::string>>{
           {"convert", "m.onnx", "./weights.npz"},
           {"bench", "m.onnx", "--profile=weights.npz"},
           {"predict", "m.onnx", "--profile=./weights.npz", "text"},
           {"diff", "m.onnx", "--data=synthetic", "--case=weights.npz"},
           {"train", "--resume=m.onnx", "--history=weights.npz"}}) {
    const ProcessResult refused = RunSeqgraph(line, {.folder = folder});
    EXPECT_EQ(refused.status, 1) << line[0];
    EXPECT_THAT(refused.err, AllOf(HasSubstr("the same file"), HasSubstr("external data")))
        << line[0];
    EXPECT_EQ(data::ReadFileOrDie(folder + "/weights.npz"), before) << line[0];
  }
}

TEST(Flags, APathCannotBeDeclaredAsAMereText) {
  CLI::App app;
  CommandFiles files;
  tools::Flags flags(&app, &files);
  std::string value;
  EXPECT_DEATH(flags.Text("--output", &value, "FILE", "Something"), "");
}

}  // namespace
}  // namespace seqgraph
