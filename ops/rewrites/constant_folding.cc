#include "ops/rewrites/constant_folding.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "graph/constant_attributes.h"
#include "graph/elementwise_program.h"
#include "graph/evaluate.h"
#include "ops/constant.h"

namespace seqgraph::ops {
namespace {

// What may be computed while a function is compiled.
constexpr int64_t kMaxElements = 1 << 16;

// What a constant costs is its content, which lies in the function, in every copy of it, and in
// what a plugin is sent; nodes that follow from constants cost nothing in most calls, for their
// outputs are kept. So the content must not grow; but for a kilobyte, which is no more than what a
// node takes itself (its names, types and places).
constexpr int64_t kSmallBytes = 1024;

// What lies in the function: equal elements only once.
int64_t ContentBytes(const Tensor& tensor) {
  return ConstantAttributes(tensor).GetTensor("value").num_bytes();
}

bool IsSmall(const TensorType& type) {
  return type.shape.is_static() && type.shape.num_elements() <= kMaxElements;
}

// What the value always is; absent if that is not known, or too large.
std::optional<Tensor> ConstantValue(const Function& function, Value value) {
  const Node* node = function.producer(value);
  if (node == nullptr || !IsSmall(function.type(value))) return std::nullopt;
  // A fill reads no element of its input, which may be anything.
  const std::optional<FusableFacts>& fusable = node->op->fusable();
  const bool fills = fusable.has_value() && InfoOf(fusable->op).operands == 0;
  if (!node->op->pure() || !(fills || node->inputs.empty())) return std::nullopt;
  OptionalTensors inputs;
  for (Value input : node->inputs) {
    absl::StatusOr<Tensor> any = Tensor::Zeros(function.type(input));
    if (!any.ok()) return std::nullopt;
    inputs.push_back(*std::move(any));
  }
  absl::StatusOr<OptionalTensors> outputs = Evaluate(*node->op, node->attributes, inputs);
  if (!outputs.ok()) return std::nullopt;
  return std::move(outputs->front());
}

absl::StatusOr<bool> FoldConstants(RewriteContext& c) {
  const Node& node = c.node();
  if (!node.op->pure()) return false;
  OptionalTensors inputs(node.inputs.size());
  int64_t bytes_before = 0, bytes_after = 0;
  bool any = false;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!node.inputs[i].present()) continue;
    inputs[i] = ConstantValue(c.source(), node.inputs[i]);
    if (!inputs[i].has_value()) return false;
    bytes_before += ContentBytes(*inputs[i]);
    any = true;
  }
  if (!any) return false;
  for (Value output : node.outputs) {
    if (!IsSmall(c.source().type(output))) return false;
  }
  const absl::StatusOr<OptionalTensors> outputs = Evaluate(*node.op, node.attributes, inputs);
  if (!outputs.ok()) return false;
  for (const std::optional<Tensor>& output : *outputs) bytes_after += ContentBytes(*output);
  if (bytes_after > std::max(bytes_before, kSmallBytes)) return false;
  for (size_t o = 0; o < outputs->size(); ++o) {
    c.ReplaceOutput(static_cast<int>(o), Constant(c.builder(), *(*outputs)[o], node.name));
  }
  return true;
}

}  // namespace

Rewrite ConstantFolding() {
  return {.name = "constant_folding",
          .rule = "f(constants) = Constant, where the content does not grow",
          .apply = FoldConstants};
}

}  // namespace seqgraph::ops
