#include "graph/node_bounds.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "graph/evaluate.h"
#include "graph/op_def.h"

namespace seqgraph {

absl::StatusOr<OptionalTensors> EvaluateInDouble(const Node& node, const OptionalTensors& inputs,
                                                 const std::vector<bool>& wanted) {
  // Ops without real inputs say by an attribute what they give.
  return Evaluate(*node.op, CastReals(node.attributes, DType::kFloat64), inputs,
                  {.wanted = wanted});
}

absl::StatusOr<std::vector<ErrorBound>> NodeBounds(const Node& node, const OptionalTensors& inputs,
                                                   const OptionalTensors& outputs) {
  SEQ_ASSIGN_OR_RETURN(std::vector<ErrorBound> bounds,
                       node.op->BoundsOf(node.attributes, PointersTo(inputs), PointersTo(outputs)));
  SEQ_ASSIGN_OR_RETURN(const std::optional<RecurrenceGrowth> growth, GrowthOf(node, inputs));
  if (!growth.has_value()) return bounds;
  for (ErrorBound& bound : bounds) {
    bound.epsilons *= growth->amplification;
    absl::StrAppend(&bound.formula, ", times ", absl::SixDigits(growth->amplification),
                    " (amplification by u)");
  }
  return bounds;
}

absl::StatusOr<std::map<int, BoundedValue>> EvaluateNodesInDouble(
    const Function& function, absl::Span<const int> nodes, const std::map<int, Tensor>& given) {
  std::map<int, BoundedValue> values;
  for (const auto& [v, tensor] : given) values[v] = {CastReals(tensor, DType::kFloat64), {}};
  const std::vector<bool> used = function.UsedValues();
  for (int n : nodes) {
    const Node& node = function.nodes()[n];
    OptionalTensors inputs(node.inputs.size());
    double inherited = 0;
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (!node.inputs[i].present()) continue;
      const auto input = values.find(node.inputs[i].index);
      if (input == values.end()) {
        return InvalidArgument("node ", node.name, " reads ", function.info(node.inputs[i]).name,
                               ", not given");
      }
      inputs[i] = input->second.exact;
      inherited += input->second.bound.epsilons;
    }
    std::vector<bool> wanted;
    for (Value output : node.outputs) wanted.push_back(used[output.index]);
    SEQ_ASSIGN_OR_RETURN(OptionalTensors outputs, EvaluateInDouble(node, inputs, wanted));
    SEQ_ASSIGN_OR_RETURN(std::vector<ErrorBound> bounds, NodeBounds(node, inputs, outputs));
    for (size_t o = 0; o < wanted.size(); ++o) {
      if (!wanted[o]) continue;
      if (inherited > 0) {
        bounds[o].scale = std::max(bounds[o].scale, LargestFiniteMagnitude(*outputs[o]));
        // An activation takes over the error of its input as it is.
        if (inputs.size() == 1) {
          bounds[o].scale = std::max(bounds[o].scale, LargestFiniteMagnitude(*inputs[0]));
        }
        bounds[o].epsilons += inherited;
        absl::StrAppend(&bounds[o].formula, ", and ", absl::SixDigits(inherited),
                        " eps of the nodes before");
      }
      values[node.outputs[o].index] = {*std::move(outputs[o]), bounds[o]};
    }
  }
  for (const auto& [v, tensor] : given) values.erase(v);
  return values;
}

double GraphErrorBound(const Function& function, double scale, DType real) {
  double count = 0;
  for (const Node& node : function.nodes()) {
    count += kElementaryRoundings;
    for (const std::vector<Value>* operands : {&node.inputs, &node.outputs}) {
      for (const Value value : *operands) {
        if (value.present()) {
          count += static_cast<double>(function.type(value).shape.num_elements());
        }
      }
    }
  }
  const double unit_roundoff = real == DType::kFloat64 ? std::numeric_limits<double>::epsilon() / 2
                                                       : std::numeric_limits<float>::epsilon() / 2;
  return count * unit_roundoff * scale;
}

}  // namespace seqgraph
