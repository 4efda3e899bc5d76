#include "graph/gradient.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "graph/printer.h"
#include "graph/testing/test_ops.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

using ::testing::HasSubstr;
const TensorType kVector{DType::kFloat32, {2}};

// The nodes of the function so far, one line each, without inputs, variables and results.
std::string Nodes(FunctionBuilder g, const std::vector<Value>& results) {
  for (size_t i = 0; i < results.size(); ++i) g.Result(absl::StrCat("r", i), results[i]);
  absl::StatusOr<Function> f = std::move(g).Build();
  if (!f.ok()) return std::string(f.status().message());
  std::string nodes;
  for (absl::string_view line : absl::StrSplit(FunctionToText(*f), '\n')) {
    if (absl::StrContains(line, " = ") && !absl::StartsWith(line, "  result r")) {
      absl::StrAppend(&nodes, absl::StripLeadingAsciiWhitespace(line), "\n");
    }
  }
  return nodes;
}

TEST(AddGradients, FollowsTheChainBackwards) {
  // loss = sum(3 * x * y): d/dx = 3 y, by way of the gradients of Scale and Multiply.
  FunctionBuilder g("f", TestOps());
  const Value x = g.Input("x", kVector), y = g.Input("y", kVector);
  const Value xy = g.AddNode("Multiply", {x, y}, {}, "xy")[0];
  const Value scaled = g.AddNode("Scale", {xy}, {{"factor", 3.0}}, "scaled")[0];
  const Value loss = g.AddNode("Sum", {scaled}, {}, "loss")[0];
  SEQ_ASSERT_OK_AND_ASSIGN(const std::vector<Value> gradients, AddGradients(g, loss, {x}));
  ASSERT_EQ(gradients.size(), 1u);
  EXPECT_EQ(g.type(gradients[0]), kVector);
  g.Result("dx", gradients[0]);
  SEQ_ASSERT_OK_AND_ASSIGN(const Function f, std::move(g).Build());
  EXPECT_EQ(FunctionToText(f),
            "function f(x: float32[2], y: float32[2]) -> (dx: float32[2])\n"
            "  xy: float32[2] = Multiply(x, y)\n"
            "  scaled: float32[2] = Scale(xy, factor=3)\n"
            "  loss: float32[] = Sum(scaled)\n"
            "  loss/grad_of: float32[] = FillLike(loss, value=1)\n"
            "  loss/grad: float32[2] = Spread(loss/grad_of, scaled)\n"
            "  scaled/grad: float32[2] = Scale(loss/grad, factor=3)\n"
            "  xy/grad: float32[2] = Multiply(scaled/grad, y)\n"
            "  result dx = xy/grad\n");
}

TEST(AddGradients, AddsUpWhereAValueIsReadSeveralTimesLatestFirst) {
  // loss = sum((x * a + x) + x * b): x is read by nodes 0, 1 and 2.
  FunctionBuilder g("f", TestOps());
  const Value x = g.Input("x", kVector);
  const Value a = g.Input("a", kVector), b = g.Input("b", kVector);
  const Value n0 = g.AddNode("Multiply", {x, a}, {}, "n0")[0];
  const Value n1 = g.AddNode("Add", {n0, x}, {}, "n1")[0];
  const Value n2 = g.AddNode("Multiply", {x, b}, {}, "n2")[0];
  const Value n3 = g.AddNode("Add", {n1, n2}, {}, "n3")[0];
  const Value loss = g.AddNode("Sum", {n3}, {}, "loss")[0];
  SEQ_ASSERT_OK_AND_ASSIGN(const std::vector<Value> gradients, AddGradients(g, loss, {x}));
  EXPECT_EQ(Nodes(std::move(g), gradients),
            "n0: float32[2] = Multiply(x, a)\n"
            "n1: float32[2] = Add(n0, x)\n"
            "n2: float32[2] = Multiply(x, b)\n"
            "n3: float32[2] = Add(n1, n2)\n"
            "loss: float32[] = Sum(n3)\n"
            "loss/grad_of: float32[] = FillLike(loss, value=1)\n"
            "loss/grad: float32[2] = Spread(loss/grad_of, n3)\n"
            "n2/grad: float32[2] = Multiply(loss/grad, b)\n"
            "n0/grad: float32[2] = Multiply(loss/grad, a)\n"
            // n2's share, then that of n1 (the gradient of the sum itself), then n0's
            "x/grad_sum: float32[2] = Add(n2/grad, loss/grad)\n"
            "x/grad_sum_1: float32[2] = Add(x/grad_sum, n0/grad)\n");
}

TEST(AddGradients, ANodeThatReadsAValueTwiceGivesBothShares) {
  FunctionBuilder g("f", TestOps());
  const Value x = g.Input("x", {DType::kFloat32, {}});
  const Value loss = g.AddNode("Multiply", {x, x}, {}, "loss")[0];
  SEQ_ASSERT_OK_AND_ASSIGN(const std::vector<Value> gradients, AddGradients(g, loss, {x}));
  EXPECT_THAT(Nodes(std::move(g), gradients),
              HasSubstr("x/grad_sum: float32[] = Add(loss/grad, loss/grad_1)\n"));
}

TEST(AddGradients, AnOutputThatTheLossDoesNotReachHasNoGradient) {
  // Of SumDiff only `diff` reaches the loss: its rule sees dsum absent and emits one Scale by -1.
  FunctionBuilder g("f", TestOps());
  const Value x = g.Input("x", kVector), y = g.Input("y", kVector);
  const Value diff = g.AddNode("SumDiff", {x, y}, {}, "both")[1];
  const Value loss = g.AddNode("Sum", {diff}, {}, "loss")[0];
  SEQ_ASSERT_OK_AND_ASSIGN(const std::vector<Value> gradients, AddGradients(g, loss, {x, y}));
  EXPECT_EQ(g.function().info(gradients[0]).name, "loss/grad");
  EXPECT_EQ(g.function().info(gradients[1]).name, "both/grad");
  EXPECT_THAT(Nodes(std::move(g), gradients),
              HasSubstr("both/grad: float32[2] = Scale(loss/grad, factor=-1)\n"));
}

TEST(AddGradients, AnAbsentOptionalInputIsNotWanted) {
  FunctionBuilder g("f", TestOps());
  const Value x = g.Input("x", {DType::kFloat32, {}});
  const std::vector<Value> both = g.AddNode("SumDiff", {x}, {}, "both");
  const Value loss = g.AddNode("Multiply", {both[0], both[1]}, {}, "loss")[0];
  SEQ_ASSERT_OK_AND_ASSIGN(const std::vector<Value> gradients, AddGradients(g, loss, {x}));
  EXPECT_THAT(Nodes(std::move(g), gradients),
              HasSubstr("both/grad.sum: float32[], _ = SumDiff(loss/grad, loss/grad_1)\n"));
}

TEST(AddGradients, WhatTheLossDoesNotDependOnGetsZeros) {
  FunctionBuilder g("f", TestOps());
  const Value x = g.Input("x", kVector), other = g.Input("other", {DType::kFloat32, {3}});
  const Value loss = g.AddNode("Sum", {x}, {}, "loss")[0];
  SEQ_ASSERT_OK_AND_ASSIGN(const std::vector<Value> gradients, AddGradients(g, loss, {other}));
  EXPECT_EQ(g.type(gradients[0]), g.type(other));
  EXPECT_THAT(Nodes(std::move(g), gradients),
              HasSubstr("other/grad_of: float32[3] = FillLike(other, value=0)\n"));
}

TEST(AddGradients, TheGradientOfTheLossByItselfIsOne) {
  FunctionBuilder g("f", TestOps());
  const Value x = g.Input("x", {DType::kFloat32, {}});
  SEQ_ASSERT_OK_AND_ASSIGN(const std::vector<Value> gradients, AddGradients(g, x, {x, x}));
  EXPECT_EQ(gradients[0], gradients[1]);
  EXPECT_EQ(Nodes(std::move(g), gradients), "x/grad_of: float32[] = FillLike(x, value=1)\n");
}

TEST(AddGradients, IntermediateValuesMayBeAskedForToo) {
  // d loss / d y for y = 2 x and loss = sum(y * y): both shares of y, and x gets twice their sum.
  FunctionBuilder g("f", TestOps());
  const Value x = g.Input("x", kVector);
  const Value y = g.AddNode("Scale", {x}, {}, "y")[0];
  const Value loss = g.AddNode("Sum", {g.AddNode("Multiply", {y, y}, {}, "yy")[0]}, {}, "loss")[0];
  SEQ_ASSERT_OK_AND_ASSIGN(const std::vector<Value> gradients, AddGradients(g, loss, {y, x}));
  EXPECT_EQ(g.function().info(gradients[0]).name, "y/grad_sum");
  EXPECT_THAT(Nodes(std::move(g), gradients),
              HasSubstr("y/grad: float32[2] = Scale(y/grad_sum, factor=2)\n"));
}

TEST(AddGradients, AnOpWithoutGradientIsAnErrorThatNamesNodeAndOp) {
  FunctionBuilder g("f", TestOps());
  const Value x = g.Input("x", kVector);
  const Value rounded = g.AddNode("Round", {x}, {}, "coarse")[0];
  const Value loss = g.AddNode("Sum", {rounded}, {}, "loss")[0];
  EXPECT_THAT(AddGradients(g, loss, {x}),
              StatusIs(absl::StatusCode::kUnimplemented,
                       "node coarse: op Round has no gradient, but the loss depends on it"));
  // Off the path it does no harm.
  SEQ_EXPECT_OK(AddGradients(g, loss, {rounded}));
}

TEST(AddGradients, AnInputWithoutDerivativeIsAnErrorThatNamesIt) {
  FunctionBuilder g("f", TestOps());
  const Value x = g.Input("x", kVector);
  const Value filled = g.AddNode("FillLike", {x}, {{"value", 1.0}}, "ones")[0];
  const Value loss = g.AddNode("Sum", {filled}, {}, "loss")[0];
  EXPECT_THAT(AddGradients(g, loss, {x}),
              StatusIs(absl::StatusCode::kUnimplemented,
                       "node ones: op FillLike has no gradient for its input like"));
}

TEST(AddGradients, NothingPassesWhereOnlyTheShapeCounts) {
  // Spread(s, x) does not depend on x, and what it makes needs no gradient.
  FunctionBuilder g("f", TestOps());
  const Value x = g.Input("x", kVector);
  const Value s = g.Input("s", {DType::kFloat32, {}});
  const Value spread = g.AddNode("Spread", {s, x}, {}, "spread")[0];
  const Value loss = g.AddNode("Sum", {g.AddNode("Multiply", {spread, x})[0]}, {}, "loss")[0];
  SEQ_ASSERT_OK_AND_ASSIGN(const std::vector<Value> gradients, AddGradients(g, loss, {x}));
  EXPECT_EQ(g.function().producer(gradients[0])->inputs[1], spread);
}

TEST(AddGradients, TheLossIsARealScalar) {
  FunctionBuilder g("f", TestOps());
  const Value x = g.Input("x", kVector), t = g.Input("t", {DType::kInt64, {}});
  const auto kInvalid = absl::StatusCode::kInvalidArgument;
  EXPECT_THAT(AddGradients(g, x, {x}),
              StatusIs(kInvalid, "the loss must be a real scalar; x is float32[2]"));
  EXPECT_THAT(AddGradients(g, t, {x}), StatusIs(kInvalid, "t is int64[]"));
  EXPECT_THAT(AddGradients(g, Value{}, {x}), StatusIs(kInvalid, "no value of this function"));
  const Value loss = g.AddNode("Sum", {x})[0];
  EXPECT_THAT(AddGradients(g, loss, {t}), StatusIs(kInvalid, "real values"));
  EXPECT_THAT(AddGradients(g, loss, {Value{99}}), StatusIs(kInvalid, "real values"));
}

TEST(AddGradients, ABuilderWithAnErrorGivesThatError) {
  FunctionBuilder g("f", TestOps());
  const Value x = g.Input("x", {DType::kFloat32, {}});
  g.Fail(absl::OutOfRangeError("before"));
  EXPECT_THAT(AddGradients(g, x, {x}), StatusIs(absl::StatusCode::kOutOfRange, "before"));
}

TEST(AddGradients, ARuleThatGivesAnotherTypeIsReported) {
  OpRegistry registry = MakeTestOps();
  SEQ_ASSERT_OK(registry.Register(CopyOp("Wrong").Gradient([](GradientContext& c) {
    c.SetInputGradient(0, c.builder().AddNode("Sum", {c.output_gradient(0)})[0]);
    return absl::OkStatus();
  })));
  FunctionBuilder g("f", registry);
  const Value x = g.Input("x", kVector);
  const Value loss = g.AddNode("Sum", {g.AddNode("Wrong", {x})[0]})[0];
  EXPECT_THAT(AddGradients(g, loss, {x}),
              StatusIs(absl::StatusCode::kInternal,
                       "gradient rule of Wrong gives float32[] for input x, which is float32[2]"));
}

}  // namespace
}  // namespace seqgraph
