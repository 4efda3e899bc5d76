#pragma once

#include <vector>

#include "graph/cost.h"
#include "graph/function.h"

namespace seqgraph {

/// The cost of one node. `used` is function.UsedValues(): an output that nobody reads costs
/// nothing, and neither does a node without used outputs. All shapes must be static (checked).
OpCost NodeCost(const Function& function, const Node& node, const std::vector<bool>& used);

/// The cost of each node, in the order of the nodes.
std::vector<OpCost> NodeCosts(const Function& function);

/// The sum over all nodes of a function whose shapes are static.
OpCost FunctionCost(const Function& function);

}  // namespace seqgraph
