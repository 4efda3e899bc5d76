// Writes docs/optimizers.md, or the file given.

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include "tools/docs/optimizer_docs.h"

int main(int argc, char** argv) {
  const char* root = std::getenv("BUILD_WORKSPACE_DIRECTORY");  // set by `bazel run`
  const std::string path =
      argc > 1 ? argv[1] : std::string(root != nullptr ? root : ".") + "/docs/optimizers.md";
  std::ofstream file(path, std::ios::binary);
  file << seqgraph::OptimizerDocs() << std::flush;
  if (!file) std::fprintf(stderr, "gen_optimizer_docs: cannot write %s\n", path.c_str());
  return file ? 0 : 1;
}
