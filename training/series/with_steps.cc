#include "training/series/with_steps.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/status_macros.h"
#include "layers/layer_fields.h"
#include "layers/masking.h"
#include "layers/normalization.h"
#include "training/model_builder.h"
#include "training/series/series_model.h"
#include "training/series/series_record.h"

namespace seqgraph {
namespace {

absl::StatusOr<Loss> LossOf(const Model& model, const SeriesTask& task) {
  SeriesModelOptions options{.task = task, .loss = model.series.loss};
  const std::vector<std::string>& told = model.labels.empty() ? model.series.targets : model.labels;
  options.outputs = static_cast<int64_t>(told.size());
  options.target = TargetScaleOf(model);
  // Of quantiles each has the same scale.
  options.target.offset.resize(std::min(options.target.offset.size(), told.size()));
  options.target.scale.resize(std::min(options.target.scale.size(), told.size()));
  return SeriesLoss(options);
}

}  // namespace

bool HasMasking(const Model& model) {
  if (!model.layers.has_value()) return false;
  const std::vector<Layer>& layers = model.layers->layers;
  return std::any_of(layers.begin(), layers.end(), [](const Layer& layer) {
    return layer.kind.class_name == MaskingLayer::kClass;
  });
}

FeatureScale TargetScaleOf(const Model& model) {
  FeatureScale scale;
  if (!model.layers.has_value() || model.layers->layers.empty()) return scale;
  const auto layer = As<NormalizationLayer>(model.layers->layers.back().kind);
  if (!layer.has_value()) return scale;
  scale.offset = layer->mean;
  for (const double variance : layer->variance) scale.scale.push_back(std::sqrt(variance));
  return scale;
}

absl::StatusOr<Model> WithSteps(const Model& model, int64_t steps) {
  const SeriesPreprocessing& record = model.series;
  if (!HasMasking(model) || record.window > 0 || record.horizon > 0 ||
      record.task == FactsOf(SeriesTaskKind::kReconstruct).name) {
    return InvalidArgument("the model takes rows of ", record.max_steps, " steps alone");
  }
  SEQ_ASSIGN_OR_RETURN(const SeriesTask task, TaskOf(record, {}));
  LayerStack stack = *model.layers;
  stack.input.time = steps;
  TrainableOptions options{.initialize_weights = false};
  SEQ_ASSIGN_OR_RETURN(options.loss, LossOf(model, task));
  if (const Function* evaluate = model.FindFunction(kEvaluate)) {
    for (const Value input : evaluate->inputs()) {
      options.sample_weight |= evaluate->info(input).name == kSampleWeight;
    }
  }
  SEQ_ASSIGN_OR_RETURN(Model longer, BuildModel(stack, options));
  for (const Variable& variable : model.variables.all()) {
    if (longer.variables.Find(variable.def.name) == nullptr) continue;
    SEQ_RETURN_IF_ERROR(longer.variables.Assign(variable.def.name, variable.value));
  }
  longer.name = model.name;
  longer.labels = model.labels;
  longer.series = record;
  longer.series.max_steps = steps;
  return longer;
}

}  // namespace seqgraph
