#include "base/memory_limit.h"

#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <new>
#include <vector>

#include "gtest/gtest.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

void Write(const std::string& path, const std::string& text) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path) << text;
}

TEST(MemoryLimit, IsThreeQuartersOfWhatTheMachineHas) {
  const int64_t machine = int64_t{::sysconf(_SC_PHYS_PAGES)} * ::sysconf(_SC_PAGESIZE);
  EXPECT_GT(AvailableMemory(), 0);
  EXPECT_LE(AvailableMemory(), machine);
  EXPECT_LE(MemoryLimit(), machine / 4 * 3);
  EXPECT_EQ(MemoryLimit(), AvailableMemory() / 4 * 3);
}

TEST(MemoryLimit, OfTheSecondControlGroupsIsTheLeastOfThoseAround) {
  const std::string root = MakeTempDir();
  Write(root + "/memory.max", "max\n");
  Write(root + "/a/memory.max", "3000\n");
  Write(root + "/a/b/memory.max", "5000\n");
  EXPECT_EQ(ControlGroupLimit("0::/a/b\n", root), 3000);
  EXPECT_EQ(ControlGroupLimit("0::/\n", root), kNoMemoryLimit);
  // As a container sees its own: outside of the tree that is mounted there.
  Write(root + "/memory.max", "4000\n");
  EXPECT_EQ(ControlGroupLimit("0::/docker/1f\n", root), 4000);
  EXPECT_EQ(ControlGroupLimit("0::/../1f\n", root), 4000);
  EXPECT_EQ(ControlGroupLimit("nonsense\n\n::", root), 4000);  // An empty name is version 2's.
  EXPECT_EQ(ControlGroupLimit("", root), kNoMemoryLimit);
}

TEST(MemoryLimit, OfTheFirstControlGroupsIsThatOfTheirController) {
  const std::string root = MakeTempDir();
  Write(root + "/memory/a/memory.limit_in_bytes", "7000\n");
  Write(root + "/memory/memory.limit_in_bytes", "9223372036854771712\n");
  Write(root + "/cpu/a/memory.limit_in_bytes", "1\n");
  EXPECT_EQ(ControlGroupLimit("4:cpu:/a\n3:hugetlb,memory:/a\n", root), 7000);
  EXPECT_EQ(ControlGroupLimit("4:cpu:/a\n", root), kNoMemoryLimit);
}

TEST(MemoryLimit, SaysWhatTakesHowMuchAndHowToAllowMore) {
  const int64_t before = MemoryLimit();
  SetMemoryLimit(1000);
  SEQ_EXPECT_OK(CheckMemory(1000, "a row"));
  EXPECT_THAT(CheckMemory(1001, "a row"),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       "a row takes 1001 bytes, more than the limit of 1000 bytes; allow more "
                       "(--max_memory)"));
  SetMemoryLimit(kNoMemoryLimit);
  SEQ_EXPECT_OK(CheckMemory(kNoMemoryLimit, "all"));
  SetMemoryLimit(before);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

// Exits with 7 where memory is refused as it should be, and what is within the limit is not.
void TakeMemory() {
  SetMemoryLimit(int64_t{64} << 20);
  EnforceMemoryLimit();
  void* const within = std::malloc(size_t{100} << 20);
  void* const beyond = std::malloc(size_t{200} << 20);
  bool threw = false;
  try {
    const std::vector<char> beyond_too(size_t{200} << 20);
  } catch (const std::bad_alloc&) {
    threw = true;
  }
  ::_exit(within != nullptr && beyond == nullptr && threw ? 7 : 1);
}

TEST(MemoryLimitDeathTest, IsKeptByTheSystem) {
  EXPECT_EXIT(TakeMemory(), ::testing::ExitedWithCode(7), "");
}

#endif

}  // namespace
}  // namespace seqgraph
