#include "ops/rewrites/fuse_lookup_rnn_cell.h"

#include "graph/op_def.h"
#include "ops/embedding.h"
#include "ops/lookup_rnn_cell.h"
#include "ops/rewrites/table_gradients.h"
#include "ops/rnn_cell.h"

namespace seqgraph::ops {
namespace {

// Inputs of RNNCell and, after the first five, of RNNCellGrad; outputs of RNNCellGrad.
enum { kX, kW, kU, kB, kH0, kSequence, kDSequence, kDLast };
enum { kDx, kDw, kDu, kDb, kDh0 };

// The lookup that gives a recurrence its projected input, a row of units for each token; null if it
// comes from elsewhere. Masks, dropout and reverse, which came with version 2, have no fused form.
const Node* Lookup(const RewriteContext& c, const Node& recurrence) {
  if (recurrence.inputs[kW].present() || NodeVersion(recurrence) > 1) return nullptr;
  return c.Producer(recurrence.inputs[kX], "Embedding");
}

bool IsRead(const RewriteContext& c, Value value) {
  return !c.Consumers(value).empty() || c.Leaves(value);
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

absl::StatusOr<bool> ApplyBackward(RewriteContext& c) {
  const Node& node = c.node();
  if (node.op->name() != "RNNCellGrad") return false;
  const Node* lookup = Lookup(c, node);
  // dw is empty without w; who reads it all the same keeps the node.
  if (lookup == nullptr || !OnlyTableReads(c, *lookup, node.outputs[kDx]) ||
      IsRead(c, node.outputs[kDw])) {
    return false;
  }
  const LookupRNNCellGradOutputs fused =
      LookupRNNCellGrad(c.builder(), {.ids = c.Mapped(lookup->inputs[0]),
                                      .table = c.Mapped(lookup->inputs[1]),
                                      .u = c.Mapped(node.inputs[kU]),
                                      .bias = c.Mapped(node.inputs[kB]),
                                      .initial_state = c.Mapped(node.inputs[kH0]),
                                      .sequence = c.Mapped(node.inputs[kSequence]),
                                      .d_sequence = c.Mapped(node.inputs[kDSequence]),
                                      .d_last = c.Mapped(node.inputs[kDLast]),
                                      .activation = node.attributes.GetString("activation"),
                                      .name = node.name});
  ReplaceTableGradients(c, node.outputs[kDx], fused.dtable);
  c.ReplaceOutput(kDu, fused.du);
  c.ReplaceOutput(kDb, fused.db);
  c.ReplaceOutput(kDh0, fused.dh0);
  return true;
}

}  // namespace

Rewrite FuseLookupRNNCell() {
  return {
      .name = "fuse_lookup_rnn_cell",
      .rule = "RNNCell(Embedding(ids, t), projected, u, b, h0) = LookupRNNCell(ids, t, u, b, h0)",
      .apply = ApplyForward,
      .chains = {{"Embedding", "RNNCell"}}};
}

Rewrite FuseLookupRNNCellGrad() {
  return {.name = "fuse_lookup_rnn_cell_grad",
          .rule =
              "EmbeddingGrad(ids, dx), du, db, dh0 of RNNCellGrad(Embedding(ids, t), projected, u, "
              "...) = LookupRNNCellGrad(ids, t, u, ...)",
          .apply = ApplyBackward};
}

}  // namespace seqgraph::ops
