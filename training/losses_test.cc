// Losses against Keras's formulas worked out by hand: the mean over rows of weight times the loss
// of the row, divided by the number of rows. On every backend that has kernels of its own.

#include "training/losses.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
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

  // With weights and mask, if they are there.
  double Compute(const Loss& loss, const Tensor& prediction, const Tensor& labels,
                 const std::optional<Tensor>& weights,
                 const std::optional<Tensor>& mask = std::nullopt) {
    FunctionBuilder g("loss", AllOps());
    std::vector<Tensor> contents;
    const auto input = [&](const char* name, const Tensor& content) {
      contents.push_back(content);
      return g.Input(name, content.type());
    };
    LossInputs in{input("p", prediction), input("y", labels), {}};
    if (weights.has_value()) in.weights = input("w", *weights);
    EXPECT_EQ(loss.LabelsType(prediction.type()), labels.type());
    g.Result("loss",
             mask.has_value() ? MaskedLoss(g, loss, in, input("m", *mask)) : loss.build(g, in));
    auto function = std::move(g).Build();
    SEQ_EXPECT_OK(function);
    VariableStore none;
    auto compiled = CompiledFunction::Compile(*function, AllOps(), &none, {.backends = backends()});
    SEQ_EXPECT_OK(compiled);
    for (size_t i = 0; i < contents.size(); ++i) {
      SEQ_EXPECT_OK((*compiled)->SetInput(static_cast<int>(i), contents[i]));
    }
    SEQ_EXPECT_OK((*compiled)->Run());
    return (*compiled)->Result((*compiled)->FindResult("loss")).Elements<float>()[0];
  }

  // Of two rows; with weights 3 and 1 or without.
  double LossOf(const Loss& loss, const Tensor& prediction, const Tensor& labels, bool weighted) {
    std::optional<Tensor> weights;
    if (weighted) weights = Tensor::Of<float>({2}, {3, 1});
    return Compute(loss, prediction, labels, weights);
  }
};

Loss ByName(absl::string_view name) { return LossByName(name).value(); }

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

// Of two quantiles, each with both numbers: by rows (0.125 + 0.375) / 2 and (2 + 2) / 2.
TEST_P(LossesTest, Pinball) {
  const Tensor x = Tensor::Of<float>({2, 4}, {1, 2, 3, 4, 0, 0, 0, 0}),
               y = Tensor::Of<float>({2, 2}, {2, 2, 4, -4});
  EXPECT_NEAR(LossOf(Pinball({0.25, 0.75}), x, y, false), (0.25 + 2) / 2, 1e-6);
  EXPECT_NEAR(LossOf(Pinball({0.25, 0.75}), x, y, true), (3 * 0.25 + 2) / 2, 1e-6);
  const Tensor one = Tensor::Of<float>({2, 2}, {1, 2, 0, 0});
  EXPECT_NEAR(LossOf(Pinball({0.25}), one, y, false), (0.125 + 2) / 2, 1e-6);
  // As two steps of one row, of which the second is not there.
  const Tensor steps = Tensor::Of<float>({1, 2, 4}, {1, 2, 3, 4, 0, 0, 0, 0}),
               labels = Tensor::Of<float>({1, 2, 2}, {2, 2, 4, -4});
  const Tensor mask = Tensor::Of<int32_t>({1, 2}, {1, 0});
  EXPECT_NEAR(Compute(Pinball({0.25, 0.75}), steps, labels, std::nullopt, mask), 0.25, 1e-6);
}

// (2 / 2)^2 and (10 / 5)^2 in the first row, 2^2 and 2^2 in the second.
TEST_P(LossesTest, ScaledLoss) {
  const Tensor x = Tensor::Of<float>({2, 2}, {3, 20, 1, 0}),
               y = Tensor::Of<float>({2, 2}, {1, 10, 5, 10});
  const Loss loss = Scaled(MeanSquaredError(), {1, 10}, {2, 5});
  EXPECT_NEAR(LossOf(loss, x, y, false), (2.5 + 4) / 2, 1e-6);
  EXPECT_NEAR(LossOf(loss, x, y, true), (3 * 2.5 + 4) / 2, 1e-6);
  // As above, of halves: the scale of both numbers goes for each quantile.
  const Tensor four = Tensor::Of<float>({2, 4}, {1, 2, 3, 4, 0, 0, 0, 0}),
               two = Tensor::Of<float>({2, 2}, {2, 2, 4, -4});
  EXPECT_NEAR(LossOf(Scaled(Pinball({0.25, 0.75}), {1, 7}, {2, 2}), four, two, false), 0.5625,
              1e-6);
  // Where it moves nothing it counts all the same: log(1 + x) of 0 and 1.
  const Tensor mean = Tensor::Of<float>({1, 1}, {5}), far = Tensor::Of<float>({1, 1}, {7});
  EXPECT_NEAR(Compute(Scaled(ByName("msle"), {5}, {2}), mean, far, std::nullopt), kLog2 * kLog2,
              1e-6);
}

// d loss / dx of both, by hand: of the mean over 2 rows, 2 numbers and 2 quantiles, 1 / 8 times
// -q below the label and 1 - q above, over the scale 4.
TEST_P(LossesTest, GradientsOfScaledQuantiles) {
  FunctionBuilder g("train_step", AllOps());
  const Value x = g.Variable("x", {2, 4}, Initializer::Zeros());
  const Value y = g.Input("y", {DType::kFloat32, {2, 2}});
  const Value loss = Scaled(Pinball({0.25, 0.75}), {1}, {4}).build(g, {x, y, {}});
  g.Result("loss", loss);
  SEQ_ASSERT_OK(AddOptimizer(g, loss, SGD{.learning_rate = 1}));
  SEQ_ASSERT_OK_AND_ASSIGN(Function function, std::move(g).Build());
  Model model;
  SEQ_ASSERT_OK(model.AddFunction(std::move(function)));
  SEQ_ASSERT_OK(SetLearningRate(model, 32));
  SEQ_ASSERT_OK_AND_ASSIGN(auto compiled,
                           CompiledFunction::Compile(model.functions[0], AllOps(), &model.variables,
                                                     {.backends = backends()}));
  SEQ_ASSERT_OK(compiled->SetInput(0, Tensor::Of<float>({2, 2}, {1, -1, 2, -2})));
  SEQ_ASSERT_OK(compiled->Run());
  const std::vector<float> expected = {0.25, -0.75, 0.75, -0.25, 0.25, -0.75, 0.75, -0.25};
  const auto after = model.variables.Find("x")->value.Elements<float>();
  for (size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(after[i], expected[i], 1e-6) << i;
}

// Two sequences of three steps, against Keras 3.15.1 (backend jax), where yp bears the mask as its
// _keras_mask:
//
//   w = np.array([[.5, 2, 1], [0, 1.5, 3]]); m = np.array([[1, 1, 0], [1, 0, 1]], bool)
//   for sample_weight, mask in (None, None), (w, None), (None, m), (w, m), (None, zeros):
//     print(keras.losses.BinaryCrossentropy()(y, yp, sample_weight=sample_weight))
//
// The losses of ops/row_loss.h likewise, on backend tensorflow.
TEST_P(LossesTest, OnSequencesWithWeightsAndMasksAreKeras) {
  const Tensor p = Tensor::Of<float>({2, 3, 3}, {.1f, .7f, .2f, .4f, .4f, .2f, .3f, .3f, .4f, .6f,
                                                 .3f, .1f, .2f, .5f, .3f, .1f, .1f, .8f});
  const Tensor classes = Tensor::Of<int32_t>({2, 3}, {1, 1, 2, 0, 2, 2});
  const Tensor one_hot =
      Tensor::Of<float>({2, 3, 3}, {0, 1, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 0, 0, 1});
  const Tensor odds = Tensor::Of<float>({2, 3, 1}, {.9f, .6f, .2f, .5f, .8f, .3f});
  const Tensor truth = Tensor::Of<float>({2, 3, 1}, {1, 0, 1, 1, 1, 0});
  const Tensor real = Tensor::Of<float>({2, 3, 2}, {1, 2, 0, 3, -1, 1, 2, 2, 4, 0, 1, -2});
  const Tensor targets = Tensor::Of<float>({2, 3, 2}, {0, 2, 1, 1, -1, 3, 2, 0, 1, 1, 0, -1});
  const Tensor signs = Tensor::Of<float>({2, 3, 2}, {1, 1, 1, 1, -1, 1, 1, 1, 1, 1, 1, -1});
  const Tensor others = Tensor::Of<float>({2, 3, 3}, {.6f, .3f, .1f, .2f, .5f, .3f, .1f, .1f, .8f,
                                                      .1f, .7f, .2f, .4f, .4f, .2f, .3f, .3f, .4f});
  const Tensor counts =
      Tensor::Of<float>({2, 3, 3}, {0, 0, 0, 1, 1, 1, -1, -1, -1, 2, 2, 2, 1, 1, 1, 0, 0, 0});
  const Tensor weights = Tensor::Of<float>({2, 3}, {.5f, 2, 1, 0, 1.5f, 3});
  const Tensor mask = Tensor::Of<int32_t>({2, 3}, {7, 1, 0, 1, 0, -1});
  const Tensor none = Tensor::Of<int32_t>({2, 3}, {0, 0, 0, 0, 0, 0});
  const struct {
    Loss loss;
    const Tensor &prediction, &labels;
    double plain, weighted, masked, both;
  } kCases[] = {
      {BinaryCrossEntropy(), odds, truth, 0.6506758332, 0.8165733218, 0.5178683400, 0.7388216853},
      {CategoricalCrossEntropy(), p, one_hot, 0.6878663898, 0.9004332423, 0.5017337203,
       0.6700873375},
      {SparseCategoricalCrossEntropy(), p, classes, 0.6878663898, 0.9004332423, 0.5017337203,
       0.6700873375},
      {MeanSquaredError(), real, targets, 2.1666667461, 2.9583332539, 1.5, 2.0625},
      {ByName("mae"), real, targets, 1.166666627, 1.708333373, 1, 1.5625},
      {ByName("mape"), p, others, 104.7486801, 100.1388931, 109.2063522, 97.08333588},
      {ByName("msle"), real, targets, 0.4107712507, 0.5053260326, 0.3910950422, 0.4504245818},
      {Huber(), real, targets, 0.7916666865, 1.104166627, 0.625, 0.90625},
      {Huber(1.5), real, targets, 0.9583333135, 1.307291627, 0.71875, 1},
      {ByName("log_cosh"), real, targets, 0.7044367194, 0.9814007282, 0.5481411219, 0.792142868},
      {ByName("poisson"), p, counts, 0.981061399, 0.9344242215, 1.28973186, 1.032003045},
      {ByName("kld"), p, one_hot, 0.6878635287, 0.9004294276, 0.5017308593, 0.6700835228},
      {ByName("hinge"), p, one_hot, 0.9777777791, 1.288888931, 0.9166666865, 1.241666794},
      {ByName("squared_hinge"), real, signs, 0.1666666716, 0.2916666567, 0.125, 0.25},
      {ByName("categorical_hinge"), p, one_hot, 0.7666667104, 0.9750000834, 0.625, 0.7874999642},
      {ByName("cosine_similarity"), real, targets, -0.8007670045, -1.083299279, -0.8007669449,
       -1.136177182},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.loss.name);
    const auto loss = [&](const std::optional<Tensor>& w, const std::optional<Tensor>& m) {
      return Compute(c.loss, c.prediction, c.labels, w, m);
    };
    const double bar = 1e-6 * std::max(1.0, c.plain);  // Keras's are float32.
    EXPECT_NEAR(loss(std::nullopt, std::nullopt), c.plain, bar);
    EXPECT_NEAR(loss(weights, std::nullopt), c.weighted, bar);
    EXPECT_NEAR(loss(std::nullopt, mask), c.masked, bar);
    EXPECT_NEAR(loss(weights, mask), c.both, bar);
    EXPECT_EQ(loss(std::nullopt, none), 0);
    EXPECT_EQ(loss(weights, none), 0);
  }
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

TEST(Losses, AMaskIsOneNumberARow) {
  FunctionBuilder g("f", AllOps());
  const Value x = g.Input("x", {DType::kFloat32, {2, 3, 1}});
  const Value mask = g.Input("m", {DType::kInt32, {2}});
  g.Result("loss", MaskedLoss(g, MeanSquaredError(), {x, x, {}}, mask));
  EXPECT_THAT(std::move(g).Build(),
              StatusIs(absl::StatusCode::kInvalidArgument, "the mask of the loss is int32[2]"));
}

TEST(Losses, ByKerasName) {
  EXPECT_EQ(LossByName("mse")->name, "mean_squared_error");
  EXPECT_TRUE(LossByName("sparse_categorical_crossentropy")->labels_are_classes);
  EXPECT_EQ(LossByName("mae")->name, "mean_absolute_error");
  EXPECT_EQ(LossByName("huber", {{"delta", 2.0}})->name, "huber");
  EXPECT_THAT(LossByName("dice"), StatusIs(absl::StatusCode::kInvalidArgument,
                                           "binary_crossentropy, categorical_crossentropy"));
  EXPECT_THAT(LossByName("dice"),
              StatusIs(absl::StatusCode::kInvalidArgument, "hinge, cosine_similarity"));
  EXPECT_THAT(LossByName("huber", {{"delta", 0.0}}),
              StatusIs(absl::StatusCode::kInvalidArgument, "\"delta\""));
  EXPECT_THAT(LossByName("hinge", {{"delta", 2.0}}),
              StatusIs(absl::StatusCode::kInvalidArgument, "the loss hinge has no setting"));
}

TEST(Losses, QuantilesAndScalesThatDoNotFit) {
  const auto status = [](const Loss& loss, const TensorType& prediction, const TensorType& labels) {
    FunctionBuilder g("f", AllOps());
    const LossInputs in = {g.Input("x", prediction), g.Input("y", labels), {}};
    g.Result("loss", loss.build(g, in));
    return std::move(g).Build().status();
  };
  constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
  const TensorType two = {DType::kFloat32, {3, 2}}, four = {DType::kFloat32, {3, 4}};
  SEQ_EXPECT_OK(status(Pinball({0.1, 0.9}), four, two));
  for (const std::vector<double>& bad :
       {std::vector<double>(), {0.5, 0.2}, {0.5, 0.5}, {0, 0.5}, {0.5, 1}, {0.5, NAN}}) {
    EXPECT_THAT(status(Pinball(bad), four, two), StatusIs(kInvalid, "must ascend in (0, 1)"));
  }
  EXPECT_THAT(status(Pinball({0.1, 0.5, 0.9}), four, two), StatusIs(kInvalid, "3 quantiles"));
  for (const auto& [mean, scale] :
       {std::pair<std::vector<double>, std::vector<double>>{{1, 2, 3}, {1}},
        {{1}, {}},
        {{1, 2}, {1, 0}}}) {
    EXPECT_THAT(status(Scaled(MeanSquaredError(), mean, scale), two, two),
                StatusIs(kInvalid, "mean_squared_error of labels"));
  }
  EXPECT_THAT(status(Scaled(SparseCategoricalCrossEntropy(), {1}, {1}), two, {DType::kInt32, {3}}),
              StatusIs(kInvalid, "expected real labels"));
}

TEST(Losses, QuantilesAndScalesAreKnownByTheirNodes) {
  const auto evaluate = [](const Loss& loss) {
    FunctionBuilder g("evaluate", AllOps());
    const TensorType type = {DType::kFloat32, {2, 4}};
    const LossInputs in = {g.Input("x", type), g.Input(kLabels, loss.LabelsType(type)), {}};
    g.Result(kLossResult, loss.build(g, in));
    return std::move(g).Build().value();
  };
  const Function quantiles = evaluate(Scaled(Pinball({0.25, 0.75}), {0}, {2}));
  EXPECT_EQ(QuantilesOf(quantiles), (std::vector<double>{0.25, 0.75}));
  EXPECT_TRUE(HasScaledLoss(quantiles));
  EXPECT_FALSE(HasClassLoss(quantiles));
  EXPECT_EQ(LossOf(quantiles), "");
  EXPECT_EQ(LossOf(evaluate(Pinball({0.9}))), "");
  const Function scaled = evaluate(Scaled(Huber(2), {0}, {2}));
  EXPECT_TRUE(HasScaledLoss(scaled));
  EXPECT_EQ(LossOf(scaled), "huber");
  EXPECT_EQ(LossSettingsOf(scaled), Attributes({{"delta", 2.0}}));
  EXPECT_FALSE(HasScaledLoss(evaluate(Huber(2))));
  EXPECT_TRUE(QuantilesOf(evaluate(Huber(2))).empty());
  EXPECT_EQ(LossByName("pinball")->name, "pinball");
}

// What a file is told of the loss of a function.
TEST(Losses, AreKnownByTheirNodes) {
  for (const char* name : {"binary_crossentropy", "mean_squared_error", "poisson", "huber"}) {
    FunctionBuilder g("evaluate", AllOps());
    const TensorType type = {DType::kFloat32, {2, 3}};
    const LossInputs in = {g.Input("x", type), g.Input(kLabels, type), {}};
    g.Result(kLossResult, ByName(name).build(g, in));
    SEQ_ASSERT_OK_AND_ASSIGN(const Function function, std::move(g).Build());
    EXPECT_EQ(LossOf(function), name);
    EXPECT_EQ(LossSettingsOf(function), Attributes());
    EXPECT_EQ(HasClassLoss(function), name == std::string("binary_crossentropy"));
  }
  FunctionBuilder g("evaluate", AllOps());
  const Value x = g.Input("x", {DType::kFloat32, {2, 3}});
  g.Result(kLossResult, Huber(2).build(g, {x, x, {}}));
  SEQ_ASSERT_OK_AND_ASSIGN(const Function function, std::move(g).Build());
  EXPECT_EQ(LossSettingsOf(function), Attributes({{"delta", 2.0}}));
}

}  // namespace
}  // namespace seqgraph
