#include "tests/ops/evaluator.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace seqgraph {
namespace {

void Fill(Tensor& tensor, double value) {
  if (tensor.dtype() == DType::kFloat32) {
    std::fill_n(tensor.Elements<float>().data(), tensor.num_elements(), value);
  } else if (tensor.dtype() == DType::kFloat64) {
    std::fill_n(tensor.Elements<double>().data(), tensor.num_elements(), value);
  }
}

// The float type of a node: that of its first real operand.
DType RealTypeOf(absl::Span<const ReferenceContext::Operand> inputs,
                 absl::Span<const TensorType> outputs) {
  for (const ReferenceContext::Operand& input : inputs) {
    if (input.type != nullptr && IsReal(input.type->dtype)) return input.type->dtype;
  }
  for (const TensorType& output : outputs) {
    if (IsReal(output.dtype)) return output.dtype;
  }
  return DType::kFloat32;
}

}  // namespace

absl::StatusOr<OptionalTensors> EvaluateOp(const OpDef& op, const Attributes& attributes,
                                           const OptionalTensors& inputs,
                                           const EvaluateOptions& options) {
  SEQ_ASSIGN_OR_RETURN(const Attributes complete, op.CompleteAttributes(attributes));
  SEQ_ASSIGN_OR_RETURN(const std::vector<TensorType> types,
                       op.InferTypes(TypesOf(inputs), complete));
  std::vector<ReferenceContext::Operand> operands(inputs.size()), results(types.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].has_value()) continue;
    operands[i] = {const_cast<void*>(inputs[i]->data()), &inputs[i]->type()};
  }
  OptionalTensors outputs(types.size());
  for (size_t i = 0; i < types.size(); ++i) {
    results[i].type = &types[i];
    if (!options.wanted.empty() && !options.wanted[i]) continue;
    SEQ_ASSIGN_OR_RETURN(outputs[i], Tensor::Zeros(types[i]));
    Fill(*outputs[i], options.fill);
    results[i].data = outputs[i]->data();
  }
  const ReferenceFunction& reference = op.reference(RealTypeOf(operands, types));
  SEQ_RETURN_IF_ERROR(reference(ReferenceContext(operands, results, complete)));
  return outputs;
}

absl::StatusOr<TensorMap> Evaluate(const Function& function, const TensorMap& feeds) {
  OptionalTensors values(function.values().size());
  const auto feed = [&](Value value) -> absl::Status {
    const ValueInfo& info = function.info(value);
    const auto found = feeds.find(info.name);
    if (found == feeds.end() || found->second.type() != info.type) {
      return absl::InvalidArgumentError(
          absl::StrCat("no ", info.type.ToString(), " is fed to ", info.name));
    }
    values[value.index] = found->second;
    return absl::OkStatus();
  };
  for (Value input : function.inputs()) SEQ_RETURN_IF_ERROR(feed(input));
  for (const VariableRead& read : function.variables()) SEQ_RETURN_IF_ERROR(feed(read.value));
  for (const Node& node : function.nodes()) {
    OptionalTensors inputs(node.inputs.size());
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (node.inputs[i].present()) inputs[i] = values[node.inputs[i].index];
    }
    absl::StatusOr<OptionalTensors> outputs = EvaluateOp(*node.op, node.attributes, inputs);
    SEQ_RETURN_IF_ERROR(Annotate(outputs.status(), absl::StrCat("node ", node.name)));
    for (size_t i = 0; i < outputs->size(); ++i) {
      values[node.outputs[i].index] = std::move((*outputs)[i]);
    }
  }
  TensorMap results;
  for (const NamedValue& result : function.results()) {
    results[result.name] = *values[result.value.index];
  }
  return results;
}

OptionalTensors CastReals(const OptionalTensors& tensors, DType real) {
  OptionalTensors cast = tensors;
  for (std::optional<Tensor>& tensor : cast) {
    if (tensor.has_value() && IsReal(tensor->dtype())) tensor = tensor->Cast(real);
  }
  return cast;
}

Attributes CastReals(const Attributes& attributes, DType real) {
  Attributes cast = attributes;
  for (const auto& [name, value] : attributes.entries()) {
    const DType* dtype = std::get_if<DType>(&value);
    if (dtype != nullptr && IsReal(*dtype)) cast.Set(name, real);
  }
  return cast;
}

std::vector<std::optional<TensorType>> TypesOf(const OptionalTensors& tensors) {
  std::vector<std::optional<TensorType>> types(tensors.size());
  for (size_t i = 0; i < tensors.size(); ++i) {
    if (tensors[i].has_value()) types[i] = tensors[i]->type();
  }
  return types;
}

double LargestMagnitude(const Tensor& tensor) {
  const Tensor real = tensor.Cast(DType::kFloat64);
  double largest = 0;
  for (double x : real.Elements<double>()) {
    if (!(std::abs(x) <= largest)) largest = std::abs(x);
    if (std::isnan(x)) return x;
  }
  return largest;
}

double RelativeError(const Tensor& a, const Tensor& b) {
  if (a.shape() != b.shape()) return std::numeric_limits<double>::infinity();
  Tensor difference = a.Cast(DType::kFloat64);
  const Tensor expected = b.Cast(DType::kFloat64);
  const absl::Span<double> elements = difference.Elements<double>();
  for (size_t i = 0; i < elements.size(); ++i) elements[i] -= expected.Elements<double>()[i];
  const double magnitude = LargestMagnitude(expected);
  return LargestMagnitude(difference) / (magnitude == 0 ? 1 : magnitude);
}

}  // namespace seqgraph
