// Fit, Evaluate and Predict of models with several inputs and outputs, against numbers worked out
// by hand.

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "base/status_macros.h"
#include "tests/testing.h"
#include "training/sequential.h"
#include "training/testing/shared_dense.h"
#include "training/trainer.h"

namespace seqgraph {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

// Trained on 0.5 and 0.25 of the squares of y and z.
absl::StatusOr<Model> TrainedShared(bool sample_weight = false) {
  return SharedDense({.losses = {{MeanSquaredError("y"), 0.5}, {MeanSquaredError("z"), 0.25}},
                      .optimizer = SGD{.learning_rate = 0.125},
                      .sample_weight = sample_weight});
}

// Two rows: y = 13 and 5, z = 40 and 6; only the first is not as it should be, by 2 and by -2.
const std::vector<float> kA = {1, 2, 0, 1}, kB = {10, -5, 1, 0}, kY = {11, 5}, kZ = {42, 6};
const std::vector<NamedExamples> kNamed = {{"a", {.rows = 2, .maxlen = 1, .features = kA}},
                                           {"b", {.rows = 2, .maxlen = 1, .features = kB}},
                                           {"y", {.rows = 2, .values = kY}},
                                           {"z", {.rows = 2, .values = kZ}}};

TEST(SeveralOutputs, EachIsJudgedByItself) {
  SEQ_ASSERT_OK_AND_ASSIGN(Model model, TrainedShared());
  ModelRunner runner(&model);
  for (const int64_t batch : {1, 2}) {
    SEQ_ASSERT_OK_AND_ASSIGN(
        const Logs logs, runner.Evaluate({.rows = 2, .more = kNamed},
                                         {.batch = batch,
                                          .metrics = {MeanAbsoluteError()},
                                          .output_metrics = {{"z", {RootMeanSquaredError()}}}}));
    // 0.5 * 2 + 0.25 * 2.
    EXPECT_THAT(logs, UnorderedElementsAre(Pair("loss", 1.5), Pair("y_loss", 2), Pair("z_loss", 2),
                                           Pair("y_mean_absolute_error", 1),
                                           Pair("z_root_mean_squared_error", std::sqrt(2.0))));
  }
}

TEST(SeveralOutputs, OneInputNeedNoName) {
  SEQ_ASSERT_OK_AND_ASSIGN(Model model, TrainedShared());
  ModelRunner runner(&model);
  const Examples examples = {
      .rows = 2, .maxlen = 1, .features = kA, .more = absl::MakeConstSpan(kNamed).subspan(1)};
  SEQ_ASSERT_OK_AND_ASSIGN(const auto found, runner.PredictOutputs(examples, {.batch = 1}));
  EXPECT_THAT(found,
              UnorderedElementsAre(Pair("y", ElementsAre(13, 5)), Pair("z", ElementsAre(40, 6))));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto z, runner.Predict(examples, {.prediction = "z"}));
  EXPECT_THAT(z, ElementsAre(40, 6));
}

TEST(SeveralOutputs, AreTrainedOnTheWeightedSum) {
  SEQ_ASSERT_OK_AND_ASSIGN(Model model, TrainedShared());
  Trainer trainer(&model);
  const Examples examples = {.rows = 2, .more = kNamed};
  SEQ_ASSERT_OK_AND_ASSIGN(const FitResult result,
                           trainer.Fit(examples, examples, {.batch = 2, .metrics = {}}));
  // dy = 0.5 2 2 / 2 = 1, dz = 0.25 2 (-2) / 2 = -0.5: du = dy + dz v = -1.5, dv = dy + dz u = -3,
  // so that dw = -1.5 (1, 2) - 3 (10, -5) = (-31.5, 12).
  const float w0 = 2 + 0.125f * 31.5f, w1 = 3 - 0.125f * 12;
  EXPECT_THAT(model.variables.Find("w/kernel")->value.Elements<float>(), ElementsAre(w0, w1));
  EXPECT_THAT(result.history["loss"], ElementsAre(1.5));
  EXPECT_THAT(result.history["y_loss"], ElementsAre(2));
  const double u = w0 + 2 * w1, v = 10 * w0 - 5 * w1, y0 = u + v - 11, y1 = w1 + w0 - 5;
  ASSERT_EQ(result.history["val_y_loss"].size(), 1u);
  EXPECT_NEAR(result.history["val_y_loss"][0], (y0 * y0 + y1 * y1) / 2, 1e-3);
}

TEST(SeveralOutputs, RowsWeighByOutputOrAllAlike) {
  SEQ_ASSERT_OK_AND_ASSIGN(Model model, TrainedShared(/*sample_weight=*/true));
  ModelRunner runner(&model);
  const std::vector<float> of_z = {3, 1}, of_all = {5, 1};
  std::vector<NamedExamples> named = kNamed;
  named[3].examples.weights = of_z;
  SEQ_ASSERT_OK_AND_ASSIGN(Logs logs, runner.Evaluate({.rows = 2, .more = named}));
  EXPECT_EQ(logs["y_loss"], 2);
  EXPECT_EQ(logs["z_loss"], 6);
  SEQ_ASSERT_OK_AND_ASSIGN(logs, runner.Evaluate({.rows = 2, .weights = of_all, .more = kNamed}));
  EXPECT_EQ(logs["y_loss"], 10);
  EXPECT_EQ(logs["z_loss"], 10);
}

// Classes of each step and a number, masked steps not counted in the former; padding is 0.
TEST(SeveralOutputs, LossesAndMasksOfTwoKinds) {
  Functional graph;
  const LayerValue x = graph.Input({.name = "x", .time = 3});
  const LayerValue e = graph.Add(EmbeddingLayer{.input_dim = 3, .output_dim = 2, .mask_zero = true},
                                 {x}, {.name = "e"});
  // Row 1 of the table says class 0, row 2 class 1.
  graph.Outputs({graph.Add(ActivationLayer{.activation = "softmax"}, {e}, {.name = "tag"}),
                 graph.Add(ActivationLayer{.activation = "linear"}, {e}, {.name = "raw"})});
  SEQ_ASSERT_OK_AND_ASSIGN(
      Model model,
      graph.Build({.losses = {{SparseCategoricalCrossEntropy("tag")}, {MeanSquaredError("raw")}}}));
  SEQ_ASSERT_OK(
      model.variables.Assign("e/embeddings", Tensor::Of<float>({3, 2}, {7, 7, 5, 0, 0, 5})));
  const std::vector<int32_t> tokens = {1, 2, 0, 2, 0, 0}, tags = {0, 0, 0, 1, 0, 1};
  const std::vector<float> raw = {5, 0, 0, 5, 9, 9, 0, 8, 9, 9, 9, 9};
  const std::vector<NamedExamples> labels = {{"tag", {.rows = 2, .targets = tags}},
                                             {"raw", {.rows = 2, .values = raw}}};
  ModelRunner runner(&model);
  SEQ_ASSERT_OK_AND_ASSIGN(
      Logs logs,
      runner.Evaluate({.tokens = tokens, .rows = 2, .maxlen = 3, .more = labels}, {.batch = 2}));
  EXPECT_EQ(logs.count("raw_accuracy"), 0u);
  // Of three steps that count one has the other class; one number of six is off by 3.
  EXPECT_NEAR(logs["tag_accuracy"], 2.0 / 3, 1e-6);
  EXPECT_NEAR(logs["raw_loss"], 9.0 / 6, 1e-6);
  const double tag_loss = 5.0 / 3 + std::log1p(std::exp(-5.0));
  EXPECT_NEAR(logs["tag_loss"], tag_loss, 1e-6);
  EXPECT_NEAR(logs["loss"], tag_loss + 9.0 / 6, 1e-6);
}

TEST(SeveralOutputs, SayWhatIsMissing) {
  SEQ_ASSERT_OK_AND_ASSIGN(Model model, TrainedShared());
  ModelRunner runner(&model);
  const auto evaluate = [&](Examples examples) { return runner.Evaluate(examples).status(); };
  const absl::Span<const NamedExamples> all = kNamed;
  EXPECT_THAT(evaluate({.rows = 2, .more = all.first(3)}),
              StatusIs(kInvalid, "needs labels of its output z"));
  EXPECT_THAT(evaluate({.rows = 2, .maxlen = 1, .features = kA, .more = all.subspan(2)}),
              StatusIs(kInvalid, "inputs a, b: name what they take"));
  EXPECT_THAT(evaluate({.rows = 2, .more = all.subspan(1)}), StatusIs(kInvalid, "rows of 1"));
  std::vector<NamedExamples> wrong = kNamed;
  wrong[3].name = "y";
  EXPECT_THAT(evaluate({.rows = 2, .more = wrong}), StatusIs(kInvalid, "two are called y"));
  wrong[3] = {"z", {.rows = 1, .values = {kZ.data(), 1}}};
  EXPECT_THAT(evaluate({.rows = 2, .more = wrong}),
              StatusIs(kInvalid, "of z there are 1 rows, of others 2"));
  wrong[3] = {"z", {.rows = 2, .values = kZ, .weights = kY}};
  EXPECT_THAT(evaluate({.rows = 2, .more = wrong}), StatusIs(kInvalid, "no input sample_weight"));
  EXPECT_THAT(runner.Predict({.rows = 2, .more = all}).status(),
              StatusIs(kInvalid, "several results (y, z)"));
  EXPECT_THAT(
      runner.Evaluate({.rows = 2, .more = all}, {.output_metrics = {{"w", {R2Score()}}}}).status(),
      StatusIs(kInvalid, "metrics for the output w, expected one of y, z"));
}

}  // namespace
}  // namespace seqgraph
