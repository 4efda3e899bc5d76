#pragma once

// DropoutMask: y[i] = 0 with probability rate, else 1 / (1 - rate), as a function of seed, step,
// stream and i. Dropout: x * DropoutMask.

#include <cstdint>
#include <string>
#include <vector>

#include "graph/function_builder.h"

namespace seqgraph::ops {

struct DropoutOptions {
  double rate = 0.5;   ///< in [0, 1)
  int64_t stream = 0;  ///< one for each mask of a model: the same stream gives the same mask
  std::string name;
};

struct DropoutMaskOptions {
  double rate = 0.5;   ///< as for DropoutOptions
  int64_t stream = 0;  ///< as for DropoutOptions
  /// Of the mask, where -1 stands for the first extent of like (the batch); empty: that of like.
  std::vector<int64_t> shape;
  std::string name;
};

/// The factors of inverted dropout (Srivastava et al. 2014), the same on every backend. seed and
/// step: int64 scalars, the step to be counted up by one each training step. like: any real value,
/// whose elements are not read.
Value DropoutMask(FunctionBuilder& g, Value seed, Value step, Value like,
                  const DropoutMaskOptions& options = {});

/// x with elements dropped: x * DropoutMask of its shape. For one mask over all time steps give
/// DropoutMask a shape of its own, and the mask to BroadcastLike.
Value Dropout(FunctionBuilder& g, Value x, Value seed, Value step,
              const DropoutOptions& options = {});

}  // namespace seqgraph::ops
