#include "ops/rewrites/fuse_dense_activation.h"

#include <string>

#include "graph/op_def.h"
#include "ops/dense.h"

namespace seqgraph::ops {
namespace {

// As Dense calls it; empty for an op that is none.
std::string ActivationOf(const Node& node) {
  if (node.op->name() == "Tanh") return "tanh";
  if (node.op->name() == "Relu") return "relu";
  if (node.op->name() == "Sigmoid") return "sigmoid";
  return "";
}

absl::StatusOr<bool> FuseActivation(RewriteContext& c) {
  const Node& node = c.node();
  if (node.op->name() != "Dense" || node.attributes.GetString("activation") != "none" ||
      !c.OnlyReader(node.outputs[0])) {
    return false;
  }
  const Node& reader = c.source().nodes()[c.Consumers(node.outputs[0])[0]];
  const std::string activation = ActivationOf(reader);
  if (activation.empty()) return false;
  c.ReplaceLater(
      reader, 0,
      Dense(c.builder(), c.Mapped(node.inputs[0]), c.Mapped(node.inputs[1]),
            {.bias = c.Mapped(node.inputs[2]), .activation = activation, .name = node.name}));
  return true;
}

}  // namespace

FunctionPass FuseDenseActivation() {
  const Rewrite rewrite{"fuse_dense_activation",
                        "",
                        FuseActivation,
                        {{"Dense", "Tanh"}, {"Dense", "Sigmoid"}, {"Dense", "Relu"}}};
  return {.name = rewrite.name,
          .rule = "act(Dense(x, w, b)) = Dense(x, w, b, act)",
          .stage = PassStage::kFuse,
          .only_if_claimed = true,
          .only_if_cheaper = true,
          .rewrites = {rewrite}};
}

}  // namespace seqgraph::ops
