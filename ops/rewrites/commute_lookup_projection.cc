#include "ops/rewrites/commute_lookup_projection.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "graph/op_def.h"
#include "ops/dense.h"
#include "ops/embedding.h"
#include "ops/rewrites/table_gradients.h"

namespace seqgraph::ops {
namespace {

// x and w of Dense and of recurrences, and of their gradients; dx and dw of the latter.
enum { kX, kW };
enum { kDx, kDw };
// Of Dense and DenseGrad.
enum { kDenseBias = 2, kDz = 2 };
enum { kDenseDb = 2 };

// The lookup that gives the node's x, if its rows are then multiplied by a matrix; else null.
const Node* ProjectedLookup(const RewriteContext& c) {
  const Node& node = c.node();
  return node.inputs[kW].present() ? c.Producer(node.inputs[kX], "Embedding") : nullptr;
}

bool IsRecurrence(const Node& node, bool gradient) {
  const auto& facts = node.op->recurrence();
  return facts.has_value() && facts->gradient_of.empty() != gradient &&
         node.op->inputs()[kW].name == "w";
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

absl::StatusOr<bool> ApplyToRecurrence(RewriteContext& c) {
  if (!IsRecurrence(c.node(), /*gradient=*/false)) return false;
  const Node* lookup = ProjectedLookup(c);
  if (lookup == nullptr) return false;
  int o = 0;
  for (const Value output : c.Copy({{"x", LookUpProjected(c, *lookup, {})}, {"w", {}}})) {
    c.ReplaceOutput(o++, output);
  }
  return true;
}

absl::StatusOr<bool> ApplyToDense(RewriteContext& c) {
  if (c.node().op->name() != "Dense") return false;
  const Node* lookup = ProjectedLookup(c);
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

absl::StatusOr<bool> ApplyToRecurrenceGrad(RewriteContext& c) {
  const Node& node = c.node();
  if (!IsRecurrence(node, /*gradient=*/true)) return false;
  const Node* lookup = ProjectedLookup(c);
  if (lookup == nullptr || !OnlyTableReads(c, *lookup, node.outputs[kDx])) return false;
  const std::vector<Value> outputs = c.Copy({{"x", LookUpProjected(c, *lookup, {})}, {"w", {}}});
  c.ReplaceOutput(kDw, GradientsFromRows(c, *lookup, outputs[kDx]).dw);
  for (int o = kDw + 1; o < static_cast<int>(outputs.size()); ++o) c.ReplaceOutput(o, outputs[o]);
  return true;
}

absl::StatusOr<bool> ApplyToDenseGrad(RewriteContext& c) {
  const Node& node = c.node();
  if (node.op->name() != "DenseGrad") return false;
  const Node* lookup = ProjectedLookup(c);
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
              "a recurrence with Embedding(ids, t), w = the same with Embedding(ids, Dense(t, w)), "
              "projected; Dense and the gradients likewise",
          .only_if_claimed = true,
          .only_if_cheaper = true,
          .rewrites = {
              {"recurrence",
               "",
               ApplyToRecurrence,
               {{"Embedding", "RNNCell"}, {"Embedding", "LSTMCell"}, {"Embedding", "GRUCell"}}},
              {"dense", "", ApplyToDense, {{"Embedding", "Dense"}}},
              {"recurrence_grad", "", ApplyToRecurrenceGrad},
              {"dense_grad", "", ApplyToDenseGrad}}};
}

}  // namespace seqgraph::ops
