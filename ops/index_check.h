#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "graph/tensor.h"

namespace seqgraph::ops {

/// InvalidArgument "ids[0, 3] is 500, must be in [0, 500)" for the first index out of range.
absl::Status CheckIndices(absl::string_view name, TensorView<const int32_t> indices, int64_t limit);

}  // namespace seqgraph::ops
