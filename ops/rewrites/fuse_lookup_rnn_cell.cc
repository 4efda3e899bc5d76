#include "ops/rewrites/fuse_lookup_rnn_cell.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "graph/op_def.h"
#include "ops/rewrites/table_gradients.h"

namespace seqgraph::ops {
namespace {

// Inputs of all recurrences; outputs of their gradients.
enum { kX, kW };
enum { kDx, kDw, kDu };

// The lookup that gives a recurrence, or a gradient of one, its projected input, a row for each
// token; null if it comes from elsewhere, or the node is another one.
const Node* Lookup(const RewriteContext& c, bool gradient) {
  const Node& node = c.node();
  const auto& facts = node.op->recurrence();
  if (!facts.has_value() || facts->is_gradient() != gradient || node.op->inputs()[kW].name != "w" ||
      node.inputs[kW].present()) {
    return nullptr;
  }
  return c.Producer(node.inputs[kX], "Embedding");
}

bool IsRead(const RewriteContext& c, Value value) {
  return !c.Consumers(value).empty() || c.Leaves(value);
}

// Whether a gradient of a recurrence on looked-up rows can be one of the table: dw is empty without
// w; who reads it all the same keeps the node.
bool GivesTableGradient(const RewriteContext& c, const Node& lookup, const Node& gradient) {
  return OnlyTableReads(c, lookup, gradient.outputs[kDx]) && !IsRead(c, gradient.outputs[kDw]);
}

// Whether a gradient of the recurrence stays as it is. Its forward node has to stay, too: what a
// kernel leaves for backward it leaves for the gradient of its own op.
bool HasOtherGradient(const RewriteContext& c, const Node& lookup) {
  const Node& node = c.node();
  const std::vector<int>& readers = c.Consumers(node.outputs[0]);
  return std::any_of(readers.begin(), readers.end(), [&](int n) {
    const Node& reader = c.source().nodes()[n];
    const auto& facts = reader.op->recurrence();
    return facts.has_value() && facts->gradient_of == node.op->name() &&
           reader.inputs[reader.op->FindInput("sequence")] == node.outputs[0] &&
           !GivesTableGradient(c, lookup, reader);
  });
}

// The op on looked-up rows in the place of the recurrence: with ids and table of the lookup, and
// what else the recurrence has by the same name.
std::vector<Value> EmitOnLookup(RewriteContext& c, const Node& lookup) {
  const Node& node = c.node();
  const auto operand = [&](absl::string_view name) {
    if (name == "ids") return c.Mapped(lookup.inputs[0]);
    if (name == "table") return c.Mapped(lookup.inputs[1]);
    return c.Mapped(node.inputs[node.op->FindInput(name)]);
  };
  return c.builder().AddNodeByNames(absl::StrCat("Lookup", node.op->name()), operand,
                                    node.attributes, node.name);
}

absl::StatusOr<bool> ApplyForward(RewriteContext& c) {
  const Node* lookup = Lookup(c, /*gradient=*/false);
  if (lookup == nullptr || HasOtherGradient(c, *lookup)) return false;
  int o = 0;
  for (const Value output : EmitOnLookup(c, *lookup)) c.ReplaceOutput(o++, output);
  return true;
}

absl::StatusOr<bool> ApplyBackward(RewriteContext& c) {
  const Node& node = c.node();
  const Node* lookup = Lookup(c, /*gradient=*/true);
  if (lookup == nullptr || !GivesTableGradient(c, *lookup, node)) return false;
  const std::vector<Value> fused = EmitOnLookup(c, *lookup);
  ReplaceTableGradients(c, node.outputs[kDx], fused[0]);
  for (int o = kDu; o < static_cast<int>(node.outputs.size()); ++o) {
    c.ReplaceOutput(o, fused[o - kDw]);
  }
  return true;
}

}  // namespace

Rewrite FuseLookupRNNCell() {
  return {
      .name = "fuse_lookup_rnn_cell",
      .rule =
          "RNNCell(Embedding(ids, t), projected, u, ...) = LookupRNNCell(ids, t, u, ...); "
          "LSTMCell and GRUCell likewise",
      .apply = ApplyForward,
      .chains = {{"Embedding", "RNNCell"}, {"Embedding", "LSTMCell"}, {"Embedding", "GRUCell"}}};
}

Rewrite FuseLookupRNNCellGrad() {
  return {.name = "fuse_lookup_rnn_cell_grad",
          .rule =
              "EmbeddingGrad(ids, dx), du, db, dh0 of RNNCellGrad(Embedding(ids, t), projected, u, "
              "...) = LookupRNNCellGrad(ids, t, u, ...); LSTMCellGrad and GRUCellGrad likewise",
          .apply = ApplyBackward};
}

}  // namespace seqgraph::ops
