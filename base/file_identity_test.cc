#include "base/file_identity.h"

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/testing.h"

namespace seqgraph {
namespace {

namespace fs = std::filesystem;

// A folder with a file "a", its links, and a folder with links to the folder.
class FileIdentityTest : public ::testing::Test {
 protected:
  FileIdentityTest() {
    std::ofstream(folder_ + "/a") << "x";
    std::ofstream(folder_ + "/b") << "x";
    fs::create_directory(folder_ + "/sub");
    fs::create_hard_link(folder_ + "/a", folder_ + "/hard");
    fs::create_symlink("a", folder_ + "/soft");
    fs::create_symlink("../a", folder_ + "/sub/soft");
    fs::create_symlink(folder_, folder_ + "/sub/folder");
    fs::create_symlink("new", folder_ + "/to_new");
    fs::create_symlink("loop", folder_ + "/loop");
  }
  FileIdentity Of(const std::string& path) const {
    return FileIdentity::OfPath(folder_ + "/" + path);
  }
  const std::string folder_ = MakeTempDir();
};

TEST_F(FileIdentityTest, EveryWayToAFileIsThatFile) {
  for (const char* way : {"a", "./a", "sub/../a", "hard", "soft", "sub/soft", "sub/folder/a",
                          "sub/folder/sub/folder/./soft", "//a"}) {
    EXPECT_TRUE(Of(way) == Of("a")) << way;
    EXPECT_FALSE(Of(way) == Of("b")) << way;
    EXPECT_FALSE(Of(way) == Of("new")) << way;
  }
}

TEST_F(FileIdentityTest, EveryWayToWhatIsNotThereYetIsTheSame) {
  for (const char* way : {"new", "./new", "sub/../new", "to_new", "sub/folder/new",
                          "sub/folder/to_new", "new/", "none/../new"}) {
    EXPECT_TRUE(Of(way) == Of("new")) << way;
    EXPECT_FALSE(Of(way) == Of("other")) << way;
    EXPECT_FALSE(Of(way) == Of("a")) << way;
  }
  EXPECT_TRUE(Of("no/such/folder") == Of("sub/folder/no/./such/folder"));
  EXPECT_FALSE(Of("no/such/folder") == Of("no/such"));
}

TEST_F(FileIdentityTest, RelativePathsBeginInTheCurrentFolder) {
  const fs::path before = fs::current_path();
  fs::current_path(folder_);
  EXPECT_TRUE(FileIdentity::OfPath("a") == Of("a"));
  EXPECT_TRUE(FileIdentity::OfPath("new") == Of("new"));
  EXPECT_TRUE(FileIdentity::OfPath(".") == FileIdentity::OfPath(folder_));
  fs::current_path(before);
}

TEST_F(FileIdentityTest, ALinkToItselfAndAnEmptyPathAreNobodyElse) {
  EXPECT_TRUE(Of("loop") == Of("loop"));
  EXPECT_FALSE(Of("loop") == Of("a"));
  EXPECT_FALSE(FileIdentity::OfPath("") == Of("a"));
  EXPECT_FALSE(FileIdentity::OfPath(std::string(5000, 'x')) == Of("a"));
}

TEST_F(FileIdentityTest, AnOpenFileIsTheFile) {
  const int file = ::open((folder_ + "/soft").c_str(), O_RDONLY);
  EXPECT_TRUE(FileIdentity::OfDescriptor(file) == Of("a"));
  ::close(file);
  EXPECT_FALSE(FileIdentity::OfDescriptor(file).has_value());
  const int device = ::open("/dev/null", O_RDONLY);
  EXPECT_FALSE(FileIdentity::OfDescriptor(device).has_value());
  ::close(device);
}

TEST_F(FileIdentityTest, WhatLiesBelowAFolder) {
  EXPECT_EQ(PathBelow(folder_, folder_ + "/sub/new.txt"), "sub/new.txt");
  EXPECT_EQ(PathBelow(folder_ + "/", folder_ + "/sub/folder/b"), "b");
  EXPECT_EQ(PathBelow(folder_ + "/sub", folder_ + "/a"), std::nullopt);
  EXPECT_EQ(PathBelow(folder_, folder_), std::nullopt);
  EXPECT_EQ(PathBelow(folder_, folder_ + "2/a"), std::nullopt);
}

}  // namespace
}  // namespace seqgraph
