#include "graph/constant_subgraph.h"

#include <algorithm>

#include "graph/op_def.h"

namespace seqgraph {
namespace {

// For each value: true if no input of the function and no variable that it updates goes into it.
std::vector<bool> ConstantValues(const Function& function) {
  std::vector<bool> constant(function.values().size(), false);
  std::set<absl::string_view> updated;
  for (const NamedValue& update : function.updates()) updated.insert(update.name);
  for (const VariableRead& read : function.variables()) {
    constant[read.value.index] = !updated.contains(read.def.name);
  }
  for (const Node& node : function.nodes()) {
    const bool is_constant =
        node.op->pure() &&
        std::all_of(node.inputs.begin(), node.inputs.end(),
                    [&constant](Value input) { return !input.present() || constant[input.index]; });
    for (Value output : node.outputs) constant[output.index] = is_constant;
  }
  return constant;
}

bool ReadsNothing(const Node& node) {
  return std::none_of(node.inputs.begin(), node.inputs.end(),
                      [](Value input) { return input.present(); });
}

}  // namespace

std::vector<bool> ConstantSubgraph(const Function& function) {
  const std::vector<bool> constant = ConstantValues(function);
  const std::vector<std::vector<int>>& consumers = function.Consumers();
  std::vector<bool> leaves(function.values().size(), false);
  for (const NamedValue& result : function.results()) leaves[result.value.index] = true;
  for (const NamedValue& update : function.updates()) leaves[update.value.index] = true;
  std::vector<bool> nodes;
  for (const Node& node : function.nodes()) {
    bool is_constant = !node.outputs.empty() && constant[node.outputs[0].index];
    for (Value output : node.outputs) {
      if (!is_constant || !ReadsNothing(node)) break;
      is_constant = !leaves[output.index];
      for (int reader : consumers[output.index]) {
        is_constant = is_constant && constant[function.nodes()[reader].outputs[0].index];
      }
    }
    nodes.push_back(is_constant);
  }
  return nodes;
}

}  // namespace seqgraph
