#pragma once

// Along one axis:
// Concat: y = a, then b.   Slice: y_i = x_{begin + i stride}.   Reverse: y_i = x_{n-1-i}.
// SliceGrad: dx_{begin + i stride} = dy_i, 0 elsewhere.

#include <cstdint>
#include <string>

#include "graph/function_builder.h"

namespace seqgraph::ops {

/// a, then b, along `axis`: their other extents must be the same.
Value Concat(FunctionBuilder& g, Value a, Value b, int64_t axis, std::string name = "");

struct SliceOptions {
  int64_t axis = 0;
  int64_t begin = 0;   ///< 0 <= begin <= end <= extent of the axis
  int64_t end = 0;     ///< not included
  int64_t stride = 1;  ///< at least 1
  std::string name;
};

/// The elements begin, begin + stride, .. below end along the axis.
Value Slice(FunctionBuilder& g, Value x, const SliceOptions& options);

/// The elements in reversed order along `axis`. (Time is axis 1.)
Value Reverse(FunctionBuilder& g, Value x, int64_t axis, std::string name = "");

}  // namespace seqgraph::ops
