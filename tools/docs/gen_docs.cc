// Writes the reference pages of all ops, layers, optimizers and commands to docs/ of the tree.
// Pages of commands that are no more are removed.

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "layers/all_layers.h"
#include "ops/all_ops.h"
#include "tools/docs/command_docs.h"
#include "tools/docs/layer_docs.h"
#include "tools/docs/op_docs.h"
#include "tools/docs/optimizer_docs.h"

int main() {
  // `bazel run` starts programs elsewhere and says where the tree is.
  const char* tree = std::getenv("BUILD_WORKSPACE_DIRECTORY");
  const std::string docs = std::string(tree != nullptr ? tree : ".") + "/docs/";
  std::vector<std::pair<std::string, std::string>> pages = {
      {"ops.md", seqgraph::OpDocs(seqgraph::AllOps())},
      {"layers.md", seqgraph::LayerDocs(seqgraph::AllLayers())},
      {"optimizers.md", seqgraph::OptimizerDocs()},
  };
  std::error_code error;
  std::filesystem::remove_all(docs + "commands", error);
  std::filesystem::create_directory(docs + "commands", error);
  for (auto& [name, text] : seqgraph::tools::CommandDocs()) {
    pages.emplace_back("commands/" + name, std::move(text));
  }
  for (const auto& [name, text] : pages) {
    const std::string path = docs + name;
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
