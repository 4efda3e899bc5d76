#include "tools/output_path.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "tests/testing.h"

namespace seqgraph::tools {
namespace {

using ::absl::StatusCode;

int CountEntries(const std::string& folder) {
  DIR* open = ::opendir(folder.c_str());
  int count = -2;  // "." and ".."
  while (::readdir(open) != nullptr) ++count;
  ::closedir(open);
  return count;
}

TEST(OutputPath, AFileInAWritableFolderIsFineAndNothingIsLeft) {
  const std::string folder = MakeTempDir();
  SEQ_EXPECT_OK(CheckOutputFile("--output", folder + "/model.pb"));
  EXPECT_EQ(CountEntries(folder), 0);
}

TEST(OutputPath, AnExistingFileIsFineAndUntouched) {
  const std::string path = MakeTempDir() + "/model.pb";
  std::ofstream(path) << "old";
  SEQ_EXPECT_OK(CheckOutputFile("--output", path));
  std::string content;
  std::ifstream(path) >> content;
  EXPECT_EQ(content, "old");
}

TEST(OutputPath, AMissingFolderIsNamed) {
  const std::string folder = MakeTempDir();
  EXPECT_THAT(CheckOutputFile("--output", folder + "/none/model.pb"),
              StatusIs(StatusCode::kNotFound, "there is no folder " + folder + "/none"));
}

TEST(OutputPath, FoldersAndDevicesAreNoFiles) {
  const std::string folder = MakeTempDir();
  EXPECT_THAT(CheckOutputFile("--output", folder),
              StatusIs(StatusCode::kInvalidArgument, "found a folder"));
  EXPECT_THAT(CheckOutputFile("--output", folder + "/"),
              StatusIs(StatusCode::kInvalidArgument, "found a folder"));
  EXPECT_THAT(CheckOutputFile("--history", "/dev/full"),
              StatusIs(StatusCode::kInvalidArgument, "--history=/dev/full"));
}

TEST(OutputPath, AFileIsNoFolder) {
  const std::string path = MakeTempDir() + "/file";
  std::ofstream(path) << "x";
  EXPECT_THAT(CheckOutputFile("--output", path + "/model.pb"),
              StatusIs(StatusCode::kInvalidArgument, "expected a folder"));
  EXPECT_THAT(CheckOutputFolder("--output", path),
              StatusIs(StatusCode::kInvalidArgument, "expected a folder"));
}

TEST(OutputPath, AFolderThatTakesNoFilesIsRefused) {
  // Nothing can be made in /proc, not even by root.
  EXPECT_FALSE(CheckOutputFile("--output", "/proc/model.pb").ok());
  EXPECT_FALSE(CheckOutputFolder("--output", "/proc/new").ok());
}

TEST(OutputPath, AFolderThatCanBeMadeIsFineAndMadeLater) {
  const std::string folder = MakeTempDir() + "/new";
  SEQ_ASSERT_OK(CheckOutputFolder("--output", folder + "/"));
  struct stat info;
  EXPECT_NE(::stat(folder.c_str(), &info), 0);
  SEQ_ASSERT_OK(MakeOutputFolder("--output", folder));
  EXPECT_EQ(::stat(folder.c_str(), &info), 0);
  SEQ_ASSERT_OK(MakeOutputFolder("--output", folder));
  SEQ_EXPECT_OK(CheckOutputFolder("--output", folder));
}

TEST(OutputPath, ANameBesideIsOneThatNothingHas) {
  const std::string folder = MakeTempDir();
  EXPECT_EQ(FreeNameBeside(folder + "/a.b.pb", "new"), folder + "/a.b.new.pb");
  std::ofstream(folder + "/a.b.new.pb") << "x";
  ASSERT_EQ(::symlink("nowhere", (folder + "/a.b.new-2.pb").c_str()), 0);
  EXPECT_EQ(FreeNameBeside(folder + "/a.b.pb", "new"), folder + "/a.b.new-3.pb");
  EXPECT_EQ(FreeNameBeside("m.textproto", "interrupted"), "m.interrupted.textproto");
}

}  // namespace
}  // namespace seqgraph::tools
