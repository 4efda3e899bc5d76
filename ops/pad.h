#pragma once

// Pad: y = `before` times value, then x, then `after` times value, along one axis.

#include <cstdint>
#include <string>

#include "graph/function_builder.h"

namespace seqgraph::ops {

struct PadOptions {
  int64_t axis = 0;
  int64_t before = 0;
  int64_t after = 0;
  double value = 0;  ///< of an integer x: a number that its type has
  std::string name;
};

/// x of any shape, of any element type -> y with before + after elements more along the axis, which
/// must not be the batch.
Value Pad(FunctionBuilder& g, Value x, const PadOptions& options);

}  // namespace seqgraph::ops
