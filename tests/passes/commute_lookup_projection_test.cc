// The lookup of projected rows, forward and backward, apart and together.

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "graph/op_def.h"
#include "ops/all_ops.h"
#include "ops/dense.h"
#include "ops/embedding.h"
#include "ops/rnn_cell.h"
#include "tests/passes/pass_checks.h"

namespace seqgraph {
namespace {

Function Recurrent(int64_t rows, bool bias, const std::vector<std::string>& of = {}) {
  FunctionBuilder g("f", AllOps());
  const LayerValues l = DeclareLayer(g, rows, bias);
  const Value last =
      ops::RNNCell(g, ops::Embedding(g, l.ids, l.table), l.w, l.u, {.bias = l.b}).last;
  const Value loss = MeanSquare(g, last);
  return WithGradients(std::move(g), loss, of);
}

TEST(CommuteLookupProjection, ProjectsTheRowsOfASmallTableForwardAndBackward) {
  for (bool bias : {true, false}) {
    const Function after = ExpectSame(Recurrent(kRows, bias),
                                      "commute_lookup_projection,dead_code,common_subexpressions",
                                      {{"commute_lookup_projection", 2}});
    Counts ops = CountOps(after);
    EXPECT_EQ(ops["Embedding"], 1);
    EXPECT_EQ(ops["EmbeddingGrad"], 1);
    EXPECT_EQ(ops["Dense"], 1);
    EXPECT_EQ(ops["DenseGrad"], 1);
    for (const Node& node : after.nodes()) {
      if (node.op->name() == "RNNCell" || node.op->name() == "RNNCellGrad") {
        EXPECT_FALSE(node.inputs[1].present()) << node.name;
        EXPECT_EQ(node.inputs[3].present(), bias) << node.name;
      }
    }
  }
}

TEST(CommuteLookupProjection, KnowsGatedAndMaskedCells) {
  for (const std::string cell : {"LSTMCell", "GRUCell", "RNNCell"}) {
    SCOPED_TRACE(cell);
    const int64_t gates = cell == "LSTMCell" ? 4 : cell == "GRUCell" ? 3 : 1;
    FunctionBuilder g("loss", AllOps());
    const Value ids = g.Input("ids", {DType::kInt32, {kBatch, kTime}});
    const Value table = g.Variable("table", {kRows, kFeatures}, Initializer::Zeros());
    const Value w = g.Variable("w", {kFeatures, gates * kUnits}, Initializer::Zeros());
    const Value u = g.Variable("u", {kUnits, gates * kUnits}, Initializer::Zeros());
    std::vector<Value> inputs = {ops::Embedding(g, ids, table), w, u};
    inputs.resize(AllOps().Find(cell)->FindInput("mask"));
    inputs.push_back(ids);
    const Value loss = MeanSquare(g, g.AddNode(cell, inputs, {{"reverse", true}})[1]);
    const Function after = ExpectSame(WithGradients(std::move(g), loss),
                                      "commute_lookup_projection,dead_code,common_subexpressions",
                                      {{"commute_lookup_projection", 2}});
    Counts ops = CountOps(after);
    EXPECT_EQ(ops["Dense"], 1);
    EXPECT_EQ(ops["DenseGrad"], 1);
    for (const Node& node : after.nodes()) {
      EXPECT_FALSE(node.op->recurrence().has_value() && node.inputs[1].present()) << node.name;
    }
  }
}

TEST(CommuteLookupProjection, LeavesATableOfManyMoreRowsThanAreLookedUp) {
  ExpectSame(Recurrent(10 * kBatch * kTime, true, {"table", "w", "u"}), "all,-fuse_elementwise",
             {});
}

// Nobody updates the table here, so that its projection is kept between calls.
TEST(CommuteLookupProjection, ProjectsAsManyRowsAsAreLookedUpWhereTheyAreKept) {
  ExpectSame(Recurrent(kBatch * kTime, true, {"table", "w", "u"}), "all,-fuse_elementwise",
             {{"commute_lookup_projection", 2}, {"fuse_lookup_rnn_cell", 2}});
}

TEST(CommuteLookupProjection, FiresWhereSomeGradientsAreNotWanted) {
  const std::vector<std::vector<std::string>> choices = {{"table"}, {"w"},      {"b"},
                                                         {"u"},     {"w", "b"}, {"table", "u"}};
  for (const std::vector<std::string>& of : choices) {
    SCOPED_TRACE(of[0]);
    const Function after = ExpectSame(Recurrent(kRows, true, of),
                                      "commute_lookup_projection,dead_code,common_subexpressions",
                                      {{"commute_lookup_projection", 2}});
    EXPECT_EQ(CountOps(after)["Embedding"], 1);
  }
}

TEST(CommuteLookupProjection, DoesDenseAndItsActivationLikewise) {
  for (const char* activation : {"none", "tanh", "relu"}) {
    SCOPED_TRACE(activation);
    FunctionBuilder g("f", AllOps());
    const LayerValues l = DeclareLayer(g);
    const Value y = ops::Dense(g, ops::Embedding(g, l.ids, l.table), l.w,
                               {.bias = l.b, .activation = activation});
    const Value loss = MeanSquare(g, ops::Dense(g, y, l.u));
    const Function after =
        ExpectSame(WithGradients(std::move(g), loss), "commute_lookup_projection,dead_code",
                   {{"commute_lookup_projection", std::string(activation) == "none" ? 4 : 3}});
    // The second layer as well, once its input is a lookup, and its gradient where no activation
    // stands between.
    EXPECT_EQ(CountOps(after)["Dense"], 2);
  }
}

TEST(CommuteLookupProjection, FiresForwardAlone) {
  FunctionBuilder g("f", AllOps());
  const LayerValues l = DeclareLayer(g);
  const Value x = ops::Embedding(g, l.ids, l.table);
  g.Result("last", ops::RNNCell(g, x, l.w, l.u, {.bias = l.b, .activation = "relu"}).last);
  g.Result("x", x);  // which stays, then
  const Function after =
      ExpectSame(std::move(g).Build().value(), "commute_lookup_projection,dead_code",
                 {{"commute_lookup_projection", 1}});
  EXPECT_EQ(CountOps(after)["Embedding"], 2);
}

TEST(CommuteLookupProjection, FiresBackwardAlone) {
  FunctionBuilder g("f", AllOps());
  const LayerValues l = DeclareLayer(g);
  const Value x = ops::Embedding(g, l.ids, l.table);
  const Value h = g.Input("h", {DType::kFloat32, {kBatch, kTime, kUnits}});
  const Value d = g.Input("d", {DType::kFloat32, {kBatch, kUnits}});
  // dx, dw, du, db, dh0.
  const std::vector<Value> grad =
      g.AddNode("RNNCellGrad", {x, l.w, l.u, l.b, /*h0=*/{}, h, /*d_sequence=*/{}, d});
  g.Result("dtable", ops::EmbeddingGrad(g, l.ids, grad[0], kRows));
  // Twice, which another pass would merge.
  g.Result("dtable_again", ops::EmbeddingGrad(g, l.ids, grad[0], kRows));
  g.Result("dw", grad[1]);
  g.Result("du", grad[2]);
  g.Result("dh0", grad[4]);
  const Function after = ExpectSame(std::move(g).Build().value(), "commute_lookup_projection",
                                    {{"commute_lookup_projection", 1}});
  EXPECT_EQ(CountOps(after)["EmbeddingGrad"], 1);
}

TEST(CommuteLookupProjection, LeavesAGradientOfRowsThatIsReadElsewhere) {
  for (const char* elsewhere : {"result", "other ids", "another table"}) {
    SCOPED_TRACE(elsewhere);
    FunctionBuilder g("f", AllOps());
    const LayerValues l = DeclareLayer(g);
    const Value other = g.Input("other", {DType::kInt32, {kBatch, kTime}});
    const Value dz = g.Input("dz", {DType::kFloat32, {kBatch, kTime, kUnits}});
    const ops::DenseGradOutputs grad =
        ops::DenseGrad(g, ops::Embedding(g, l.ids, l.table), l.w, dz);
    g.Result("dtable", ops::EmbeddingGrad(g, l.ids, grad.dx, kRows));
    if (elsewhere[0] == 'r') {
      g.Result("dx", grad.dx);
    } else if (elsewhere[0] == 'o') {
      g.Result("of_other_ids", ops::EmbeddingGrad(g, other, grad.dx, kRows));
    } else {
      g.Result("of_another_table", ops::EmbeddingGrad(g, l.ids, grad.dx, kRows + 1));
    }
    ExpectSame(std::move(g).Build().value(), "commute_lookup_projection", {});
  }
}

}  // namespace
}  // namespace seqgraph
