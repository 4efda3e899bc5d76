// Each target under libFuzzer, in a process of its own that begins with the kept corpus. The engine
// is Debian's (libclang-rt-dev); what it is told comes from GCC's instrumentation: --config=fuzz.
//
//   SEQGRAPH_FUZZ_SECONDS  so long; without it, as long as the target's row says
//   SEQGRAPH_SOAK          so many executions instead
//   SEQGRAPH_SEED          of the engine
//   SEQGRAPH_FUZZ_FOLDER   where TARGET-crash-* and the like are left: what failed, whole
//   SEQGRAPH_FUZZ_KEEP     where TARGET/ is left with what reached something new, to be kept
//   SEQGRAPH_FUZZ_INPUT    this file alone, once

#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/memory_limit.h"
#include "tests/fuzz/targets/targets.h"
#include "tests/testing.h"

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

// What bounds a target: input, memory (of the reader, by its own limit; of the process; of one
// allocation), time of one input.
std::vector<std::string> Arguments(const FuzzTarget& target) {
  std::vector<std::string> arguments = {
      "fuzz",       "-max_len=16384", "-timeout=20", "-rss_limit_mb=2500", "-malloc_limit_mb=1500",
      "-entropic=0"};  // which took four fifths of the time
  const std::string input = Variable("SEQGRAPH_FUZZ_INPUT", ""),
                    runs = Variable("SEQGRAPH_SOAK", "");
  if (!input.empty()) {
    arguments.push_back(input);
    return arguments;
  }
  // The first folder is where what is new goes.
  const std::string kept =
      absl::StrCat(Variable("SEQGRAPH_FUZZ_KEEP", FuzzFolder() + "/new"), "/", target.name);
  std::filesystem::create_directories(kept);
  arguments.push_back(runs.empty()
                          ? absl::StrCat("-max_total_time=", Variable("SEQGRAPH_FUZZ_SECONDS",
                                                                      absl::StrCat(target.seconds)))
                          : absl::StrCat("-runs=", runs));
  arguments.push_back(absl::StrCat("-seed=", Variable("SEQGRAPH_SEED", "0")));
  arguments.push_back("-print_final_stats=1");
  arguments.push_back(absl::StrCat("-artifact_prefix=", Variable("SEQGRAPH_FUZZ_FOLDER", "."), "/",
                                   target.name, "-"));
  arguments.push_back(kept);
  arguments.push_back(absl::StrCat("tests/fuzz/corpus/", target.name));
  return arguments;
}

[[noreturn]] void RunEngine(const FuzzTarget& target) {
  running = &target;
  SetMemoryLimit(int64_t{256} << 20);
  std::vector<std::string> arguments = Arguments(target);
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  int argc = static_cast<int>(arguments.size());
  char** argv_begin = argv.data();
  __sanitizer_cov_8bit_counters_init(counters, counters + sizeof(counters));
  std::exit(LLVMFuzzerRunDriver(&argc, &argv_begin, RunTarget));
}

}  // namespace

void PrintTo(const FuzzTarget& target, std::ostream* out) { *out << target.name; }

namespace {

class FuzzTest : public ::testing::TestWithParam<FuzzTarget> {};

TEST_P(FuzzTest, FindsNothing) {
  std::fflush(nullptr);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) RunEngine(GetParam());
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0)
      << "see above; the input is in the file that was said, and the same again is\n  "
      << "tools/test_fuzz --repeat=" << GetParam().name << " FILE";
}

INSTANTIATE_TEST_SUITE_P(All, FuzzTest, ::testing::ValuesIn(AllTargets()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace seqgraph
