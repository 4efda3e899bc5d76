// Ragged rows: answers, losses and what is learned depend on a row's own steps alone, however far
// it is padded and whatever rows are beside it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <numeric>
#include <ostream>
#include <string>
#include <tuple>
#include <vector>

#include "base/counter_random.h"
#include "tests/testing.h"
#include "training/series/series_model.h"
#include "training/trainer.h"

namespace seqgraph {
namespace {

using ::testing::FloatNear;
using ::testing::Pointwise;

constexpr double kBar = 2e-6, kAnswerBar = 2e-5;  // answers of about 20
constexpr int64_t kFeatures = 2, kOutputs = 3, kLongest = 7;

struct TaskCase {
  std::string name;
  SeriesTask task;
  RecurrentLayersOptions layers;

  bool by_steps() const { return HasStepLabels(task); }
  friend std::ostream& operator<<(std::ostream& out, const TaskCase& c) { return out << c.name; }
};

std::vector<TaskCase> Cases() {
  const auto layers = [](const char* cell, bool bidirectional = false, int64_t count = 1,
                         StatePooling pooling = StatePooling::kLast) {
    return RecurrentLayersOptions{.cell = cell,
                                  .units = 4,
                                  .layers = count,
                                  .bidirectional = bidirectional,
                                  .pooling = pooling};
  };
  const SeriesTask classify = {.kind = SeriesTaskKind::kClassify},
                   regress = {.kind = SeriesTaskKind::kRegress};
  return {
      {"classify", classify, layers("GRU")},
      {"classify_both_ways", classify, layers("LSTM", true, 2)},
      {"classify_average", classify, layers("SimpleRNN", true, 1, StatePooling::kAverage)},
      {"classify_most", classify, layers("LSTM", false, 1, StatePooling::kMax)},
      {"regress", regress, layers("LSTM")},
      {"regress_quantiles",
       {.kind = SeriesTaskKind::kRegress, .quantiles = {0.1, 0.5}},
       layers("GRU")},
      {"regress_steps", {.kind = SeriesTaskKind::kRegress, .per_step = true}, layers("GRU", true)},
      {"tag", {.kind = SeriesTaskKind::kTag}, layers("LSTM", true, 2)},
      {"reconstruct", {.kind = SeriesTaskKind::kReconstruct}, layers("GRU")}};
}

// Eleven rows of 1 to 7 steps of one array, of which the third lacks a step in the middle.
struct Rows {
  explicit Rows(const TaskCase& c) {
    CounterRandom random(4, "rows");
    const int64_t steps = std::accumulate(lengths.begin(), lengths.end(), int64_t{0});
    for (int64_t i = 0; i < steps * kFeatures; ++i) {
      features.push_back(static_cast<float>(20 + 5 * random.NextNormal()));
    }
    for (const int64_t length : lengths) begin.push_back(begin.back() + length);
    begin.pop_back();
    features[(begin[2] + 3) * kFeatures] = std::numeric_limits<float>::quiet_NaN();
    const int64_t labels = c.by_steps() ? steps : static_cast<int64_t>(lengths.size());
    for (int64_t i = 0; i < labels; ++i) {
      classes.push_back(static_cast<int32_t>(random.NextBelow(kOutputs)));
    }
    for (int64_t i = 0; i < labels * kOutputs; ++i) {
      values.push_back(static_cast<float>(7 + 2 * random.NextNormal()));
    }
    all = {.rows = static_cast<int64_t>(lengths.size()),
           .features = features,
           .row_begin = begin,
           .row_steps = lengths,
           .num_features = kFeatures};
    if (c.by_steps()) all.label_begin = begin;
    if (c.task.kind == SeriesTaskKind::kRegress) all.values = values;
    if (c.task.kind == SeriesTaskKind::kClassify || c.task.kind == SeriesTaskKind::kTag) {
      all.targets = classes;
    }
  }

  // All of them, or one, padded to so many steps.
  Examples Padded(int64_t steps, int64_t row = -1) const {
    Examples examples = all;
    examples.maxlen = steps;
    if (row < 0) return examples;
    examples.rows = 1;
    examples.row_begin = examples.row_begin.subspan(row, 1);
    examples.row_steps = examples.row_steps.subspan(row, 1);
    if (!examples.label_begin.empty()) {
      examples.label_begin = examples.label_begin.subspan(row, 1);
      return examples;
    }
    if (!examples.targets.empty()) examples.targets = examples.targets.subspan(row, 1);
    if (!examples.values.empty()) {
      examples.values = examples.values.subspan(row * kOutputs, kOutputs);
    }
    return examples;
  }
  // Of a row's steps those that count.
  int64_t Present(int64_t row) const { return lengths[row] - (row == 2 ? 1 : 0); }

  std::vector<int64_t> lengths = {3, 1, 7, 2, 5, 7, 1, 4, 6, 2, 3}, begin = {0};
  std::vector<float> features, values;
  std::vector<int32_t> classes;
  Examples all;
};

class RaggedRows : public ::testing::TestWithParam<std::tuple<TaskCase, std::string>> {
 protected:
  const TaskCase& task_case() const { return std::get<0>(GetParam()); }
  RunnerOptions Backend() const { return {.backend = std::get<1>(GetParam())}; }

  // The same weights, whatever the steps.
  Model Make(int64_t steps) const {
    SeriesModelOptions options{.task = task_case().task,
                               .features = kFeatures,
                               .steps = steps,
                               .masking = true,
                               .outputs = kOutputs,
                               .input = {.offset = {20, 19}, .scale = {5, 4}},
                               .target = {.offset = {7, 6, 8}, .scale = {2, 1, 3}},
                               .layers = task_case().layers};
    absl::StatusOr<Model> model = MakeSeriesModel(options, {.optimizer = Adam{}, .seed = 9});
    SEQ_EXPECT_OK(model);
    return *std::move(model);
  }

  // Numbers of each row, up to its last step where there are numbers for each.
  std::vector<float> Answers(Model& model, const Examples& rows, int64_t batch) const {
    ModelRunner runner(&model, Backend());
    const absl::StatusOr<std::vector<float>> all = runner.Predict(rows, {.batch = batch});
    SEQ_EXPECT_OK(all);
    if (!task_case().by_steps()) return *all;
    const int64_t each = static_cast<int64_t>(all->size()) / (rows.rows * rows.maxlen);
    std::vector<float> answers;
    for (int64_t row = 0; row < rows.rows; ++row) {
      const auto from = all->begin() + row * rows.maxlen * each;
      answers.insert(answers.end(), from, from + rows.StepsOf(row) * each);
    }
    return answers;
  }

  double LossOf(Model& model, const Examples& rows, int64_t batch) const {
    ModelRunner runner(&model, Backend());
    const absl::StatusOr<Logs> logs = runner.Evaluate(rows, {.batch = batch});
    SEQ_EXPECT_OK(logs);
    return logs->at("loss");
  }
};

TEST_P(RaggedRows, AnswersAreOfTheRowAlone) {
  const Rows rows(task_case());
  Model model = Make(kLongest), wide = Make(12);
  const std::vector<float> expected = Answers(model, rows.Padded(kLongest), 11);
  for (const int64_t batch : {1, 3, 8}) {
    EXPECT_THAT(Answers(model, rows.Padded(kLongest), batch),
                Pointwise(FloatNear(kAnswerBar), expected));
  }
  EXPECT_THAT(Answers(wide, rows.Padded(12), 11), Pointwise(FloatNear(kAnswerBar), expected));
  std::vector<float> one_by_one;
  for (int64_t row = 0; row < rows.all.rows; ++row) {
    const std::vector<float> one = Answers(wide, rows.Padded(12, row), 1);
    one_by_one.insert(one_by_one.end(), one.begin(), one.end());
  }
  EXPECT_THAT(one_by_one, Pointwise(FloatNear(kAnswerBar), expected));
}

// The loss of all is the mean over rows, or over steps that are there.
TEST_P(RaggedRows, LossesAreOfTheRowsAlone) {
  const Rows rows(task_case());
  Model model = Make(kLongest), wide = Make(12);
  const double loss = LossOf(model, rows.Padded(kLongest), 11);
  EXPECT_NEAR(LossOf(wide, rows.Padded(12), 11), loss, kBar);
  double sum = 0, count = 0;
  for (int64_t row = 0; row < rows.all.rows; ++row) {
    const auto weight = static_cast<double>(task_case().by_steps() ? rows.Present(row) : 1);
    sum += weight * LossOf(wide, rows.Padded(12, row), 1);
    count += weight;
  }
  EXPECT_NEAR(sum / count, loss, kBar);
  if (task_case().by_steps()) return;
  for (const int64_t batch : {1, 4, 10}) {
    EXPECT_NEAR(LossOf(model, rows.Padded(kLongest), batch), loss, kBar);
  }
}

TEST_P(RaggedRows, WhatIsLearnedIsOfTheRowsAlone) {
  const Rows rows(task_case());
  for (const bool by_length : {false, true}) {
    Model model = Make(kLongest), wide = Make(12);
    const FitOptions options = {.epochs = 3, .batch = 2, .by_length = by_length};
    Trainer trainer(&model, Backend()), wide_trainer(&wide, Backend());
    SEQ_ASSERT_OK_AND_ASSIGN(const FitResult fit, trainer.Fit(rows.Padded(kLongest), {}, options));
    SEQ_ASSERT_OK_AND_ASSIGN(const FitResult same, wide_trainer.Fit(rows.Padded(12), {}, options));
    for (int epoch = 0; epoch < 3; ++epoch) {
      EXPECT_NEAR(same.history["loss"][epoch], fit.history["loss"][epoch], kBar);
    }
    for (const Variable& variable : model.variables.all()) {
      if (variable.value.dtype() != DType::kFloat32) continue;
      const Variable* other = wide.variables.Find(variable.def.name);
      ASSERT_NE(other, nullptr) << variable.def.name;
      EXPECT_THAT(other->value.Elements<float>(),
                  Pointwise(FloatNear(1e-5), variable.value.Elements<float>()))
          << variable.def.name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Tasks, RaggedRows,
                         ::testing::Combine(::testing::ValuesIn(Cases()),
                                            ::testing::Values("reference", "onednn,reference",
                                                              "simd,reference")),
                         [](const auto& info) {
                           const std::string& backend = std::get<1>(info.param);
                           return std::get<0>(info.param).name + "_" +
                                  backend.substr(0, backend.find(','));
                         });

}  // namespace
}  // namespace seqgraph
