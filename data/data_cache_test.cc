#include "data/data_cache.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "data/testing/test_util.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

ContentHash Key(int i) { return HashBytes(absl::StrCat("key ", i)); }

std::vector<std::string> NamesIn(const std::string& folder) {
  std::vector<std::string> names;
  if (!std::filesystem::exists(folder)) return names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    names.push_back(entry.path().filename());
  }
  std::sort(names.begin(), names.end());
  return names;
}

// The last use of an entry, `seconds` ago.
void SetAge(const std::string& path, int64_t seconds) {
  timespec times[2];
  ::clock_gettime(CLOCK_REALTIME, &times[0]);
  times[0].tv_sec -= seconds;
  times[1] = times[0];
  ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
}

std::string PathOf(const std::string& folder, const ContentHash& key) {
  return absl::StrCat(folder, "/", key.Hex(), ".data");
}

TEST(ContentHash, KnownSums) {
  // FIPS 180-4's examples, and the empty text.
  EXPECT_EQ(HashBytes("abc").Hex(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(HashBytes("").Hex(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  const std::string path = MakeTempDir() + "/file";
  const std::string bytes(1 << 20, 'a');
  data::WriteFileOrDie(path, bytes);
  SEQ_ASSERT_OK_AND_ASSIGN(const ContentHash hash, HashFile(path));
  EXPECT_EQ(hash.Hex(), data::Sha256Hex(bytes));
  EXPECT_THAT(HashFile(path + "x"), StatusIs(absl::StatusCode::kNotFound, path + "x"));
}

TEST(DataCache, GivesBackWhatWasStoredLast) {
  const DataCache cache(MakeTempDir() + "/new/folders");
  EXPECT_THAT(cache.Find(Key(1)), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_FALSE(std::filesystem::exists(cache.folder()));
  const std::string zeros(100000, '\0');
  SEQ_ASSERT_OK(cache.Store(Key(1), "first"));
  SEQ_ASSERT_OK(cache.Store(Key(1), zeros));
  SEQ_ASSERT_OK(cache.Store(Key(2), ""));
  SEQ_ASSERT_OK_AND_ASSIGN(const std::string one, DataCache(cache.folder()).Find(Key(1)));
  EXPECT_EQ(one, zeros);
  SEQ_ASSERT_OK_AND_ASSIGN(const std::string two, cache.Find(Key(2)));
  EXPECT_EQ(two, "");
  EXPECT_THAT(NamesIn(cache.folder()), SizeIs(2));
}

TEST(DataCache, AnyFlippedBitIsFound) {
  const DataCache cache(MakeTempDir());
  SEQ_ASSERT_OK(cache.Store(Key(1), "some bytes that matter"));
  const std::string path = PathOf(cache.folder(), Key(1));
  const std::string whole = data::ReadFileOrDie(path);
  for (size_t byte = 0; byte < whole.size(); ++byte) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string bytes = whole;
      bytes[byte] = static_cast<char>(bytes[byte] ^ (1 << bit));
      data::WriteFileOrDie(path, bytes);
      EXPECT_THAT(cache.Find(Key(1)), StatusIs(absl::StatusCode::kDataLoss, path)) << byte;
    }
  }
}

TEST(DataCache, AnyCutAndAnythingMoreIsFound) {
  const DataCache cache(MakeTempDir());
  SEQ_ASSERT_OK(cache.Store(Key(1), "some bytes that matter"));
  const std::string path = PathOf(cache.folder(), Key(1));
  const std::string whole = data::ReadFileOrDie(path);
  for (size_t length = 0; length < whole.size(); ++length) {
    data::WriteFileOrDie(path, whole.substr(0, length));
    EXPECT_THAT(cache.Find(Key(1)), StatusIs(absl::StatusCode::kDataLoss, path)) << length;
  }
  data::WriteFileOrDie(path, whole + "x");
  EXPECT_THAT(cache.Find(Key(1)), StatusIs(absl::StatusCode::kDataLoss, "found 23"));
  // Whole again, and under another name.
  data::WriteFileOrDie(path, whole);
  SEQ_EXPECT_OK(cache.Find(Key(1)));
  data::WriteFileOrDie(PathOf(cache.folder(), Key(2)), whole);
  EXPECT_THAT(cache.Find(Key(2)), StatusIs(absl::StatusCode::kDataLoss, "another key"));
}

TEST(DataCache, WhatIsNoFileIsAnErrorAndNotFollowed) {
  const DataCache cache(MakeTempDir());
  ASSERT_EQ(::mkfifo(PathOf(cache.folder(), Key(1)).c_str(), 0600), 0);
  EXPECT_FALSE(cache.Find(Key(1)).ok());
  EXPECT_FALSE(cache.Store(Key(1), "x").ok());
  // A file where the folder should be.
  data::WriteFileOrDie(cache.folder() + "/file", "x");
  const DataCache below(cache.folder() + "/file/cache");
  EXPECT_FALSE(below.Find(Key(1)).ok());
  EXPECT_FALSE(below.Store(Key(1), "x").ok());
}

TEST(DataCache, WhatWasNotUsedForLongestGoesFirst) {
  const std::string bytes(1000, 'x');
  const DataCache cache(MakeTempDir(), /*max_bytes=*/3500);  // Three entries of 1064 bytes.
  for (int i = 0; i < 3; ++i) {
    SEQ_ASSERT_OK(cache.Store(Key(i), bytes));
    SetAge(PathOf(cache.folder(), Key(i)), 100 - i);
  }
  SEQ_ASSERT_OK(cache.Find(Key(0)));  // Used now.
  data::WriteFileOrDie(cache.folder() + "/foreign.data", std::string(5000, 'x'));
  SEQ_ASSERT_OK(cache.Store(Key(3), bytes));
  EXPECT_THAT(cache.Find(Key(1)), StatusIs(absl::StatusCode::kNotFound));
  for (int i : {0, 2, 3}) SEQ_EXPECT_OK(cache.Find(Key(i)));
  EXPECT_TRUE(std::filesystem::exists(cache.folder() + "/foreign.data"));
  EXPECT_THAT(cache.Store(Key(4), std::string(4000, 'x')),
              StatusIs(absl::StatusCode::kResourceExhausted));
  SEQ_EXPECT_OK(cache.Find(Key(3)));
}

TEST(DataCache, AbandonedTemporaryFilesGo) {
  const DataCache cache(MakeTempDir());
  const std::string left = cache.folder() + "/.seqgraph-0123456789abcdef.tmp";
  data::WriteFileOrDie(left, "x");
  SEQ_ASSERT_OK(cache.Store(Key(1), "y"));
  EXPECT_FALSE(std::filesystem::exists(left));
}

TEST(DataCache, AHashIsRememberedForOneStateOfOneFile) {
  const std::string folder = MakeTempDir();
  const DataCache cache(folder + "/cache");
  const std::string path = folder + "/file";
  data::WriteFileOrDie(path, "content");
  SEQ_ASSERT_OK_AND_ASSIGN(const FileState state, StateOfFile(path));
  EXPECT_FALSE(cache.FindHash(state).ok());
  SEQ_ASSERT_OK(cache.RememberHash(state, Key(1)));
  SEQ_ASSERT_OK_AND_ASSIGN(const ContentHash hash, cache.FindHash(state));
  EXPECT_EQ(hash, Key(1));
  for (auto change : std::vector<void (*)(FileState&)>{
           [](FileState& s) { ++s.device; }, [](FileState& s) { ++s.inode; },
           [](FileState& s) { ++s.size; }, [](FileState& s) { ++s.modified_ns; },
           [](FileState& s) { ++s.changed_ns; }}) {
    FileState other = state;
    change(other);
    EXPECT_FALSE(cache.FindHash(other).ok());
  }
  // A record that is damaged is not trusted.
  for (const std::string& name : NamesIn(cache.folder())) {
    const std::string record = cache.folder() + "/" + name;
    const std::string whole = data::ReadFileOrDie(record);
    for (size_t byte = 0; byte < whole.size(); ++byte) {
      std::string bytes = whole;
      bytes[byte] = static_cast<char>(bytes[byte] ^ 4);
      data::WriteFileOrDie(record, bytes);
      EXPECT_FALSE(cache.FindHash(state).ok()) << byte;
    }
  }
}

TEST(DataCache, AFileIsSettledTwoSecondsAfterItsLastChange) {
  constexpr int64_t kSecond = 1'000'000'000;
  FileState state{.modified_ns = 50 * kSecond, .changed_ns = 100 * kSecond};
  state.seen_ns = 102 * kSecond;
  EXPECT_TRUE(state.IsSettled());
  state.seen_ns = 102 * kSecond - 1;
  EXPECT_FALSE(state.IsSettled());
  state.modified_ns = 500 * kSecond;  // From the future: never.
  state.seen_ns = 400 * kSecond;
  EXPECT_FALSE(state.IsSettled());
}

// What is stored under key `i` in round `round`: long enough that writing takes a while.
std::string Content(int i, unsigned round) {
  std::string bytes = absl::StrCat(i, " ", round, "\n");
  while (bytes.size() < 300000) bytes += bytes;
  return bytes;
}

bool IsContent(int i, const std::string& bytes) {
  const std::string first = bytes.substr(0, bytes.find('\n') + 1);
  std::string expected = first;
  while (expected.size() < 300000) expected += expected;
  return bytes == expected && first.substr(0, first.find(' ')) == std::to_string(i);
}

TEST(DataCache, ManyThreadsAtOnceSeeWholeEntriesOnly) {
  // Small enough that entries are removed all the time, too.
  const DataCache cache(MakeTempDir(), /*max_bytes=*/1'500'000);
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 6; ++t) {
    threads.emplace_back([&cache, t] {
      std::mt19937 random(t);
      for (unsigned round = 0; round < 25; ++round) {
        const int i = static_cast<int>(random() % 5);
        SEQ_EXPECT_OK(cache.Store(Key(i), Content(i, round)));
        const int other = static_cast<int>(random() % 5);
        const absl::StatusOr<std::string> found = cache.Find(Key(other));
        if (found.ok()) {
          EXPECT_TRUE(IsContent(other, *found));
        } else {
          EXPECT_THAT(found, StatusIs(absl::StatusCode::kNotFound));
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(DataCache, WritersThatAreKilledLeaveWholeEntriesOnly) {
  const DataCache cache(MakeTempDir());
  const unsigned seed = 20240619;
  std::mt19937 random(seed);
  for (int round = 0; round < 40; ++round) {
    std::vector<pid_t> writers;
    for (int w = 0; w < 3; ++w) {
      const pid_t pid = ::fork();
      ASSERT_GE(pid, 0);
      if (pid == 0) {
        for (unsigned n = 0;; ++n) {
          const int i = static_cast<int>(n + w) % 3;
          if (!cache.Store(Key(i), Content(i, n)).ok()) ::_exit(1);
        }
      }
      writers.push_back(pid);
    }
    ::usleep(random() % 15000);
    for (pid_t pid : writers) {
      ::kill(pid, SIGKILL);
      int status = 0;
      ::waitpid(pid, &status, 0);
      EXPECT_TRUE(WIFSIGNALED(status)) << "a writer failed by itself";
    }
    for (int i = 0; i < 3; ++i) {
      const absl::StatusOr<std::string> found = cache.Find(Key(i));
      if (found.ok()) {
        EXPECT_TRUE(IsContent(i, *found)) << "seed " << seed << ", round " << round;
      } else {
        EXPECT_THAT(found, StatusIs(absl::StatusCode::kNotFound));
      }
    }
  }
  for (int i = 0; i < 3; ++i) SEQ_EXPECT_OK(cache.Find(Key(i)));
}

TEST(DataCache, TheDefaultFolderIsTheUsersCache) {
  ::setenv("XDG_CACHE_HOME", "/x/cache", 1);
  ::setenv("HOME", "/home/y", 1);
  EXPECT_EQ(DataCache::DefaultFolder(), "/x/cache/seqgraph");
  ::setenv("XDG_CACHE_HOME", "relative", 1);  // To be ignored, by the rule of that variable.
  EXPECT_EQ(DataCache::DefaultFolder(), "/home/y/.cache/seqgraph");
  ::unsetenv("XDG_CACHE_HOME");
  ::unsetenv("HOME");
  EXPECT_THAT(DataCache::DefaultFolder(), IsEmpty());
}

}  // namespace
}  // namespace seqgraph
