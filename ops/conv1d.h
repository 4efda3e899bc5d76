#pragma once

// Conv1D: y[n, s, f] = b[f] + sum_{i, c} x[n, s stride - pad_before + i dilation, c] w[i, c, f]
// Conv1DGrad: dx, dw and db of it.

#include <cstdint>
#include <string>

#include "graph/function_builder.h"
#include "ops/window_rules.h"

namespace seqgraph::ops {

struct Conv1DOptions {
  Value bias;  ///< [filters]; absent: zero
  WindowOptions windows;
  int64_t groups = 1;  ///< filters and channels are cut into so many, each to itself
  std::string name;
};

/// x [batch, time, channels], w [width, channels / groups, filters] -> y [batch, steps, filters]
/// with steps = (time + pads - (width - 1) dilation - 1) / stride + 1, rounded down: a
/// cross-correlation over time (the kernel is not mirrored), as in Keras and ONNX. InvalidArgument
/// (in the builder) for shapes that do not fit, or where no window fits.
Value Conv1D(FunctionBuilder& g, Value x, Value w, const Conv1DOptions& options = {});

}  // namespace seqgraph::ops
