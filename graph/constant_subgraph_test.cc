#include "graph/constant_subgraph.h"

#include <utility>
#include <vector>

#include "graph/function_builder.h"
#include "graph/testing/test_ops.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using ::testing::ElementsAre;

const TensorType kRow{DType::kFloat32, {2}};

TEST(ConstantSubgraphTest, FollowFromVariablesAlone) {
  FunctionBuilder g("f", TestOps());
  const Value x = g.Input("x", kRow);
  const Value a = g.Variable("a", {2}, {}), b = g.Variable("b", {2}, {});
  const Value both = g.AddNode("Add", {a, b})[0];
  const Value twice = g.AddNode("Scale", {both})[0];
  g.Result("y", g.AddNode("Multiply", {x, twice})[0]);
  SEQ_ASSERT_OK_AND_ASSIGN(const Function f, std::move(g).Build());
  EXPECT_THAT(ConstantSubgraph(f), ElementsAre(true, true, false));
}

TEST(ConstantSubgraphTest, AVariableThatTheFunctionUpdatesIsNotConstant) {
  FunctionBuilder g("f", TestOps());
  const Value a = g.Variable("a", {2}, {}), b = g.Variable("b", {2}, {});
  const Value of_a = g.AddNode("Scale", {a})[0];
  const Value of_b = g.AddNode("Scale", {b})[0];
  g.Result("y", g.AddNode("Add", {of_a, of_b})[0]);
  g.Update("a", g.AddNode("Round", {a})[0]);
  SEQ_ASSERT_OK_AND_ASSIGN(const Function f, std::move(g).Build());
  EXPECT_THAT(ConstantSubgraph(f), ElementsAre(false, true, false, false));
}

// Ones() = [1, 1], which reads nothing, and Dice(x) = x, which is not pure.
OpRegistry OpsWithOnesAndDice() {
  OpRegistry ops = MakeTestOps();
  EXPECT_TRUE(ops.Register(OpDef("Ones", 1)
                               .Doc("y = 1")
                               .Output({.name = "y"})
                               .Shapes([](const ShapeContext&) {
                                 return absl::StatusOr<std::vector<TensorType>>({kRow});
                               })
                               .Reference([](const auto&) { return absl::OkStatus(); },
                                          [](const auto&) { return absl::OkStatus(); })
                               .Bound(ExactBound())
                               .Example({"ones", {}, {}, {Tensor::Of<float>({2}, {1, 1})}}))
                  .ok());
  EXPECT_TRUE(ops.Register(CopyOp("Dice").Impure()).ok());
  return ops;
}

TEST(ConstantSubgraphTest, WhatReadsNothingIsConstantOnlyForConstantReaders) {
  const OpRegistry ops = OpsWithOnesAndDice();
  FunctionBuilder g("f", ops);
  const Value x = g.Input("x", kRow), a = g.Variable("a", {2}, {});
  const Value for_constant = g.AddNode("Ones", {})[0], for_all = g.AddNode("Ones", {})[0];
  const Value constant = g.AddNode("Add", {a, for_constant})[0];
  const Value also_constant = g.AddNode("Multiply", {constant, for_all})[0];
  const Value with_x = g.AddNode("Multiply", {x, for_all})[0];
  g.Result("y", g.AddNode("Add", {also_constant, with_x})[0]);
  g.Result("ones", g.AddNode("Ones", {})[0]);
  SEQ_ASSERT_OK_AND_ASSIGN(const Function f, std::move(g).Build());
  EXPECT_THAT(ConstantSubgraph(f), ElementsAre(true, false, true, true, false, false, false));
}

TEST(ConstantSubgraphTest, WhatIsNotPureIsNotConstant) {
  const OpRegistry ops = OpsWithOnesAndDice();
  FunctionBuilder g("f", ops);
  const Value diced = g.AddNode("Dice", {g.Variable("a", {2}, {})})[0];
  g.Result("y", g.AddNode("Scale", {diced})[0]);
  SEQ_ASSERT_OK_AND_ASSIGN(const Function f, std::move(g).Build());
  EXPECT_THAT(ConstantSubgraph(f), ElementsAre(false, false));
}

}  // namespace
}  // namespace seqgraph
