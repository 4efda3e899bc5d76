#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "absl/status/statusor.h"
#include "training/examples.h"

namespace seqgraph {

/// What each target of the training data counts for: the rows' own weights times those of the
/// target's class (FitOptions::class_weights, 1 for a class that is not there); without the latter
/// the rows' own, if they have any. InvalidArgument where the weights belong to something else.
absl::StatusOr<std::vector<float>> RowWeights(const Examples& train,
                                              const std::map<int32_t, double>& class_weights);

}  // namespace seqgraph
