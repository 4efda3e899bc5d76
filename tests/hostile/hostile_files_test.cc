// Hostile files through the command: each is refused in one line or runs, within the memory that
// --max_memory and the system allow, and nothing that is printed does more than it says.

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/end_to_end/process.h"
#include "tests/end_to_end/review_files.h"
#include "tests/hostile/hostile_file.h"
#include "tests/testing.h"

namespace seqgraph {

std::string Times(int64_t count, const std::string& text) {
  std::string all;
  all.reserve(static_cast<size_t>(count) * text.size());
  for (int64_t i = 0; i < count; ++i) all += text;
  return all;
}

namespace {

using ::testing::HasSubstr;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr long kAddresses = 0;  // they take all for themselves
#else
constexpr long kAddresses = long{1} << 30;
#endif

std::vector<HostileFile> AllKinds() {
  std::vector<HostileFile> all = HostileModels();
  for (const auto& more : {HostileForeignModels(), HostileData()}) {
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

// What a terminal would obey, or show in another order: controls but line ends and tabs, C1
// controls, marks and overrides of direction.
std::string WhatATerminalObeys(const std::string& text) {
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = [&](size_t at) {
      return at < text.size() ? static_cast<unsigned char>(text[at]) : 0;
    };
    const bool control = (byte(i) < 0x20 && byte(i) != '\n' && byte(i) != '\t') || byte(i) == 0x7F;
    const bool c1 = byte(i) == 0xC2 && byte(i + 1) >= 0x80 && byte(i + 1) <= 0x9F;
    const bool turns =
        byte(i) == 0xE2 && ((byte(i + 1) == 0x80 && byte(i + 2) >= 0xAA && byte(i + 2) <= 0xAE) ||
                            (byte(i + 1) == 0x81 && byte(i + 2) >= 0xA6 && byte(i + 2) <= 0xA9));
    if (control || c1 || turns) return absl::StrCat("byte ", byte(i), " at ", i);
  }
  return "";
}

class HostileFiles : public ::testing::TestWithParam<HostileFile> {
 protected:
  static void SetUpTestSuite() {
    folder_ = new std::string(FolderWithTinyModel());
    ASSERT_EQ(RunSeqgraph({"convert", "m.pb", "m.keras"}, {.folder = *folder_}).status, 0);
  }
  static std::string* folder_;
};

std::string* HostileFiles::folder_ = nullptr;

TEST_P(HostileFiles, AreRefusedInOneLineOrRunWithinTheLimit) {
  Arguments arguments = GetParam().make(*folder_);
  arguments.push_back("--max_memory=128M");
  const ProcessResult result =
      RunSeqgraph(arguments, {.folder = *folder_, .max_memory_bytes = kAddresses});
  EXPECT_EQ(WhatATerminalObeys(result.out), "");
  EXPECT_EQ(WhatATerminalObeys(result.err), "");
  if (GetParam().refusal.empty()) {
    EXPECT_EQ(result.status, 0) << result.err.substr(0, 1000);
    return;
  }
  EXPECT_EQ(result.status, 1) << result.err.substr(0, 1000);
  EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1)
      << result.err.substr(0, 1000);
  EXPECT_THAT(result.err.substr(0, 2000), HasSubstr(GetParam().refusal));
}

INSTANTIATE_TEST_SUITE_P(AllKinds, HostileFiles, ::testing::ValuesIn(AllKinds()),
                         [](const auto& row) { return std::string(row.param.kind); });

TEST(HostileFilesTable, HasManyKinds) {
  std::set<std::string> kinds;
  for (const HostileFile& each : AllKinds()) kinds.insert(each.kind);
  EXPECT_EQ(kinds.size(), AllKinds().size());
  EXPECT_GE(kinds.size(), 40u);
}

}  // namespace
}  // namespace seqgraph
