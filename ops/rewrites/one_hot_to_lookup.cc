#include "ops/rewrites/one_hot_to_lookup.h"

#include <cstdint>
#include <numeric>
#include <vector>

#include "absl/strings/str_cat.h"
#include "graph/op_def.h"
#include "ops/activations.h"
#include "ops/elementwise.h"
#include "ops/embedding.h"
#include "ops/reductions.h"

namespace seqgraph::ops {
namespace {

// The rows that input 1 of the node, w, has for the ids of input 0, if that is one-hot and w is
// there; absent otherwise.
Value LookUpRows(RewriteContext& c) {
  const Node& node = c.node();
  const Node* one_hot = c.Producer(node.inputs[0], "OneHot");
  if (one_hot == nullptr || !node.inputs[1].present()) return {};
  return Embedding(c.builder(), c.Mapped(one_hot->inputs[0]), c.Mapped(node.inputs[1]),
                   absl::StrCat(node.name, "/lookup"));
}

absl::StatusOr<bool> LookUpInRecurrence(RewriteContext& c) {
  const auto& facts = c.node().op->recurrence();
  if (!facts.has_value() || !facts->gradient_of.empty()) return false;
  const Value rows = LookUpRows(c);
  if (!rows.present()) return false;
  int o = 0;
  for (const Value output : c.Copy({{"x", rows}, {"w", {}}})) c.ReplaceOutput(o++, output);
  return true;
}

absl::StatusOr<bool> LookUpInDense(RewriteContext& c) {
  const Node& node = c.node();
  if (node.op->name() != "Dense") return false;
  FunctionBuilder& g = c.builder();
  Value z = LookUpRows(c);
  if (!z.present()) return false;
  if (node.inputs[2].present()) {
    std::vector<int64_t> leading(g.type(z).shape.rank() - 1);
    std::iota(leading.begin(), leading.end(), 0);
    const std::string name = absl::StrCat(node.name, "/bias");
    z = Add(g, z, BroadcastLike(g, c.Mapped(node.inputs[2]), z, leading, name), name);
  }
  c.ReplaceOutput(0, ApplyActivation(g, node.attributes.GetString("activation"), z, node.name));
  return true;
}

}  // namespace

Rewrite RNNCellOneHotToLookup() {
  return {.name = "rnn_cell_one_hot_to_lookup",
          .rule =
              "RNNCell(OneHot(ids), w, u, ...) = RNNCell(Embedding(ids, w), projected, u, ...); "
              "LSTMCell and GRUCell likewise",
          .apply = LookUpInRecurrence,
          .chains = {{"OneHot", "RNNCell"}, {"OneHot", "LSTMCell"}, {"OneHot", "GRUCell"}}};
}

Rewrite DenseOneHotToLookup() {
  return {.name = "dense_one_hot_to_lookup",
          .rule = "Dense(OneHot(ids), w, b, act) = act(Embedding(ids, w) + b)",
          .apply = LookUpInDense,
          .chains = {{"OneHot", "Dense"}}};
}

}  // namespace seqgraph::ops
