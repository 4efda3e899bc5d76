#pragma once

// Where the nodes of a graph without cycles are drawn: in layers from above to below, as Sugiyama,
// Tagawa and Toda do it (1981): a node's layer is the length of the longest path to it, an edge
// over several layers goes through a place in each, orders within layers follow the barycenters of
// neighbours, and coordinates are the least squares of edges' slants.

#include <cstdint>
#include <vector>

namespace seqgraph::tools {

struct LayoutSize {
  double width = 0;
  double height = 0;
};

struct LayoutPoint {
  double x = 0;
  double y = 0;  ///< downwards
};

struct LayoutEdge {
  int from = 0;
  int to = 0;  ///< above `from`: nodes are in topological order
};

struct LayoutOptions {
  double gap_x = 24;
  double gap_y = 36;
  int sweeps = 12;  ///< over all layers, for the order and again for coordinates
  /// Edges may go through so many places for each node, together; beyond it the longest are cut.
  int places_a_node = 20;
};

struct LayeredLayout {
  LayoutSize size;
  std::vector<int> layers;           ///< of each node, from 0
  std::vector<LayoutPoint> centers;  ///< of each node
  /// Of each edge the points that it goes through, from the lower side of the one node to the upper
  /// side of the other: between an even point and the odd one behind it obliquely, otherwise
  /// vertically. Empty: the edge is cut.
  std::vector<std::vector<LayoutPoint>> lines;
  int64_t crossings = 0;
};

/// Takes about (nodes + places) times sweeps, with a logarithm. Nodes without edges into them stand
/// right above the first that they lead to.
LayeredLayout LayOutInLayers(const std::vector<LayoutSize>& nodes,
                             const std::vector<LayoutEdge>& edges,
                             const LayoutOptions& options = {});

}  // namespace seqgraph::tools
