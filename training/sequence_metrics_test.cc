// What is logged for outputs per step, by the whole way through functions and batches: rows are the
// steps, masks and weights count.

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "base/status_macros.h"
#include "gtest/gtest.h"
#include "tests/testing.h"
#include "training/sequential.h"
#include "training/trainer.h"

namespace seqgraph {
namespace {

constexpr int64_t kRows = 4, kSteps = 6, kClasses = 3;

// Scores of which that of the step's class is the largest. It is the surer the later: if a row were
// taken as one, its largest would be in the last step.
struct Tags {
  std::vector<int32_t> classes = {0, 1, 2, 2, 1, 0, 1, 1, 2, 0, 0, 2,
                                  2, 2, 2, 1, 0, 1, 0, 0, 1, 2, 1, 0};
  std::vector<float> scores, one_hot;

  Tags() : scores(kRows * kSteps * kClasses), one_hot(scores.size()) {
    for (size_t i = 0; i < classes.size(); ++i) {
      scores[i * kClasses + classes[i]] = 1 + 0.1f * static_cast<float>(i % kSteps);
      one_hot[i * kClasses + classes[i]] = 1;
    }
  }
  Examples WithClasses() const {
    return {.rows = kRows, .maxlen = kSteps, .targets = classes, .features = scores};
  }
  Examples WithValues() const {
    return {.rows = kRows, .maxlen = kSteps, .values = one_hot, .features = scores};
  }
};

// The scores themselves, and then the activation.
absl::StatusOr<Model> Tagger(Loss loss, const std::string& activation, bool sample_weight = false) {
  Sequential stack({.time = kSteps, .features = kClasses});
  stack.Add(DenseLayer{.units = kClasses, .activation = activation, .use_bias = false});
  SEQ_ASSIGN_OR_RETURN(
      Model model,
      stack.Build({.loss = std::move(loss), .optimizer = SGD{}, .sample_weight = sample_weight}));
  SEQ_RETURN_IF_ERROR(model.variables.Assign(
      "dense/kernel", Tensor::Of<float>({3, 3}, {1, 0, 0, 0, 1, 0, 0, 0, 1})));
  return model;
}

absl::StatusOr<Logs> Evaluate(Model& model, const Examples& examples,
                              EvaluateOptions options = {}) {
  options.batch = 3;  // and a partial one
  return ModelRunner(&model, {.backend = "reference"}).Evaluate(examples, options);
}

TEST(SequenceMetrics, AllTagsRightAndOneWrong) {
  Tags tags;
  SEQ_ASSERT_OK_AND_ASSIGN(Model sparse, Tagger(SparseCategoricalCrossEntropy(), "softmax"));
  SEQ_ASSERT_OK_AND_ASSIGN(Model one_hot, Tagger(CategoricalCrossEntropy(), "softmax"));
  SEQ_ASSERT_OK_AND_ASSIGN(Logs logs, Evaluate(sparse, tags.WithClasses()));
  EXPECT_EQ(logs.at("accuracy"), 1);
  SEQ_ASSERT_OK_AND_ASSIGN(logs, Evaluate(one_hot, tags.WithClasses()));
  EXPECT_EQ(logs.at("accuracy"), 1);
  SEQ_ASSERT_OK_AND_ASSIGN(logs, Evaluate(one_hot, tags.WithValues()));
  EXPECT_EQ(logs.at("accuracy"), 1);
  tags.classes[7] = 0;
  SEQ_ASSERT_OK_AND_ASSIGN(logs, Evaluate(sparse, tags.WithClasses()));
  EXPECT_EQ(logs.at("accuracy"), 23.0 / 24);
}

// Each class's own sigmoid: 72 numbers, each on its side of 0.5, but for those at exactly 0.5.
TEST(SequenceMetrics, ElementsOfSteps) {
  const Tags tags;
  SEQ_ASSERT_OK_AND_ASSIGN(Model model, Tagger(BinaryCrossEntropy(), "sigmoid"));
  SEQ_ASSERT_OK_AND_ASSIGN(const Logs logs,
                           Evaluate(model, tags.WithValues(),
                                    {.metrics = {DefaultMetric(), BinaryAccuracy(), Precision()}}));
  EXPECT_EQ(logs.at("accuracy"), 1);
  EXPECT_EQ(logs.at("precision"), 1);
}

// One number a step: the mean over all steps is right in 6 of 6, not in 3 of 6.
TEST(SequenceMetrics, OneNumberAStep) {
  Sequential stack({.time = 3, .features = 1});
  stack.Add(DenseLayer{.units = 1, .activation = "sigmoid", .use_bias = false});
  SEQ_ASSERT_OK_AND_ASSIGN(Model model, stack.Build());
  SEQ_ASSERT_OK(model.variables.Assign("dense/kernel", Tensor::Of<float>({1, 1}, {1})));
  const std::vector<float> scores = {3, -1, 2, -2, 1, -3};
  const std::vector<int32_t> targets = {1, 0, 1, 0, 1, 0};
  SEQ_ASSERT_OK_AND_ASSIGN(
      const Logs logs,
      Evaluate(model, {.rows = 2, .maxlen = 3, .targets = targets, .features = scores}));
  EXPECT_EQ(logs.at("accuracy"), 1);
}

TEST(SequenceMetrics, WeightsOfStepsCountWhereAsked) {
  Tags tags;
  tags.classes[0] = 1;  // wrong
  std::vector<float> weights(kRows * kSteps, 1);
  weights[0] = 5;
  weights[1] = 0;
  Examples examples = tags.WithClasses();
  examples.weights = weights;
  SEQ_ASSERT_OK_AND_ASSIGN(Model model, Tagger(SparseCategoricalCrossEntropy(), "softmax",
                                               /*sample_weight=*/true));
  SEQ_ASSERT_OK_AND_ASSIGN(
      const Logs logs, Evaluate(model, examples, {.metrics = {Accuracy(), Weighted(Accuracy())}}));
  EXPECT_EQ(logs.at("accuracy"), 23.0 / 24);
  EXPECT_EQ(logs.at("weighted_accuracy"), 22.0 / 27);
}

// Weights of the classes of steps, times those of rows.
TEST(SequenceMetrics, WeightsOfClassesCountInFit) {
  Tags tags;
  tags.classes[0] = 1;  // wrong; 8 steps of class 0, 9 of class 1, 8 of class 2 remain
  std::vector<float> weights = {2, 1, 1, 1};
  Examples examples = tags.WithClasses();
  examples.weights = weights;
  SEQ_ASSERT_OK_AND_ASSIGN(Model model, Tagger(SparseCategoricalCrossEntropy(), "softmax",
                                               /*sample_weight=*/true));
  Trainer trainer(&model, {.backend = "reference"});
  SEQ_ASSERT_OK_AND_ASSIGN(const FitResult result,
                           trainer.Fit(examples, {},
                                       {.batch = kRows,
                                        .metrics = {Accuracy(), Weighted(Accuracy())},
                                        .class_weights = {{1, 3}}}));
  double right = 0, all = 0;
  for (size_t i = 0; i < tags.classes.size(); ++i) {
    const double weight = (tags.classes[i] == 1 ? 3 : 1) * (i < kSteps ? 2 : 1);
    all += weight;
    if (i != 0) right += weight;
  }
  EXPECT_EQ(result.history["accuracy"][0], 23.0 / 24);
  EXPECT_EQ(result.history["weighted_accuracy"][0], right / all);
}

// Tokens 1 to 3 stand for their class, 0 is masked. Without the mask the steps of 0, at which the
// states repeat, would count.
TEST(SequenceMetrics, MaskedStepsDoNotCount) {
  const auto stack = [](bool mask) {
    Sequential stack({.time = 4});
    stack.Add(EmbeddingLayer{.input_dim = 4, .output_dim = 3, .mask_zero = mask})
        .Add(DenseLayer{.units = 3, .activation = "softmax", .use_bias = false});
    return stack;
  };
  const std::vector<int32_t> tokens = {0, 0, 1, 2, 3, 0, 2, 1}, targets = {2, 1, 0, 1, 2, 2, 1, 1};
  const std::vector<float> weights = {9, 9, 2, 1, 1, 9, 1, 3};
  const Examples examples{
      .tokens = tokens, .rows = 2, .maxlen = 4, .targets = targets, .weights = weights};
  for (const bool mask : {true, false}) {
    SEQ_ASSERT_OK_AND_ASSIGN(
        Model model,
        stack(mask).Build({.loss = SparseCategoricalCrossEntropy(), .sample_weight = true}));
    SEQ_ASSERT_OK(model.variables.Assign(
        "embedding/embeddings", Tensor::Of<float>({4, 3}, {0, 0, 0, 9, 0, 0, 0, 9, 0, 0, 0, 9})));
    SEQ_ASSERT_OK(model.variables.Assign("dense/kernel",
                                         Tensor::Of<float>({3, 3}, {1, 0, 0, 0, 1, 0, 0, 0, 1})));
    SEQ_ASSERT_OK_AND_ASSIGN(
        const Logs logs,
        Evaluate(model, examples, {.metrics = {Accuracy(), Weighted(Accuracy())}}));
    EXPECT_EQ(logs.at("accuracy"), mask ? 4.0 / 5 : 4.0 / 8);
    EXPECT_EQ(logs.at("weighted_accuracy"), mask ? 5.0 / 8 : 5.0 / 35);
  }
}

// Of whatever loss: the default is accuracy where classes are told, nothing for a regression.
TEST(SequenceMetrics, TheDefaultFollowsFromTheLoss) {
  const Tags tags;
  const Loss own = {"own", "",
                    [](FunctionBuilder& g, const LossInputs& in) {
                      return SparseCategoricalCrossEntropy().build(g, in);
                    },
                    /*labels_are_classes=*/true};
  for (const auto& [loss, classes] : {std::pair(BinaryCrossEntropy(), true),
                                      {CategoricalCrossEntropy(), true},
                                      {SparseCategoricalCrossEntropy(), true},
                                      {own, true},
                                      {MeanSquaredError(), false}}) {
    SEQ_ASSERT_OK_AND_ASSIGN(Model model, Tagger(loss, "softmax"));
    const Examples examples = loss.labels_are_classes ? tags.WithClasses() : tags.WithValues();
    SEQ_ASSERT_OK_AND_ASSIGN(const Logs logs, Evaluate(model, examples));
    EXPECT_EQ(logs.count("accuracy"), classes ? 1u : 0u) << loss.name;
    Trainer trainer(&model, {.backend = "reference"});
    SEQ_ASSERT_OK_AND_ASSIGN(const FitResult result, trainer.Fit(examples, examples, {}));
    EXPECT_EQ(result.history.values().count("accuracy"), classes ? 1u : 0u) << loss.name;
    EXPECT_EQ(result.history.values().size(), classes ? 4u : 2u) << loss.name;
  }
}

TEST(SequenceMetrics, OfARegression) {
  const Tags tags;
  SEQ_ASSERT_OK_AND_ASSIGN(Model model, Tagger(MeanSquaredError(), "linear"));
  SEQ_ASSERT_OK_AND_ASSIGN(
      const Logs logs,
      Evaluate(model, tags.WithValues(),
               {.metrics = {MeanAbsoluteError(), RootMeanSquaredError(), R2Score()}}));
  // Of three numbers a step two are exact, the third is off by 0.1 times the step.
  EXPECT_NEAR(logs.at("mean_absolute_error"), 0.25 / 3, 1e-7);
  EXPECT_NEAR(logs.at("root_mean_squared_error"), std::sqrt(0.55 / 6 / 3), 1e-7);
  EXPECT_NEAR(std::pow(logs.at("root_mean_squared_error"), 2), logs.at("loss"), 1e-7);
}

}  // namespace
}  // namespace seqgraph
