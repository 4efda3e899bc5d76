// Writes the reference pages of all ops, layers and optimizers to docs/ of the tree.

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <utility>

#include "layers/all_layers.h"
#include "ops/all_ops.h"
#include "tools/docs/layer_docs.h"
#include "tools/docs/op_docs.h"
#include "tools/docs/optimizer_docs.h"

int main() {
  // `bazel run` starts programs elsewhere and says where the tree is.
  const char* tree = std::getenv("BUILD_WORKSPACE_DIRECTORY");
  const std::pair<const char*, std::string> pages[] = {
      {"ops.md", seqgraph::OpDocs(seqgraph::AllOps())},
      {"layers.md", seqgraph::LayerDocs(seqgraph::AllLayers())},
      {"optimizers.md", seqgraph::OptimizerDocs()},
  };
  for (const auto& [name, text] : pages) {
    const std::string path = std::string(tree != nullptr ? tree : ".") + "/docs/" + name;
    std::ofstream file(path, std::ios::binary);
    file << text << std::flush;
    if (!file) {
      std::fprintf(stderr, "gen_docs: cannot write %s\n", path.c_str());
      return 1;
    }
    std::printf("wrote %s\n", path.c_str());
  }
  return 0;
}
