#include "graph/evaluate.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace seqgraph {
namespace {

using Operand = ReferenceContext::Operand;

void Fill(Tensor& tensor, double value) {
  if (tensor.dtype() == DType::kFloat32) {
    std::fill_n(tensor.Elements<float>().data(), tensor.num_elements(), value);
  } else if (tensor.dtype() == DType::kFloat64) {
    std::fill_n(tensor.Elements<double>().data(), tensor.num_elements(), value);
  }
}

}  // namespace

absl::StatusOr<OptionalTensors> Evaluate(const OpDef& op, const Attributes& attributes,
                                         absl::Span<const Tensor* const> inputs,
                                         const EvaluationOptions& options) {
  SEQ_ASSIGN_OR_RETURN(const Attributes complete, op.CompleteAttributes(attributes));
  std::vector<Operand> operands(inputs.size());
  std::vector<std::optional<TensorType>> input_types(inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i] == nullptr) continue;
    operands[i] = Operand::Of(*inputs[i]);
    input_types[i] = inputs[i]->type();
  }
  SEQ_ASSIGN_OR_RETURN(const std::vector<TensorType> types, op.InferTypes(input_types, complete));
  OptionalTensors outputs(types.size());
  std::vector<Operand> results(types.size());
  for (size_t o = 0; o < types.size(); ++o) {
    results[o].type = &types[o];
    if (!options.wanted.empty() && !options.wanted[o]) continue;
    SEQ_ASSIGN_OR_RETURN(outputs[o], Tensor::Zeros(types[o]));
    Fill(*outputs[o], options.fill);
    results[o].data = outputs[o]->data();
  }
  for (const auto [o, i] : options.in_place) {
    if (inputs[i] == nullptr || !outputs[o].has_value() || inputs[i]->type() != types[o]) continue;
    outputs[o] = *inputs[i];
    results[o].data = operands[i].data = outputs[o]->data();
  }
  SEQ_RETURN_IF_ERROR(op.Compute(ReferenceContext(operands, results, complete)));
  return outputs;
}

absl::StatusOr<OptionalTensors> Evaluate(const OpDef& op, const Attributes& attributes,
                                         const OptionalTensors& inputs,
                                         const EvaluationOptions& options) {
  return Evaluate(op, attributes, PointersTo(inputs), options);
}

absl::StatusOr<std::vector<Tensor>> EvaluateValues(const Function& function, const TensorMap& feeds,
                                                   const EvaluationVisitor& visitor) {
  std::vector<Tensor> values(function.values().size());
  const auto feed = [&](Value value) -> absl::Status {
    const ValueInfo& info = function.info(value);
    const auto found = feeds.find(info.name);
    if (found == feeds.end() || found->second.type() != info.type) {
      return InvalidArgument("no ", info.type.ToString(), " is fed to ", info.name);
    }
    values[value.index] = found->second;
    return absl::OkStatus();
  };
  for (Value input : function.inputs()) SEQ_RETURN_IF_ERROR(feed(input));
  for (const VariableRead& read : function.variables()) SEQ_RETURN_IF_ERROR(feed(read.value));
  for (const Node& node : function.nodes()) {
    std::vector<const Tensor*> inputs;
    for (Value input : node.inputs) {
      inputs.push_back(input.present() ? &values[input.index] : nullptr);
    }
    absl::StatusOr<OptionalTensors> outputs = Evaluate(*node.op, node.attributes, inputs);
    SEQ_RETURN_IF_ERROR(Annotate(outputs.status(), absl::StrCat("node ", node.name)));
    if (visitor) SEQ_RETURN_IF_ERROR(visitor(node, inputs, *outputs));
    for (size_t o = 0; o < outputs->size(); ++o) {
      values[node.outputs[o].index] = *std::move((*outputs)[o]);
    }
  }
  return values;
}

absl::StatusOr<TensorMap> Evaluate(const Function& function, const TensorMap& feeds) {
  SEQ_ASSIGN_OR_RETURN(const std::vector<Tensor> values, EvaluateValues(function, feeds));
  return ResultsOf(function, values);
}

TensorMap ResultsOf(const Function& function, absl::Span<const Tensor> values) {
  TensorMap results;
  for (const auto* list : {&function.results(), &function.updates()}) {
    for (const NamedValue& named : *list) results[named.name] = values[named.value.index];
  }
  return results;
}

Tensor CastReals(const Tensor& tensor, DType real) {
  return IsReal(tensor.dtype()) ? tensor.Cast(real) : tensor;
}

OptionalTensors CastReals(const OptionalTensors& tensors, DType real) {
  OptionalTensors cast = tensors;
  for (std::optional<Tensor>& tensor : cast) {
    if (tensor.has_value()) tensor = CastReals(*tensor, real);
  }
  return cast;
}

Attributes CastReals(const Attributes& attributes, DType real) {
  Attributes cast = attributes;
  for (const auto& [name, value] : attributes.entries()) {
    if (const DType* dtype = std::get_if<DType>(&value); dtype != nullptr && IsReal(*dtype)) {
      cast.Set(name, real);
    } else if (const auto* tensor = std::get_if<TensorAttribute>(&value)) {
      cast.Set(name, CastReals(**tensor, real));
    }
  }
  return cast;
}

std::vector<const Tensor*> PointersTo(const OptionalTensors& tensors) {
  std::vector<const Tensor*> pointers;
  for (const std::optional<Tensor>& tensor : tensors) {
    pointers.push_back(tensor.has_value() ? &*tensor : nullptr);
  }
  return pointers;
}

std::vector<std::optional<TensorType>> TypesOf(const OptionalTensors& tensors) {
  std::vector<std::optional<TensorType>> types(tensors.size());
  for (size_t i = 0; i < tensors.size(); ++i) {
    if (tensors[i].has_value()) types[i] = tensors[i]->type();
  }
  return types;
}

}  // namespace seqgraph
