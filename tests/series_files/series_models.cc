#include "tests/series_files/series_models.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/counter_random.h"
#include "base/status_macros.h"

namespace seqgraph {
namespace {

constexpr int64_t kRows = 6, kSteps = 7, kFeatures = 2;

RecurrentLayersOptions Layers(const char* cell, bool bidirectional = false, int64_t layers = 1,
                              StatePooling pooling = StatePooling::kLast) {
  return {.cell = cell,
          .units = 3,
          .layers = layers,
          .bidirectional = bidirectional,
          .pooling = pooling};
}

SeriesModelOptions Options(const SeriesTask& task, const RecurrentLayersOptions& layers,
                           bool masking, int64_t outputs) {
  SeriesModelOptions options{.task = task,
                             .features = kFeatures,
                             .steps = kSteps,
                             .masking = masking,
                             .outputs = outputs,
                             .input = {.offset = {1013.25, 15.1}, .scale = {9.3, 6.7}},
                             .layers = layers};
  const bool told = task.kind == SeriesTaskKind::kRegress || task.kind == SeriesTaskKind::kForecast;
  if (told) options.target = {.offset = {-3.5, 120}, .scale = {0.25, 40}};
  return options;
}

}  // namespace

std::vector<SeriesFileCase> SeriesFileCases() {
  using Kind = SeriesTaskKind;
  const SeriesTask quantiles = {
      .kind = Kind::kForecast, .window = kSteps, .horizon = 2, .quantiles = {0.1, 0.5, 0.9}};
  return {
      {"classify", Options({.kind = Kind::kClassify}, Layers("LSTM"), false, 2), {"dry", "wet"}},
      {"classify_ragged",
       Options({.kind = Kind::kClassify}, Layers("GRU"), true, 3),
       {"caf\xC3\xA9", "", "a\nb"}},
      {"classify_ragged_average",
       Options({.kind = Kind::kClassify, .many_labels = true},
               Layers("LSTM", true, 2, StatePooling::kAverage), true, 3),
       {"rain", "snow", "hail"}},
      {"classify_ragged_most",
       Options({.kind = Kind::kClassify}, Layers("SimpleRNN", true, 1, StatePooling::kMax), true,
               3),
       {"rain", "snow", "hail"}},
      {"tag_ragged", Options({.kind = Kind::kTag}, Layers("LSTM", true), true, 3), {"a", "b", "c"}},
      {"regress", Options({.kind = Kind::kRegress}, Layers("GRU"), false, 2)},
      {"regress_steps_ragged",
       Options({.kind = Kind::kRegress, .per_step = true}, Layers("GRU"), true, 2)},
      {"forecast", Options({.kind = Kind::kForecast, .window = kSteps, .horizon = 3},
                           Layers("SimpleRNN"), false, 2)},
      {"forecast_quantiles", Options(quantiles, Layers("LSTM"), false, 2)},
      {"reconstruct", Options({.kind = Kind::kReconstruct}, Layers("GRU"), false, kFeatures)},
      {"reconstruct_ragged",
       Options({.kind = Kind::kReconstruct}, Layers("LSTM"), true, kFeatures)},
  };
}

absl::StatusOr<Model> MakeSeriesFileModel(const SeriesFileCase& series) {
  SEQ_ASSIGN_OR_RETURN(Model model, MakeSeriesModel(series.options));
  for (const Variable& variable : model.variables.all()) {
    if (variable.def.role != VariableRole::kWeight) continue;
    CounterRandom random(17, variable.def.name);
    Tensor content = variable.value;
    for (float& w : content.Elements<float>()) {
      w = static_cast<float>(1.6 * random.NextUniform() - 0.8);
    }
    SEQ_RETURN_IF_ERROR(model.variables.Assign(variable.def.name, content));
  }
  const SeriesTask& task = series.options.task;
  model.labels = series.labels;
  model.series = {.task = FactsOf(task.kind).name,
                  .features = {"pr\xC3\xA9ssure", "temperature, \xC2\xB0\x43"},
                  .series_column = "station",
                  .order_column = "step",
                  .missing = "mask",
                  .scale = "standard",
                  .split = "validation=0.2 test=0 seed=1",
                  .window = task.window,
                  .horizon = task.horizon,
                  .max_steps = kSteps,
                  .many_labels = task.many_labels,
                  .per_step = task.per_step,
                  .quantiles = task.quantiles};
  if (!series.options.target.scale.empty()) model.series.targets = {"level", "flow"};
  return model;
}

RawRows::RawRows(const SeriesFileCase& series) {
  CounterRandom random(23, series.name);
  int64_t begin = 0;
  for (int64_t row = 0; row < kRows; ++row) {
    begin_.push_back(begin);
    steps_.push_back(series.options.masking ? 1 + row * 5 % kSteps : kSteps);
    begin += steps_.back();
  }
  for (int64_t i = 0; i < begin; ++i) {
    values_.push_back(static_cast<float>(1013 + 9 * random.NextNormal()));
    values_.push_back(static_cast<float>(15 + 7 * random.NextNormal()));
  }
  // Within the second row, and its neighbour's first step.
  if (series.options.masking) {
    values_[(begin_[1] + 2) * kFeatures + 1] = std::numeric_limits<float>::quiet_NaN();
    values_[begin_[2] * kFeatures] = std::numeric_limits<float>::quiet_NaN();
  }
  examples_ = {.rows = kRows,
               .maxlen = kSteps,
               .features = values_,
               .row_begin = begin_,
               .row_steps = steps_,
               .num_features = kFeatures};
}

Tensor RawRows::Filled() const {
  std::vector<float> filled(kRows * kSteps * kFeatures, kMissingStep);
  for (int64_t row = 0; row < kRows; ++row) {
    for (int64_t step = 0; step < steps_[row]; ++step) {
      const float* from = values_.data() + (begin_[row] + step) * kFeatures;
      if (std::isnan(from[0]) || std::isnan(from[1])) continue;
      std::copy_n(from, kFeatures, filled.begin() + (row * kSteps + step) * kFeatures);
    }
  }
  return Tensor::Of<float>({kRows, kSteps, kFeatures}, filled);
}

}  // namespace seqgraph
