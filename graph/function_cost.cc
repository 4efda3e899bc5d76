#include "graph/function_cost.h"

#include <optional>

#include "base/status_macros.h"
#include "graph/op_def.h"

namespace seqgraph {

OpCost NodeCost(const Function& function, const Node& node, const std::vector<bool>& used) {
  std::vector<std::optional<TensorType>> inputs(node.inputs.size()), outputs(node.outputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!node.inputs[i].present()) continue;
    inputs[i] = function.type(node.inputs[i]);
    SEQ_CHECK(inputs[i]->shape.is_static());
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (!used[node.outputs[i].index]) continue;
    outputs[i] = function.type(node.outputs[i]);
    SEQ_CHECK(outputs[i]->shape.is_static());
  }
  return node.op->CostOf(CostContext(inputs, outputs, node.attributes));
}

std::vector<OpCost> NodeCosts(const Function& function) {
  const std::vector<bool> used = function.UsedValues();
  std::vector<OpCost> costs;
  costs.reserve(function.nodes().size());
  for (const Node& node : function.nodes()) costs.push_back(NodeCost(function, node, used));
  return costs;
}

OpCost FunctionCost(const Function& function) {
  OpCost sum;
  for (const OpCost& cost : NodeCosts(function)) sum += cost;
  return sum;
}

}  // namespace seqgraph
