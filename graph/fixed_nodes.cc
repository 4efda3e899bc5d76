#include "graph/fixed_nodes.h"

#include <algorithm>

namespace seqgraph {
namespace {

// For each value: true if no input of the function and no variable that it updates goes into it.
std::vector<bool> FixedValues(const Function& function) {
  std::vector<bool> fixed(function.values().size(), false);
  for (const VariableRead& read : function.variables()) {
    const auto& updates = function.updates();
    fixed[read.value.index] =
        std::none_of(updates.begin(), updates.end(),
                     [&read](const NamedValue& update) { return update.name == read.def.name; });
  }
  for (const Node& node : function.nodes()) {
    const bool is_fixed =
        node.op->pure() &&
        std::all_of(node.inputs.begin(), node.inputs.end(),
                    [&fixed](Value input) { return !input.present() || fixed[input.index]; });
    for (Value output : node.outputs) fixed[output.index] = is_fixed;
  }
  return fixed;
}

bool ReadsNothing(const Node& node) {
  return std::none_of(node.inputs.begin(), node.inputs.end(),
                      [](Value input) { return input.present(); });
}

}  // namespace

std::vector<bool> FixedNodes(const Function& function) {
  const std::vector<bool> fixed = FixedValues(function);
  const std::vector<std::vector<int>> consumers = function.Consumers();
  std::vector<bool> leaves(function.values().size(), false);
  for (const NamedValue& result : function.results()) leaves[result.value.index] = true;
  for (const NamedValue& update : function.updates()) leaves[update.value.index] = true;
  std::vector<bool> nodes;
  for (const Node& node : function.nodes()) {
    bool is_fixed = !node.outputs.empty() && fixed[node.outputs[0].index];
    for (Value output : node.outputs) {
      if (!is_fixed || !ReadsNothing(node)) break;
      is_fixed = !leaves[output.index];
      for (int reader : consumers[output.index]) {
        is_fixed = is_fixed && fixed[function.nodes()[reader].outputs[0].index];
      }
    }
    nodes.push_back(is_fixed);
  }
  return nodes;
}

}  // namespace seqgraph
