#include "ops/rewrites/fuse_lookup_rnn_cell.h"

#include "graph/op_def.h"
#include "ops/rewrites/table_gradients.h"

namespace seqgraph::ops {
namespace {

// Inputs of RNNCell and RNNCellGrad; outputs of RNNCellGrad.
enum { kX, kW };
enum { kDx, kDw, kDu, kDb, kDh0 };

// The lookup that gives a recurrence its projected input, a row of units for each token; null if it
// comes from elsewhere. Dropout has no fused form, nor has what came with later versions.
const Node* Lookup(const RewriteContext& c, const Node& recurrence) {
  const int dropout = recurrence.op->FindInput("recurrent_dropout");
  if (recurrence.inputs[kW].present() || recurrence.inputs[dropout].present() ||
      NodeVersion(recurrence) > 2) {
    return nullptr;
  }
  return c.Producer(recurrence.inputs[kX], "Embedding");
}

bool IsRead(const RewriteContext& c, Value value) {
  return !c.Consumers(value).empty() || c.Leaves(value);
}

// A node of `op` in the place of the recurrence: with ids and table of the lookup, and what else
// the recurrence has by the same name.
std::vector<Value> EmitOnLookup(RewriteContext& c, const Node& lookup, const char* op) {
  const Node& node = c.node();
  const auto operand = [&](absl::string_view name) {
    if (name == "ids") return c.Mapped(lookup.inputs[0]);
    if (name == "table") return c.Mapped(lookup.inputs[1]);
    return c.Mapped(node.inputs[node.op->FindInput(name)]);
  };
  return c.builder().AddNodeByNames(op, operand, node.attributes, node.name);
}

absl::StatusOr<bool> ApplyForward(RewriteContext& c) {
  const Node& node = c.node();
  if (node.op->name() != "RNNCell") return false;
  const Node* lookup = Lookup(c, node);
  if (lookup == nullptr) return false;
  const std::vector<Value> outputs = EmitOnLookup(c, *lookup, "LookupRNNCell");
  c.ReplaceOutput(0, outputs[0]);
  c.ReplaceOutput(1, outputs[1]);
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
  // dtable, du, db, dh0
  const std::vector<Value> fused = EmitOnLookup(c, *lookup, "LookupRNNCellGrad");
  ReplaceTableGradients(c, node.outputs[kDx], fused[0]);
  c.ReplaceOutput(kDu, fused[1]);
  c.ReplaceOutput(kDb, fused[2]);
  c.ReplaceOutput(kDh0, fused[3]);
  return true;
}

}  // namespace

Rewrite FuseLookupRNNCell() {
  return {.name = "fuse_lookup_rnn_cell",
          .rule =
              "RNNCell(Embedding(ids, t), projected, u, b, h0, mask) = LookupRNNCell(ids, t, u, b, "
              "h0, mask)",
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
