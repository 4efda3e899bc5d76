// Sixteen processes that begin together with one data cache, which is empty, whole or damaged: all
// give the same, and the cache is whole.

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "data/testing/test_util.h"
#include "tests/end_to_end/process.h"
#include "tests/end_to_end/review_files.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

namespace fs = std::filesystem;

constexpr int kProcesses = 16, kRounds = 4;

TEST(SharedCacheTest, ServesProcessesThatBeginTogether) {
  const std::string folder = FolderWithTinyArchive(), cache = folder + "/cache";
  const std::vector<std::string> command = {"encode", "--data=tiny.tar.gz", "--num_words=20"};
  const auto run = [&](int number) {
    return std::make_unique<Process>(
        WithFlags(command, {absl::StrCat("--output=out", number)}),
        ProcessOptions{.folder = folder, .environment = {"XDG_CACHE_HOME=" + cache}});
  };
  std::string expected;
  for (int round = 0; round < kRounds; ++round) {
    std::vector<std::unique_ptr<Process>> processes;
    for (int i = 0; i < kProcesses; ++i) {
      fs::remove_all(absl::StrCat(folder, "/out", i));
      fs::create_directory(absl::StrCat(folder, "/out", i));
      processes.push_back(run(i));
    }
    for (int i = 0; i < kProcesses; ++i) {
      EXPECT_EQ(processes[i]->Wait(), 0) << processes[i]->err();
      std::string files;
      for (const std::string& name : NamesIn(absl::StrCat(folder, "/out", i))) {
        absl::StrAppend(&files, name, "\n",
                        data::ReadFileOrDie(absl::StrCat(folder, "/out", i, "/", name)));
      }
      if (expected.empty()) expected = files;
      EXPECT_TRUE(files == expected) << "process " << i << " of round " << round;
    }
    const ProcessResult checked = RunSeqgraph({"fsck", "cache"}, {.folder = folder});
    EXPECT_EQ(checked.status, 0) << checked.out << checked.err;
    int entries = 0;
    for (const auto& entry : fs::recursive_directory_iterator(cache)) {
      const std::string path = entry.path();
      EXPECT_FALSE(absl::EndsWith(path, ".tmp")) << path;
      if (!absl::EndsWith(path, ".data")) continue;
      ++entries;
      // The next round finds it damaged, or not at all.
      std::string bytes = data::ReadFileOrDie(path);
      bytes[bytes.size() / 2] ^= 1;
      if (round == 1) data::WriteFileOrDie(path, bytes);
    }
    EXPECT_GT(entries, 0) << "nothing was cached";
    if (round == 2) fs::remove_all(cache);
  }
  EXPECT_FALSE(expected.empty());
}

}  // namespace
}  // namespace seqgraph
