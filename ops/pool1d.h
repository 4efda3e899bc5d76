#pragma once

// Over windows of time: MaxPool1D: y = the largest x_t of the window   AveragePool1D: their mean.
// MaxPool1DGrad: dx_t = dy where x_t is the first largest   AveragePool1DGrad: dx_t = dy / count.

#include <cstdint>
#include <string>

#include "graph/function_builder.h"
#include "ops/window_rules.h"

namespace seqgraph::ops {

struct Pool1DOptions {
  int64_t width = 2;  ///< of a window
  WindowOptions windows;
  bool count_include_pad = false;  ///< of the average: divide by the width, not by what is there
  std::string name;
};

/// x [batch, time, channels] -> y [batch, steps, channels] with steps = (time + pads - (width - 1)
/// dilation - 1) / stride + 1, rounded down. Padding is left out of both; a window of nothing but
/// padding gives 0. InvalidArgument (in the builder) where no window fits.
Value MaxPool1D(FunctionBuilder& g, Value x, const Pool1DOptions& options);
Value AveragePool1D(FunctionBuilder& g, Value x, const Pool1DOptions& options);

}  // namespace seqgraph::ops
