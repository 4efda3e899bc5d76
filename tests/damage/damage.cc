#include "tests/damage/damage.h"

#include <cstdint>

#include "absl/strings/match.h"
#include "tests/testing.h"

namespace seqgraph {

int ExpectDamageIsNoticed(const std::string& bytes, const std::string& path, bool may_pass,
                          const Loads& load, size_t begin, size_t end) {
  Mutator mutator(FuzzSeed(20261129));
  const int count = FuzzCount(10000);
  if (end == 0) end = bytes.size();
  const absl::Status whole = load(bytes);
  EXPECT_TRUE(whole.ok()) << whole;
  int refused = 0;
  for (int i = 0; i < count + count / 5 && !testing::Test::HasFailure(); ++i) {
    const size_t at = begin + mutator.Below(end - begin);
    std::string damaged = bytes;
    if (i < count) {
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << mutator.Below(8)));
    } else {
      damaged.resize(at);
    }
    const absl::Status status = load(damaged);
    refused += status.ok() ? 0 : 1;
    const char* const what = i < count ? "a flip in byte " : "cut to bytes: ";
    EXPECT_TRUE(may_pass || !status.ok()) << path << ", " << what << at << ": not noticed";
    if (!status.ok()) {
      EXPECT_TRUE(absl::StrContains(status.message(), path)) << what << at << ": " << status;
    }
  }
  return refused;
}

}  // namespace seqgraph
