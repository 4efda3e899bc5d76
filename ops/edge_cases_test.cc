// What examples and the registry-wide suites cannot say: NaN, saturation, indices out of range,
// counters at their end, precision of sums, the batch known only at run time.

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "graph/evaluate.h"
#include "graph/function_builder.h"
#include "graph/gradient.h"
#include "graph/rewrite.h"
#include "ops/activations.h"
#include "ops/all_ops.h"
#include "ops/examples.h"
#include "ops/reductions.h"
#include "tests/testing.h"

namespace seqgraph::ops {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

absl::StatusOr<OptionalTensors> RunOp(const std::string& op, const Attributes& attributes,
                                      OptionalTensors inputs) {
  const OpDef& def = *AllOps().Find(op);
  if (inputs.size() < def.inputs().size()) inputs.resize(def.inputs().size());
  return Evaluate(def, attributes, inputs);
}

// The first output of a run that must succeed.
Tensor First(const std::string& op, const Attributes& attributes, const OptionalTensors& inputs) {
  const absl::StatusOr<OptionalTensors> outputs = RunOp(op, attributes, inputs);
  EXPECT_TRUE(outputs.ok()) << outputs.status();
  return outputs.ok() ? *(*outputs)[0] : Tensor();
}

TEST(Activations, NaNInNaNOut) {
  for (const char* op : {"Sigmoid", "Tanh", "Relu"}) {
    EXPECT_TRUE(std::isnan(First(op, {}, {RealScalar(kNaN)}).Elements<double>()[0])) << op;
    const Tensor in_float = Tensor::Scalar(std::numeric_limits<float>::quiet_NaN());
    EXPECT_TRUE(std::isnan(First(op, {}, {in_float}).Elements<float>()[0])) << op;
  }
}

TEST(Activations, SigmoidKeepsRelativePrecisionFarBelowZeroInFloat) {
  const Tensor y = First("Sigmoid", {}, {Tensor::Of<float>({2}, {-80, 200})});
  EXPECT_NEAR(y.Elements<float>()[0] / 1.8048513878454153e-35, 1, 1e-6);  // exp(-80)
  EXPECT_EQ(y.Elements<float>()[1], 1);
}

TEST(Slice, OfOneElementMayHaveAnyStride) {
  const Attributes second{{"axis", int64_t{0}},
                          {"begin", int64_t{1}},
                          {"end", int64_t{2}},
                          {"stride", std::numeric_limits<int64_t>::max()}};
  const Tensor y = First("Slice", second, {Tensor::Of<float>({3, 2}, {1, 2, 3, 4, 5, 6})});
  EXPECT_TRUE(y.BitwiseEquals(Tensor::Of<float>({1, 2}, {3, 4})));
}

TEST(Activations, AnUnknownNameIsAnErrorOfTheBuilder) {
  FunctionBuilder g("f", AllOps());
  const Value x = g.Input("x", RealType({2}));
  EXPECT_EQ(ApplyActivation(g, "none", x), x);
  EXPECT_FALSE(ApplyActivation(g, "softplus", x).present());
  EXPECT_THAT(g.status(), StatusIs(absl::StatusCode::kInvalidArgument, "got \"softplus\""));
}

TEST(Indices, OutOfRangeIsAnErrorThatNamesPositionAndValue) {
  const Tensor ids = Ids({2, 3}, {0, 1, 2, 0, 3, 1}), negative = Ids({}, {-1});
  const Tensor table = Reals({3, 1}, {1, 2, 3}), dy = Reals({2, 3, 1}, {1, 2, 3, 4, 5, 6});
  const auto code = absl::StatusCode::kInvalidArgument;
  const std::string message = "ids[1, 1] is 3, must be in [0, 3)";
  EXPECT_THAT(RunOp("Embedding", {}, {ids, table}), StatusIs(code, message));
  EXPECT_THAT(RunOp("EmbeddingGrad", {{"rows", 3}}, {ids, dy}), StatusIs(code, message));
  EXPECT_THAT(RunOp("OneHot", {{"depth", 3}}, {ids}), StatusIs(code, message));
  EXPECT_THAT(RunOp("Embedding", {}, {negative, table}),
              StatusIs(code, "ids is -1, must be in [0, 3)"));
}

TEST(BCE, ClipsInFloatAtTheBoundsOfTheFormula) {
  // 1 - 1e-7 rounds to 1 - 1.2e-7 in float, which would give 15.94.
  for (float p : {0.0f, 1.0f}) {
    const Tensor loss = First("BCE", {}, {Tensor::Scalar(p), Tensor::Scalar(1 - p)});
    EXPECT_NEAR(loss.Elements<float>()[0], 16.11809565095832, 2e-6) << p;
  }
}

TEST(BCE, NaNInNaNOut) {
  const Tensor p = Reals({2}, {kNaN, 0.5}), labels = Reals({2}, {1, 1});
  for (const char* op : {"BCE", "BCEWithLogits"}) {
    EXPECT_TRUE(std::isnan(First(op, {}, {p, labels}).Elements<double>()[0])) << op;
  }
  for (const char* op : {"BCEGrad", "BCEWithLogitsGrad"}) {
    const Tensor gradient = First(op, {}, {p, labels, RealScalar(1)});
    EXPECT_TRUE(std::isnan(gradient.Elements<double>()[0])) << op;
    EXPECT_TRUE(std::isfinite(gradient.Elements<double>()[1])) << op;
  }
}

TEST(BCE, IsSummedInDouble) {
  // A million equal terms: added in float they would be off in the third digit.
  constexpr int64_t kTerms = 1000000;
  const Tensor p = Tensor::Of<float>({kTerms}, std::vector<float>(kTerms, 0.75f));
  const Tensor labels = Tensor::Of<float>({kTerms}, std::vector<float>(kTerms, 1.0f));
  const float expected = 0.28768207245178096;  // -log(0.75)
  EXPECT_FLOAT_EQ(First("BCE", {}, {p, labels}).Elements<float>()[0], expected);
}

TEST(Counters, EndWithAnErrorAndNotWithOverflow) {
  EXPECT_THAT(RunOp("Increment", {}, {CounterScalar(std::numeric_limits<int64_t>::max())}),
              StatusIs(absl::StatusCode::kInvalidArgument, "no larger count fits"));
  const Tensor w = Reals({1}, {1}), lr = RealScalar(0.1);
  EXPECT_THAT(RunOp("AdamUpdate", {}, {w, w, lr, CounterScalar(-1), w, w}),
              StatusIs(absl::StatusCode::kInvalidArgument, "is -1, must be at least 0"));
  const Tensor last =
      First("AdamUpdate", {}, {w, w, lr, CounterScalar(std::numeric_limits<int64_t>::max()), w, w});
  // The corrections are 1 by now: 1 - 0.1 * 1 / (1 + 1e-7).
  EXPECT_NEAR(last.Elements<double>()[0], 0.90000001, 1e-14);
}

TEST(RNNCell, AnInputProjectedBeforeGivesTheSameBits) {
  SampleSource source(3);
  const Tensor x = source.Reals({2, 4, 3}), w = source.Reals({3, 5}), u = source.Reals({5, 5});
  const Tensor projected = First("Dense", {}, {x, w, {}});
  SEQ_ASSERT_OK_AND_ASSIGN(const OptionalTensors whole, RunOp("RNNCell", {}, {x, w, u, {}, {}}));
  SEQ_ASSERT_OK_AND_ASSIGN(const OptionalTensors parts,
                           RunOp("RNNCell", {}, {projected, {}, u, {}, {}}));
  EXPECT_TRUE(whole[0]->BitwiseEquals(*parts[0]));
  EXPECT_TRUE(whole[1]->BitwiseEquals(*parts[1]));
}

TEST(RNNCell, ANaNStaysInItsRowOfTheBatchAndFromItsTimeOn) {
  const Tensor x = Reals({2, 3, 1}, {1, kNaN, 1, 1, 1, 1}), w = Reals({1, 1}, {1});
  for (const char* activation : {"tanh", "relu", "sigmoid"}) {
    const Tensor h = First("RNNCell", {{"activation", activation}}, {x, w, w, {}, {}});
    const absl::Span<const double> elements = h.Elements<double>();
    const std::vector<bool> expected = {false, true, true, false, false, false};
    for (size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ(std::isnan(elements[i]), expected[i]) << activation << ", element " << i;
    }
  }
}

TEST(Builder, AMistakeNamesFunctionNodeOpAndConstraint) {
  FunctionBuilder g("predict", AllOps());
  const Value x = g.Input("x", RealType({Dim::Batch(), 4}));
  const Value w = g.Variable("w", {3, 2}, Initializer::Zeros());
  g.AddNode("Dense", {x, w}, {}, "head");
  EXPECT_THAT(g.status(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "function predict: node head (Dense): C2: w must be [features, units] with "
                       "features 4, got [3, 2]"));
}

TEST(ReduceMean, DividesByTheBatchOfTheRun) {
  FunctionBuilder g("f", AllOps());
  const Value x = g.Input("x", RealType({Dim::Batch(), 2}));
  const Value mean = ReduceMean(g, x, {.axes = {0, 1}});
  g.Result("mean", mean);
  SEQ_ASSERT_OK_AND_ASSIGN(const std::vector<Value> gradients, AddGradients(g, mean, {x}));
  g.Result("dx", gradients[0]);
  SEQ_ASSERT_OK_AND_ASSIGN(const Function function, std::move(g).Build());
  for (int64_t batch : {1, 4}) {
    SEQ_ASSERT_OK_AND_ASSIGN(const Function bound, BindBatch(function, AllOps(), batch));
    std::vector<float> elements(2 * batch);
    for (size_t i = 0; i < elements.size(); ++i) elements[i] = static_cast<float>(i);
    SEQ_ASSERT_OK_AND_ASSIGN(
        const TensorMap results,
        Evaluate(bound, {{"x", Tensor::Of<float>(Shape{batch, 2}, elements)}}));
    EXPECT_EQ(results.at("mean").Elements<float>()[0], batch == 1 ? 0.5f : 3.5f);
    for (float dx : results.at("dx").Elements<float>()) {
      EXPECT_EQ(dx, batch == 1 ? 0.5f : 0.125f);
    }
  }
}

}  // namespace
}  // namespace seqgraph::ops
