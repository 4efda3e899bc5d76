// Writes the reference page of all layers to the file given, or to docs/layers.md of the workspace.

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include "layers/all_layers.h"
#include "tools/docs/layer_docs.h"

int main(int argc, char** argv) {
  // Set by `bazel run`.
  const char* workspace = std::getenv("BUILD_WORKSPACE_DIRECTORY");
  if (argc > 2 || (argc == 1 && workspace == nullptr)) {
    std::fprintf(stderr, "usage: gen_layer_docs FILE, or bazel run //tools/docs:gen_layer_docs\n");
    return 2;
  }
  const std::string path =
      argc == 2 ? std::string(argv[1]) : std::string(workspace) + "/docs/layers.md";
  std::ofstream file(path, std::ios::binary);
  file << seqgraph::LayerDocs(seqgraph::AllLayers()) << std::flush;
  if (file) return 0;
  std::fprintf(stderr, "gen_layer_docs: cannot write %s\n", path.c_str());
  return 1;
}
