#include "training/series/series_model.h"

#include <algorithm>
#include <cmath>

#include "base/status_macros.h"
#include "training/examples.h"
#include "training/sequential.h"

namespace seqgraph {
namespace {

constexpr char kInput[] = "series", kMasking[] = "masking", kMask[] = "masking/mask";

bool TellsClasses(SeriesTaskKind kind) {
  return kind == SeriesTaskKind::kClassify || kind == SeriesTaskKind::kTag;
}

const FeatureScale& TargetScale(const SeriesModelOptions& options) {
  return options.task.kind == SeriesTaskKind::kReconstruct ? options.input : options.target;
}

// Of two classes the probability of the second alone.
bool IsBinary(const SeriesModelOptions& options) {
  return !options.task.many_labels && options.outputs == 2;
}

// The last axis of numbers is `times` times that of the scale.
NormalizationLayer Scaling(const FeatureScale& scale, bool invert, int64_t times = 1) {
  NormalizationLayer layer{.invert = invert};
  for (int64_t i = 0; i < times; ++i) {
    layer.mean.insert(layer.mean.end(), scale.offset.begin(), scale.offset.end());
    for (const double s : scale.scale) layer.variance.push_back(s * s);
  }
  return layer;
}

void AddClasses(const SeriesModelOptions& options, Sequential& stack) {
  if (IsBinary(options)) {
    stack.Add(DenseLayer{.units = 1, .activation = "sigmoid"});
  } else {
    stack.Add(DenseLayer{.units = options.outputs,
                         .activation = options.task.many_labels ? "sigmoid" : "softmax"});
  }
}

// Numbers, `outputs` for each of the quantiles, `steps` times (0: once) out of one row.
void AddNumbers(const SeriesModelOptions& options, int64_t outputs, int64_t steps,
                Sequential& stack) {
  const int64_t times = std::max<int64_t>(options.task.quantiles.size(), 1);
  stack.Add(DenseLayer{.units = std::max<int64_t>(steps, 1) * outputs * times});
  if (steps > 0) stack.Add(ReshapeLayer{.target_shape = {steps, outputs * times}});
  const FeatureScale& scale = TargetScale(options);
  if (!scale.scale.empty()) stack.Add(Scaling(scale, /*invert=*/true, times));
}

absl::Status CheckScale(const char* of, const FeatureScale& scale, int64_t numbers) {
  const auto size = static_cast<int64_t>(scale.scale.size());
  const bool fits = scale.offset.size() == scale.scale.size() && (size == 0 || size == numbers);
  const bool positive = std::all_of(scale.scale.begin(), scale.scale.end(),
                                    [](double s) { return s > 0 && std::isfinite(s * s); });
  if (fits && positive) return absl::OkStatus();
  return InvalidArgument("the scale of the ", of, " has ", scale.offset.size(), " offsets and ",
                         size, " scales; expected one of each for each of ", numbers,
                         ", scales above 0");
}

}  // namespace

LayerStack SeriesStack(const SeriesModelOptions& options) {
  Sequential stack({.name = kInput, .time = options.steps, .features = options.features});
  if (options.masking) stack.Add(MaskingLayer{.mask_value = kMissingStep}, {.name = kMasking});
  if (!options.input.scale.empty()) stack.Add(Scaling(options.input, /*invert=*/false));
  const SeriesTask& task = options.task;
  const bool sequences =
      task.kind == SeriesTaskKind::kTag || (task.kind == SeriesTaskKind::kRegress && task.per_step);
  AddRecurrentLayers(options.layers, sequences, stack);
  switch (task.kind) {
    case SeriesTaskKind::kClassify:
    case SeriesTaskKind::kTag:
      AddClasses(options, stack);
      break;
    case SeriesTaskKind::kRegress:
      AddNumbers(options, options.outputs, /*steps=*/0, stack);
      break;
    case SeriesTaskKind::kForecast:
      AddNumbers(options, options.outputs, task.horizon, stack);
      break;
    case SeriesTaskKind::kReconstruct:
      stack.Add(RepeatVectorLayer{.n = options.steps});
      AddRecurrentLayers(options.layers, /*sequences=*/true, stack);
      AddNumbers(options, options.features, /*steps=*/0, stack);
      break;
  }
  return stack.stack();
}

absl::StatusOr<Loss> SeriesLoss(const SeriesModelOptions& options) {
  const SeriesTask& task = options.task;
  const bool classes = TellsClasses(task.kind);
  const std::string name(WholeLossName(options.loss.empty() ? DefaultLoss(task) : options.loss));
  if (!task.quantiles.empty() && name != "pinball") {
    return InvalidArgument("the loss ", name, " tells no quantiles: leave the loss out");
  }
  if (!task.quantiles.empty()) {
    Loss loss = Pinball(task.quantiles);
    return options.target.scale.empty()
               ? loss
               : Scaled(std::move(loss), options.target.offset, options.target.scale);
  }
  SEQ_ASSIGN_OR_RETURN(Loss loss, LossByName(name));
  if (classes && loss.labels_are_classes && IsBinary(options)) return BinaryCrossEntropy();
  if (loss.labels_are_classes && (!classes || task.many_labels)) {
    return InvalidArgument("the loss ", name, " is of classes, and ", FactsOf(task.kind).name,
                           task.many_labels ? " of many labels" : "", " tells none");
  }
  const FeatureScale& scale = TargetScale(options);
  if (classes || scale.scale.empty()) return loss;
  return Scaled(std::move(loss), scale.offset, scale.scale);
}

absl::StatusOr<Model> MakeSeriesModel(const SeriesModelOptions& options,
                                      TrainableOptions trainable) {
  SEQ_RETURN_IF_ERROR(CheckSeriesTask(options.task));
  SEQ_RETURN_IF_ERROR(CheckScale("features", options.input, options.features));
  const bool tells_features = options.task.kind == SeriesTaskKind::kReconstruct;
  SEQ_RETURN_IF_ERROR(CheckScale("numbers to be told", TargetScale(options),
                                 tells_features ? options.features : options.outputs));
  SEQ_ASSIGN_OR_RETURN(trainable.loss, SeriesLoss(options));
  // The answer has the steps of the row, but RepeatVector made them.
  if (tells_features && options.masking) trainable.mask = kMask;
  return BuildModel(SeriesStack(options), trainable);
}

}  // namespace seqgraph
