#pragma once

// Files that want to harm whoever reads them: a row a kind.

#include <functional>
#include <string>
#include <vector>

namespace seqgraph {

using Arguments = std::vector<std::string>;

/// One kind, and what becomes of it.
struct HostileFile {
  const char* kind;
  /// Makes the file or files in the folder, where "m.pb" and "m.keras" are models without fault,
  /// and gives the command line that reads them.
  std::function<Arguments(const std::string& folder)> make;
  /// What the one line of the refusal says; empty: it runs.
  std::string refusal;
};

/// Models of ours; ONNX and Keras; arrays, tables and archives.
std::vector<HostileFile> HostileModels();
std::vector<HostileFile> HostileForeignModels();
std::vector<HostileFile> HostileData();

/// `text` so often.
std::string Times(int64_t count, const std::string& text);

}  // namespace seqgraph
