#include "training/text_models.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "graph/evaluate.h"
#include "graph/op_def.h"
#include "graph/rewrite.h"
#include "gtest/gtest.h"
#include "ops/all_ops.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

std::vector<std::string> Names(const LayerStack& stack) {
  std::vector<std::string> names;
  for (const Layer& layer : stack.layers) names.push_back(layer.name);
  return names;
}

int64_t Parameters(const TextModelOptions& options) {
  const absl::StatusOr<Model> model = MakeTextModel(options);
  SEQ_EXPECT_OK(model);
  return model.ok() ? model->variables.CountElements(VariableRole::kWeight) : -1;
}

std::vector<std::string> WeightNames(const Model& model) {
  std::vector<std::string> names;
  for (const Variable& variable : model.variables.all()) {
    if (variable.def.role == VariableRole::kWeight) names.push_back(variable.def.name);
  }
  return names;
}

bool HasOp(const Function& function, absl::string_view op) {
  for (const Node& node : function.nodes()) {
    if (node.op->name() == op) return true;
  }
  return false;
}

TEST(TextModels, TheDefaultsAreTheTutorials) {
  EXPECT_THAT(Names(TextStack({})), ::testing::ElementsAre("embedding", "simple_rnn", "dense"));
  EXPECT_EQ(Parameters({}), 8209);
  EXPECT_THAT(Names(TextStack({.one_hot = true})),
              ::testing::ElementsAre("one_hot", "simple_rnn", "dense"));
  EXPECT_EQ(Parameters({.one_hot = true}), 4081);
  EXPECT_EQ(TextLoss(2).name, "binary_crossentropy");
  EXPECT_EQ(TextLoss(3).name, "sparse_categorical_crossentropy");
}

TEST(TextModels, LayersAreNamedAsByKerasAndHaveItsParameters) {
  const TextModelOptions options{.num_words = 50,
                                 .maxlen = 7,
                                 .embedding_dim = 6,
                                 .mask_zero = true,
                                 .cell = "LSTM",
                                 .units = 5,
                                 .layers = 2,
                                 .bidirectional = true,
                                 .dropout = 0.25,
                                 .pooling = StatePooling::kAverage,
                                 .classes = 3};
  EXPECT_THAT(Names(TextStack(options)),
              ::testing::ElementsAre("embedding", "bidirectional", "bidirectional_1",
                                     "global_average_pooling1d", "dense"));
  // 50 6; twice 4 (6 + 5 + 1) 5; twice 4 (10 + 5 + 1) 5; (10 + 1) 3.
  EXPECT_EQ(Parameters(options), 300 + 480 + 640 + 33);
  // 50 6; 3 5 (6 + 5 + 2), as reset_after has two biases; 5 + 1.
  EXPECT_EQ(Parameters({.num_words = 50,
                        .maxlen = 7,
                        .embedding_dim = 6,
                        .cell = "GRU",
                        .units = 5,
                        .pooling = StatePooling::kMax}),
            300 + 195 + 6);
}

TEST(TextModels, WeightsAreNamedAsByKeras) {
  SEQ_ASSERT_OK_AND_ASSIGN(const Model one_hot, MakeTextModel({.one_hot = true}));
  EXPECT_THAT(WeightNames(one_hot),
              ::testing::ElementsAre("simple_rnn/kernel", "simple_rnn/recurrent_kernel",
                                     "simple_rnn/bias", "dense/kernel", "dense/bias"));
  SEQ_ASSERT_OK_AND_ASSIGN(const Model embedding, MakeTextModel({}));
  EXPECT_THAT(WeightNames(embedding),
              ::testing::ElementsAre("embedding/embeddings", "simple_rnn/kernel",
                                     "simple_rnn/recurrent_kernel", "simple_rnn/bias",
                                     "dense/kernel", "dense/bias"));
}

TEST(TextModels, BothInputsHaveTheSameSignature) {
  for (const bool one_hot : {true, false}) {
    SEQ_ASSERT_OK_AND_ASSIGN(const Model model, MakeTextModel({.one_hot = one_hot, .maxlen = 7}));
    for (const char* name : {kPredict, kEvaluate, kTrainStep}) {
      const Function* function = model.FindFunction(name);
      ASSERT_NE(function, nullptr) << name;
      EXPECT_EQ(function->type(function->FindValue("tokens")).ToString(), "int32[batch, 7]");
      EXPECT_EQ(function->type(function->FindResult("probability")).ToString(),
                "float32[batch, 1]");
      EXPECT_EQ(function->FindResult("loss").present(), std::string(name) != kPredict);
    }
    EXPECT_TRUE(model.FindFunction(kPredict)->updates().empty());
    EXPECT_TRUE(model.FindFunction(kEvaluate)->updates().empty());
    // Every weight, its velocity, and the count of steps.
    EXPECT_EQ(model.FindFunction(kTrainStep)->updates().size(), 2 * WeightNames(model).size() + 1);
  }
}

// What `predict` says is what the user wrote; the step that is differentiated has no one-hot array
// and no clipped logarithms.
TEST(TextModels, TheTrainStepIsRewrittenBeforeItIsDifferentiated) {
  SEQ_ASSERT_OK_AND_ASSIGN(const Model model, MakeTextModel({.one_hot = true}));
  EXPECT_TRUE(HasOp(*model.FindFunction(kPredict), "OneHot"));
  const Function& step = *model.FindFunction(kTrainStep);
  for (const char* op : {"OneHot", "BCE", "BCEGrad"}) EXPECT_FALSE(HasOp(step, op)) << op;
  for (const char* op : {"EmbeddingGrad", "RNNCellGrad", "BCEWithLogitsGrad", "RMSPropUpdate"}) {
    EXPECT_TRUE(HasOp(step, op)) << op;
  }
}

TEST(TextModels, StartAsKerasInitializes) {
  SEQ_ASSERT_OK_AND_ASSIGN(const Model model, MakeTextModel({}, {.seed = 3}));
  const auto largest = [&](const std::string& name) {
    float largest = 0;
    for (float x : model.variables.Find(name)->value.Elements<float>()) {
      largest = std::max(largest, std::abs(x));
    }
    return largest;
  };
  EXPECT_NEAR(largest("embedding/embeddings"), 0.05, 1e-4);
  EXPECT_NEAR(largest("simple_rnn/kernel"), 0.5, 0.03);  // sqrt(6 / (16 + 8))
  EXPECT_LE(largest("dense/kernel"), 0.81650f);          // sqrt(6 / (8 + 1))
  EXPECT_EQ(largest("simple_rnn/bias"), 0);
  EXPECT_EQ(largest("dense/bias"), 0);
  EXPECT_EQ(largest("optimizer/learning_rate"), 1e-3f);
  SEQ_ASSERT_OK_AND_ASSIGN(const Model tutorial, MakeTextModel({}));
  EXPECT_EQ(tutorial.variables.Find("optimizer/learning_rate")->value.Elements<float>()[0], 1e-4f);
  SEQ_ASSERT_OK_AND_ASSIGN(const Model same, MakeTextModel({}, {.seed = 3}));
  SEQ_ASSERT_OK_AND_ASSIGN(const Model other, MakeTextModel({}, {.seed = 4}));
  for (const Variable& variable : model.variables.all()) {
    EXPECT_TRUE(same.variables.Find(variable.def.name)->value.BitwiseEquals(variable.value));
  }
  EXPECT_FALSE(other.variables.Find("dense/kernel")
                   ->value.BitwiseEquals(model.variables.Find("dense/kernel")->value));
}

// The state is tanh(0.5); of the numbers (10, 8), less (4, 6), by (2, 4) there become 3 and 0.5.
// The head hands all three on to the softmax.
TEST(TextModels, NumbersStandBehindTheState) {
  SEQ_ASSERT_OK_AND_ASSIGN(Model model, MakeTextModel({.num_words = 2,
                                                       .maxlen = 1,
                                                       .embedding_dim = 1,
                                                       .units = 1,
                                                       .classes = 3,
                                                       .numbers = 2,
                                                       .number_offset = {4, 6},
                                                       .number_scale = {2, 4}}));
  const auto set = [&](const char* name, const Shape& shape, std::vector<float> values) {
    SEQ_ASSERT_OK(model.variables.Assign(name, Tensor::Of<float>(shape, std::move(values))));
  };
  set("embedding/embeddings", {2, 1}, {0, 0.5f});
  set("simple_rnn/kernel", {1, 1}, {1});
  set("dense/kernel", {3, 3}, {1, 0, 0, 0, 1, 0, 0, 0, 1});
  SEQ_ASSERT_OK_AND_ASSIGN(const Function* predict, model.GetFunction(kPredict));
  SEQ_ASSERT_OK_AND_ASSIGN(const Function bound, BindBatch(*predict, AllOps(), 1));
  TensorMap feeds = {{"tokens", Tensor::Of<int32_t>({1, 1}, {1})},
                     {kNumbers, Tensor::Of<float>({1, 2}, {10, 8})}};
  for (const VariableRead& read : bound.variables()) {
    feeds[read.def.name] = model.variables.Find(read.def.name)->value;
  }
  SEQ_ASSERT_OK_AND_ASSIGN(const TensorMap results, Evaluate(bound, feeds));
  const absl::Span<const float> told = results.begin()->second.Elements<float>();
  const double logits[] = {std::tanh(0.5), 3, 0.5};
  double sum = 0;
  for (const double logit : logits) sum += std::exp(logit);
  ASSERT_EQ(told.size(), 3u);
  for (size_t i = 0; i < 3; ++i) EXPECT_NEAR(told[i], std::exp(logits[i]) / sum, 1e-6);
}

TEST(TextModels, TellAClassOfEachStep) {
  SEQ_ASSERT_OK_AND_ASSIGN(const Model model, MakeTextModel({.num_words = 9,
                                                             .maxlen = 7,
                                                             .pooling = StatePooling::kMax,
                                                             .classes = 2,
                                                             .each_step = true}));
  const Function& predict = *model.FindFunction(kPredict);
  EXPECT_EQ(predict.type(predict.results()[0].value).ToString(), "float32[batch, 7, 2]");
  const Function& step = *model.FindFunction(kTrainStep);
  EXPECT_EQ(step.type(step.FindValue("labels")).ToString(), "int32[batch, 7]");
}

TEST(TextModels, RefuseSizesThatMakeNoSense) {
  const auto kInvalid = absl::StatusCode::kInvalidArgument;
  EXPECT_THAT(MakeTextModel({.num_words = 0}), StatusIs(kInvalid, "input_dim"));
  EXPECT_THAT(MakeTextModel({.maxlen = 0}), StatusIs(kInvalid, "time"));
  EXPECT_THAT(MakeTextModel({.embedding_dim = -1}), StatusIs(kInvalid, "output_dim"));
  EXPECT_THAT(MakeTextModel({.units = int64_t{1} << 40}), StatusIs(kInvalid, "units"));
}

}  // namespace
}  // namespace seqgraph
