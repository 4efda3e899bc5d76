// Baselines are judged as models are: a model whose weights make it the baseline gets the same
// numbers from ModelRunner::Evaluate().

#include <cmath>
#include <string>
#include <vector>

#include "base/status_macros.h"
#include "gtest/gtest.h"
#include "tests/testing.h"
#include "training/model_runner.h"
#include "training/sequential.h"
#include "training/series/baseline.h"
#include "training/series/series_examples.h"
#include "training/series/testing/series_sets.h"

namespace seqgraph {
namespace {

using data::SeriesSet;

Tensor Filled(const Model& model, const std::string& name, const std::vector<float>& elements) {
  Tensor tensor = *Tensor::Zeros(model.variables.Find(name)->def.type);
  for (size_t i = 0; i < tensor.Elements<float>().size(); ++i) {
    tensor.Elements<float>()[i] = elements[i % elements.size()];
  }
  return tensor;
}

std::vector<Metric> Metrics(const std::vector<std::string>& names) {
  std::vector<Metric> metrics;
  for (const std::string& name : names) metrics.push_back(MetricByName(name).value());
  return metrics;
}

void ExpectSame(Model& model, const Baseline& baseline, const SeriesSet& set,
                const std::vector<RowRange>& rows, const SeriesTask& task,
                const std::vector<Metric>& metrics) {
  SEQ_ASSERT_OK_AND_ASSIGN(const auto judged,
                           JudgeBaselines({baseline}, set, rows, task, {.metrics = metrics}));
  SEQ_ASSERT_OK_AND_ASSIGN(const SeriesExamples made, SeriesExamples::Create(set, rows, task));
  SEQ_ASSERT_OK_AND_ASSIGN(const Logs logs,
                           ModelRunner(&model, {.backend = "reference"})
                               .Evaluate(made.examples(), {.batch = 3, .metrics = metrics}));
  for (const Metric& metric : metrics) {
    const double value = logs.at(metric.name);
    EXPECT_NEAR(value, judged[0].values.at(metric.name), 1e-6 * (1 + std::abs(value)))
        << metric.name;
  }
}

// The state is the last value, twice: for two steps ahead.
TEST(SameRows, OfAForecastByPersistence) {
  SeriesSet set = MakeSet({40, 23}, 1, [](int64_t step, int64_t) {
    return 10 + 5 * std::sin(0.7f * static_cast<float>(step)) + static_cast<float>(step % 3);
  });
  for (int64_t step = 0; step < set.num_steps(); ++step) {
    set.weights.push_back(static_cast<float>(step % 4));
  }
  set.weights_per_step = true;
  set.gaps = {17};
  const SeriesTask task = {.kind = SeriesTaskKind::kForecast, .window = 5, .horizon = 2};
  Sequential stack({.time = 5, .features = 1});
  stack.Add(SimpleRNN(2, {.activation = "linear"})).Add(ReshapeLayer{.target_shape = {2, 1}});
  SEQ_ASSERT_OK_AND_ASSIGN(
      Model model,
      stack.Build({.loss = MeanSquaredError(), .optimizer = SGD{}, .sample_weight = true}));
  SEQ_ASSERT_OK(
      model.variables.Assign("simple_rnn/kernel", Filled(model, "simple_rnn/kernel", {1})));
  SEQ_ASSERT_OK(model.variables.Assign("simple_rnn/recurrent_kernel",
                                       Filled(model, "simple_rnn/recurrent_kernel", {0})));
  SEQ_ASSERT_OK_AND_ASSIGN(const std::vector<RowRange> rows, AllRows(set, task));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto baselines, FitBaselines(set, rows, task));
  ASSERT_EQ(baselines[0].name, "persistence");
  ExpectSame(model, baselines[0], set, rows, task,
             Metrics({"mae", "rmse", "mape", "r2_score", "weighted_mae", "weighted_r2_score"}));
}

// Ragged rows with missing steps, of three classes: the bias alone tells their shares.
TEST(SameRows, OfTagsByTheSharesOfClasses) {
  SeriesSet set = MakeSet({5, 9, 1, 7, 6}, 1, [](int64_t step, int64_t) {
    return step % 7 == 3 ? NAN : static_cast<float>(step);
  });
  for (int32_t step = 0; step < set.num_steps(); ++step) {
    set.classes.push_back(step * step % 5 % 3);
    set.weights.push_back(static_cast<float>(1 + step % 3));
  }
  set.class_names = {"a", "b", "c"};
  set.per_step = set.weights_per_step = true;
  const SeriesTask task = {.kind = SeriesTaskKind::kTag};
  SEQ_ASSERT_OK_AND_ASSIGN(const std::vector<RowRange> rows, AllRows(set, task));
  SEQ_ASSERT_OK_AND_ASSIGN(const auto baselines, FitBaselines(set, rows, task));
  Sequential stack({.time = 9, .features = 1});
  stack.Add(MaskingLayer{.mask_value = kMissingStep})
      .Add(SimpleRNN(2, {.return_sequences = true}))
      .Add(DenseLayer{.units = 3, .activation = "softmax"});
  SEQ_ASSERT_OK_AND_ASSIGN(Model model, stack.Build({.loss = SparseCategoricalCrossEntropy(),
                                                     .optimizer = SGD{},
                                                     .sample_weight = true}));
  std::vector<float> logits;
  for (const double share : baselines[0].constants) {
    logits.push_back(static_cast<float>(std::log(share)));
  }
  SEQ_ASSERT_OK(model.variables.Assign("dense/kernel", Filled(model, "dense/kernel", {0})));
  SEQ_ASSERT_OK(model.variables.Assign("dense/bias", Filled(model, "dense/bias", logits)));
  ExpectSame(model, baselines[0], set, rows, task,
             Metrics({"accuracy", "f1_score", "kl_divergence", "weighted_accuracy",
                      "weighted_kl_divergence", "weighted_f1_score"}));
}

}  // namespace
}  // namespace seqgraph
