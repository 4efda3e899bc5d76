#include "base/atomic_file.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/testing.h"

namespace seqgraph {
namespace {

namespace fs = std::filesystem;

std::string Content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::vector<std::string> Entries(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

TEST(AtomicWriteFileTest, WritesAllBytesAndLeavesNothingElse) {
  const std::string folder = MakeTempDir();
  const std::string bytes("a\0\r\n\xFF", 5);
  SEQ_ASSERT_OK(AtomicWriteFile(folder + "/f", bytes));
  EXPECT_EQ(Content(folder + "/f"), bytes);
  SEQ_ASSERT_OK(AtomicWriteFile(folder + "/f", ""));
  EXPECT_EQ(Content(folder + "/f"), "");
  EXPECT_EQ(Entries(folder), std::vector<std::string>{"f"});
}

TEST(AtomicFileTest, AHeadThatIsKnownAtTheEndIsRewritten) {
  const std::string path = MakeTempDir() + "/f";
  SEQ_ASSERT_OK_AND_ASSIGN(const std::unique_ptr<AtomicFile> file, AtomicFile::Create(path));
  SEQ_ASSERT_OK(file->Write("head body"));
  SEQ_ASSERT_OK(file->Rewrite(1, "EA"));
  SEQ_ASSERT_OK(file->Write("."));
  SEQ_ASSERT_OK(file->Commit());
  EXPECT_EQ(Content(path), "hEAd body.");
}

TEST(AtomicWriteFileTest, ARelativePathIsOfTheCurrentFolder) {
  const std::string folder = MakeTempDir();
  const fs::path before = fs::current_path();
  fs::current_path(folder);
  const absl::Status status = AtomicWriteFile("f", "x");
  fs::current_path(before);
  SEQ_ASSERT_OK(status);
  EXPECT_EQ(Content(folder + "/f"), "x");
}

TEST(AtomicWriteFileTest, NewFilesObeyTheUmaskAndOldOnesKeepTheirPermissions) {
  const std::string folder = MakeTempDir();
  const mode_t before = ::umask(027);
  SEQ_EXPECT_OK(AtomicWriteFile(folder + "/f", "1"));
  ::umask(before);
  struct stat info;
  ASSERT_EQ(::stat((folder + "/f").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0640u);
  ASSERT_EQ(::chmod((folder + "/f").c_str(), 0604), 0);
  SEQ_EXPECT_OK(AtomicWriteFile(folder + "/f", "2"));
  ASSERT_EQ(::stat((folder + "/f").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0604u);
}

TEST(AtomicWriteFileTest, WhatIsReplacedDoesNotRunAsItsOwner) {
  const std::string folder = MakeTempDir(), path = folder + "/f";
  SEQ_ASSERT_OK(AtomicWriteFile(path, "1"));
  ASSERT_EQ(::chmod(path.c_str(), 06757), 0);
  SEQ_EXPECT_OK(AtomicWriteFile(path, "2"));
  struct stat info;
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0757u) << "it is the same user's";
  if (::chown(path.c_str(), 12345, static_cast<gid_t>(-1)) != 0) {
    GTEST_SKIP() << "only root gives files away";
  }
  ASSERT_EQ(::chmod(path.c_str(), 06766), 0);
  SEQ_EXPECT_OK(AtomicWriteFile(path, "3"));
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0744u);
  EXPECT_EQ(info.st_uid, ::geteuid());
}

TEST(AtomicWriteFileTest, ALinkIsFollowedAndStays) {
  const std::string folder = MakeTempDir();
  fs::create_directory(folder + "/data");
  SEQ_ASSERT_OK(AtomicWriteFile(folder + "/data/f", "old"));
  fs::create_symlink("data/f", folder + "/link");
  SEQ_ASSERT_OK(AtomicWriteFile(folder + "/link", "new"));
  EXPECT_TRUE(fs::is_symlink(folder + "/link"));
  EXPECT_EQ(Content(folder + "/data/f"), "new");
  EXPECT_EQ(Entries(folder + "/data"), std::vector<std::string>{"f"});
}

TEST(AtomicWriteFileTest, RefusesWhatIsNoFileAndSaysSo) {
  const std::string folder = MakeTempDir();
  EXPECT_THAT(AtomicWriteFile("", "x"), StatusIs(absl::StatusCode::kInvalidArgument, "empty path"));
  EXPECT_THAT(AtomicWriteFile(folder, "x"),
              StatusIs(absl::StatusCode::kInvalidArgument, "not a regular file"));
  EXPECT_THAT(AtomicWriteFile(folder + "/none/f", "x"),
              StatusIs(absl::StatusCode::kNotFound, folder + "/none"));
  EXPECT_THAT(AtomicWriteFile("/dev/full", "x"),
              StatusIs(absl::StatusCode::kInvalidArgument, "/dev/full"));
  EXPECT_THAT(AtomicWriteFile(folder + "/" + std::string(300, 'n'), "x"),
              StatusIs(absl::StatusCode::kInvalidArgument, "too long"));
  EXPECT_TRUE(Entries(folder).empty());
}

// A limit on the size of files fails in the middle of the write, as a full disk does.
TEST(AtomicWriteFileTest, AWriteThatFailsHalfWayLeavesThePreviousFileAndNoOther) {
  const std::string folder = MakeTempDir();
  SEQ_ASSERT_OK(AtomicWriteFile(folder + "/f", "previous"));
  struct rlimit before;
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  struct rlimit small = before;
  small.rlim_cur = 4096;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const absl::Status status = AtomicWriteFile(folder + "/f", std::string(10000, 'n'));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  ::signal(SIGXFSZ, handler);
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kResourceExhausted, folder + "/f"));
  EXPECT_EQ(Content(folder + "/f"), "previous");
  EXPECT_EQ(Entries(folder), std::vector<std::string>{"f"});
}

TEST(AtomicWriteFileTest, WithoutPermissionThePreviousFileStays) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
  const std::string folder = MakeTempDir();
  SEQ_ASSERT_OK(AtomicWriteFile(folder + "/f", "previous"));
  ASSERT_EQ(::chmod(folder.c_str(), 0555), 0);
  EXPECT_THAT(AtomicWriteFile(folder + "/f", "new"), StatusIs(absl::StatusCode::kPermissionDenied));
  ASSERT_EQ(::chmod(folder.c_str(), 0755), 0);
  EXPECT_EQ(Content(folder + "/f"), "previous");
}

TEST(AtomicWriteFileTest, ReadersSeeOldOrNewButNeverAPart) {
  const std::string path = MakeTempDir() + "/f";
  const std::string a(100000, 'a');
  const std::string b(50000, 'b');
  SEQ_ASSERT_OK(AtomicWriteFile(path, a));
  std::thread writer([&] {
    for (int i = 0; i < 50; ++i) {
      SEQ_EXPECT_OK(AtomicWriteFile(path, i % 2 == 0 ? b : a));
    }
  });
  for (int i = 0; i < 200; ++i) {
    const std::string seen = Content(path);
    if (seen != a && seen != b) {
      ADD_FAILURE() << "a part: " << seen.size() << " bytes";
      break;
    }
  }
  writer.join();
}

TEST(AtomicFileTest, PartsAreSeenTogetherOrNotAtAll) {
  const std::string folder = MakeTempDir();
  const std::string path = folder + "/f";
  SEQ_ASSERT_OK(AtomicWriteFile(path, "before"));
  {
    SEQ_ASSERT_OK_AND_ASSIGN(const auto given_up, AtomicFile::Create(path));
    SEQ_ASSERT_OK(given_up->Write("one"));
  }
  EXPECT_EQ(Content(path), "before");
  EXPECT_EQ(Entries(folder), std::vector<std::string>{"f"});
  SEQ_ASSERT_OK_AND_ASSIGN(const auto file, AtomicFile::Create(path));
  SEQ_ASSERT_OK(file->Write("one,"));
  SEQ_ASSERT_OK(file->Write("two"));
  EXPECT_EQ(Content(path), "before");
  SEQ_ASSERT_OK(file->Commit());
  EXPECT_EQ(Content(path), "one,two");
  EXPECT_EQ(Entries(folder), std::vector<std::string>{"f"});
}

TEST(ReadFileTest, GivesTheBytesOrNamesThePath) {
  const std::string folder = MakeTempDir();
  const std::string bytes("\0\n\xFE", 3);
  SEQ_ASSERT_OK(AtomicWriteFile(folder + "/f", bytes));
  SEQ_ASSERT_OK_AND_ASSIGN(const std::string read, ReadFile(folder + "/f", 3));
  EXPECT_EQ(read, bytes);
  EXPECT_THAT(ReadFile(folder + "/f", 2),
              StatusIs(absl::StatusCode::kResourceExhausted, "3 bytes"));
  EXPECT_THAT(ReadFile(folder + "/g", 9), StatusIs(absl::StatusCode::kNotFound, folder + "/g"));
  EXPECT_THAT(ReadFile(folder, 9), StatusIs(absl::StatusCode::kInvalidArgument, "not a regular"));
  ASSERT_EQ(::mkfifo((folder + "/pipe").c_str(), 0600), 0);
  EXPECT_THAT(ReadFile(folder + "/pipe", 9), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(AtomicMoveFile, TakesThePlaceAndItsPermissions) {
  const std::string folder = MakeTempDir(), from = folder + "/parts/a", to = folder + "/out";
  fs::create_directory(folder + "/parts");
  SEQ_ASSERT_OK(AtomicWriteFile(to, "old"));
  ASSERT_EQ(::chmod(to.c_str(), 0600), 0);
  SEQ_ASSERT_OK(AtomicWriteFile(from, "new"));
  fs::create_symlink(to, folder + "/link");
  SEQ_ASSERT_OK(AtomicMoveFile(from, folder + "/link"));
  EXPECT_EQ(Content(to), "new");
  EXPECT_TRUE(fs::is_symlink(folder + "/link"));
  EXPECT_FALSE(fs::exists(from));
  struct stat info;
  ASSERT_EQ(::stat(to.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST(AtomicMoveFile, AnErrorLeavesBoth) {
  const std::string folder = MakeTempDir(), from = folder + "/a";
  EXPECT_THAT(AtomicMoveFile(from, folder + "/out"), StatusIs(absl::StatusCode::kNotFound));
  SEQ_ASSERT_OK(AtomicWriteFile(from, "new"));
  EXPECT_THAT(AtomicMoveFile(from, folder), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(AtomicMoveFile(from, folder + "/none/out"), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_TRUE(fs::exists(from));
}

// What is on another file system is copied.
TEST(AtomicMoveFile, ToAnotherFileSystem) {
  const std::string folder = MakeTempDir(), from = folder + "/a";
  struct stat here, there;
  ASSERT_EQ(::stat(folder.c_str(), &here), 0);
  if (::stat("/dev/shm", &there) != 0 || here.st_dev == there.st_dev ||
      ::access("/dev/shm", W_OK) != 0) {
    GTEST_SKIP() << "/dev/shm is no other file system";
  }
  const std::string to = "/dev/shm/seqgraph-move-" + std::to_string(::getpid());
  const std::string bytes(3'000'000, 'x');
  SEQ_ASSERT_OK(AtomicWriteFile(from, bytes));
  SEQ_ASSERT_OK(AtomicMoveFile(from, to));
  const std::string moved = Content(to);
  fs::remove(to);
  EXPECT_TRUE(moved == bytes);
  EXPECT_FALSE(fs::exists(from));
}

}  // namespace
}  // namespace seqgraph
