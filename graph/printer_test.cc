#include "graph/printer.h"

#include <utility>

#include "graph/function_builder.h"
#include "graph/testing/test_ops.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

Function SmallFunction() {
  FunctionBuilder g("step", TestOps());
  const Value ids = g.Input("ids", {DType::kInt32, {Dim::Batch()}});
  const Value table = g.Variable("layer/table", {5}, Initializer::Zeros());
  const Value picked = g.AddNode("Pick", {ids, table})[0];
  const Value both = g.AddNode("SumDiff", {picked})[1];
  g.Result("total", g.AddNode("Sum", {both}, {}, "total")[0]);
  g.Update("layer/table", g.AddNode("Scale", {table}, {{"factor", 0.5}}, "halve")[0]);
  return std::move(g).Build().value();
}

TEST(FunctionToText, PrintsOneLineANode) {
  EXPECT_EQ(FunctionToText(SmallFunction()),
            "function step(ids: int32[batch]) -> (total: float32[])\n"
            "  variable layer/table: float32[5]\n"
            "  pick: float32[batch] = Pick(ids, layer/table)\n"
            "  _, sum_diff.diff: float32[batch] = SumDiff(pick)\n"
            "  total: float32[] = Sum(sum_diff.diff)\n"
            "  halve: float32[5] = Scale(layer/table, factor=0.5)\n"
            "  result total = total\n"
            "  update layer/table = halve\n");
}

TEST(FunctionToText, AValueThatIsCalledNoneIsPrinted) {
  FunctionBuilder g("f", TestOps());
  const Value none = g.Input("none", {DType::kFloat32, {2}});
  g.Result("y", g.AddNode("SumDiff", {none, none}, {}, "y")[0]);
  g.Result("z", g.AddNode("SumDiff", {none}, {}, "z")[0]);
  SEQ_ASSERT_OK_AND_ASSIGN(const Function f, std::move(g).Build());
  EXPECT_EQ(FunctionToText(f),
            "function f(none: float32[2]) -> (y: float32[2], z: float32[2])\n"
            "  y.sum: float32[2], _ = SumDiff(none, none)\n"
            "  z.sum: float32[2], _ = SumDiff(none)\n"
            "  result y = y.sum\n"
            "  result z = z.sum\n");
}

TEST(FunctionToDot, PrintsNodesEdgesResultsAndUpdates) {
  EXPECT_EQ(FunctionToDot(SmallFunction()),
            R"dot(digraph "step" {
  "value ids" [shape=ellipse, label="ids: int32[batch]"];
  "value layer/table" [shape=cylinder, label="layer/table: float32[5]"];
  "node pick" [shape=box, style=rounded, label="Pick\npick"];
  "value ids" -> "node pick" [label="ids [batch]"];
  "value layer/table" -> "node pick" [label="table [5]"];
  "node sum_diff" [shape=box, style=rounded, label="SumDiff\nsum_diff"];
  "node pick" -> "node sum_diff" [label="x [batch]"];
  "node total" [shape=box, style=rounded, label="Sum\ntotal"];
  "node sum_diff" -> "node total" [label="x [batch]"];
  "node halve" [shape=box, style=rounded, label="Scale\nhalve\nfactor = 0.5"];
  "value layer/table" -> "node halve" [label="x [5]"];
  "result total" [shape=ellipse, style=bold, label="total"];
  "node total" -> "result total";
  "node halve" -> "value layer/table" [style=dashed, constraint=false, label="update"];
}
)dot");
}

TEST(FunctionToDot, QuotesNames) {
  FunctionBuilder g("a\"b\\c", TestOps());
  g.Result("r", g.Input("x", {DType::kFloat32, {}}));
  SEQ_ASSERT_OK_AND_ASSIGN(const Function f, std::move(g).Build());
  EXPECT_EQ(FunctionToDot(f),
            R"dot(digraph "a\"b\\c" {
  "value x" [shape=ellipse, label="x: float32[]"];
  "result r" [shape=ellipse, style=bold, label="r"];
  "value x" -> "result r";
}
)dot");
}

}  // namespace
}  // namespace seqgraph
