#include "ops/rewrites/commute_lookup_projection.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "graph/op_def.h"
#include "ops/dense.h"
#include "ops/embedding.h"
#include "ops/rewrites/table_gradients.h"
#include "ops/rnn_cell.h"

namespace seqgraph::ops {
namespace {

// Inputs of RNNCell and, with the last three, of RNNCellGrad; of Dense and DenseGrad.
enum { kX, kW, kU, kB, kH0, kSequence, kDSequence, kDLast };
enum { kDenseBias = 2, kDz = 2 };
enum { kDx, kDw, kDu, kDb, kDh0 };  // outputs of RNNCellGrad
enum { kDenseDb = 2 };              // third output of DenseGrad

// The lookup that gives the node's x, if its rows are then multiplied by a matrix; else null.
// Masks, dropout and reverse, which came with version 2 of the recurrences, are not known here.
const Node* ProjectedLookup(const RewriteContext& c, const char* op) {
  const Node& node = c.node();
  if (node.op->name() != op || !node.inputs[kW].present() || NodeVersion(node) > 1) return nullptr;
  return c.Producer(node.inputs[kX], "Embedding");
}

// Embedding(ids, Dense(t, w, b, activation)), for the node that computes Dense(Embedding(ids, t)).
Value LookUpProjected(RewriteContext& c, const Node& lookup, Value b,
                      const std::string& activation = "none") {
  const Value table = Dense(c.builder(), c.Mapped(lookup.inputs[1]), c.Mapped(c.node().inputs[kW]),
                            {.bias = c.Mapped(b),
                             .activation = activation,
                             .name = absl::StrCat(c.node().name, "/projected_table")});
  return Embedding(c.builder(), c.Mapped(lookup.inputs[0]), table,
                   absl::StrCat(c.node().name, "/lookup"));
}

absl::StatusOr<bool> ApplyToRNNCell(RewriteContext& c) {
  const Node* lookup = ProjectedLookup(c, "RNNCell");
  if (lookup == nullptr) return false;
  const Node& node = c.node();
  const Value x = LookUpProjected(c, *lookup, node.inputs[kB]);
  const RNNCellOutputs outputs = RNNCell(c.builder(), x, /*w=*/{}, c.Mapped(node.inputs[kU]),
                                         {.initial_state = c.Mapped(node.inputs[kH0]),
                                          .activation = node.attributes.GetString("activation"),
                                          .name = node.name});
  c.ReplaceOutput(0, outputs.sequence);
  c.ReplaceOutput(1, outputs.last);
  return true;
}

absl::StatusOr<bool> ApplyToDense(RewriteContext& c) {
  const Node* lookup = ProjectedLookup(c, "Dense");
  if (lookup == nullptr) return false;
  c.ReplaceOutput(0, LookUpProjected(c, *lookup, c.node().inputs[kDenseBias],
                                     c.node().attributes.GetString("activation")));
  return true;
}

// From dz, the gradient of each projected row that was looked up, those of table, w and b: puts the
// first in the place of every EmbeddingGrad of dx. Gives the others.
DenseGradOutputs GradientsFromRows(RewriteContext& c, const Node& lookup, Value dz) {
  FunctionBuilder& g = c.builder();
  const std::string& name = c.node().name;
  const Value table = lookup.inputs[1];
  const Value dp =
      EmbeddingGrad(g, c.Mapped(lookup.inputs[0]), dz, c.source().type(table).shape[0].size(),
                    absl::StrCat(name, "/projected_table"));
  DenseGradOutputs grad = DenseGrad(g, c.Mapped(table), c.Mapped(c.node().inputs[kW]), dp,
                                    absl::StrCat(name, "/table"));
  ReplaceTableGradients(c, c.node().outputs[kDx], grad.dx);
  return grad;
}

absl::StatusOr<bool> ApplyToRNNCellGrad(RewriteContext& c) {
  const Node* lookup = ProjectedLookup(c, "RNNCellGrad");
  const Node& node = c.node();
  if (lookup == nullptr || !OnlyTableReads(c, *lookup, node.outputs[kDx])) return false;
  // Without w no element of x is read. It is the forward node's all the same, for those who need
  // both.
  const RNNCellGradOutputs recurrence =
      RNNCellGrad(c.builder(), {.x = LookUpProjected(c, *lookup, node.inputs[kB]),
                                .w = {},
                                .u = c.Mapped(node.inputs[kU]),
                                .bias = {},
                                .initial_state = c.Mapped(node.inputs[kH0]),
                                .sequence = c.Mapped(node.inputs[kSequence]),
                                .d_sequence = c.Mapped(node.inputs[kDSequence]),
                                .d_last = c.Mapped(node.inputs[kDLast]),
                                .activation = node.attributes.GetString("activation"),
                                .name = node.name});
  const DenseGradOutputs grad = GradientsFromRows(c, *lookup, recurrence.dx);
  c.ReplaceOutput(kDw, grad.dw);
  c.ReplaceOutput(kDu, recurrence.du);
  c.ReplaceOutput(kDb, grad.db);
  c.ReplaceOutput(kDh0, recurrence.dh0);
  return true;
}

absl::StatusOr<bool> ApplyToDenseGrad(RewriteContext& c) {
  const Node* lookup = ProjectedLookup(c, "DenseGrad");
  const Node& node = c.node();
  if (lookup == nullptr || !OnlyTableReads(c, *lookup, node.outputs[kDx])) return false;
  const DenseGradOutputs grad = GradientsFromRows(c, *lookup, c.Mapped(node.inputs[kDz]));
  c.ReplaceOutput(kDw, grad.dw);
  c.ReplaceOutput(kDenseDb, grad.db);
  return true;
}

}  // namespace

FunctionPass CommuteLookupProjection() {
  return {.name = "commute_lookup_projection",
          .rule =
              "RNNCell(Embedding(ids, t), w, u, b) = RNNCell(Embedding(ids, Dense(t, w, b)), "
              "projected, u); Dense and the gradients likewise",
          .only_if_claimed = true,
          .only_if_cheaper = true,
          .rewrites = {{"rnn_cell", "", ApplyToRNNCell, {{"Embedding", "RNNCell"}}},
                       {"dense", "", ApplyToDense, {{"Embedding", "Dense"}}},
                       {"rnn_cell_grad", "", ApplyToRNNCellGrad},
                       {"dense_grad", "", ApplyToDenseGrad}}};
}

}  // namespace seqgraph::ops
