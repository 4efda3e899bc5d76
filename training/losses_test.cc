// Losses against Keras's formulas worked out by hand: the mean over rows of weight times the loss
// of the row, divided by the number of rows. On every backend that has kernels of its own.

#include "training/losses.h"

#include <string>
#include <vector>

#include "backends/all_backends.h"
#include "gtest/gtest.h"
#include "ops/all_ops.h"
#include "ops/elementwise.h"
#include "ops/reductions.h"
#include "runtime/compiled_function.h"
#include "tests/testing.h"
#include "training/optimizers.h"

namespace seqgraph {
namespace {

class LossesTest : public testing::TestWithParam<const char*> {
 protected:
  std::vector<const Backend*> backends() const { return *AllBackends().ParseList(GetParam()); }

  // Of two rows; with weights 3 and 1 or without.
  double LossOf(const Loss& loss, const Tensor& prediction, const Tensor& labels, bool weighted) {
    FunctionBuilder g("loss", AllOps());
    LossInputs in{g.Input("p", prediction.type()), g.Input("y", labels.type()), {}};
    if (weighted) in.weights = g.Input("w", {DType::kFloat32, {2}});
    EXPECT_EQ(loss.LabelsType(prediction.type()), labels.type());
    g.Result("loss", loss.build(g, in));
    auto function = std::move(g).Build();
    SEQ_EXPECT_OK(function);
    VariableStore none;
    auto compiled = CompiledFunction::Compile(*function, AllOps(), &none, {.backends = backends()});
    SEQ_EXPECT_OK(compiled);
    SEQ_EXPECT_OK((*compiled)->SetInput(0, prediction));
    SEQ_EXPECT_OK((*compiled)->SetInput(1, labels));
    if (weighted) {
      SEQ_EXPECT_OK((*compiled)->SetInput(2, Tensor::Of<float>({2}, {3, 1})));
    }
    SEQ_EXPECT_OK((*compiled)->Run());
    return (*compiled)->Result(0).Elements<float>()[0];
  }
};

constexpr double kLog2 = 0.6931471805599453;

// -log 1/4 and -log 1/2.
constexpr double kPlain = (2 * kLog2 + kLog2) / 2, kWeighted = (3 * 2 * kLog2 + kLog2) / 2;

TEST_P(LossesTest, BinaryCrossEntropy) {
  const Tensor p = Tensor::Of<float>({2, 1}, {0.25, 0.5}), y = Tensor::Of<float>({2, 1}, {1, 0});
  EXPECT_NEAR(LossOf(BinaryCrossEntropy(), p, y, false), kPlain, 1e-6);
  EXPECT_NEAR(LossOf(BinaryCrossEntropy(), p, y, true), kWeighted, 1e-6);
}

TEST_P(LossesTest, CategoricalCrossEntropies) {
  const Tensor p = Tensor::Of<float>({2, 3}, {0.5, 0.25, 0.25, 0.25, 0.5, 0.25});
  const Tensor y = Tensor::Of<float>({2, 3}, {0, 0, 1, 0, 1, 0});
  const Tensor classes = Tensor::Of<int32_t>({2}, {2, 1});
  EXPECT_NEAR(LossOf(CategoricalCrossEntropy(), p, y, false), kPlain, 1e-6);
  EXPECT_NEAR(LossOf(CategoricalCrossEntropy(), p, y, true), kWeighted, 1e-6);
  EXPECT_NEAR(LossOf(SparseCategoricalCrossEntropy(), p, classes, false), kPlain, 1e-6);
  EXPECT_NEAR(LossOf(SparseCategoricalCrossEntropy(), p, classes, true), kWeighted, 1e-6);
}

TEST_P(LossesTest, MeanSquaredError) {
  const Tensor x = Tensor::Of<float>({2, 2}, {1, 2, 0, 0}),
               y = Tensor::Of<float>({2, 2}, {0, 0, 2, 0});
  EXPECT_NEAR(LossOf(MeanSquaredError(), x, y, false), (2.5 + 2) / 2, 1e-6);
  EXPECT_NEAR(LossOf(MeanSquaredError(), x, y, true), (3 * 2.5 + 2) / 2, 1e-6);
}

// Nothing but penalties on w = [1, -2]: 0.5 (1 + 2) + 0.25 (1 + 4), with the gradient
// 0.5 sign(w) + 0.5 w = [1, -1.5].
TEST_P(LossesTest, PenaltiesAndTheirGradients) {
  FunctionBuilder g("train_step", AllOps());
  const Value w = g.Variable("w", {2}, Initializer::Zeros());
  const Value nothing = ops::Scale(g, ops::ReduceSum(g, w, {.axes = {0}}), 0);
  const Value loss = AddPenalties(g, nothing, {{"w", {.l1 = 0.5, .l2 = 0.25}}});
  g.Result("loss", loss);
  SEQ_ASSERT_OK(AddOptimizer(g, loss, SGD{.learning_rate = 1}));
  SEQ_ASSERT_OK_AND_ASSIGN(Function function, std::move(g).Build());
  Model model;
  SEQ_ASSERT_OK(model.AddFunction(std::move(function)));
  SEQ_ASSERT_OK(model.variables.Assign("w", Tensor::Of<float>({2}, {1, -2})));
  SEQ_ASSERT_OK(SetLearningRate(model, 1));
  SEQ_ASSERT_OK_AND_ASSIGN(auto compiled,
                           CompiledFunction::Compile(model.functions[0], AllOps(), &model.variables,
                                                     {.backends = backends()}));
  SEQ_ASSERT_OK(compiled->Run());
  EXPECT_NEAR(compiled->Result(0).Elements<float>()[0], 2.75, 1e-6);
  const auto after = model.variables.Find("w")->value.Elements<float>();
  EXPECT_NEAR(after[0], 0, 1e-6);
  EXPECT_NEAR(after[1], -0.5, 1e-6);
}

INSTANTIATE_TEST_SUITE_P(Backends, LossesTest, testing::Values("reference", "onednn", "simd"),
                         [](const auto& info) { return std::string(info.param); });

TEST(Losses, PenaltiesNeedAWeightThatIsRead) {
  FunctionBuilder g("f", AllOps());
  const Value x = g.Input("x", {DType::kFloat32, {}});
  g.Result("loss", AddPenalties(g, x, {{"dense/kernel", {.l2 = 1}}}));
  EXPECT_THAT(std::move(g).Build(), StatusIs(absl::StatusCode::kInvalidArgument, "dense/kernel"));
}

TEST(Losses, ByKerasName) {
  EXPECT_EQ(LossByName("mse")->name, "mean_squared_error");
  EXPECT_TRUE(LossByName("sparse_categorical_crossentropy")->labels_are_classes);
  EXPECT_THAT(LossByName("hinge"), StatusIs(absl::StatusCode::kInvalidArgument,
                                            "binary_crossentropy, categorical_crossentropy"));
}

}  // namespace
}  // namespace seqgraph
