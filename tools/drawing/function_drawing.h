#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "graph/function.h"

namespace seqgraph::tools {

struct DrawingOptions {
  /// Functions of more nodes are not drawn: the picture then says so, and how many there are.
  int64_t max_nodes = 500;
  /// By the names of nodes: a further line in the box.
  std::map<std::string, std::string> notes = {};
};

/// The function as one <svg> element, from its inputs above to its results and updates below, to be
/// a file of its own or to stand within a page. It has `width`, `height` and `viewBox` in pixels, a
/// <title>, and a tooltip for each node (op, inputs, attributes, types); no id, style sheet,
/// script, font or address. Text and lines are of currentColor, so that a page may be light or
/// dark. Each node is a <g class="node" data-node="NAME" data-op="OP">; variables that it reads
/// stand in it. An edge that is too long to be drawn is told in the node that it leads to. All that
/// comes from the model is escaped; long names are cut.
std::string DrawFunction(const Function& function, const DrawingOptions& options = {});

/// A function in a table of pictures, and what stands above it.
struct Picture {
  std::string heading;
  const Function* function = nullptr;
};

/// Rows of pictures as one <svg> element, each as DrawFunction draws it.
std::string DrawFunctions(const std::vector<std::vector<Picture>>& rows,
                          const DrawingOptions& options = {});

}  // namespace seqgraph::tools
