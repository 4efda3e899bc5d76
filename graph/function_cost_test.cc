#include "graph/function_cost.h"

#include <utility>
#include <vector>

#include "graph/function_builder.h"
#include "graph/testing/test_ops.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

const TensorType kRow{DType::kFloat32, {2, 3}};  // 24 bytes

TEST(FunctionCostTest, WithoutARuleItIsOneFlopForEachElementWrittenAndEveryByteOnce) {
  FunctionBuilder g("f", TestOps());
  const Value x = g.Input("x", kRow);
  g.Result("y", g.AddNode("Add", {x, x})[0]);
  SEQ_ASSERT_OK_AND_ASSIGN(const Function f, std::move(g).Build());
  EXPECT_EQ(FunctionCost(f), (OpCost{.flops = 6, .bytes_read = 48, .bytes_written = 24}));
}

TEST(FunctionCostTest, AnOutputThatNobodyReadsCostsNothing) {
  FunctionBuilder g("f", TestOps());
  const Value x = g.Input("x", kRow);
  const std::vector<Value> both = g.AddNode("SumDiff", {x, Value()});
  g.Result("sum", both[0]);
  g.AddNode("Round", {x});
  SEQ_ASSERT_OK_AND_ASSIGN(const Function f, std::move(g).Build());
  const std::vector<OpCost> costs = NodeCosts(f);
  ASSERT_EQ(costs.size(), 2u);
  EXPECT_EQ(costs[0], (OpCost{.flops = 6, .bytes_read = 24, .bytes_written = 24}));
  EXPECT_EQ(costs[1], OpCost{});
}

TEST(FunctionCostTest, TheSumIsOverAllNodes) {
  FunctionBuilder g("f", TestOps());
  const Value x = g.Input("x", kRow);
  const Value y = g.AddNode("Scale", {x})[0];
  g.Result("z", g.AddNode("Multiply", {x, y})[0]);
  SEQ_ASSERT_OK_AND_ASSIGN(const Function f, std::move(g).Build());
  EXPECT_EQ(FunctionCost(f), (OpCost{.flops = 12, .bytes_read = 72, .bytes_written = 48}));
}

TEST(FunctionCostDeathTest, ASymbolicBatchHasNoCost) {
  FunctionBuilder g("f", TestOps());
  const Value x = g.Input("x", {DType::kFloat32, {Dim::Batch(), 3}});
  g.Result("y", g.AddNode("Scale", {x})[0]);
  SEQ_ASSERT_OK_AND_ASSIGN(const Function f, std::move(g).Build());
  EXPECT_DEATH(FunctionCost(f), "internal error");
}

}  // namespace
}  // namespace seqgraph
