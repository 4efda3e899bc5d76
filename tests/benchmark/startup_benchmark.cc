// How long a process takes that loads a saved model and answers one review, against one that only
// links the same libraries:
//
//   bazel run //tests/benchmark:startup_benchmark -- reference onednn
//
// Processes alternate, so that what else the machine does meets all alike. Processor time (user and
// system, of all threads) says more than time by the clock on a busy machine; both are printed,
// with the ratio to the empty process.

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

extern char** environ;

namespace seqgraph {
namespace {

constexpr int kRounds = 60;

struct Times {
  double clock_ms = 0;
  double processor_ms = 0;
};

double Milliseconds(const timeval& time) { return time.tv_sec * 1e3 + time.tv_usec * 1e-3; }

// Runs a program to its end, its output dropped.
Times TimeOf(const std::vector<std::string>& command) {
  std::vector<char*> argv;
  for (const std::string& argument : command) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  const auto begin = std::chrono::steady_clock::now();
  pid_t pid = 0;
  int status = -1;
  rusage usage{};
  if (::posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), environ) != 0 ||
      ::wait4(pid, &status, 0, &usage) != pid || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    std::fprintf(stderr, "startup_benchmark: %s failed\n", argv[0]);
    std::exit(1);
  }
  ::posix_spawn_file_actions_destroy(&actions);
  const std::chrono::duration<double, std::milli> clock = std::chrono::steady_clock::now() - begin;
  return {clock.count(), Milliseconds(usage.ru_utime) + Milliseconds(usage.ru_stime)};
}

// The tenth part that was fastest: what the process takes where nothing else is in its way.
double Low(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 10];
}

struct Contestant {
  std::string name;
  std::vector<std::string> command;
  std::vector<double> clock, processor;
};

void Run(const std::string& seqgraph, const std::string& floor,
         const std::vector<std::string>& backends) {
  const char* folder = std::getenv("TMPDIR");
  const std::string model =
      absl::StrCat(folder != nullptr ? folder : "/tmp", "/startup-", ::getpid(), ".pb");
  TimeOf(
      {seqgraph, "train", "--backend=reference", "--epochs=1", "--overwrite", "--output=" + model});
  std::vector<Contestant> all = {{"nothing", {floor}, {}, {}}};
  for (const std::string& backend : backends) {
    const std::string flag = "--backend=" + backend;
    all.push_back({backend, {seqgraph, "predict", model, flag, "What a wonderful film"}, {}, {}});
    all.push_back({absl::StrCat(backend, ", no self-test"),
                   {seqgraph, "predict", model, flag, "--self_test=false", "What a film"},
                   {},
                   {}});
  }
  for (int round = 0; round < kRounds; ++round) {
    for (Contestant& contestant : all) {
      const Times times = TimeOf(contestant.command);
      contestant.clock.push_back(times.clock_ms);
      contestant.processor.push_back(times.processor_ms);
    }
  }
  ::unlink(model.c_str());
  std::printf("%-32s %10s %7s %14s %7s\n", "first answer on", "clock ms", "ratio", "processor ms",
              "ratio");
  for (const Contestant& c : all) {
    std::printf("%-32s %10.2f %7.2f %14.2f %7.2f\n", c.name.c_str(), Low(c.clock),
                Low(c.clock) / Low(all[0].clock), Low(c.processor),
                Low(c.processor) / Low(all[0].processor));
  }
}

}  // namespace
}  // namespace seqgraph

int main(int argc, char** argv) {
  // Started by `bazel run` in the root of the runfiles.
  std::vector<std::string> backends(argv + 1, argv + argc);
  if (backends.empty()) backends = {"reference", "onednn"};
  seqgraph::Run("tools/seqgraph_main", "tests/benchmark/startup_floor", backends);
}
