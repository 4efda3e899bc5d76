#pragma once

// RandomNormal: y[i] = mean + stddev n[i], n[i] standard normal, a function of seed, step, stream
// and i.

#include <cstdint>
#include <string>

#include "graph/function_builder.h"

namespace seqgraph::ops {

struct RandomNormalOptions {
  double mean = 0;
  double stddev = 1;   ///< at least 0
  int64_t stream = 0;  ///< as for DropoutOptions
  std::string name;
};

/// Normal random numbers of the type and shape of `like`, whose elements are not read, the same on
/// every backend. seed and step as for DropoutMask.
Value RandomNormal(FunctionBuilder& g, Value seed, Value step, Value like,
                   const RandomNormalOptions& options = {});

}  // namespace seqgraph::ops
