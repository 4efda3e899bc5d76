#include "training/sequential.h"

#include <algorithm>
#include <string>
#include <vector>

#include "graph/op_def.h"
#include "gtest/gtest.h"
#include "tests/testing.h"
#include "training/model_runner.h"
#include "training/trainer.h"

namespace seqgraph {
namespace {

using ::testing::ElementsAre;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

std::vector<std::string> WeightNames(const Model& model) {
  std::vector<std::string> names;
  for (const Variable& variable : model.variables.all()) {
    if (variable.def.role == VariableRole::kWeight) names.push_back(variable.def.name);
  }
  return names;
}

// The ops of the function, in order.
std::vector<std::string> Ops(const Model& model, const char* function) {
  std::vector<std::string> ops;
  for (const Node& node : model.FindFunction(function)->nodes()) ops.push_back(node.op->name());
  return ops;
}

int CountOps(const Model& model, const char* function, const std::string& op) {
  const std::vector<std::string> ops = Ops(model, function);
  return static_cast<int>(std::count(ops.begin(), ops.end(), op));
}

EmbeddingLayer Words(bool mask_zero = false) {
  return {.input_dim = 20, .output_dim = 3, .mask_zero = mask_zero};
}
DenseLayer Sigmoid() { return {.units = 1, .activation = "sigmoid"}; }

TEST(Sequential, NamesLayersAsKerasDoes) {
  Sequential stack({.time = 5});
  stack.Add(Words())
      .Add(Bidirectional(LSTM(2, {.return_sequences = true})))
      .Add(LSTM(2, {.return_sequences = true}))
      .Add(Bidirectional(LSTM(2, {.return_sequences = true})))
      .Add(SimpleRNN(2, {.return_sequences = true}))
      .Add(GRU(2), {.name = "last"})
      .Add(DenseLayer{.units = 3})
      .Add(DropoutLayer{})
      .Add(Sigmoid());
  std::vector<std::string> names;
  for (const Layer& layer : stack.stack().layers) names.push_back(layer.name);
  EXPECT_THAT(names, ElementsAre("embedding", "bidirectional", "lstm_1", "bidirectional_1",
                                 "simple_rnn", "last", "dense", "dropout", "dense_1"));
  const BidirectionalLayer second = *As<BidirectionalLayer>(stack.stack().layers[3].kind);
  EXPECT_EQ(second.forward.name, "forward_lstm_2");
  EXPECT_EQ(second.backward.name, "backward_lstm_2");
  SEQ_ASSERT_OK_AND_ASSIGN(const Model model, stack.Build());
  EXPECT_EQ(model.layers, stack.stack());
  EXPECT_EQ(model.variables.Find("bidirectional/backward_lstm/kernel")->def.type.ToString(),
            "float32[3, 8]");
  EXPECT_EQ(model.variables.Find("last/bias")->def.type.ToString(), "float32[2, 6]");
}

TEST(Sequential, HasOneResultNamedByItsEnd) {
  const auto result = [](DenseLayer end) {
    Sequential stack({.time = 5});
    stack.Add(Words()).Add(GRU(2)).Add(end);
    return ResultName(stack.stack(), AllLayers());
  };
  EXPECT_EQ(result({.units = 1, .activation = "sigmoid"}), "probability");
  EXPECT_EQ(result({.units = 3, .activation = "softmax"}), "probability");
  EXPECT_EQ(result({.units = 3}), "output");
}

TEST(BuildModel, StartsForgetGatesAtOne) {
  Sequential stack({.time = 5});
  stack.Add(Words())
      .Add(Bidirectional(LSTM(2, {.return_sequences = true})))
      .Add(LSTM(1, {.unit_forget_bias = false}))
      .Add(Sigmoid());
  SEQ_ASSERT_OK_AND_ASSIGN(const Model model, stack.Build());
  const auto bias = [&](const char* name) {
    return model.variables.Find(name)->value.Elements<float>();
  };
  EXPECT_THAT(bias("bidirectional/forward_lstm/bias"), ElementsAre(0, 0, 1, 1, 0, 0, 0, 0));
  EXPECT_THAT(bias("bidirectional/backward_lstm/bias"), ElementsAre(0, 0, 1, 1, 0, 0, 0, 0));
  EXPECT_THAT(bias("lstm_1/bias"), ElementsAre(0, 0, 0, 0));
}

TEST(BuildModel, CarriesMasksToWhereKerasConsumesThem) {
  Sequential stack({.time = 5});
  stack.Add(Words(/*mask_zero=*/true))
      .Add(DropoutLayer{})
      .Add(Bidirectional(GRU(2, {.return_sequences = true})))
      .Add(DenseLayer{.units = 3, .activation = "relu"})
      .Add(SimpleRNN(2, {.return_sequences = true}))
      .Add(GlobalAveragePooling1DLayer{})
      .Add(Sigmoid());
  SEQ_ASSERT_OK_AND_ASSIGN(const Model model, stack.Build());
  const Function& predict = *model.FindFunction(kPredict);
  const Value tokens = predict.FindValue("tokens");
  int masked = 0;
  for (const Node& node : predict.nodes()) {
    const bool reads =
        std::find(node.inputs.begin(), node.inputs.end(), tokens) != node.inputs.end();
    masked += reads && node.op->name() != "Embedding";
  }
  // Two cells, what zeroes the outputs of each, the simple RNN, the pooling.
  EXPECT_EQ(masked, 6);
  EXPECT_EQ(CountOps(model, kPredict, "ZeroMasked"), 2);
}

TEST(BuildModel, AMaskedOutputMasksTheLoss) {
  Sequential stack({.time = 5});
  stack.Add(Words(/*mask_zero=*/true))
      .Add(GRU(2, {.return_sequences = true, .dropout = 0.5}))
      .Add(Sigmoid());
  SEQ_ASSERT_OK_AND_ASSIGN(const Model model, stack.Build());
  for (const char* name : {kEvaluate, kTrainStep}) {
    const Function& function = *model.FindFunction(name);
    const Value mask = function.FindResult(kLossMask);
    ASSERT_TRUE(mask.present()) << name;
    EXPECT_EQ(function.type(mask), (TensorType{DType::kFloat32, {Dim::Batch(), 5}}));
  }
  EXPECT_EQ(model.FindFunction(kPredict)->results().size(), 1u);
}

TEST(BuildModel, DropsOnlyInTraining) {
  Sequential stack({.time = 5});
  stack.Add(Words())
      .Add(SpatialDropout1DLayer{.rate = 0.2})
      .Add(LSTM(2, {.dropout = 0.1, .recurrent_dropout = 0.3}))
      .Add(DropoutLayer{.rate = 0.4})
      .Add(Sigmoid());
  SEQ_ASSERT_OK_AND_ASSIGN(const Model model, stack.Build({.seed = 7}));
  EXPECT_EQ(CountOps(model, kPredict, "DropoutMask"), 0);
  EXPECT_EQ(CountOps(model, kEvaluate, "DropoutMask"), 0);
  EXPECT_EQ(CountOps(model, kTrainStep, "DropoutMask"), 4);
  EXPECT_EQ(model.variables.Find("optimizer/dropout_seed")->value.Elements<int64_t>()[0], 7);
  std::vector<std::string> masks;
  std::vector<int64_t> streams;
  const Function& step = *model.FindFunction(kTrainStep);
  for (const Node& node : step.nodes()) {
    if (node.op->name() != "DropoutMask") continue;
    masks.push_back(step.type(node.outputs[0]).ToString());
    streams.push_back(node.attributes.GetInt("stream"));
  }
  EXPECT_THAT(masks, ElementsAre("float32[batch, 3]", "float32[batch, 3]", "float32[batch, 8]",
                                 "float32[batch, 2]"));
  EXPECT_THAT(streams, ElementsAre(0, 1, 2, 3));
}

// With a learning rate of 0 the loss differs between steps by the masks alone.
TEST(BuildModel, DrawsOtherMasksEachStepAndTheSameForOneSeed) {
  const std::vector<int32_t> tokens = {1, 2, 3, 4, 5, 6};
  const std::vector<int32_t> targets = {1, 0};
  const Examples examples{tokens, 2, 3, targets};
  const auto losses = [&](uint64_t seed) {
    Sequential stack({.time = 3});
    stack.Add(Words()).Add(SimpleRNN(16, {.dropout = 0.5})).Add(Sigmoid());
    absl::StatusOr<Model> model = stack.Build({.optimizer = SGD{.learning_rate = 0}, .seed = 3});
    EXPECT_THAT(model, IsOk());
    SEQ_EXPECT_OK(model->variables.Assign("optimizer/dropout_seed", Tensor::Scalar<int64_t>(seed)));
    Trainer trainer(&*model, {.backend = "reference"});
    auto result = trainer.Fit(examples, {}, {.epochs = 4, .batch = 2, .shuffle = false});
    EXPECT_THAT(result, IsOk());
    return result->history["loss"];
  };
  const std::vector<double> some = losses(1);
  EXPECT_NE(some[0], some[1]);
  EXPECT_NE(some[1], some[2]);
  EXPECT_EQ(losses(1), some);
  EXPECT_NE(losses(2), some);
}

TEST(BuildModel, LeavesFrozenLayersAlone) {
  Sequential stack({.time = 3});
  stack.Add(Words(), {.trainable = false}).Add(GRU(2)).Add(Sigmoid());
  SEQ_ASSERT_OK_AND_ASSIGN(const Model model, stack.Build());
  EXPECT_FALSE(model.variables.Find("embedding/embeddings")->def.trainable);
  for (const NamedValue& update : model.FindFunction(kTrainStep)->updates()) {
    EXPECT_NE(update.name, "embedding/embeddings");
  }
  EXPECT_EQ(CountOps(model, kTrainStep, "EmbeddingGrad"), 0);
}

// A stateful model that sees a sequence in two halves against one that sees the whole.
TEST(BuildModel, CarriesStatesOverBatches) {
  const auto stack = [](int64_t time, bool stateful) {
    Sequential stack({.time = time, .batch = 2});
    stack.Add(Words())
        .Add(LSTM(3, {.return_sequences = true, .stateful = stateful}))
        .Add(GRU(2, {.stateful = stateful}))
        .Add(Sigmoid());
    return stack;
  };
  SEQ_ASSERT_OK_AND_ASSIGN(Model whole, stack(4, false).Build({.seed = 5}));
  SEQ_ASSERT_OK_AND_ASSIGN(Model halves, stack(2, true).Build({.seed = 5}));
  EXPECT_THAT(
      WeightNames(halves),
      ElementsAre("embedding/embeddings", "lstm/kernel", "lstm/recurrent_kernel", "lstm/bias",
                  "lstm/state", "lstm/cell_state", "gru/kernel", "gru/recurrent_kernel", "gru/bias",
                  "gru/state", "dense/kernel", "dense/bias"));
  ModelRunner whole_runner(&whole, {.backend = "reference"});
  ModelRunner halves_runner(&halves, {.backend = "reference"});
  const std::vector<int32_t> all = {1, 2, 3, 4, 11, 12, 13, 14};
  const std::vector<int32_t> first = {1, 2, 11, 12}, second = {3, 4, 13, 14};
  SEQ_ASSERT_OK_AND_ASSIGN(const auto expected,
                           whole_runner.Predict({all, 2, 4, {}}, {.batch = 2}));
  const auto run = [&](const std::vector<int32_t>& tokens) {
    return *halves_runner.Predict({tokens, 2, 2, {}}, {.batch = 2});
  };
  const std::vector<float> before = run(first);
  EXPECT_EQ(run(second), expected);
  EXPECT_NE(run(first), before);
  SEQ_ASSERT_OK(ResetStates(halves));
  EXPECT_EQ(run(first), before);
}

TEST(BuildModel, NamesTheLayerThatDoesNotFit) {
  const auto build = [](std::vector<LayerKind> layers) {
    Sequential stack({.time = 3});
    for (LayerKind& layer : layers) stack.Add(std::move(layer));
    return stack.Build();
  };
  EXPECT_THAT(build({}), StatusIs(kInvalid, "no layers"));
  EXPECT_THAT(build({GRU(2)}), StatusIs(kInvalid, "layer gru: it takes float32"));
  EXPECT_THAT(build({Words(), GRU(2), LSTM(2)}),
              StatusIs(kInvalid,
                       "layer lstm: it takes float32[batch, time, features] but its "
                       "input is float32[batch, 2]; the layer in front must give"));
  EXPECT_THAT(build({Words(), Words()}), StatusIs(kInvalid, "layer embedding_1: it takes tokens"));
  EXPECT_THAT(build({Sigmoid()}), StatusIs(kInvalid, "layer dense: it takes real numbers"));
  EXPECT_THAT(build({Words(), GRU(0)}), StatusIs(kInvalid, "layer gru: units must be from 1"));
  EXPECT_THAT(build({Words(), GRU(2, {.activation = "softmax"})}),
              StatusIs(kInvalid, "layer gru: unknown activation \"softmax\""));
  EXPECT_THAT(build({Words(), GRU(2, {.stateful = true})}), StatusIs(kInvalid, "set batch"));
  EXPECT_THAT(build({Words(), DropoutLayer{.rate = 1}}),
              StatusIs(kInvalid, "layer dropout: rate must be in [0, 1)"));
  BidirectionalLayer both = Bidirectional(GRU(2), "sum");
  both.backward.kind = GRU(3, {.go_backwards = true});
  EXPECT_THAT(build({Words(), both}), StatusIs(kInvalid, "2 and 3 units, which only concat"));
  both.backward.kind = GRU(3);
  EXPECT_THAT(build({Words(), both}), StatusIs(kInvalid, "go_backwards must differ"));
  Sequential twice({.time = 3});
  twice.Add(Words(), {.name = "a"}).Add(GRU(2), {.name = "a"});
  EXPECT_THAT(twice.Build(), StatusIs(kInvalid, "layer \"a\""));
}

}  // namespace
}  // namespace seqgraph
