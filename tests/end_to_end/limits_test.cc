// The command at the limits of the machine: what is missing is an error by name, never a signal.

#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "data/npy.h"
#include "data/testing/test_util.h"
#include "tests/end_to_end/process.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using ::testing::AllOf;
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
  constexpr int kAborted = 1000 + SIGABRT;
  constexpr long kMegabyte = 1 << 20;
  int said = 0;
  for (long megabytes = 80; megabytes <= 400; megabytes += 3) {
    const ProcessResult result =
        RunSeqgraph({"train", "--epochs=1", absl::StrCat("--output=", model)},
                    {.max_memory_bytes = megabytes * kMegabyte});
    if (result.status == kCannotLoad) continue;
    // With a quarter of a megabyte more than loading takes, what is made before main has none.
    if (said == 0 && result.status == kAborted) continue;
    if (result.status == 0) break;
    EXPECT_EQ(result.status, 1) << megabytes << " MB: " << result.err;
    EXPECT_THAT(result.err, HasSubstr("RESOURCE_EXHAUSTED")) << megabytes << " MB";
    ++said;
  }
  EXPECT_GT(said, 0);
  EXPECT_TRUE(std::filesystem::exists(model)) << "it never had enough";
}

std::string Repeated(absl::string_view text, int64_t times) {
  std::string all;
  all.reserve(text.size() * static_cast<size_t>(times));
  for (int64_t i = 0; i < times; ++i) absl::StrAppend(&all, text);
  return all;
}

// Small files that unpack to much: of each command that reads one, what it reads, and what tells
// that it is too much.
TEST(Limits, WhatUnpacksToMuchIsRefusedByTheLimit) {
  const std::string folder = MakeTempDir();
  const auto write = [&](const std::string& name, absl::string_view bytes) {
    data::WriteFileOrDie(folder + "/" + name, bytes);
    return bytes.size();
  };
  constexpr int64_t kRows = 300'000;
  const std::string texts = "text,label\n" + Repeated("a,0\nb,1\n", kRows / 2);
  EXPECT_LT(write("texts.csv.gz", data::Gzip(texts)), 10'000u);
  constexpr int64_t kNumbers = int64_t{16} << 20;
  const std::string zeros(kNumbers * sizeof(float), '\0');
  const std::string npy = *data::NpyFile(data::NpyType::kFloat32, {kNumbers}, zeros);
  write("x.npz", data::MakeArchive({{"x.npy", npy}}, data::Packing::kDeflatedZip));
  write("lies.npz",
        data::MakeArchive({{"x.npy", data::NpyHeader(data::NpyType::kFloat32, {4}) + zeros}},
                          data::Packing::kDeflatedZip));
  ASSERT_EQ(RunSeqgraph({"train", "--epochs=1", "--output=m.pb"}, {.folder = folder}).status, 0);
  struct Row {
    std::vector<std::string> arguments;
    std::string says;
  };
  for (const Row& row : std::vector<Row>{
           {{"train", "--data=texts.csv.gz", "--output=no.pb"}, "reviews of 100 codes takes"},
           {{"evaluate", "m.pb", "--data=texts.csv.gz"}, "reviews of 100 codes takes"},
           {{"encode", "--data=texts.csv.gz", "--output=no"}, "reviews of 100 codes takes"},
           {{"run", "m.pb", "--inputs=x.npz"}, "array x takes 134217"},
           {{"run", "m.pb", "--inputs=lies.npz"}, "it holds more than the"},
           {{"encode", "--data=x.npz", "--output=no"}, "array x takes"}}) {
    std::vector<std::string> arguments = row.arguments;
    arguments.push_back("--max_memory=16M");
    const ProcessResult result = RunSeqgraph(arguments, {.folder = folder});
    EXPECT_EQ(result.status, 1) << arguments[0] << " " << arguments[1];
    EXPECT_THAT(result.err, AllOf(HasSubstr("RESOURCE_EXHAUSTED"), HasSubstr(row.says)))
        << arguments[0] << " " << arguments[1];
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  }
}

// What nobody counts is bounded too: the system refuses it.
TEST(Limits, WhatIsNotCountedEndsWithTheLimitAndTheFlag) {
  if (kSanitized) GTEST_SKIP() << "sanitizers take all addresses for themselves";
  const std::string folder = MakeTempDir();
  std::string lines;  // Words, all of them different.
  for (int64_t i = 0; i < 8'000'000; ++i) absl::StrAppend(&lines, " w", i);
  std::string texts = "text,label\n";
  constexpr size_t kPart = 1'000'000;
  for (size_t at = 0; at < lines.size(); at += kPart) {
    absl::StrAppend(&texts, lines.substr(at, kPart), ",", at / kPart % 2, "\n");
  }
  data::WriteFileOrDie(folder + "/words.csv", texts);
  const ProcessResult result = RunSeqgraph(
      {"train", "--data=words.csv", "--output=m.pb", "--max_memory=10M"}, {.folder = folder});
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err,
              AllOf(HasSubstr("RESOURCE_EXHAUSTED: out of memory in train"),
                    HasSubstr("data and model may take 10485760 bytes: --max_memory allows more")));
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
