#include "ops/rewrites/last_state.h"

#include "absl/strings/str_cat.h"
#include "graph/op_def.h"
#include "ops/elementwise.h"

namespace seqgraph::ops {
namespace {

// Whether `last` of a recurrence, or of the one whose gradient it is, is the last step of its
// sequence: not if that is masked, and reversed it is the first.
bool EndsInLastStep(const Node& node) {
  if (!node.op->recurrence().has_value()) return false;
  const int mask = node.op->FindInput("mask");
  const AttributeValue* reverse = node.attributes.Find("reverse");
  return (mask < 0 || !node.inputs[mask].present()) &&
         (reverse == nullptr || !std::get<bool>(*reverse));
}

// True if the node, TakeStep or TakeStepGrad, is about the last step of `sequence`.
bool IsLastStep(const Function& function, const Node& node, Value sequence) {
  const int64_t step = node.attributes.GetInt("step");
  return step == -1 || step == function.type(sequence).shape[1].size() - 1;
}

absl::StatusOr<bool> ApplyToTakeStep(RewriteContext& c) {
  const Node& node = c.node();
  if (node.op->name() != "TakeStep" || !IsLastStep(c.source(), node, node.inputs[0])) return false;
  const Node* cell = c.source().producer(node.inputs[0]);
  // All have the outputs sequence and last; their gradients have others.
  if (cell == nullptr || !EndsInLastStep(*cell) || cell->outputs[0] != node.inputs[0] ||
      !cell->op->recurrence()->gradient_of.empty()) {
    return false;
  }
  c.ReplaceOutput(0, c.Mapped(cell->outputs[1]));
  return true;
}

absl::StatusOr<bool> ApplyToGradient(RewriteContext& c) {
  const Node& node = c.node();
  if (!EndsInLastStep(node) || node.op->recurrence()->gradient_of.empty()) return false;
  const Value d_sequence = node.inputs[node.op->FindInput("d_sequence")];
  const Node* step = c.Producer(d_sequence, "TakeStepGrad");
  if (step == nullptr || !IsLastStep(c.source(), *step, d_sequence)) return false;
  Value d_last = c.Mapped(step->inputs[0]);
  const Value d_last_before = node.inputs[node.op->FindInput("d_last")];
  if (d_last_before.present()) {
    d_last = Add(c.builder(), c.Mapped(d_last_before), d_last, absl::StrCat(node.name, "/d_last"));
  }
  int o = 0;
  for (const Value output : c.Copy({{"d_sequence", {}}, {"d_last", d_last}})) {
    c.ReplaceOutput(o++, output);
  }
  return true;
}

}  // namespace

Rewrite LastStateOfSequence() {
  return {.name = "last_state_of_sequence",
          .rule = "TakeStep(RNNCell(...).sequence, -1) = RNNCell(...).last",
          .apply = ApplyToTakeStep,
          .chains = {{"RNNCell", "TakeStep"}, {"LSTMCell", "TakeStep"}, {"GRUCell", "TakeStep"}}};
}

Rewrite GradientOfLastState() {
  return {.name = "gradient_of_last_state",
          .rule = "RNNCellGrad(d_sequence = TakeStepGrad(dy, -1)) = RNNCellGrad(d_last = dy)",
          .apply = ApplyToGradient};
}

}  // namespace seqgraph::ops
