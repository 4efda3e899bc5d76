#include "ops/rewrites/round_weights.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "graph/op_def.h"
#include "ops/round_weights.h"

namespace seqgraph::ops {
namespace {

bool IsGradient(const Node& node) {
  const auto& recurrence = node.op->recurrence();
  return (recurrence.has_value() && recurrence->is_gradient()) || node.op->name() == "DenseGrad" ||
         node.op->name() == "EmbeddingGrad";
}

// The axis along which the node's input of that name has weights of one output each: 0 for a table
// whose rows are looked up, 1 for a matrix that rows are multiplied by; -1: these are no weights.
int AxisOfWeights(const Node& node, absl::string_view input) {
  const bool recurrent = node.op->recurrence().has_value();
  if ((recurrent || node.op->name() == "Embedding") && input == "table") return 0;
  if (recurrent && (input == "w" || input == "u")) return 1;
  return node.op->name() == "Dense" && input == "w" ? 1 : -1;
}

absl::StatusOr<bool> RoundWeightsOf(RewriteContext& c, WeightFormat format) {
  const Function& source = c.source();
  const Node& node = c.node();
  if (!source.updates().empty() || IsGradient(node)) {
    return InvalidArgument("function ", source.name(), " is for training (it ",
                           source.updates().empty() ? "has gradients" : "updates variables",
                           "): weights in ", WeightFormatName(format), " are for inference alone");
  }
  int64_t weights = 0;
  std::vector<Value> inputs;
  const auto axis_of = [&](size_t i) {
    const bool is_variable =
        node.inputs[i].present() && source.info(node.inputs[i]).origin == Origin::kVariable;
    return is_variable ? AxisOfWeights(node, node.op->inputs()[i].name) : -1;
  };
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    inputs.push_back(c.Mapped(node.inputs[i]));
    if (axis_of(i) >= 0) weights += source.type(node.inputs[i]).shape.num_elements();
  }
  if (weights <= kFewWeights) return false;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (axis_of(i) < 0) continue;
    inputs[i] = RoundWeights(c.builder(), inputs[i], format, axis_of(i),
                             absl::StrCat(node.name, "/", node.op->inputs()[i].name));
  }
  const std::vector<Value> outputs =
      c.builder().AddNode(node.op->name(), inputs, node.attributes, node.name);
  for (size_t o = 0; o < outputs.size(); ++o) c.ReplaceOutput(static_cast<int>(o), outputs[o]);
  return true;
}

}  // namespace

FunctionPass RoundWeightsTo(WeightFormat format) {
  const std::string name = WeightFormatName(format);
  const std::string rule = absl::StrCat(
      "Dense(x, w) = Dense(x, RoundWeights(w)), to ", name,
      "; recurrent cells and Embedding likewise: for inference, and within what that rounds");
  return {.name = absl::StrCat("round_weights_", name),
          .rule = rule,
          .rewrites = {{"round_weights", rule,
                        [format](RewriteContext& c) { return RoundWeightsOf(c, format); }}}};
}

}  // namespace seqgraph::ops
