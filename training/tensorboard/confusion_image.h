#pragma once

#include "absl/status/statusor.h"
#include "training/confusion_matrix.h"
#include "training/tensorboard/png.h"

namespace seqgraph {

/// More classes have no picture: it would have more pixels than a screen.
inline constexpr int64_t kMaxClassesInImage = 1024;

/// A row a class, from above to below, a column for what its rows were taken for; the darker a
/// cell, the larger its share of its row. With up to 32 classes each cell says its count, in
/// digits, and rows and columns say their class's number. InvalidArgument beyond
/// kMaxClassesInImage, or for no class.
absl::StatusOr<Pixels> DrawConfusion(const ConfusionMatrix& matrix);

}  // namespace seqgraph
