// keras_parity DIR... [--backend=NAMES]: repeats training runs recorded by Keras and compares.
// Prints a line for each kind of number and, last, the largest differences; exits with 1 if one is
// beyond its bar or a case cannot be read, with 2 for misuse.

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "backends/all_backends.h"
#include "tests/parity/parity_case.h"
#include "tests/parity/parity_run.h"

namespace seqgraph::parity {
namespace {

struct Largest {
  std::string what;
  double largest = 0;
  double bar = 0;
};

void Record(const Difference& difference, std::vector<Largest>& summary) {
  for (Largest& entry : summary) {
    if (entry.what != difference.what) continue;
    entry.largest = std::max(entry.largest, difference.largest);
    return;
  }
  summary.push_back({difference.what, difference.largest, difference.bar});
}

// True if the case is within all bars.
bool RunCase(const std::string& folder, const std::string& backends,
             std::vector<Largest>& summary) {
  const absl::StatusOr<ParityCase> parity_case = ReadParityCase(folder);
  if (!parity_case.ok()) {
    std::fprintf(stderr, "keras_parity: %s\n", parity_case.status().ToString().c_str());
    return false;
  }
  const absl::StatusOr<std::vector<Difference>> differences = RunParity(*parity_case, backends);
  if (!differences.ok()) {
    std::fprintf(stderr, "keras_parity: %s: %s\n", folder.c_str(),
                 differences.status().ToString().c_str());
    return false;
  }
  bool within = true;
  std::printf("%s: %lld rows, batch %lld, %zu steps\n", parity_case->name.c_str(),
              static_cast<long long>(parity_case->rows()),
              static_cast<long long>(parity_case->batch), parity_case->step_losses.size());
  for (const Difference& difference : *differences) {
    std::printf("  %-32s %8lld compared  largest %.3e of %.0e  %s (%s)\n", difference.what.c_str(),
                static_cast<long long>(difference.compared), difference.largest, difference.bar,
                difference.within() ? "ok" : "BEYOND", difference.where.c_str());
    Record(difference, summary);
    within = within && difference.within();
  }
  return within;
}

int Main(int argc, char** argv) {
  CLI::App app("Repeats training runs recorded by Keras and compares every number.");
  std::vector<std::string> folders;
  std::string backend_names = "onednn";
  app.add_option("DIR", folders, "folders with case.json and expected.npz")->required();
  app.add_option("--backend", backend_names, "backends in order of preference")
      ->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  // `bazel run` starts programs elsewhere; paths mean what they meant to the user.
  if (const char* folder = std::getenv("BUILD_WORKING_DIRECTORY")) {
    if (chdir(folder) != 0) std::perror(folder);
  }
  const auto backends = AllBackends().ParseList(backend_names);
  if (!backends.ok()) {
    std::fprintf(stderr, "keras_parity: %s\n", backends.status().ToString().c_str());
    return 2;
  }
  bool within = true;
  std::vector<Largest> summary;
  for (const std::string& folder : folders) {
    within = RunCase(folder, backend_names, summary) && within;
  }
  std::printf("largest differences on %s:", backend_names.c_str());
  for (const Largest& entry : summary) {
    std::printf(" %s %.3e (bar %.0e);", entry.what.c_str(), entry.largest, entry.bar);
  }
  std::printf(" %s\n", within ? "all within" : "FAILED");
  return within ? 0 : 1;
}

}  // namespace
}  // namespace seqgraph::parity

int main(int argc, char** argv) { return seqgraph::parity::Main(argc, argv); }
