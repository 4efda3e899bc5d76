#include "ops/rewrites/fuse_lookup_rnn_cell.h"

#include <algorithm>
#include <string>
#include <vector>

#include "ops/embedding.h"
#include "ops/lookup_rnn_cell.h"
#include "ops/rnn_cell.h"

namespace seqgraph::ops {
namespace {

// Inputs of RNNCell and, after the first five, of RNNCellGrad; outputs of RNNCellGrad.
enum { kX, kW, kU, kB, kH0, kSequence, kDSequence, kDLast };
enum { kDx, kDw, kDu, kDb, kDh0 };

const Node* Producer(const RewriteContext& c, Value value, const char* op) {
  const Node* node = value.present() ? c.source().producer(value) : nullptr;
  return node != nullptr && node->op->name() == op ? node : nullptr;
}

// The lookup that gives a recurrence its projected input, a row of units for each token; null if it
// comes from elsewhere. Masks, dropout and reverse, which came with version 2, have no fused form.
const Node* Lookup(const RewriteContext& c, const Node& recurrence) {
  if (recurrence.inputs[kW].present() || NodeVersion(recurrence) > 1) return nullptr;
  return Producer(c, recurrence.inputs[kX], "Embedding");
}

bool IsResult(const Function& function, Value value) {
  const auto is = [value](const NamedValue& named) { return named.value == value; };
  return std::any_of(function.results().begin(), function.results().end(), is) ||
         std::any_of(function.updates().begin(), function.updates().end(), is);
}

bool IsRead(const RewriteContext& c, Value value) {
  return !c.Consumers(value).empty() || IsResult(c.source(), value);
}

// Whether nothing but gradients of the lookup's table, all by the same ids, read the node's dx.
bool OnlyTheTableReadsDx(const RewriteContext& c, const Node& grad, const Node& lookup) {
  const Value dx = grad.outputs[kDx];
  if (IsResult(c.source(), dx)) return false;
  const std::vector<int>& readers = c.Consumers(dx);
  return std::all_of(readers.begin(), readers.end(), [&](int n) {
    const Node& reader = c.source().nodes()[n];
    return reader.op->name() == "EmbeddingGrad" && reader.inputs[0] == lookup.inputs[0] &&
           reader.attributes.GetInt("rows") == c.source().type(lookup.inputs[1]).shape[0].size();
  });
}

LookupRNNCellGradOutputs EmitGrad(RewriteContext& c, const Node& grad, const Node& lookup) {
  return LookupRNNCellGrad(c.builder(), {.ids = c.Mapped(lookup.inputs[0]),
                                         .table = c.Mapped(lookup.inputs[1]),
                                         .u = c.Mapped(grad.inputs[kU]),
                                         .bias = c.Mapped(grad.inputs[kB]),
                                         .initial_state = c.Mapped(grad.inputs[kH0]),
                                         .sequence = c.Mapped(grad.inputs[kSequence]),
                                         .d_sequence = c.Mapped(grad.inputs[kDSequence]),
                                         .d_last = c.Mapped(grad.inputs[kDLast]),
                                         .activation = grad.attributes.GetString("activation"),
                                         .name = grad.name});
}

// The LookupRNNCellGrad of the same operands, if an earlier sweep has made it; or null.
const Node* FusedTwin(const RewriteContext& c, const Node& grad, const Node& lookup) {
  std::vector<Value> inputs(grad.inputs.begin(), grad.inputs.begin() + kDLast + 1);
  inputs[0] = lookup.inputs[0];
  inputs[1] = lookup.inputs[1];
  for (const int n : c.Consumers(grad.inputs[kSequence])) {
    const Node& node = c.source().nodes()[n];
    if (node.op->name() == "LookupRNNCellGrad" && node.inputs == inputs &&
        node.attributes.GetString("activation") == grad.attributes.GetString("activation")) {
      return &node;
    }
  }
  return nullptr;
}

absl::StatusOr<bool> ApplyForward(RewriteContext& c) {
  const Node& node = c.node();
  if (node.op->name() != "RNNCell") return false;
  const Node* lookup = Lookup(c, node);
  if (lookup == nullptr) return false;
  const RNNCellOutputs outputs =
      LookupRNNCell(c.builder(), c.Mapped(lookup->inputs[0]), c.Mapped(lookup->inputs[1]),
                    c.Mapped(node.inputs[kU]),
                    {.bias = c.Mapped(node.inputs[kB]),
                     .initial_state = c.Mapped(node.inputs[kH0]),
                     .activation = node.attributes.GetString("activation"),
                     .name = node.name});
  c.ReplaceOutput(0, outputs.sequence);
  c.ReplaceOutput(1, outputs.last);
  return true;
}

// At RNNCellGrad: all but dx goes to the fused node. dx stays for its readers, which come later,
// until they take dtable instead.
absl::StatusOr<bool> ApplyToRecurrence(RewriteContext& c) {
  const Node& node = c.node();
  const Node* lookup = Lookup(c, node);
  if (lookup == nullptr || !OnlyTheTableReadsDx(c, node, *lookup)) return false;
  if (!IsRead(c, node.outputs[kDu]) && !IsRead(c, node.outputs[kDb]) &&
      !IsRead(c, node.outputs[kDh0])) {
    return false;
  }
  const LookupRNNCellGradOutputs fused = EmitGrad(c, node, *lookup);
  c.ReplaceOutput(kDu, fused.du);
  c.ReplaceOutput(kDb, fused.db);
  c.ReplaceOutput(kDh0, fused.dh0);
  // dw is empty without w, so that any node of the kind gives it.
  const bool needs_rest = IsRead(c, node.outputs[kDx]) || IsRead(c, node.outputs[kDw]);
  if (!needs_rest) return true;
  const RNNCellGradOutputs rest =
      RNNCellGrad(c.builder(), {.x = c.Mapped(node.inputs[kX]),
                                .u = c.Mapped(node.inputs[kU]),
                                .bias = c.Mapped(node.inputs[kB]),
                                .initial_state = c.Mapped(node.inputs[kH0]),
                                .sequence = c.Mapped(node.inputs[kSequence]),
                                .d_sequence = c.Mapped(node.inputs[kDSequence]),
                                .d_last = c.Mapped(node.inputs[kDLast]),
                                .activation = node.attributes.GetString("activation"),
                                .name = node.name});
  c.ReplaceOutput(kDx, rest.dx);
  c.ReplaceOutput(kDw, rest.dw);
  return true;
}

// At EmbeddingGrad of such a dx: dtable of the fused node, a new one if only dx was ever read.
absl::StatusOr<bool> ApplyToTable(RewriteContext& c) {
  const Node& node = c.node();
  const Node* grad = Producer(c, node.inputs[1], "RNNCellGrad");
  if (grad == nullptr || node.inputs[1] != grad->outputs[kDx]) return false;
  const Node* lookup = Lookup(c, *grad);
  if (lookup == nullptr || !OnlyTheTableReadsDx(c, *grad, *lookup)) return false;
  for (const int output : {kDu, kDb, kDh0}) {
    if (IsRead(c, grad->outputs[output])) return false;  // first comes ApplyToRecurrence
  }
  const Node* twin = FusedTwin(c, *grad, *lookup);
  c.ReplaceOutput(
      0, twin != nullptr ? c.Mapped(twin->outputs[0]) : EmitGrad(c, *grad, *lookup).dtable);
  return true;
}

absl::StatusOr<bool> ApplyBackward(RewriteContext& c) {
  const std::string& op = c.node().op->name();
  if (op == "RNNCellGrad") return ApplyToRecurrence(c);
  if (op == "EmbeddingGrad") return ApplyToTable(c);
  return false;
}

}  // namespace

Rewrite FuseLookupRNNCell() {
  return {
      .name = "fuse_lookup_rnn_cell",
      .rule = "RNNCell(Embedding(ids, t), projected, u, b, h0) = LookupRNNCell(ids, t, u, b, h0)",
      .apply = ApplyForward};
}

Rewrite FuseLookupRNNCellGrad() {
  return {.name = "fuse_lookup_rnn_cell_grad",
          .rule =
              "EmbeddingGrad(ids, dx), du, db, dh0 of RNNCellGrad(Embedding(ids, t), projected, u, "
              "...) = LookupRNNCellGrad(ids, t, u, ...)",
          .apply = ApplyBackward};
}

}  // namespace seqgraph::ops
