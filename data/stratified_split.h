#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "data/numpy_random.h"

namespace seqgraph::data {

/// `sklearn.model_selection.train_test_split(range(n), test_size=test_fraction,
/// random_state=seed, stratify=classes)` for n classes, row for row: each part has of every class
/// its share, rounded so that the parts' sizes are those of TrainTestSplit() and what is lost by
/// rounding goes to the classes that lose most (drawn by lot among equals). InvalidArgument as
/// TrainTestSplit(), for a class of one row, and for a part with fewer rows than there are classes.
absl::StatusOr<SplitIndices> StratifiedSplit(absl::Span<const int32_t> classes,
                                             double test_fraction, uint32_t seed);

}  // namespace seqgraph::data
