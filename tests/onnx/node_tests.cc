// node_tests [BACKENDS]: ONNX's own tests of operators, a table of what passed. Exit status 1 if
// one failed.

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <string>

#include "backends/all_backends.h"
#include "tests/onnx/node_case.h"

int main(int argc, char** argv) {
  using namespace seqgraph;  // NOLINT(google-build-using-namespace)
  if (!std::filesystem::exists(onnx::kNodeTests)) {
    std::fprintf(stderr, "no %s: install libonnx-testdata\n", onnx::kNodeTests);
    return 1;
  }
  const auto backends = AllBackends().ParseList(argc > 1 ? argv[1] : "reference");
  if (!backends.ok()) {
    std::fprintf(stderr, "%s\n", backends.status().ToString().c_str());
    return 1;
  }
  const auto results = onnx::RunNodeTests(onnx::kNodeTests, *backends);
  std::fputs(onnx::NodeTable(results).c_str(), stdout);
  return std::any_of(results.begin(), results.end(), [](const onnx::NodeResult& result) {
    return result.outcome == onnx::Outcome::kFailed;
  });
}
