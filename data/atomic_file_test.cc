#include "data/atomic_file.h"

#include <filesystem>

#include "data/test_util.h"
#include "tests/testing.h"

namespace seqgraph::data {
namespace {

int FilesIn(const std::string& folder) {
  int count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder)) ++count;
  return count;
}

TEST(WriteFileAtomically, ReplacesTheWholeFileAndLeavesNoOther) {
  const std::string folder = MakeTempDir();
  const std::string path = folder + "/a";
  WriteFileOrDie(path, "something longer than what follows");
  SEQ_ASSERT_OK(WriteFileAtomically(path, {"one", "", "two"}));
  EXPECT_EQ(ReadFileOrDie(path), "onetwo");
  EXPECT_EQ(FilesIn(folder), 1);
}

TEST(WriteFileAtomically, MissingFolderIsAnErrorThatNamesThePath) {
  EXPECT_THAT(WriteFileAtomically("/no/such/folder/a", {"x"}),
              StatusIs(absl::StatusCode::kNotFound, "'/no/such/folder/a'"));
}

TEST(WriteFileAtomically, FailureLeavesNoTemporaryFile) {
  const std::string folder = MakeTempDir();
  const std::string path = folder + "/a";
  std::filesystem::create_directory(path);
  WriteFileOrDie(path + "/keep", "x");  // A folder cannot be replaced by a file.
  EXPECT_FALSE(WriteFileAtomically(path, {"y"}).ok());
  EXPECT_EQ(FilesIn(folder), 1);
  EXPECT_EQ(ReadFileOrDie(path + "/keep"), "x");
}

}  // namespace
}  // namespace seqgraph::data
