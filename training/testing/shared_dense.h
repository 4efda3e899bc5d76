#pragma once

#include "absl/status/statusor.h"
#include "graph/model.h"
#include "training/model_builder.h"

namespace seqgraph {

/// y = a w + b w, z = (a w) (b w) of inputs a, b [batch, 2], by one layer "w" that is called twice;
/// w = (2, 3).
absl::StatusOr<Model> SharedDense(TrainableOptions options);

}  // namespace seqgraph
