#pragma once

// OneHot: y[..., k] = 1 where k = ids[...], else 0.

#include <cstdint>
#include <string>

#include "graph/function_builder.h"

namespace seqgraph::ops {

struct OneHotOptions {
  DType dtype = DType::kFloat32;  ///< of y: float32 or float64
  std::string name;
};

/// ids (int32, any shape) -> y [shape of ids..., depth]. A run fails with InvalidArgument, naming
/// position and value, for an id that is not in [0, depth), so that a lookup of rows can stand for
/// a product with one-hot rows; Keras gives a row of zeros on some of its backends.
Value OneHot(FunctionBuilder& g, Value ids, int64_t depth, const OneHotOptions& options = {});

}  // namespace seqgraph::ops
