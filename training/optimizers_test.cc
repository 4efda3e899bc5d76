#include "training/optimizers.h"

#include <cmath>
#include <string>
#include <vector>

#include "backends/all_backends.h"
#include "gtest/gtest.h"
#include "ops/all_ops.h"
#include "ops/elementwise.h"
#include "ops/reductions.h"
#include "optimizers/formula.h"
#include "runtime/compiled_function.h"
#include "tests/testing.h"
#include "training/initializers.h"

namespace seqgraph {
namespace {

// loss = sum w^2 for a weight w = [1, -2]: the gradient is 2 w. `frozen` is not trained.
absl::StatusOr<Model> Quadratic(const Optimizer& optimizer) {
  FunctionBuilder g("train_step", AllOps());
  const Value w = g.Variable("layer/w", {2}, Initializer::Constant(1));
  const Value frozen = g.Variable({"layer/frozen",
                                   {DType::kFloat32, {2}},
                                   Initializer::Constant(1),
                                   VariableRole::kWeight,
                                   /*trainable=*/false});
  const Value loss =
      ops::ReduceSum(g, ops::Multiply(g, ops::Multiply(g, w, w), frozen), {.axes = {0}});
  g.Result("loss", loss);
  if (absl::Status status = AddOptimizer(g, loss, optimizer); !status.ok()) return status;
  absl::StatusOr<Function> function = std::move(g).Build();
  if (!function.ok()) return function.status();
  Model model;
  for (absl::Status status :
       {model.AddFunction(*std::move(function)), InitializeVariables(1, model.variables),
        model.variables.Assign("layer/w", Tensor::Of<float>({2}, {1, -2}))}) {
    if (!status.ok()) return status;
  }
  return model;
}

// The weight after `steps` steps.
std::vector<float> Trained(Model& model, int steps, const char* backend = "reference") {
  auto compiled = CompiledFunction::Compile(model.functions[0], AllOps(), &model.variables,
                                            {.backends = {*AllBackends().Get(backend)}});
  SEQ_EXPECT_OK(compiled);
  for (int i = 0; i < steps; ++i) SEQ_EXPECT_OK((*compiled)->Run());
  const auto w = model.variables.Find("layer/w")->value.Elements<float>();
  return {w.begin(), w.end()};
}

// Expected weights after three steps: Keras's formulas in float64, in Python.
TEST(AddOptimizer, ThreeStepsFollowTheFormulas) {
  const struct {
    const char* name;
    Optimizer optimizer;
    double w[2];
  } cases[] = {
      {"sgd", SGD{.learning_rate = .1}, {0.512, -1.024}},
      {"momentum", SGD{.learning_rate = .1, .momentum = .9}, {0.062, -0.124}},
      {"nesterov",
       SGD{.learning_rate = .1, .momentum = .9, .nesterov = true},
       {-0.108352, 0.216704}},
      {"rmsprop", RMSProp{.learning_rate = .01}, {0.9270531041033643, -1.9266336834807258}},
      {"centered",
       RMSProp{.learning_rate = .01, .centered = true},
       {0.9197005087421803, -1.9191804020540255}},
      {"rmsprop with momentum",
       RMSProp{.learning_rate = .01, .rho = .8, .momentum = .5, .epsilon = 1e-3, .centered = true},
       {0.9059618534760802, -1.9054540545281482}},
      {"adam", Adam{.learning_rate = .01}, {0.9700101354786621, -1.9700049295870472}},
      {"adam, other decays",
       Adam{.learning_rate = .01, .beta_1 = .5, .beta_2 = .75, .epsilon = 1e-2},
       {0.9702742554700063, -1.9701372684140765}},
      {"amsgrad",
       Adam{.learning_rate = .3, .beta_1 = .5, .beta_2 = .25, .epsilon = 1e-2, .amsgrad = true},
       {0.23236772806714429, -1.130480206904009}},
      {"adamw", AdamW{.learning_rate = .01}, {0.9698913826302261, -1.969766179440443}},
      {"adamw, all settings",
       AdamW{.learning_rate = .05,
             .beta_1 = .5,
             .beta_2 = .75,
             .epsilon = 1e-2,
             .amsgrad = true,
             .weight_decay = .5},
       {0.7832358585091477, -1.7089546884630873}},
      {"nadam", Nadam{.learning_rate = .01}, {0.9746092107494654, -1.9745658230556653}},
      {"nadam, other decays",
       Nadam{.learning_rate = .05, .beta_1 = .5, .beta_2 = .75, .epsilon = 1e-2},
       {0.8470861284263088, -1.8451862332130757}},
      {"nadam, zeros",
       Nadam{.learning_rate = .05, .beta_1 = 0, .beta_2 = 0, .epsilon = 0},
       {.85, -1.85}},
      {"adamax", Adamax{.learning_rate = .01}, {0.9701297133289077, -1.9700498853424837}},
      {"adamax, other decays",
       Adamax{.learning_rate = .05, .beta_1 = .5, .beta_2 = .25, .epsilon = 1e-2},
       {0.8483272335881158, -1.8492057843513818}},
      {"adamax, zeros",
       Adamax{.learning_rate = .05, .beta_1 = 0, .beta_2 = 0, .epsilon = 0},
       {.85, -1.85}},
      {"adagrad", Adagrad{.learning_rate = .1}, {0.7822991954868491, -1.776296638928744}},
      {"adagrad, another start",
       Adagrad{.learning_rate = .1, .initial_accumulator_value = 2, .epsilon = 1e-2},
       {0.8095643849216944, -1.784736555934344}},
      {"adagrad, zeros",
       Adagrad{.learning_rate = .1, .initial_accumulator_value = 0, .epsilon = 0},
       {0.7804561813481035, -1.7758215150085808}},
      {"adadelta", Adadelta{.learning_rate = 1}, {0.995712464722385, -1.9957108012187816}},
      {"adadelta, another decay",
       Adadelta{.learning_rate = .5, .rho = .5, .epsilon = 1e-2},
       {0.7660623384540335, -1.7615042083099117}},
      {"adadelta, no decay",
       Adadelta{.learning_rate = 1, .rho = 0, .epsilon = .25},
       {0.2154094912745203, 0.00886860489614083}},
  };
  for (const char* backend : {"reference", "onednn", "simd"}) {
    for (const auto& c : cases) {
      SCOPED_TRACE(testing::Message() << c.name << " on " << backend);
      SEQ_ASSERT_OK_AND_ASSIGN(Model model, Quadratic(c.optimizer));
      const std::vector<float> w = Trained(model, 3, backend);
      EXPECT_NEAR(w[0], c.w[0], 1e-6);
      EXPECT_NEAR(w[1], c.w[1], 1e-6);
    }
  }
}

// The product of the first three momenta 0.9 (1 - 0.96^t / 2), and sums that do not begin with 0.
TEST(AddOptimizer, StateStartsWhereItMust) {
  SEQ_ASSERT_OK_AND_ASSIGN(Model nadam, Quadratic(Nadam{}));
  EXPECT_EQ(nadam.variables.Find("optimizer/u_product")->value.Elements<float>()[0], 1);
  Trained(nadam, 3);
  EXPECT_NEAR(nadam.variables.Find("optimizer/u_product")->value.Elements<float>()[0],
              .9 * .52 * .9 * .5392 * .9 * .557632, 1e-7);
  SEQ_ASSERT_OK_AND_ASSIGN(
      Model adagrad, Quadratic(Adagrad{.learning_rate = 0, .initial_accumulator_value = .25}));
  Trained(adagrad, 2);
  EXPECT_EQ(adagrad.variables.Find("optimizer/layer/w/accumulator")->value.Elements<float>()[1],
            .25 + 2 * 16);
}

// The gradient is [2, -4], of norm sqrt(20).
TEST(AddOptimizer, ClipsGradientsAndDecaysWeights) {
  const double shortened = 2 / std::sqrt(20.0);
  const struct {
    const char* name;
    SGD optimizer;
    double w[2];
  } cases[] = {
      {"value", {.clipping = GradientClipping::Value(1)}, {1 - .1, -2 + .1}},
      {"value, one element", {.clipping = GradientClipping::Value(3)}, {1 - .2, -2 + .3}},
      {"norm", {.clipping = GradientClipping::Norm(1)}, {1 - .1 * shortened, -2 + .2 * shortened}},
      {"norm, within", {.clipping = GradientClipping::Norm(5)}, {1 - .2, -2 + .4}},
      {"global norm",
       {.clipping = GradientClipping::GlobalNorm(1)},
       {1 - .1 * shortened, -2 + .2 * shortened}},
      {"weight decay", {.weight_decay = .5}, {.95 - .2, -1.9 + .4}},
  };
  for (const char* backend : {"reference", "onednn", "simd"}) {
    for (auto c : cases) {
      SCOPED_TRACE(testing::Message() << c.name << " on " << backend);
      c.optimizer.learning_rate = .1;
      SEQ_ASSERT_OK_AND_ASSIGN(Model model, Quadratic(c.optimizer));
      const std::vector<float> w = Trained(model, 1, backend);
      EXPECT_NEAR(w[0], c.w[0], 1e-6);
      EXPECT_NEAR(w[1], c.w[1], 1e-6);
    }
  }
}

// Gradients [3] and [4] have the norm 5 together: clipped to 1 they are 0.6 and 0.8.
TEST(AddOptimizer, TheGlobalNormIsThatOfAllGradientsTogether) {
  FunctionBuilder g("train_step", AllOps());
  const Value a = g.Variable("a", {1}, Initializer::Zeros());
  const Value b = g.Variable("b", {1}, Initializer::Zeros());
  const Value sum = ops::Add(g, ops::Scale(g, a, 3), ops::Scale(g, b, 4));
  const Value loss = ops::ReduceSum(g, sum, {.axes = {0}});
  g.Result("loss", loss);
  SEQ_ASSERT_OK(
      AddOptimizer(g, loss, SGD{.learning_rate = 1, .clipping = GradientClipping::GlobalNorm(1)}));
  SEQ_ASSERT_OK_AND_ASSIGN(Function function, std::move(g).Build());
  Model model;
  SEQ_ASSERT_OK(model.AddFunction(std::move(function)));
  SEQ_ASSERT_OK(InitializeVariables(1, model.variables));
  SEQ_ASSERT_OK_AND_ASSIGN(
      auto compiled, CompiledFunction::Compile(model.functions[0], AllOps(), &model.variables,
                                               {.backends = {*AllBackends().Get("reference")}}));
  SEQ_ASSERT_OK(compiled->Run());
  EXPECT_NEAR(model.variables.Find("a")->value.Elements<float>()[0], -0.6, 1e-6);
  EXPECT_NEAR(model.variables.Find("b")->value.Elements<float>()[0], -0.8, 1e-6);
}

TEST(AddOptimizer, KeepsItsStateInVariablesOfItsOwn) {
  SEQ_ASSERT_OK_AND_ASSIGN(
      Model model, Quadratic(RMSProp{.learning_rate = .25, .momentum = .5, .centered = true}));
  Trained(model, 3);
  std::vector<std::string> state;
  for (const Variable& variable : model.variables.all()) {
    if (variable.def.role != VariableRole::kOptimizer) continue;
    EXPECT_FALSE(variable.def.trainable);
    state.push_back(variable.def.name);
  }
  EXPECT_THAT(state,
              ::testing::UnorderedElementsAre(
                  "optimizer/iteration", "optimizer/learning_rate", "optimizer/layer/w/velocity",
                  "optimizer/layer/w/momentum", "optimizer/layer/w/average_gradient"));
  EXPECT_EQ(model.variables.Find("optimizer/iteration")->value.Elements<int64_t>()[0], 3);
  EXPECT_EQ(model.variables.Find("optimizer/learning_rate")->value.Elements<float>()[0], .25f);
}

TEST(AddOptimizer, HasNoSlotsThatItDoesNotNeed) {
  SEQ_ASSERT_OK_AND_ASSIGN(const Model sgd, Quadratic(SGD{}));
  EXPECT_EQ(sgd.variables.CountElements(VariableRole::kOptimizer), 2);
  SEQ_ASSERT_OK_AND_ASSIGN(const Model adam, Quadratic(Adam{}));
  EXPECT_EQ(adam.variables.CountElements(VariableRole::kOptimizer), 2 + 2 * 2);
}

TEST(AddOptimizer, TrainsOnlyTrainableWeights) {
  SEQ_ASSERT_OK_AND_ASSIGN(Model model, Quadratic(SGD{.learning_rate = .1}));
  Trained(model, 2);
  const auto frozen = model.variables.Find("layer/frozen")->value.Elements<float>();
  EXPECT_EQ(frozen[0], 1);
  EXPECT_EQ(frozen[1], 1);
}

// One that no list knows: w -= lr sign g, with the sign as g / |g|.
struct SignDescent {
  double learning_rate = 0.5;
  double scale = 1;
  GradientClipping clipping = {};
  double weight_decay = 0;

  template <typename Visitor>
  static void Fields(Visitor field) {
    field("scale", &SignDescent::scale, kNotNegative, "of the steps");
  }
  static const OptimizerDef& Def() {
    static const auto* const def = new OptimizerDef(DefineOptimizer<SignDescent>(
        "SignDescent", "w' = w - lr scale g / |g|",
        [](const SignDescent&) { return std::vector<SlotGroup>(); },
        [](const SignDescent& sign, OptimizerStep& step) {
          step.ForEachWeight([&](WeightStep& each) {
            each.SetWeight(each.w - step.rate() * (sign.scale * (each.g / Abs(each.g))));
          });
        }));
    return *def;
  }
};

TEST(AddOptimizer, AProgramMayDefineItsOwn) {
  SEQ_ASSERT_OK_AND_ASSIGN(Model model, Quadratic(SignDescent{.scale = .25}));
  EXPECT_EQ(Trained(model, 2, "simd"), (std::vector<float>{.75, -1.75}));
  EXPECT_THAT(Quadratic(SignDescent{.scale = -1}),
              StatusIs(absl::StatusCode::kInvalidArgument, "scale"));
}

TEST(AddOptimizer, RefusesHyperparametersOutOfRange) {
  const Optimizer bad[] = {
      SGD{.learning_rate = -1}, SGD{.learning_rate = NAN}, SGD{.momentum = 1.5},
      RMSProp{.rho = 1},        RMSProp{.epsilon = -1e-7}, RMSProp{.momentum = -.1},
      Adam{.beta_1 = 1},        Adam{.beta_2 = -.5},       Adam{.epsilon = INFINITY}};
  for (const Optimizer& optimizer : bad) {
    EXPECT_THAT(Quadratic(optimizer), StatusIs(absl::StatusCode::kInvalidArgument, "optimizer: "));
  }
}

TEST(AddOptimizer, RefusesAFunctionWithoutWeights) {
  FunctionBuilder g("train_step", AllOps());
  const Value x = g.Input("x", {DType::kFloat32, {2}});
  const Value loss = ops::ReduceSum(g, x, {.axes = {0}});
  EXPECT_THAT(AddOptimizer(g, loss, SGD{}),
              StatusIs(absl::StatusCode::kInvalidArgument, "nothing to train"));
}

TEST(LearningRate, CanBeReadAndSet) {
  SEQ_ASSERT_OK_AND_ASSIGN(Model model, Quadratic(SGD{.learning_rate = .5}));
  SEQ_ASSERT_OK_AND_ASSIGN(const double before, LearningRate(model));
  EXPECT_EQ(before, .5);
  SEQ_ASSERT_OK(SetLearningRate(model, .25));
  EXPECT_EQ(Trained(model, 1), (std::vector<float>{.5, -1}));  // w - 0.25 (2 w)
  EXPECT_FALSE(SetLearningRate(model, -1).ok());
  EXPECT_THAT(LearningRate(Model()), StatusIs(absl::StatusCode::kNotFound, "learning_rate"));
}

}  // namespace
}  // namespace seqgraph
