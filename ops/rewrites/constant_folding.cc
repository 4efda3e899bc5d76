#include "ops/rewrites/constant_folding.h"

#include <optional>
#include <utility>
#include <vector>

#include "graph/constant_text.h"
#include "ops/constant.h"

namespace seqgraph::ops {
namespace {

using Operand = ReferenceContext::Operand;

constexpr int64_t kMaxElements = 1 << 16;

bool IsSmall(const TensorType& type) {
  return type.shape.is_static() && type.shape.num_elements() <= kMaxElements;
}

// The outputs of the node on these inputs; absent if it fails or is too large to try.
std::optional<std::vector<Tensor>> Evaluate(const Function& function, const Node& node,
                                            std::vector<Tensor>& inputs) {
  DType real = DType::kFloat32;
  std::vector<Operand> in(node.inputs.size()), out;
  size_t next = 0;
  for (size_t i = 0; i < in.size(); ++i) {
    if (!node.inputs[i].present()) continue;
    Tensor& tensor = inputs[next++];
    if (IsReal(tensor.dtype())) real = tensor.dtype();
    in[i] = {tensor.data(), &tensor.type()};
  }
  std::vector<Tensor> results;
  results.reserve(node.outputs.size());
  for (Value output : node.outputs) {
    const TensorType& type = function.type(output);
    if (!IsSmall(type)) return std::nullopt;
    if (inputs.empty() && IsReal(type.dtype)) real = type.dtype;
    absl::StatusOr<Tensor> result = Tensor::Zeros(type);
    if (!result.ok()) return std::nullopt;
    results.push_back(*std::move(result));
    out.push_back({results.back().data(), &results.back().type()});
  }
  const absl::Status status = node.op->reference(real)(ReferenceContext(in, out, node.attributes));
  if (!status.ok()) return std::nullopt;
  return results;
}

// What the value always is; absent if that is not known, or too large.
std::optional<Tensor> ConstantValue(const Function& function, Value value) {
  const Node* node = function.producer(value);
  if (node == nullptr || !IsSmall(function.type(value))) return std::nullopt;
  std::vector<Tensor> inputs;
  if (node->op->name() == "FillLike") {
    // Of `like` no element is read.
    absl::StatusOr<Tensor> like = Tensor::Zeros(function.type(node->inputs[0]));
    if (!like.ok()) return std::nullopt;
    inputs.push_back(*std::move(like));
  } else if (node->op->name() != "Constant") {
    return std::nullopt;
  }
  std::optional<std::vector<Tensor>> outputs = Evaluate(function, *node, inputs);
  if (!outputs.has_value()) return std::nullopt;
  return std::move(outputs->front());
}

absl::StatusOr<bool> Apply(RewriteContext& c) {
  const Node& node = c.node();
  if (!node.op->pure()) return false;
  std::vector<Tensor> inputs;
  for (Value input : node.inputs) {
    if (!input.present()) continue;
    std::optional<Tensor> constant = ConstantValue(c.source(), input);
    if (!constant.has_value()) return false;
    inputs.push_back(*std::move(constant));
  }
  if (inputs.empty()) return false;
  const std::optional<std::vector<Tensor>> outputs = Evaluate(c.source(), node, inputs);
  if (!outputs.has_value()) return false;
  for (const Tensor& output : *outputs) {
    if (!ConstantText(output).has_value()) return false;
  }
  for (size_t o = 0; o < outputs->size(); ++o) {
    c.ReplaceOutput(static_cast<int>(o), Constant(c.builder(), (*outputs)[o], node.name));
  }
  return true;
}

}  // namespace

Rewrite ConstantFolding() {
  return {.name = "constant_folding",
          .rule = "f(constants) = Constant, of few or of equal elements",
          .apply = Apply};
}

}  // namespace seqgraph::ops
