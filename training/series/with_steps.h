#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "graph/model.h"
#include "training/series/scaling.h"

namespace seqgraph {

/// Whether a layer of the model makes a mask of missing steps: rows may be shorter than others.
bool HasMasking(const Model& model);

/// What the numbers that the model tells are scaled by, as its last layer has it, those of each
/// quantile behind each other; empty: nothing.
FeatureScale TargetScaleOf(const Model& model);

/// A model of series for rows of up to `steps` steps, with the weights of one that was trained on
/// shorter ones: functions `predict` and `evaluate`, the same layers and answers. Recurrent layers
/// take rows of any length; what has a length is a function alone.
/// InvalidArgument for a model whose rows have one length: it has no Masking, or a window, or tells
/// back as many steps as it takes (reconstruct). Errors besides: those of BuildModel().
absl::StatusOr<Model> WithSteps(const Model& model, int64_t steps);

}  // namespace seqgraph
