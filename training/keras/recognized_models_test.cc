#include <string>
#include <utility>
#include <vector>

#include "graph/function_builder.h"
#include "layers/stack_recognition.h"
#include "ops/all_ops.h"
#include "ops/dense.h"
#include "ops/elementwise.h"
#include "ops/embedding.h"
#include "ops/gru_cell.h"
#include "ops/lstm_cell.h"
#include "ops/rnn_cell.h"
#include "ops/slice.h"
#include "ops/softmax.h"
#include "tests/testing.h"
#include "training/keras/keras_export.h"
#include "training/keras/keras_import.h"
#include "training/optimizers.h"
#include "training/sequential.h"
#include "training/text_models.h"
#include "training/trainer.h"

namespace seqgraph {
namespace {

constexpr auto kUnimplemented = absl::StatusCode::kUnimplemented;

TensorType Tokens() { return {DType::kInt32, {Dim::Batch(), 5}}; }
TensorType Numbers() { return {DType::kFloat32, {Dim::Batch(), 5, 4}}; }

// The stack of a function `predict` that nobody built from layers.
absl::StatusOr<RecognizedStack> Recognize(FunctionBuilder g) {
  absl::StatusOr<Function> function = std::move(g).Build();
  SEQ_EXPECT_OK(function);
  Model model;
  model.name = "by_hand";
  SEQ_EXPECT_OK(model.AddFunction(*std::move(function)));
  return RecognizeStack(model);
}

TEST(StackRecognitionTest, NamesOfVariablesDoNotMatter) {
  FunctionBuilder g("predict", AllOps());
  const Value x = g.Input("x", Numbers());
  const Value w = g.Variable("W", {4, 12}, Initializer::Uniform(0.5));
  const Value u = g.Variable("R", {3, 12}, Initializer::Orthogonal());
  const Value b = g.Variable("out/bias", {2}, Initializer::Constant(1));
  const Value kernel = g.Variable("out/kernel", {3, 2}, Initializer::Zeros());
  const Value last = ops::LSTMCell(g, x, w, u, {.activation = "relu", .reverse = true}).last;
  g.Result("y", ops::Softmax(g, ops::Dense(g, last, kernel, {.bias = b}), "softmax"));
  SEQ_ASSERT_OK_AND_ASSIGN(const RecognizedStack found, Recognize(std::move(g)));
  LayerStack expected{.name = "by_hand", .input = {.name = "x", .time = 5, .features = 4}};
  expected.layers = {{"lstm", true,
                      RecurrentLayer{.cell = "LSTM",
                                     .units = 3,
                                     .activation = "relu",
                                     .use_bias = false,
                                     .go_backwards = true,
                                     .kernel_initializer = Initializer::Uniform(0.5)}},
                     {"out", true,
                      DenseLayer{.units = 2,
                                 .activation = "softmax",
                                 .kernel_initializer = Initializer::Zeros(),
                                 .bias_initializer = Initializer::Constant(1)}}};
  EXPECT_TRUE(found.stack == expected);
  EXPECT_EQ(found.variable_of.at("lstm/recurrent_kernel"), "R");
  EXPECT_EQ(found.variable_of.at("out/kernel"), "out/kernel");
}

TEST(StackRecognitionTest, MasksAndBothDirectionsAreSeen) {
  FunctionBuilder g("predict", AllOps());
  const Value tokens = g.Input("tokens", Tokens());
  const Value table = g.Variable("table", {7, 4}, Initializer::Uniform(0.05));
  const Value x = ops::Embedding(g, tokens, table);
  std::vector<Value> ends;
  for (const bool reverse : {true, false}) {
    const std::string name = reverse ? "back" : "there";
    const Value w = g.Variable(name + "_w", {4, 6}, Initializer::GlorotUniform());
    const Value u = g.Variable(name + "_u", {2, 6}, Initializer::Orthogonal());
    ends.push_back(ops::GRUCell(g, x, w, u, {.mask = tokens, .reverse = reverse}).last);
  }
  g.Result("y", ops::Concat(g, ends[1], ends[0], 1, "concat"));
  SEQ_ASSERT_OK_AND_ASSIGN(const RecognizedStack found, Recognize(std::move(g)));
  ASSERT_EQ(found.stack.layers.size(), 2u);
  EXPECT_TRUE(As<EmbeddingLayer>(found.stack.layers[0].kind)->mask_zero);
  const BidirectionalLayer both = *As<BidirectionalLayer>(found.stack.layers[1].kind);
  EXPECT_FALSE(As<RecurrentLayer>(both.forward.kind)->go_backwards);
  EXPECT_TRUE(As<RecurrentLayer>(both.backward.kind)->go_backwards);
  EXPECT_EQ(both.merge_mode, "concat");
  EXPECT_EQ(found.variable_of.at("bidirectional/forward/kernel"), "there_w");
  EXPECT_EQ(found.variable_of.at("bidirectional/backward/kernel"), "back_w");
}

TEST(StackRecognitionTest, WhatIsNoStackIsRefusedByNode) {
  {
    FunctionBuilder g("predict", AllOps());
    const Value x = g.Input("x", Numbers());
    g.Result("y", ops::Scale(g, x, 2, "twice"));
    EXPECT_THAT(Recognize(std::move(g)),
                StatusIs(kUnimplemented, "node twice (Scale): no layer is known"));
  }
  {
    // The merge is the other way round: another function.
    FunctionBuilder g("predict", AllOps());
    const Value x = g.Input("x", Numbers());
    std::vector<Value> ends;
    for (const bool reverse : {false, true}) {
      const Value w = g.Variable(reverse ? "w1" : "w0", {4, 2}, Initializer::GlorotUniform());
      const Value u = g.Variable(reverse ? "u1" : "u0", {2, 2}, Initializer::Orthogonal());
      ends.push_back(ops::RNNCell(g, x, w, u, {.reverse = reverse}).last);
    }
    g.Result("y", ops::Concat(g, ends[1], ends[0], 1, "concat"));
    EXPECT_THAT(Recognize(std::move(g)), StatusIs(kUnimplemented, "the nearest one"));
  }
  {
    FunctionBuilder g("predict", AllOps());
    const Value x = g.Input("x", Numbers());
    const Value w = g.Variable("w", {4, 2}, Initializer::GlorotUniform());
    const Value u = g.Variable("u", {2, 2}, Initializer::Orthogonal());
    const ops::RNNCellOutputs cell = ops::RNNCell(g, x, w, u);
    g.Result("y", cell.last);
    g.Result("sequence", cell.sequence);
    EXPECT_THAT(Recognize(std::move(g)), StatusIs(kUnimplemented, "2 results"));
  }
}

// The tutorial's own model, with and without the layers that it was built from.
TEST(StackRecognitionTest, StoredLayersCountOnlyIfTheyBuildTheFunction) {
  for (const bool one_hot : {true, false}) {
    SEQ_ASSERT_OK_AND_ASSIGN(Model model, MakeTextModel({.one_hot = one_hot}));
    model.layers.reset();
    SEQ_ASSERT_OK_AND_ASSIGN(const RecognizedStack found, RecognizeStack(model));
    SEQ_ASSERT_OK_AND_ASSIGN(const Model built, BuildModel(found.stack));
    model.layers = found.stack;
    SEQ_EXPECT_OK(RecognizeStack(model));
    // Other layers than those that are there.
    model.layers->layers.back().kind = ActivationLayer{"tanh"};
    SEQ_ASSERT_OK_AND_ASSIGN(const RecognizedStack again, RecognizeStack(model));
    EXPECT_TRUE(again.stack == found.stack);
    std::vector<std::string> notes;
    SEQ_ASSERT_OK_AND_ASSIGN(const keras::KerasModel keras, KerasFromModel(model, &notes));
    EXPECT_EQ(keras.training->loss, "binary_crossentropy");
    EXPECT_EQ(keras.training->optimizer->name(), "RMSprop");
    EXPECT_EQ(keras.optimizer_state.size(), 2 + keras.weights.size());
    EXPECT_TRUE(notes.empty());
  }
}

// Whatever an optimizer here can do is found again: as noted in the model, and where nothing is, as
// in files of old, in the nodes of train_step.
TEST(StackRecognitionTest, OptimizersAreFoundAgain) {
  LayerStack stack{.input = {.time = 5, .features = 4}};
  stack.layers = {{"rnn", true, RecurrentLayer{.units = 2}},
                  {"out", true, DenseLayer{.units = 1, .activation = "sigmoid"}}};
  std::vector<Optimizer> optimizers = {
      SGD{.learning_rate = 0.5, .momentum = 0.75, .nesterov = true},
      RMSProp{.learning_rate = 0.5,
              .rho = 0.25,
              .momentum = 0.5,
              .epsilon = 1e-3,
              .centered = true,
              .clipping = GradientClipping::Value(2)},
      Adam{.learning_rate = 0.5,
           .beta_1 = 0.5,
           .beta_2 = 0.75,
           .clipping = GradientClipping::Norm(3),
           .weight_decay = 0.125},
      SGD{.clipping = GradientClipping::GlobalNorm(4)}};
  for (const OptimizerDef* def : AllOptimizers()) {
    Optimizer optimizer(*def);
    optimizer.learning_rate = 0.5;
    optimizer.weight_decay = 0.125;
    optimizer.clipping = GradientClipping::GlobalNorm(4);
    optimizers.push_back(optimizer);
  }
  for (const Optimizer& optimizer : optimizers) {
    SCOPED_TRACE(optimizer.name());
    SEQ_ASSERT_OK_AND_ASSIGN(Model model, BuildModel(stack, {.optimizer = optimizer}));
    const auto read = [&] {
      std::vector<std::string> notes;
      absl::StatusOr<keras::KerasModel> keras = KerasFromModel(model, &notes);
      SEQ_EXPECT_OK(keras);
      EXPECT_EQ(notes.empty(), keras->training->optimizer.has_value());
      return keras->training->optimizer;
    };
    Optimizer expected = optimizer;
    // The rate is a float32 variable, which may be set.
    SEQ_ASSERT_OK(SetLearningRate(model, 0.25));
    expected.learning_rate = 0.25;
    EXPECT_TRUE(read() == expected);
    model.optimizer.reset();
    // A formula cannot be read off, and AdamW's op is Adam's.
    EXPECT_EQ(read() == expected, !optimizer.def->update_op.empty());
    model.optimizer = OptimizerRecord{"Unheard", {}};
    EXPECT_FALSE(read().has_value());
  }
}

// compile("sgd", "mse", loss_weights=0.5) in Keras 3.15.1 and tf_keras 2.15: of ones, the loss on 0
// is 2 and the kernel is 0.98 after a step. A penalty and a layer of the weight's name change
// nothing of it.
TEST(ModelFromKerasTest, TheOnlyLossHasAWeight) {
  keras::KerasModel keras{.stack = {.name = "s", .input = {.time = 0, .features = 2}}};
  keras.stack.layers = {{"loss_weight", true, DenseLayer{.units = 1}}};
  keras.weights = {{"loss_weight/kernel", Tensor::Of<float>({2, 1}, {1, 1})},
                   {"loss_weight/bias", Tensor::Of<float>({1}, {0})}};
  keras.training = keras::Training{
      .loss = "mean_squared_error", .loss_weight = 0.5, .optimizer = SGD{.learning_rate = 0.01}};
  std::vector<std::string> notes;
  SEQ_ASSERT_OK_AND_ASSIGN(Model model, ModelFromKeras(keras, &notes));
  EXPECT_TRUE(notes.empty());
  const std::vector<float> x(8, 1), y(4, 0);
  const Examples examples = {.rows = 4, .maxlen = 1, .values = y, .features = x};
  ModelRunner runner(&model);
  SEQ_ASSERT_OK_AND_ASSIGN(Logs logs, runner.Evaluate(examples, {.metrics = {}}));
  EXPECT_EQ(logs["loss"], 2);
  Trainer trainer(&model);
  SEQ_ASSERT_OK(trainer.Fit(examples, {}, {.batch = 4, .metrics = {}}).status());
  for (const float w : model.variables.Find("loss_weight/kernel")->value.Elements<float>()) {
    EXPECT_NEAR(w, 0.98, 1e-7);
  }
  for (const double l2 : {0.0, 0.25}) {
    keras.stack.layers[0].kind = DenseLayer{.units = 1, .kernel_regularizer = {.l2 = l2}};
    SEQ_ASSERT_OK_AND_ASSIGN(model, ModelFromKeras(keras, &notes));
    SEQ_ASSERT_OK_AND_ASSIGN(const keras::KerasModel written, KerasFromModel(model, &notes));
    ASSERT_TRUE(written.training.has_value());
    EXPECT_EQ(written.training->loss, "mean_squared_error");
    EXPECT_EQ(written.training->loss_weight, 0.5);
  }
}

TEST(ModelFromKerasTest, WhatHasNothingToTrainPredicts) {
  keras::KerasModel keras{.stack = {.name = "s", .input = {.time = 0, .features = 2}}};
  keras.stack.layers = {{"d", false, DenseLayer{.units = 1}}};
  keras.weights = {{"d/kernel", Tensor::Of<float>({2, 1}, {1, 1})},
                   {"d/bias", Tensor::Of<float>({1}, {0})}};
  std::vector<std::string> notes;
  SEQ_ASSERT_OK_AND_ASSIGN(const Model model, ModelFromKeras(keras, &notes));
  EXPECT_THAT(notes, ::testing::ElementsAre("it has no weight that is trained: it predicts"));
  EXPECT_EQ(model.functions.size(), 1u);
}

}  // namespace
}  // namespace seqgraph
