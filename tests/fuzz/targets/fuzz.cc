// libFuzzer's engine is Debian's (libclang-rt-dev); what it is told comes from GCC's
// instrumentation: --config=fuzz. The whole build is the one that all else has.

#include "tests/fuzz/targets/fuzz.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "base/memory_limit.h"

// Neither counted nor checked itself.
#define UNSEEN __attribute__((no_sanitize_coverage, no_sanitize("address", "undefined")))

namespace {

uint8_t counters[1 << 16];

}  // namespace

// Between GCC, which calls a function at each edge, and libFuzzer, which wants a table of counters:
// an edge has the one of its address.
extern "C" {
void __sanitizer_cov_8bit_counters_init(uint8_t* begin, uint8_t* end);
int LLVMFuzzerRunDriver(int* argc, char*** argv, int (*run)(const uint8_t* bytes, size_t size));

UNSEEN void __sanitizer_cov_trace_pc() {
  const auto address = reinterpret_cast<uintptr_t>(__builtin_return_address(0));
  uint8_t& counter = counters[(address ^ (address >> 16)) % sizeof(counters)];
  if (counter != 255) ++counter;
}
UNSEEN void __sanitizer_cov_trace_cmpf(float, float) {}
UNSEEN void __sanitizer_cov_trace_cmpd(double, double) {}
}

namespace seqgraph {
namespace {

const FuzzTarget* running = nullptr;

int RunTarget(const uint8_t* bytes, size_t size) {
  running->run({reinterpret_cast<const char*>(bytes), size});
  return 0;
}

std::string Variable(const char* name, const std::string& otherwise) {
  const char* const value = std::getenv(name);
  return value == nullptr ? otherwise : value;
}

[[noreturn]] void RunEngine(const FuzzTarget& target) {
  running = &target;
  SetMemoryLimit(int64_t{256} << 20);
  // The first folder is where what is new goes.
  const std::string found = absl::StrCat(FuzzFolder(), "/found");
  std::filesystem::create_directory(found);
  std::vector<std::string> arguments = {
      "fuzz",
      absl::StrCat("-runs=", Variable("SEQGRAPH_SOAK", "20000")),
      absl::StrCat("-seed=", Variable("SEQGRAPH_SEED", "0")),
      "-max_len=16384",
      "-entropic=0",  // weighing rare edges took four fifths of the time
      "-timeout=20",
      "-rss_limit_mb=4000",
      "-malloc_limit_mb=1500",
      "-print_final_stats=1",
      absl::StrCat("-artifact_prefix=", Variable("TEST_UNDECLARED_OUTPUTS_DIR", "."), "/",
                   target.name, "-"),
      found,
      absl::StrCat("tests/fuzz/corpus/", target.name)};
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  int argc = static_cast<int>(arguments.size());
  char** argv_begin = argv.data();
  __sanitizer_cov_8bit_counters_init(counters, counters + sizeof(counters));
  std::exit(LLVMFuzzerRunDriver(&argc, &argv_begin, RunTarget));
}

}  // namespace

void Fuzz(const FuzzTarget& target) {
  std::fflush(nullptr);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) RunEngine(target);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0) << "see above, and " << target.name << "-crash-* and the like";
}

}  // namespace seqgraph
