#include "base/temporary_file.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>

#include "base/status_macros.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

namespace fs = std::filesystem;

int FilesIn(const std::string& folder) {
  return static_cast<int>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

std::string Content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

TEST(TemporaryFile, GoesWithItsOwner) {
  const std::string folder = MakeTempDir();
  {
    SEQ_ASSERT_OK_AND_ASSIGN(TemporaryFile file, TemporaryFile::Create(folder));
    EXPECT_EQ(file.Write("some"), 0);
    EXPECT_EQ(FilesIn(folder), 1);
    const TemporaryFile moved(std::move(file));
    EXPECT_EQ(FilesIn(folder), 1);
  }
  EXPECT_EQ(FilesIn(folder), 0);
}

TEST(TemporaryFile, GetsANameAndKeepsIt) {
  const std::string folder = MakeTempDir();
  std::ofstream(folder + "/f") << "old";
  {
    SEQ_ASSERT_OK_AND_ASSIGN(TemporaryFile file, TemporaryFile::Create(folder));
    EXPECT_EQ(file.Write("new, "), 0);
    EXPECT_EQ(file.Write("and more"), 0);
    EXPECT_EQ(Content(folder + "/f"), "old");
    EXPECT_EQ(file.SyncAndRename(folder + "/f"), 0);
  }
  EXPECT_EQ(Content(folder + "/f"), "new, and more");
  EXPECT_EQ(FilesIn(folder), 1);
}

TEST(TemporaryFile, IsRemovedWhereItCannotGetItsName) {
  const std::string folder = MakeTempDir();
  fs::create_directory(folder + "/taken");
  {
    SEQ_ASSERT_OK_AND_ASSIGN(TemporaryFile file, TemporaryFile::Create(folder));
    EXPECT_EQ(file.SyncAndRename(folder + "/taken"), EISDIR);
  }
  EXPECT_EQ(FilesIn(folder), 1);
  EXPECT_TRUE(fs::is_directory(folder + "/taken"));
}

// In a child, which is killed while it has a file; `left` is where that is.
void KillOwner(const std::string& folder, std::string* left) {
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    absl::StatusOr<TemporaryFile> file = TemporaryFile::Create(folder);
    const char good = file.ok() ? 1 : 0;
    if (::write(ready[1], &good, 1) == 1) ::pause();
    ::_exit(1);
  }
  char good = 0;
  ASSERT_EQ(::read(ready[0], &good, 1), 1);
  ASSERT_EQ(good, 1);
  for (const auto& entry : fs::directory_iterator(folder)) *left = entry.path();
  // While its owner lives, nobody takes it away.
  const pid_t other = ::fork();
  if (other == 0) ::_exit(TemporaryFile::Create(folder).ok() ? 0 : 1);
  int status = 0;
  ASSERT_EQ(::waitpid(other, &status, 0), other);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(fs::exists(*left));
  ::kill(child, SIGKILL);
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST(TemporaryFile, WhatKilledOwnersLeaveTheNextOneRemoves) {
  const std::string folder = MakeTempDir();
  std::string left;
  ASSERT_NO_FATAL_FAILURE(KillOwner(folder, &left));
  EXPECT_TRUE(fs::exists(left));
  SEQ_ASSERT_OK_AND_ASSIGN(const TemporaryFile file, TemporaryFile::Create(folder));
  EXPECT_FALSE(fs::exists(left));
  EXPECT_EQ(FilesIn(folder), 1);
}

TEST(TemporaryFile, NothingElseIsRemoved) {
  const std::string folder = MakeTempDir();
  std::ofstream(folder + "/.seqgraph-notes") << "x";
  std::ofstream(folder + "/model.tmp") << "x";
  fs::create_directory(folder + "/.seqgraph-folder.tmp");
  fs::create_symlink("model.tmp", folder + "/.seqgraph-link.tmp");
  ASSERT_EQ(::mkfifo((folder + "/.seqgraph-pipe.tmp").c_str(), 0600), 0);
  SEQ_ASSERT_OK(TemporaryFile::Create(folder).status());
  EXPECT_EQ(FilesIn(folder), 5);
}

TEST(TemporaryFile, ErrorsNameTheFolder) {
  const std::string folder = MakeTempDir() + "/none";
  EXPECT_THAT(TemporaryFile::Create(folder), StatusIs(absl::StatusCode::kNotFound, folder));
}

TEST(MakeFolders, MakesThoseAboveAndLeavesWhatIsThere) {
  const std::string folder = MakeTempDir();
  EXPECT_EQ(MakeFolder(folder + "/a/b"), ENOENT);
  EXPECT_EQ(MakeFolders(folder + "/a/b/", 0700), 0);
  EXPECT_EQ(fs::status(folder + "/a").permissions(), fs::perms::owner_all);
  EXPECT_TRUE(fs::is_directory(folder + "/a/b"));
  std::ofstream(folder + "/a/b/file") << "x";
  EXPECT_EQ(MakeFolders(folder + "/a/b"), 0);
  EXPECT_EQ(MakeFolder(folder + "/a"), 0);
  EXPECT_EQ(MakeFolder(folder + "/a/b/file"), ENOTDIR);
  EXPECT_EQ(MakeFolders(folder + "/a/b/file/c"), ENOTDIR);
  EXPECT_EQ(MakeFolder(""), ENOENT);
  EXPECT_EQ(MakeFolders(""), ENOENT);
  EXPECT_EQ(Content(folder + "/a/b/file"), "x");
}

TEST(Uninterrupted, TriesAgainWhileASignalInterrupts) {
  int calls = 0;
  errno = 0;
  EXPECT_EQ(Uninterrupted([&] {
              errno = EINTR;
              return ++calls < 4 ? -1 : 7;
            }),
            7);
  EXPECT_EQ(calls, 4);
  EXPECT_EQ(Uninterrupted([&] {
              ++calls;
              errno = ENOSPC;
              return -1;
            }),
            -1);
  EXPECT_EQ(calls, 5);
}

TEST(FolderOf, IsWhatAPathLiesIn) {
  EXPECT_EQ(FolderOf("a"), ".");
  EXPECT_EQ(FolderOf("a/b"), "a");
  EXPECT_EQ(FolderOf("/a"), "/");
  EXPECT_EQ(FolderOf("a/b//"), "a");
}

}  // namespace
}  // namespace seqgraph
