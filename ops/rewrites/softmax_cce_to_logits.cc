#include "ops/rewrites/softmax_cce_to_logits.h"

#include "graph/op_def.h"
#include "ops/cross_entropy.h"

namespace seqgraph::ops {
namespace {

absl::StatusOr<bool> SoftmaxToLogits(RewriteContext& c) {
  const Node& node = c.node();
  if (node.op->name() != "CategoricalCrossEntropy" || node.attributes.GetFloat("epsilon") > 1e-6) {
    return false;
  }
  const Node* softmax = c.Producer(node.inputs[0], "Softmax");
  if (softmax == nullptr) return false;
  c.ReplaceOutput(0, SoftmaxCrossEntropyWithLogits(
                         c.builder(), c.Mapped(softmax->inputs[0]), c.Mapped(node.inputs[1]),
                         {.weights = c.Mapped(node.inputs[2]), .name = node.name}));
  return true;
}

}  // namespace

Rewrite SoftmaxCCEToLogits() {
  return {.name = "softmax_cce_to_logits",
          .rule =
              "CategoricalCrossEntropy(Softmax(z), labels) = "
              "SoftmaxCrossEntropyWithLogits(z, labels)",
          .apply = SoftmaxToLogits,
          .chains = {{"Softmax", "CategoricalCrossEntropy"}}};
}

}  // namespace seqgraph::ops
