#include "runtime/node_oracle.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"

namespace seqgraph {
namespace {

constexpr int kSequence = 5;  // input of RNNCellGrad and LookupRNNCellGrad

bool IsRecurrence(const std::string& op) { return op == "RNNCell" || op == "LookupRNNCell"; }
bool IsRecurrenceGrad(const std::string& op) {
  return op == "RNNCellGrad" || op == "LookupRNNCellGrad";
}

}  // namespace

Operands InDouble(const Operands& operands) {
  Operands result = operands;
  for (std::optional<Tensor>& tensor : result) {
    if (tensor.has_value() && IsReal(tensor->dtype())) tensor = tensor->Cast(DType::kFloat64);
  }
  return result;
}

absl::StatusOr<Operands> EvaluateInDouble(const Node& node, const Operands& inputs,
                                          const std::vector<bool>& wanted) {
  std::vector<std::optional<TensorType>> types(inputs.size());
  std::vector<ReferenceContext::Operand> in(inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].has_value()) continue;
    types[i] = inputs[i]->type();
    in[i] = {const_cast<void*>(inputs[i]->data()), &inputs[i]->type()};
  }
  Attributes attributes = node.attributes;
  // Ops without real inputs say by an attribute what they give.
  for (const auto& [name, value] : node.attributes.entries()) {
    const DType* dtype = std::get_if<DType>(&value);
    if (dtype != nullptr && IsReal(*dtype)) attributes.Set(name, DType::kFloat64);
  }
  SEQ_ASSIGN_OR_RETURN(const std::vector<TensorType> out_types,
                       node.op->InferTypes(types, attributes));
  Operands outputs(out_types.size());
  std::vector<ReferenceContext::Operand> out(out_types.size());
  for (size_t o = 0; o < out_types.size(); ++o) {
    if (!wanted[o]) continue;
    TensorType type = out_types[o];
    if (IsReal(type.dtype)) type.dtype = DType::kFloat64;
    SEQ_ASSIGN_OR_RETURN(outputs[o], Tensor::Zeros(type));
    out[o] = {outputs[o]->data(), &outputs[o]->type()};
  }
  SEQ_RETURN_IF_ERROR(node.op->reference(DType::kFloat64)(ReferenceContext(in, out, attributes)));
  return outputs;
}

absl::StatusOr<std::vector<ErrorBound>> NodeBounds(const Node& node, const Operands& inputs,
                                                   const Operands& outputs) {
  std::vector<const Tensor*> in, out;
  for (const auto& input : inputs) in.push_back(input.has_value() ? &*input : nullptr);
  for (const auto& output : outputs) out.push_back(output.has_value() ? &*output : nullptr);
  SEQ_ASSIGN_OR_RETURN(std::vector<ErrorBound> bounds,
                       NodeErrorBounds(*node.op, node.attributes, in, out));
  const std::string& op = node.op->name();
  if (!IsRecurrence(op) && !IsRecurrenceGrad(op)) return bounds;
  Tensor sequence;
  if (IsRecurrence(op)) {
    SEQ_ASSIGN_OR_RETURN(Operands states, EvaluateInDouble(node, inputs, {true, false}));
    sequence = *std::move(states[0]);
  } else {
    sequence = *inputs[kSequence];
  }
  const double amplification = GrowthOf(node, inputs, sequence).amplification;
  for (ErrorBound& bound : bounds) {
    bound.epsilons *= amplification;
    absl::StrAppend(&bound.formula, ", times ", absl::SixDigits(amplification),
                    " (amplification by u)");
  }
  return bounds;
}

absl::StatusOr<std::map<int, BoundedValue>> EvaluateNodesInDouble(
    const Function& function, absl::Span<const int> nodes, const std::map<int, Tensor>& given) {
  std::map<int, BoundedValue> values;
  for (const auto& [v, tensor] : given) {
    values[v] = {IsReal(tensor.dtype()) ? tensor.Cast(DType::kFloat64) : tensor, {}};
  }
  const std::vector<bool> used = function.UsedValues();
  for (int n : nodes) {
    const Node& node = function.nodes()[n];
    Operands inputs(node.inputs.size());
    double inherited = 0;
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (!node.inputs[i].present()) continue;
      const auto input = values.find(node.inputs[i].index);
      if (input == values.end()) {
        return absl::InvalidArgumentError(absl::StrCat(
            "node ", node.name, " reads ", function.info(node.inputs[i]).name, ", not given"));
      }
      inputs[i] = input->second.exact;
      inherited += input->second.bound.epsilons;
    }
    std::vector<bool> wanted;
    for (Value output : node.outputs) wanted.push_back(used[output.index]);
    SEQ_ASSIGN_OR_RETURN(Operands outputs, EvaluateInDouble(node, inputs, wanted));
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

Comparison Compare(const Tensor& actual, const Tensor& exact) {
  Comparison result;
  const bool real = IsReal(actual.dtype());
  const Tensor a = actual.Cast(real ? DType::kFloat64 : DType::kInt64);
  const Tensor e = exact.Cast(a.dtype());
  result.measured = -1;
  for (int64_t i = 0; i < a.num_elements(); ++i) {
    double x, y, difference;
    if (real) {
      x = a.Elements<double>()[i], y = e.Elements<double>()[i];
      const bool same = x == y || (std::isnan(x) && std::isnan(y));
      difference = same ? 0 : std::fabs(x - y);
      if (std::isnan(difference)) difference = std::numeric_limits<double>::infinity();
    } else {
      const int64_t ix = a.Elements<int64_t>()[i], iy = e.Elements<int64_t>()[i];
      x = static_cast<double>(ix), y = static_cast<double>(iy);
      difference = ix == iy ? 0 : std::max(1.0, std::fabs(x - y));
    }
    if (difference > result.measured) result = {difference, i, x, y};
  }
  result.measured = std::max(result.measured, 0.0);
  return result;
}

std::string IndexText(int64_t element, const Shape& shape) {
  std::vector<int64_t> index(shape.rank());
  for (int i = shape.rank() - 1; i >= 0; --i) {
    const int64_t extent = std::max<int64_t>(shape[i].size(), 1);
    index[i] = element % extent;
    element /= extent;
  }
  return absl::StrCat("[", absl::StrJoin(index, ", "), "]");
}

}  // namespace seqgraph
