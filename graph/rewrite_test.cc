#include "graph/rewrite.h"

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "graph/printer.h"
#include "graph/testing/test_ops.h"
#include "graph/verifier.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

const TensorType kRows{DType::kFloat32, {Dim::Batch(), 3}};

// Scale(Scale(x, a), b) = Scale(x, a b)
Rewrite FoldScales() {
  return {
      "fold_scales", "Scale(Scale(x, a), b) = Scale(x, a b)",
      [](RewriteContext& c) -> absl::StatusOr<bool> {
        const Node* inner = c.source().producer(c.node().inputs[0]);
        if (c.node().op->name() != "Scale" || inner == nullptr || inner->op->name() != "Scale") {
          return false;
        }
        const double factor =
            c.node().attributes.GetFloat("factor") * inner->attributes.GetFloat("factor");
        c.ReplaceOutput(
            0, c.builder().AddNode("Scale", {c.Mapped(inner->inputs[0])}, {{"factor", factor}})[0]);
        return true;
      }};
}

// Scale(x, 1) = x
Rewrite DropUnitScale() {
  return {"drop_unit_scale", "Scale(x, 1) = x", [](RewriteContext& c) -> absl::StatusOr<bool> {
            if (c.node().op->name() != "Scale" || c.node().attributes.GetFloat("factor") != 1) {
              return false;
            }
            c.ReplaceOutput(0, c.Mapped(c.node().inputs[0]));
            return true;
          }};
}

// A rewrite of every Round by what `replace` makes of it.
Rewrite ReplaceRound(std::function<Value(RewriteContext&)> replace) {
  return {"replace_round", "", [replace](RewriteContext& c) -> absl::StatusOr<bool> {
            if (c.node().op->name() != "Round") return false;
            if (const Value value = replace(c); value.present()) c.ReplaceOutput(0, value);
            return true;
          }};
}

Function Chain(const std::vector<double>& factors) {
  FunctionBuilder g("f", TestOps());
  Value x = g.Input("x", kRows);
  for (double factor : factors) x = g.AddNode("Scale", {x}, {{"factor", factor}})[0];
  g.Result("y", g.AddNode("Round", {x}, {}, "last")[0]);
  return std::move(g).Build().value();
}

TEST(ApplyRewrites, FireUntilNothingMatches) {
  std::vector<RewriteCount> counts;
  SEQ_ASSERT_OK_AND_ASSIGN(
      const Function f,
      ApplyRewrites(Chain({2, 4, 0.125, 3}), TestOps(), {FoldScales(), DropUnitScale()}, &counts));
  EXPECT_EQ(FunctionToText(f),
            "function f(x: float32[batch, 3]) -> (y: float32[batch, 3])\n"
            "  scale_3: float32[batch, 3] = Scale(x, factor=3)\n"
            "  last: float32[batch, 3] = Round(scale_3)\n"
            "  result y = last\n");
  SEQ_EXPECT_OK(VerifyFunction(f));
  ASSERT_EQ(counts.size(), 2u);
  EXPECT_EQ(counts[0].name, "fold_scales");
  EXPECT_GT(counts[0].count, 0);
  EXPECT_EQ(counts[1].name, "drop_unit_scale");
}

TEST(ApplyRewrites, WithoutAMatchTheFunctionStaysAsItIs) {
  const Function before = Chain({2});
  std::vector<RewriteCount> counts;
  SEQ_ASSERT_OK_AND_ASSIGN(const Function after,
                           ApplyRewrites(before, TestOps(), {FoldScales()}, &counts));
  EXPECT_EQ(FunctionToText(after), FunctionToText(before));
  EXPECT_EQ(counts[0].count, 0);
}

TEST(ApplyRewrites, NamesSignatureResultsAndUpdatesStay) {
  FunctionBuilder g("f", TestOps());
  const Value unused = g.Input("unused", kRows);
  const Value v = g.Variable("v", {3}, Initializer::Zeros());
  const Value same = g.AddNode("Scale", {v}, {{"factor", 1.0}}, "same")[0];
  const Value twice = g.AddNode("Scale", {v}, {{"factor", 2.0}}, "twice")[0];
  g.Result("same", same);
  g.Result("input", unused);
  g.Update("v", twice);
  SEQ_ASSERT_OK_AND_ASSIGN(const Function before, std::move(g).Build());
  SEQ_ASSERT_OK_AND_ASSIGN(const Function after,
                           ApplyRewrites(before, TestOps(), {DropUnitScale()}));
  EXPECT_EQ(FunctionToText(after),
            "function f(unused: float32[batch, 3]) -> (same: float32[3], input: float32[batch, "
            "3])\n"
            "  variable v: float32[3]\n"
            "  twice: float32[3] = Scale(v, factor=2)\n"
            "  result same = v\n"
            "  result input = unused\n"
            "  update v = twice\n");
}

TEST(ApplyRewrites, WhatARuleEmitsBearsTheNameOfTheNode) {
  const Rewrite to_add = ReplaceRound([](RewriteContext& c) {
    const Value x = c.Mapped(c.node().inputs[0]);
    return c.builder().AddNode("Add", {x, c.builder().AddNode("Scale", {x})[0]})[0];
  });
  SEQ_ASSERT_OK_AND_ASSIGN(const Function f, ApplyRewrites(Chain({}), TestOps(), {to_add}));
  ASSERT_EQ(f.nodes().size(), 2u);
  EXPECT_EQ(f.nodes()[0].name, "last");
  EXPECT_EQ(f.nodes()[1].name, "last_1");
}

TEST(ApplyRewrites, RulesThatNeverComeToRestAreReported) {
  const Rewrite forever = ReplaceRound([](RewriteContext& c) {
    return c.builder().AddNode("Round", {c.Mapped(c.node().inputs[0])})[0];
  });
  EXPECT_THAT(ApplyRewrites(Chain({2}), TestOps(), {forever}),
              StatusIs(absl::StatusCode::kInternal,
                       "function f: the rewrites did not come to rest after 64 sweeps"));
}

TEST(ApplyRewrites, AUsedOutputThatIsNotReplacedIsReported) {
  const Rewrite nothing = ReplaceRound([](RewriteContext&) { return Value{}; });
  EXPECT_THAT(ApplyRewrites(Chain({2}), TestOps(), {nothing}),
              StatusIs(absl::StatusCode::kInternal,
                       "rewrite replace_round at node last gives nothing for output y"));
}

TEST(ApplyRewrites, AReplacementOfAnotherTypeIsReported) {
  const Rewrite sum = ReplaceRound([](RewriteContext& c) {
    return c.builder().AddNode("Sum", {c.Mapped(c.node().inputs[0])})[0];
  });
  EXPECT_THAT(ApplyRewrites(Chain({2}), TestOps(), {sum}),
              StatusIs(absl::StatusCode::kInternal,
                       "gives float32[] for output y, which is float32[batch, 3]"));
}

TEST(ApplyRewrites, AnErrorOfARuleNamesRuleAndNode) {
  const Rewrite failing{"failing", "", [](RewriteContext&) -> absl::StatusOr<bool> {
                          return absl::DataLossError("broken");
                        }};
  EXPECT_THAT(ApplyRewrites(Chain({}), TestOps(), {failing}),
              StatusIs(absl::StatusCode::kDataLoss, "rewrite failing at node last: broken"));
}

TEST(EliminateDeadCode, DropsNodesAndVariablesThatNothingDependsOn) {
  FunctionBuilder g("f", TestOps());
  const Value x = g.Input("x", kRows);
  g.Input("unused", kRows);
  const Value dead = g.Variable("dead", {3}, Initializer::Zeros());
  const Value row = g.Variable("row", {3}, Initializer::Zeros());
  const Value updated = g.Variable("updated", {3}, Initializer::Zeros());
  g.AddNode("Scale", {g.AddNode("Scale", {dead}, {}, "dead_1")[0]}, {}, "dead_2");
  g.Result("y", g.AddNode("AddRow", {x, row}, {}, "alive")[0]);
  g.Update("updated", row);
  (void)updated;
  SEQ_ASSERT_OK_AND_ASSIGN(const Function f, std::move(g).Build());
  SEQ_ASSERT_OK_AND_ASSIGN(const Function lean, EliminateDeadCode(f, TestOps()));
  EXPECT_EQ(FunctionToText(lean),
            "function f(x: float32[batch, 3], unused: float32[batch, 3]) -> (y: float32[batch, "
            "3])\n"
            "  variable row: float32[3]\n"
            "  variable updated: float32[3]\n"
            "  alive: float32[batch, 3] = AddRow(x, row)\n"
            "  result y = alive\n"
            "  update updated = row\n");
}

TEST(EliminateDeadCode, ANodeWithOneLiveOutputLives) {
  FunctionBuilder g("f", TestOps());
  g.Result("diff", g.AddNode("SumDiff", {g.Input("x", kRows)})[1]);
  SEQ_ASSERT_OK_AND_ASSIGN(const Function f, std::move(g).Build());
  SEQ_ASSERT_OK_AND_ASSIGN(const Function lean, EliminateDeadCode(f, TestOps()));
  EXPECT_EQ(FunctionToText(lean), FunctionToText(f));
}

TEST(BindBatch, MakesEveryShapeStatic) {
  SEQ_ASSERT_OK_AND_ASSIGN(const Function f, BindBatch(Chain({2}), TestOps(), 5));
  EXPECT_FALSE(f.has_symbolic_batch());
  EXPECT_EQ(FunctionToText(f),
            "function f(x: float32[5, 3]) -> (y: float32[5, 3])\n"
            "  scale: float32[5, 3] = Scale(x, factor=2)\n"
            "  last: float32[5, 3] = Round(scale)\n"
            "  result y = last\n");
}

TEST(BindBatch, RefusesABatchBelowOneOrTooLarge) {
  const auto kInvalid = absl::StatusCode::kInvalidArgument;
  for (int64_t batch : {0, -1, -5}) {
    EXPECT_THAT(BindBatch(Chain({}), TestOps(), batch),
                StatusIs(kInvalid, absl::StrCat("at least 1, got ", batch)));
  }
  EXPECT_THAT(BindBatch(Chain({}), TestOps(), Shape::kMaxElements),
              StatusIs(kInvalid, "more than 1099511627776 elements"));
}

TEST(WithRealType, ConvertsInputsVariablesAttributesAndResults) {
  FunctionBuilder g("f", TestOps());
  const Value ids = g.Input("ids", {DType::kInt32, {2}});
  const Value v = g.Variable("v", {2}, Initializer::Zeros());
  const Value t = g.Variable({"t", {DType::kInt64, {}}, {}, VariableRole::kOptimizer});
  const Value ramp = g.AddNode("Ramp", {ids})[0];
  g.Result("y", g.AddNode("Add", {ramp, v})[0]);
  g.Update("t", g.AddNode("Count", {t})[0]);
  SEQ_ASSERT_OK_AND_ASSIGN(const Function f, std::move(g).Build());
  SEQ_ASSERT_OK_AND_ASSIGN(const Function in_double, WithRealType(f, TestOps(), DType::kFloat64));
  EXPECT_EQ(FunctionToText(in_double),
            "function f(ids: int32[2]) -> (y: float64[2])\n"
            "  variable v: float64[2]\n"
            "  variable t: int64[]\n"
            "  ramp: float64[2] = Ramp(ids, dtype=float64)\n"
            "  add: float64[2] = Add(ramp, v)\n"
            "  count: int64[] = Count(t)\n"
            "  result y = add\n"
            "  update t = count\n");
  SEQ_ASSERT_OK_AND_ASSIGN(const Function back,
                           WithRealType(in_double, TestOps(), DType::kFloat32));
  EXPECT_EQ(FunctionToText(back), FunctionToText(f));
}

// At Scale, drops the Round that reads it as well: Round(Scale(x)) = x + x.
Rewrite DropReader(bool replace) {
  return {"drop_reader", "", [replace](RewriteContext& c) -> absl::StatusOr<bool> {
            if (c.node().op->name() != "Scale" || !c.OnlyReader(c.node().outputs[0])) return false;
            const Node& reader = c.source().nodes()[c.Consumers(c.node().outputs[0])[0]];
            const Value x = c.Mapped(c.node().inputs[0]);
            c.ReplaceLater(reader, 0, replace ? c.builder().AddNode("Add", {x, x})[0] : Value{});
            return true;
          }};
}

TEST(RewriteOnce, DropsALaterNodeThatIsReplacedTogether) {
  SEQ_ASSERT_OK_AND_ASSIGN(const RewrittenOnce once,
                           RewriteOnce(Chain({3}), TestOps(), {DropReader(true)}));
  EXPECT_EQ(FunctionToText(once.function),
            "function f(x: float32[batch, 3]) -> (y: float32[batch, 3])\n"
            "  scale: float32[batch, 3] = Add(x, x)\n"
            "  result y = scale\n");
  ASSERT_EQ(once.firings.size(), 1u);
  EXPECT_EQ(once.firings[0].node, 0);
  EXPECT_EQ(once.firings[0].emitted, std::vector<std::string>{"scale"});
}

TEST(RewriteOnce, ALaterNodeLeftWithoutReplacementIsAnError) {
  EXPECT_THAT(RewriteOnce(Chain({3}), TestOps(), {DropReader(false)}),
              StatusIs(absl::StatusCode::kInternal, "at node last gives nothing"));
}

TEST(RewriteOnce, LeavesNodesThatAreNotAllowed) {
  const Function f = Chain({1, 1});
  SEQ_ASSERT_OK_AND_ASSIGN(const RewrittenOnce once,
                           RewriteOnce(f, TestOps(), {DropUnitScale()}, {false, true, true}));
  EXPECT_EQ(once.firings.size(), 1u);
  EXPECT_EQ(once.function.nodes().size(), 2u);
}

}  // namespace
}  // namespace seqgraph
