#include "tests/damage/damage.h"

#include <fcntl.h>
#include <unistd.h>

#include "absl/strings/match.h"
#include "base/file_descriptor.h"
#include "tests/testing.h"

namespace seqgraph {

int NumFlips() { return FuzzCount(10000); }

int ExpectDamageIsNoticed(const std::string& bytes, const std::string& path, bool may_pass,
                          const Loads& load, int flips, size_t begin, size_t end) {
  Mutator mutator(FuzzSeed(20261129));
  if (end == 0) end = bytes.size();
  const absl::Status whole = load(bytes);
  EXPECT_TRUE(whole.ok()) << whole;
  int refused = 0;
  for (int i = 0; i < flips + flips / 5 && !testing::Test::HasFailure(); ++i) {
    const size_t at = begin + mutator.Below(end - begin);
    std::string damaged = bytes;
    if (i < flips) {
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << mutator.Below(8)));
    } else {
      damaged.resize(at);
    }
    const absl::Status status = load(damaged);
    refused += status.ok() ? 0 : 1;
    const char* const what = i < flips ? "a flip in byte " : "cut to bytes: ";
    EXPECT_TRUE(may_pass || !status.ok()) << path << ", " << what << at << ": not noticed";
    if (!status.ok()) {
      EXPECT_TRUE(absl::StrContains(status.message(), path)) << what << at << ": " << status;
    }
  }
  return refused;
}

void Overwrite(const std::string& path, const std::string& bytes) {
  const FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  const auto size = static_cast<ssize_t>(bytes.size());
  ASSERT_EQ(::pwrite(file.get(), bytes.data(), bytes.size(), 0), size) << path;
  ASSERT_EQ(::ftruncate(file.get(), size), 0) << path;
}

}  // namespace seqgraph
