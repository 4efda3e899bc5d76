#include "ops/rewrites/last_state.h"

#include "absl/strings/str_cat.h"
#include "graph/op_def.h"
#include "ops/elementwise.h"
#include "ops/rnn_cell.h"

namespace seqgraph::ops {
namespace {

enum { kX, kW, kU, kB, kH0, kSequence, kDSequence, kDLast };  // inputs of RNNCellGrad

// True if the node, TakeStep or TakeStepGrad, is about the last step of `sequence`.
bool IsLastStep(const Function& function, const Node& node, Value sequence) {
  const int64_t step = node.attributes.GetInt("step");
  return step == -1 || step == function.type(sequence).shape[1].size() - 1;
}

absl::StatusOr<bool> ApplyToTakeStep(RewriteContext& c) {
  const Node& node = c.node();
  if (node.op->name() != "TakeStep" || !IsLastStep(c.source(), node, node.inputs[0])) return false;
  const Node* cell = c.source().producer(node.inputs[0]);
  // Both have the outputs sequence and last. Reversed (version 2), the last state is no last step.
  if (cell == nullptr || (cell->op->name() != "RNNCell" && cell->op->name() != "LookupRNNCell") ||
      cell->outputs[0] != node.inputs[0] || NodeVersion(*cell) > 1) {
    return false;
  }
  c.ReplaceOutput(0, c.Mapped(cell->outputs[1]));
  return true;
}

absl::StatusOr<bool> ApplyToRNNCellGrad(RewriteContext& c) {
  const Node& node = c.node();
  if (node.op->name() != "RNNCellGrad" || NodeVersion(node) > 1) return false;
  const Node* step = c.Producer(node.inputs[kDSequence], "TakeStepGrad");
  if (step == nullptr || !IsLastStep(c.source(), *step, node.inputs[kDSequence])) return false;
  Value d_last = c.Mapped(step->inputs[0]);
  if (node.inputs[kDLast].present()) {
    d_last =
        Add(c.builder(), c.Mapped(node.inputs[kDLast]), d_last, absl::StrCat(node.name, "/d_last"));
  }
  const RNNCellGradOutputs grad =
      RNNCellGrad(c.builder(), {.x = c.Mapped(node.inputs[kX]),
                                .w = c.Mapped(node.inputs[kW]),
                                .u = c.Mapped(node.inputs[kU]),
                                .bias = c.Mapped(node.inputs[kB]),
                                .initial_state = c.Mapped(node.inputs[kH0]),
                                .sequence = c.Mapped(node.inputs[kSequence]),
                                .d_sequence = {},
                                .d_last = d_last,
                                .activation = node.attributes.GetString("activation"),
                                .name = node.name});
  int o = 0;
  for (Value output : {grad.dx, grad.dw, grad.du, grad.db, grad.dh0}) c.ReplaceOutput(o++, output);
  return true;
}

}  // namespace

Rewrite LastStateOfSequence() {
  return {.name = "last_state_of_sequence",
          .rule = "TakeStep(RNNCell(...).sequence, -1) = RNNCell(...).last",
          .apply = ApplyToTakeStep,
          .chains = {{"RNNCell", "TakeStep"}}};
}

Rewrite GradientOfLastState() {
  return {.name = "gradient_of_last_state",
          .rule = "RNNCellGrad(d_sequence = TakeStepGrad(dy, -1)) = RNNCellGrad(d_last = dy)",
          .apply = ApplyToRNNCellGrad};
}

}  // namespace seqgraph::ops
