// Each pass on functions that it is meant for: that it fires there and only there, and that what
// the function computes stays, in float64 and on the backend `reference` in float32.

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "graph/compare.h"
#include "graph/evaluate.h"
#include "graph/function_builder.h"
#include "graph/pass.h"
#include "ops/activations.h"
#include "ops/all_ops.h"
#include "ops/bce.h"
#include "ops/binary.h"
#include "ops/constant.h"
#include "ops/dense.h"
#include "ops/elementwise.h"
#include "ops/embedding.h"
#include "ops/reductions.h"
#include "ops/rewrites/all_rewrites.h"
#include "ops/rnn_cell.h"
#include "ops/take_step.h"
#include "ops/unary.h"
#include "tests/passes/pass_checks.h"
#include "tests/testing.h"
#include "training/optimizers.h"

namespace seqgraph {
namespace {

TEST(LastState, OfASequenceIsTakenBeforeAndAfterDifferentiation) {
  FunctionBuilder g("f", AllOps());
  const LayerValues l = DeclareLayer(g);
  const Value x = ops::Embedding(g, l.ids, l.table);
  const Value sequence = ops::RNNCell(g, x, l.w, l.u, {.bias = l.b}).sequence;
  const Value loss = MeanSquare(g, ops::TakeStep(g, sequence, -1));
  const Function f = WithGradients(std::move(g), loss);
  const Function after = ExpectSame(f, "last_state,dead_code", {{"last_state", 2}});
  EXPECT_EQ(CountOps(after)["TakeStep"], 0);
  EXPECT_EQ(CountOps(after)["TakeStepGrad"], 0);
}

TEST(LastState, IsRecognizedByItsNumberAndAddedToAGradientThatIsThere) {
  FunctionBuilder g("f", AllOps());
  const LayerValues l = DeclareLayer(g);
  const ops::RNNCellOutputs cell =
      ops::RNNCell(g, ops::Embedding(g, l.ids, l.table), l.w, l.u, {.bias = l.b});
  const Value taken = ops::TakeStep(g, cell.sequence, kTime - 1);
  const Value loss = MeanSquare(g, ops::Add(g, taken, ops::Multiply(g, cell.last, cell.last)));
  const Function after =
      ExpectSame(WithGradients(std::move(g), loss), "last_state,dead_code", {{"last_state", 2}});
  EXPECT_EQ(CountOps(after)["TakeStepGrad"], 0);
}

TEST(LastState, LeavesOtherStepsAndOtherSequences) {
  FunctionBuilder g("f", AllOps());
  const LayerValues l = DeclareLayer(g);
  const Value x = ops::Embedding(g, l.ids, l.table);
  const Value sequence = ops::RNNCell(g, x, l.w, l.u).sequence;
  const Value a = ops::TakeStep(g, sequence, -2), b = ops::TakeStep(g, sequence, 0);
  const Value c = ops::Dense(g, ops::TakeStep(g, x, -1), l.w);
  const Value loss = MeanSquare(g, ops::Add(g, ops::Add(g, a, b), c));
  ExpectSame(WithGradients(std::move(g), loss, {"w", "u", "table"}), "last_state", {});
}

TEST(ConstantFolding, ComputesWhatDependsOnConstantsAlone) {
  FunctionBuilder g("f", AllOps());
  const Value x = g.Input("x", {DType::kFloat32, {3, 200}});
  const Value one = ops::FillLike(g, x, 1);
  const Value row = ops::Constant(g, Tensor::Of<float>({3}, {1, -2, 0.1f}));
  const Value three = ops::Tanh(g, ops::Add(g, row, row));
  const Value y = ops::Multiply(g, x, ops::Scale(g, ops::Add(g, one, one), 0.75));
  g.Result("y", ops::Add(g, y, ops::BroadcastLike(g, three, x, {1})));
  g.Result("sum", ops::ReduceSum(g, one, {.axes = {0, 1}}));
  // Add and Tanh of the row; Add and Scale of ones; the sum. Not the broadcast, which reads x.
  const Function after = ExpectSame(std::move(g).Build().value(), "constant_folding,dead_code",
                                    {{"constant_folding", 5}});
  EXPECT_EQ(CountOps(after),
            (Counts{{"Constant", 3}, {"Multiply", 1}, {"Add", 1}, {"BroadcastLike", 1}}));
}

// What a constant costs decides, not how many of its elements differ.
TEST(ConstantFolding, ComputesWhateverIsNotLargerThanWhatItIsComputedFrom) {
  FunctionBuilder g("f", AllOps());
  std::vector<float> all(2000);
  for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<float>(i) / 700;
  const Value x = ops::Constant(g, Tensor::Of<float>({2, 1000}, all));
  g.Result("y", ops::Scale(g, x, 3));
  const absl::Span<const float> some = all;
  const Value column = ops::Constant(g, Tensor::Of<float>({50, 1}, some.first(50)));
  const Value row = ops::Constant(g, Tensor::Of<float>({1, 1000}, some.first(1000)));
  g.Result("z", ops::Tanh(g, ops::Dense(g, column, row)));  // 1050 elements become 50000
  const Function after = ExpectSame(std::move(g).Build().value(), "constant_folding,dead_code",
                                    {{"constant_folding", 1}});
  EXPECT_EQ(CountOps(after), (Counts{{"Constant", 3}, {"Dense", 1}, {"Tanh", 1}}));
}

TEST(CommonSubexpressions, LeaveConstantsThatDifferInOneElementOfMany) {
  FunctionBuilder g("f", AllOps());
  std::vector<float> some(100, 0.5f);
  const Value a = ops::Constant(g, Tensor::Of<float>({100}, absl::MakeConstSpan(some)));
  some[50] = 0.25f;
  const Value b = ops::Constant(g, Tensor::Of<float>({100}, absl::MakeConstSpan(some)));
  const Value c = ops::Constant(g, Tensor::Of<float>({100}, absl::MakeConstSpan(some)));
  g.Result("a", a);
  g.Result("b", b);
  g.Result("c", c);
  const Function after =
      ExpectSame(std::move(g).Build().value(), "common_subexpressions,dead_code", {});
  EXPECT_EQ(after.nodes().size(), 2u);
  EXPECT_EQ(after.FindResult("b"), after.FindResult("c"));
}

TEST(ConstantFolding, LeavesAnIndexOutOfRangeToFailWhenItRuns) {
  FunctionBuilder g("f", AllOps());
  const Value ids = g.Input("ids", {DType::kInt32, {2}});
  const Value table = ops::Constant(g, Tensor::Of<float>({2, 1}, {1, 2}));
  g.Result("y", ops::Embedding(g, ids, table));
  ASSERT_EQ(
      CountOps(
          RunPasses(std::move(g).Build().value(), AllOps(), StandardPasses(), OneBackend).value()),
      (Counts{{"Constant", 1}, {"Embedding", 1}}));
}

TEST(FuseDenseActivation, MovesAnActivationThatAloneReadsTheProductIntoIt) {
  FunctionBuilder g("f", AllOps());
  const Value x = g.Input("x", {DType::kFloat32, {kBatch, 4}});
  const Value w = g.Variable("w", {4, 4}, Initializer::Zeros());
  const Value b = g.Variable("b", {4}, Initializer::Zeros());
  const Value first = ops::Tanh(g, ops::Dense(g, x, w, {.bias = b, .name = "first"}));
  const Value z = ops::Dense(g, first, w, {.name = "second"});
  const Value second = ops::Relu(g, z);
  g.Result("z", z);  // read otherwise too
  const Value third = ops::Sigmoid(g, ops::Dense(g, second, w, {.activation = "tanh"}));
  const Value loss = MeanSquare(g, third);
  const Function after = ExpectSame(WithGradients(std::move(g), loss), "fuse_dense_activation",
                                    {{"fuse_dense_activation", 1}});
  EXPECT_EQ(after.nodes()[0].name, "first");
  EXPECT_EQ(after.nodes()[0].attributes.GetString("activation"), "tanh");
}

TEST(FuseElementwise, MakesOneNodeOfAChainWithItsConstants) {
  FunctionBuilder g("f", AllOps());
  const Value x = g.Input("x", {DType::kFloat32, {kBatch, 5}});
  const Value y = g.Input("y", {DType::kFloat32, {kBatch, 5}});
  const Value tanh = ops::Tanh(g, ops::Add(g, x, y));
  const Value scaled = ops::Scale(g, ops::Multiply(g, tanh, ops::FillLike(g, x, 0.3)), -2);
  g.Result("y", ops::Subtract(g, ops::Relu(g, scaled), ops::Binary(g, "SigmoidGrad", y, scaled)));
  const Function after = ExpectSame(std::move(g).Build().value(), "fuse_elementwise,dead_code",
                                    {{"fuse_elementwise", 7}});
  // `scaled` is read twice, but once both readers are one node it goes with them.
  ASSERT_EQ(CountOps(after), (Counts{{"FusedElementwise", 1}}));
  EXPECT_EQ(after.nodes()[0].attributes.GetString("program"),
            "add x0 x1; tanh t0; fill_like:0.3; multiply t1 t2; scale:-2 t3; relu t4; "
            "sigmoid_grad x1 t4; subtract t5 t6");
}

TEST(FuseElementwise, StopsAtTheLimitsOfAProgram) {
  FunctionBuilder g("f", AllOps());
  Value sum = g.Input("x0", {DType::kFloat32, {7}});
  for (int i = 1; i < 20; ++i) {
    sum = ops::Add(g, sum, g.Input("x" + std::to_string(i), {DType::kFloat32, {7}}));
  }
  for (int i = 0; i < 80; ++i) sum = ops::Scale(g, sum, i % 2 == 0 ? 1.5 : 0.7);
  g.Result("y", sum);
  const Function f = std::move(g).Build().value();
  const Function after =
      RunPasses(f, AllOps(), SelectPasses(StandardPasses(), "all").value(), OneBackend).value();
  EXPECT_LE(after.nodes().size(), 10u);
  const TensorMap feeds = FeedsOf(f);
  const TensorMap before_map = Evaluate(InDouble(f), feeds).value();
  EXPECT_TRUE(Evaluate(InDouble(after), feeds).value().at("y").BitwiseEquals(before_map.at("y")));
}

TEST(FuseElementwise, TakesANumberForATensorThatRepeatsIt) {
  FunctionBuilder g("f", AllOps());
  const Value x = g.Input("x", {DType::kFloat32, {kBatch, 5}});
  const Value rate = g.Input("rate", {DType::kFloat32, {}});
  const Value rates = ops::BroadcastLike(g, rate, x, {0, 1});
  const Value root = ops::Unary(g, "Sqrt", ops::Add(g, ops::Unary(g, "Abs", x), rates));
  const Value least = ops::Binary(g, "Maximum", ops::FillLike(g, x, 0.5), root);
  g.Result("y", ops::Binary(g, "Divide", ops::Multiply(g, rates, x), least));
  // Nothing in it has the shape of this one.
  g.Result("z", ops::Add(g, ops::BroadcastLike(g, rate, x, {0, 1}), ops::FillLike(g, x, 1)));
  const PassList passes = SelectPasses(StandardPasses(), "fuse_elementwise,dead_code").value();
  const Function f = std::move(g).Build().value();
  const Function after = RunPasses(f, AllOps(), passes, OneBackend).value();
  EXPECT_EQ(CountOps(after),
            (Counts{{"FusedElementwise", 1}, {"BroadcastLike", 1}, {"FillLike", 1}, {"Add", 1}}));
  TensorMap feeds = FeedsOf(f);
  feeds["rate"] = Tensor::Scalar(0.25);
  const TensorMap exact = Evaluate(InDouble(f), feeds).value();
  const TensorMap same = Evaluate(InDouble(after), feeds).value();
  EXPECT_TRUE(same.at("y").BitwiseEquals(exact.at("y")));
  EXPECT_LE(RelativeError(RunInFloat(f, feeds, passes).value().at("y").Cast(DType::kFloat64),
                          exact.at("y")),
            1e-6);
}

// Every optimizer whose update is a formula: a kernel for each tensor that it stores, and at most
// two more where a program would have more than eight inputs (Nadam's last step has ten).
TEST(FuseElementwise, MakesKernelsOfTheFormulasOfOptimizers) {
  std::vector<Optimizer> optimizers = {Adam{.amsgrad = true}};
  for (const OptimizerDef* def : AllOptimizers()) {
    if (def->update_op.empty() && def->name != "AdamW") optimizers.emplace_back(*def);
  }
  EXPECT_GE(optimizers.size(), 5u);
  for (const Optimizer& optimizer : optimizers) {
    SCOPED_TRACE(optimizer.name());
    FunctionBuilder g("f", AllOps());
    const Value w = g.Variable("w", {kBatch, 5}, Initializer::Zeros());
    const Value loss = ops::ReduceSum(g, ops::Tanh(g, w), {.axes = {0, 1}});
    g.Result("loss", loss);
    SEQ_ASSERT_OK(AddOptimizer(g, loss, optimizer));
    const Function after =
        RunPasses(std::move(g).Build().value(), AllOps(), StandardPasses(), OneBackend).value();
    int kernels = 0, stored = 0;
    for (const Node& node : after.nodes()) {
      kernels +=
          absl::StrContains(node.name, "/update") && after.type(node.outputs[0]).shape.rank() > 0;
    }
    for (const NamedValue& update : after.updates()) {
      if (after.type(update.value).shape.rank() == 0) continue;
      ++stored;
      // The largest mean square so far is one op as it is.
      const std::string& op = after.producer(update.value)->op->name();
      EXPECT_EQ(op, absl::EndsWith(update.name, "_hat") ? "Maximum" : "FusedElementwise");
    }
    EXPECT_LE(kernels, stored + (optimizer.name() == "Nadam" ? 2 : 1));
  }
}

// What a tutorial-like training function becomes.
TEST(Passes, OfATrainingStepFireTogether) {
  FunctionBuilder g("f", AllOps());
  const LayerValues l = DeclareLayer(g);
  const Value labels = g.Input("labels", {DType::kFloat32, {kBatch, 1}});
  const Value v = g.Variable("v", {kUnits, 1}, Initializer::Zeros());
  const Value last =
      ops::RNNCell(g, ops::Embedding(g, l.ids, l.table), l.w, l.u, {.bias = l.b}).last;
  const Value z = ops::Dense(g, last, v);
  g.Result("probability", ops::Sigmoid(g, z));
  const Value loss = ops::BCEWithLogits(g, z, labels);
  const Function after =
      ExpectSame(WithGradients(std::move(g), loss), "all",
                 {{"commute_lookup_projection", 2}, {"fuse_lookup_rnn_cell", 2}});
  EXPECT_EQ(CountOps(after), (Counts{{"Dense", 2},
                                     {"LookupRNNCell", 1},
                                     {"Sigmoid", 1},
                                     {"BCEWithLogits", 1},
                                     {"FillLike", 1},
                                     {"BCEWithLogitsGrad", 1},
                                     {"DenseGrad", 2},
                                     {"LookupRNNCellGrad", 1}}));
}

}  // namespace
}  // namespace seqgraph
