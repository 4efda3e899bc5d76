// Writes the reference page of all ops: to docs/ops.md of the tree, or to the file given.

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include "ops/all_ops.h"
#include "tools/docs/op_docs.h"

int main(int argc, char** argv) {
  if (argc > 2) {
    std::fprintf(stderr, "usage: gen_op_docs [FILE]\n");
    return 2;
  }
  // `bazel run` starts programs elsewhere and says where the tree is.
  const char* tree = std::getenv("BUILD_WORKSPACE_DIRECTORY");
  const std::string path =
      argc == 2 ? argv[1] : (tree != nullptr ? std::string(tree) + "/" : "") + "docs/ops.md";
  std::ofstream file(path, std::ios::binary);
  file << seqgraph::OpDocs(seqgraph::AllOps()) << std::flush;
  if (!file) {
    std::fprintf(stderr, "gen_op_docs: cannot write %s\n", path.c_str());
    return 1;
  }
  std::printf("wrote %s\n", path.c_str());
  return 0;
}
