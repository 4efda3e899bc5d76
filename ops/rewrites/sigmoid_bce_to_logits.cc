#include "ops/rewrites/sigmoid_bce_to_logits.h"

#include "absl/strings/str_cat.h"
#include "graph/op_def.h"
#include "ops/activations.h"
#include "ops/bce.h"
#include "ops/dense.h"

namespace seqgraph::ops {
namespace {

// True for a BCE that clips only to stay away from log 0. One that clips at 0.1 means it.
bool IsUnclippedBCE(const Node& node) {
  return node.op->name() == "BCE" && node.attributes.GetFloat("epsilon") <= 1e-6;
}

// True if some BCE reads the value as its p.
bool IsProbabilityOfBCE(const RewriteContext& c, Value value) {
  for (int consumer : c.Consumers(value)) {
    const Node& node = c.source().nodes()[consumer];
    if (IsUnclippedBCE(node) && node.inputs[0] == value) return true;
  }
  return false;
}

absl::StatusOr<bool> SplitSigmoid(RewriteContext& c) {
  const Node& node = c.node();
  if (node.op->name() != "Dense" || node.attributes.GetString("activation") != "sigmoid" ||
      !IsProbabilityOfBCE(c, node.outputs[0])) {
    return false;
  }
  const Value z = Dense(c.builder(), c.Mapped(node.inputs[0]), c.Mapped(node.inputs[1]),
                        {.bias = c.Mapped(node.inputs[2]), .name = node.name});
  c.ReplaceOutput(0, Sigmoid(c.builder(), z, absl::StrCat(node.name, "/sigmoid")));
  return true;
}

absl::StatusOr<bool> ApplyToBCE(RewriteContext& c) {
  const Node& node = c.node();
  if (!IsUnclippedBCE(node)) return false;
  const Node* sigmoid = c.Producer(node.inputs[0], "Sigmoid");
  if (sigmoid == nullptr) return false;
  c.ReplaceOutput(0,
                  BCEWithLogits(c.builder(), c.Mapped(sigmoid->inputs[0]), c.Mapped(node.inputs[1]),
                                {.weights = c.Mapped(node.inputs[2]), .name = node.name}));
  return true;
}

}  // namespace

Rewrite SplitDenseSigmoid() {
  return {.name = "split_dense_sigmoid",
          .rule = "Dense(x, w, b, sigmoid), read by BCE, = Sigmoid(Dense(x, w, b))",
          .apply = SplitSigmoid,
          .chains = {{"Dense", "BCE"}}};
}

Rewrite SigmoidBCEToLogits() {
  return {.name = "sigmoid_bce_to_logits",
          .rule = "BCE(Sigmoid(z), labels) = BCEWithLogits(z, labels)",
          .apply = ApplyToBCE,
          .chains = {{"Sigmoid", "BCE"}}};
}

}  // namespace seqgraph::ops
