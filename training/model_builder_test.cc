#include "training/model_builder.h"

#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "ops/all_ops.h"
#include "ops/dense.h"
#include "ops/embedding.h"
#include "ops/rnn_cell.h"
#include "tests/testing.h"
#include "training/model_runner.h"
#include "training/sequential.h"

namespace seqgraph {
namespace {

FunctionBuilder Linear(const std::string& function) {
  FunctionBuilder g(function, AllOps());
  const Value x = g.Input("x", {DType::kFloat32, {Dim::Batch(), 2}});
  g.Result("score", ops::Dense(g, x, g.Variable("w", {2, 1}, Initializer::GlorotUniform()),
                               {.activation = "sigmoid"}));
  return g;
}

// The graph of the README, which is what its layers stand for.
TEST(MakeTrainable, AGraphByHandIsTheSameModel) {
  FunctionBuilder g("predict", AllOps());
  Value tokens = g.Input("tokens", {DType::kInt32, {Dim::Batch(), 100}});
  Value table = g.Variable("embedding/embeddings", {500, 16}, Initializer::Uniform(0.05));
  Value w = g.Variable("simple_rnn/kernel", {16, 8}, Initializer::GlorotUniform());
  Value u = g.Variable("simple_rnn/recurrent_kernel", {8, 8}, Initializer::Orthogonal());
  Value b = g.Variable("simple_rnn/bias", {8}, Initializer::Zeros());
  Value kernel = g.Variable("dense/kernel", {8, 1}, Initializer::GlorotUniform());
  Value bias = g.Variable("dense/bias", {1}, Initializer::Zeros());
  Value state = ops::RNNCell(g, ops::Embedding(g, tokens, table), w, u, {.bias = b}).last;
  g.Result("probability", ops::Dense(g, state, kernel, {.bias = bias, .activation = "sigmoid"}));
  SEQ_ASSERT_OK_AND_ASSIGN(Model by_hand, MakeTrainable(std::move(g)));
  Sequential stack({.time = 100});
  stack.Add(EmbeddingLayer{.input_dim = 500, .output_dim = 16})
      .Add(SimpleRNN(8))
      .Add(DenseLayer{.units = 1, .activation = "sigmoid"});
  SEQ_ASSERT_OK_AND_ASSIGN(Model of_layers, stack.Build());
  std::vector<int32_t> codes(200);
  for (size_t i = 0; i < codes.size(); ++i) codes[i] = static_cast<int32_t>(i * 37 % 500);
  const Examples examples{.tokens = codes, .rows = 2, .maxlen = 100};
  SEQ_ASSERT_OK_AND_ASSIGN(const auto expected, ModelRunner(&of_layers).Predict(examples));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto actual, ModelRunner(&by_hand).Predict(examples));
  EXPECT_EQ(actual, expected);
  EXPECT_NE(actual[0], actual[1]);
}

TEST(MakeTrainable, TakesTheLossOfAnyResult) {
  SEQ_EXPECT_OK(MakeTrainable(Linear("predict"), {.loss = BinaryCrossEntropy("score")}));
  SEQ_EXPECT_OK(MakeTrainable(Linear("predict")));  // the only one
  EXPECT_THAT(MakeTrainable(Linear("predict"), {.loss = BinaryCrossEntropy("probability")}),
              StatusIs(absl::StatusCode::kInvalidArgument, "\"score\""));
}

TEST(MakeTrainable, TakesTheMaskByName) {
  EXPECT_THAT(MakeTrainable(Linear("predict"), {.mask = "tokens"}),
              StatusIs(absl::StatusCode::kInvalidArgument, "no value \"tokens\""));
  EXPECT_THAT(MakeTrainable(Linear("predict"), {.mask = "x"}),
              StatusIs(absl::StatusCode::kInvalidArgument, "the mask of the loss is float32"));
}

TEST(MakeTrainable, ReportsTheFirstMistake) {
  EXPECT_THAT(MakeTrainable(Linear("classify"), {.loss = BinaryCrossEntropy("score")}),
              StatusIs(absl::StatusCode::kInvalidArgument, "classify"));
  FunctionBuilder g = Linear("predict");
  g.Fail(absl::InvalidArgumentError("first mistake"));
  EXPECT_THAT(MakeTrainable(std::move(g)),
              StatusIs(absl::StatusCode::kInvalidArgument, "first mistake"));
}

}  // namespace
}  // namespace seqgraph
