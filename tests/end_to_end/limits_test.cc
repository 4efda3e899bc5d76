// The command at the limits of the machine: what is missing is an error by name, never a signal.

#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/end_to_end/process.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

// From too little to load the program to enough, so that memory ends in every phase: whatever is
// allocated next fails.
TEST(Limits, WithoutMemoryItSaysSo) {
  if (kSanitized) GTEST_SKIP() << "sanitizers take all addresses for themselves";
  const std::string model = MakeTempDir() + "/m.pb";
  constexpr int kCannotLoad = 127;  // the system's loader
  constexpr long kMegabyte = 1 << 20;
  int said = 0;
  for (long megabytes = 80; megabytes <= 400; megabytes += 3) {
    const ProcessResult result =
        RunSeqgraph({"train", "--epochs=1", absl::StrCat("--output=", model)},
                    {.max_memory_bytes = megabytes * kMegabyte});
    if (result.status == kCannotLoad) continue;
    if (result.status == 0) break;
    EXPECT_EQ(result.status, 1) << megabytes << " MB: " << result.err;
    EXPECT_THAT(result.err, HasSubstr("RESOURCE_EXHAUSTED")) << megabytes << " MB";
    ++said;
  }
  EXPECT_GT(said, 0);
  EXPECT_TRUE(std::filesystem::exists(model)) << "it never had enough";
}

TEST(Limits, AFileBeyondItsLimitIsAsAFullDisk) {
  const std::string folder = MakeTempDir();
  const ProcessResult result =
      RunSeqgraph({"train", "--epochs=1", absl::StrCat("--output=", folder, "/m.pb")},
                  {.max_file_bytes = 4096});
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, HasSubstr("RESOURCE_EXHAUSTED"));
  EXPECT_THAT(result.err, HasSubstr("File too large"));
  EXPECT_TRUE(std::filesystem::is_empty(folder));
}

TEST(Limits, AnOutputThatLinksToNothingIsRefusedAtOnce) {
  const std::string folder = MakeTempDir();
  std::filesystem::create_symlink("nothing.pb", folder + "/m.pb");
  const ProcessResult result =
      RunSeqgraph({"train", "--epochs=1", absl::StrCat("--output=", folder, "/m.pb")});
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.out, IsEmpty());
  EXPECT_THAT(result.err, HasSubstr("cannot follow the link"));
}

TEST(Limits, WhatIsNoFileIsNotWaitedFor) {
  const std::string folder = MakeTempDir(), pipe = folder + "/pipe.csv";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  std::filesystem::create_symlink("/dev/zero", folder + "/zeros.npz");
  for (const std::string& data : {pipe, std::string("/dev/zero"), folder + "/zeros.npz"}) {
    for (const char* task : {"", "--task=classify"}) {
      std::vector<std::string> arguments = {"train", absl::StrCat("--data=", data),
                                            absl::StrCat("--output=", folder, "/m.pb")};
      if (*task != '\0') arguments.push_back(task);
      const ProcessResult result = RunSeqgraph(arguments);
      EXPECT_EQ(result.status, 1) << data << " " << task;
      EXPECT_THAT(result.err, HasSubstr(data)) << task;
    }
  }
}

}  // namespace
}  // namespace seqgraph
