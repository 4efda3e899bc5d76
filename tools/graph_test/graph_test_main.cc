// Runs graph test files on one backend: the program behind the Bazel rule graph_test.
//
//   graph_test_main --backend=reference [--real=float64] FILE.textproto...

#include <CLI/CLI.hpp>
#include <iostream>
#include <string>
#include <vector>

#include "backends/all_backends.h"
#include "ops/all_ops.h"
#include "tools/graph_test/graph_test_runner.h"

int main(int argc, char** argv) {
  CLI::App app("Runs graph test files on a backend.");
  std::string backend, real = "float32";
  std::vector<std::string> files;
  app.add_option("--backend", backend, "name of the backend")->required();
  app.add_option("--real", real, "float32 or float64: the type of real values")
      ->check(CLI::IsMember({"float32", "float64"}));
  app.add_option("files", files, "graph test files (.textproto)")->required();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  seqgraph::GraphTestOptions options;
  options.real = *seqgraph::ParseDType(real);
  auto backends = seqgraph::AllBackends().ParseList(backend);
  if (!backends.ok()) {
    std::cerr << "error: " << backends.status().message() << "\n";
    return 1;
  }
  options.backends = *std::move(backends);
  return seqgraph::GraphTestCommand(files, seqgraph::AllOps(), options, std::cout, std::cerr);
}
