#include "training/imdb_models.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "ops/all_ops.h"
#include "ops/dense.h"
#include "tests/testing.h"

namespace seqgraph {
namespace {

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

TEST(ImdbModels, HaveTheTutorialsParameters) {
  SEQ_ASSERT_OK_AND_ASSIGN(const Model one_hot, MakeImdbModel({.input = ImdbInput::kOneHot}));
  EXPECT_EQ(one_hot.variables.CountElements(VariableRole::kWeight), 4081);
  EXPECT_THAT(WeightNames(one_hot),
              ::testing::ElementsAre("simple_rnn/kernel", "simple_rnn/recurrent_kernel",
                                     "simple_rnn/bias", "dense/kernel", "dense/bias"));
  SEQ_ASSERT_OK_AND_ASSIGN(const Model embedding, MakeImdbModel({}));
  EXPECT_EQ(embedding.variables.CountElements(VariableRole::kWeight), 8209);
  EXPECT_THAT(WeightNames(embedding),
              ::testing::ElementsAre("embedding/embeddings", "simple_rnn/kernel",
                                     "simple_rnn/recurrent_kernel", "simple_rnn/bias",
                                     "dense/kernel", "dense/bias"));
}

TEST(ImdbModels, BothInputsHaveTheSameSignature) {
  for (const ImdbInput input : {ImdbInput::kOneHot, ImdbInput::kEmbedding}) {
    SEQ_ASSERT_OK_AND_ASSIGN(const Model model, MakeImdbModel({.input = input, .maxlen = 7}));
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
TEST(ImdbModels, TheTrainStepIsRewrittenBeforeItIsDifferentiated) {
  SEQ_ASSERT_OK_AND_ASSIGN(const Model model, MakeImdbModel({.input = ImdbInput::kOneHot}));
  EXPECT_TRUE(HasOp(*model.FindFunction(kPredict), "OneHot"));
  const Function& step = *model.FindFunction(kTrainStep);
  for (const char* op : {"OneHot", "BCE", "BCEGrad"}) EXPECT_FALSE(HasOp(step, op)) << op;
  for (const char* op : {"EmbeddingGrad", "RNNCellGrad", "BCEWithLogitsGrad", "RMSPropUpdate"}) {
    EXPECT_TRUE(HasOp(step, op)) << op;
  }
}

TEST(ImdbModels, StartAsKerasInitializes) {
  SEQ_ASSERT_OK_AND_ASSIGN(const Model model, MakeImdbModel({}, {.seed = 3}));
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
  SEQ_ASSERT_OK_AND_ASSIGN(const Model tutorial, MakeImdbModel({}));
  EXPECT_EQ(tutorial.variables.Find("optimizer/learning_rate")->value.Elements<float>()[0], 1e-4f);
  SEQ_ASSERT_OK_AND_ASSIGN(const Model same, MakeImdbModel({}, {.seed = 3}));
  SEQ_ASSERT_OK_AND_ASSIGN(const Model other, MakeImdbModel({}, {.seed = 4}));
  for (const Variable& variable : model.variables.all()) {
    EXPECT_TRUE(same.variables.Find(variable.def.name)->value.BitwiseEquals(variable.value));
  }
  EXPECT_FALSE(other.variables.Find("dense/kernel")
                   ->value.BitwiseEquals(model.variables.Find("dense/kernel")->value));
}

TEST(ImdbModels, RefuseSizesThatMakeNoSense) {
  const auto kInvalid = absl::StatusCode::kInvalidArgument;
  EXPECT_THAT(MakeImdbModel({.num_words = 3}), StatusIs(kInvalid, "num_words"));
  EXPECT_THAT(MakeImdbModel({.maxlen = 0}), StatusIs(kInvalid, "maxlen"));
  EXPECT_THAT(MakeImdbModel({.embedding_dim = -1}), StatusIs(kInvalid, "embedding_dim"));
  EXPECT_THAT(MakeImdbModel({.units = int64_t{1} << 40}), StatusIs(kInvalid, "units"));
}

TEST(ParseImdbInput, KnowsTwoNames) {
  EXPECT_EQ(*ParseImdbInput("onehot"), ImdbInput::kOneHot);
  EXPECT_EQ(*ParseImdbInput("embedding"), ImdbInput::kEmbedding);
  EXPECT_THAT(ParseImdbInput("lstm"),
              StatusIs(absl::StatusCode::kInvalidArgument, "expected embedding or onehot"));
}

FunctionBuilder Linear(const std::string& function) {
  FunctionBuilder g(function, AllOps());
  const Value x = g.Input("x", {DType::kFloat32, {Dim::Batch(), 2}});
  g.Result("score", ops::Dense(g, x, g.Variable("w", {2, 1}, Initializer::GlorotUniform()),
                               {.activation = "sigmoid"}));
  return g;
}

TEST(MakeTrainable, TakesTheLossOfAnyResult) {
  SEQ_EXPECT_OK(MakeTrainable(Linear("predict"), {.loss = BinaryCrossEntropy("score")}));
  SEQ_EXPECT_OK(MakeTrainable(Linear("predict")));  // the only one
  EXPECT_THAT(MakeTrainable(Linear("predict"), {.loss = BinaryCrossEntropy("probability")}),
              StatusIs(absl::StatusCode::kInvalidArgument, "\"score\""));
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
