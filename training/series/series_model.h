#pragma once

// Models of series: what scales the numbers, recurrent layers, and the head of the task.
//
//   [Masking] -> [Normalization] -> recurrent layers -> ...
//     classify      Dense, softmax (for two classes or many labels: sigmoid)
//     tag           the same at each step
//     regress       Dense -> [Normalization, inverted]
//     forecast      Dense -> Reshape to [horizon, numbers] -> [Normalization, inverted]
//     reconstruct   RepeatVector -> recurrent layers -> Dense -> [Normalization, inverted]
//
// Scaling is a part of the model, which takes and tells numbers in the user's units; so an exported
// one takes raw rows.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "graph/layer_stack.h"
#include "graph/model.h"
#include "training/losses.h"
#include "training/model_builder.h"
#include "training/recurrent_layers.h"
#include "training/series/scaling.h"
#include "training/series/series_task.h"

namespace seqgraph {

struct SeriesModelOptions {
  SeriesTask task;
  int64_t features = 1;  ///< numbers of a step
  int64_t steps = 1;     ///< of the longest row
  /// Rows may be shorter than `steps` or lack steps in between, which Examples fill with
  /// kMissingStep: no layer sees them, and where the answer has steps they do not count in the
  /// loss.
  bool masking = false;
  /// Classes or labels; numbers to be told, of each step of a horizon. No meaning for
  /// kReconstruct, which tells the features.
  int64_t outputs = 1;
  FeatureScale input;   ///< of the features; empty: as they are
  FeatureScale target;  ///< of the numbers to be told; for kReconstruct `input` counts
  RecurrentLayersOptions layers;
  std::string loss;  ///< by Keras's name; empty: DefaultLoss() of the task
};

/// "series" float32[batch, steps, features] -> the answer, [batch, ...] with
///   classify      [outputs] probabilities; [1] for two classes, of the second
///   tag           [steps, outputs] or [steps, 1], likewise
///   regress       [outputs], with task.per_step [steps, outputs]
///   forecast      [horizon, outputs]
///   reconstruct   [steps, features]
/// Of Q quantiles the last axis is [quantile, output], Q times as long. Layers are named as Keras
/// does it. What does not fit is found by BuildModel.
LayerStack SeriesStack(const SeriesModelOptions& options);

/// What training makes small: `options.loss`, for two classes binary instead of sparse categorical
/// cross-entropy; Pinball() for quantiles; of numbers that are scaled, the loss of the scaled ones.
/// InvalidArgument for a loss that is not known, or not of what the task tells.
absl::StatusOr<Loss> SeriesLoss(const SeriesModelOptions& options);

/// The whole model, ready to be trained on SeriesLoss(), whatever loss `trainable` has. Who saves
/// it sets Model::series. Errors: as SeriesLoss, CheckSeriesTask and BuildModel; InvalidArgument
/// for scales that are not one for each number.
absl::StatusOr<Model> MakeSeriesModel(const SeriesModelOptions& options,
                                      TrainableOptions trainable = {.optimizer = Adam{}});

}  // namespace seqgraph
