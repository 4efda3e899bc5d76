#pragma once

// ReduceSum: y = sum of x over axes   ReduceMean: the same, divided by the number of terms.
// BroadcastLike: y = x repeated along axes   ReduceMeanGrad: the same, divided by the repetitions.

#include <cstdint>
#include <string>
#include <vector>

#include "graph/function_builder.h"

namespace seqgraph::ops {

struct ReduceOptions {
  /// Ascending, each in [0, rank of x). None: y is x.
  std::vector<int64_t> axes;
  /// True: the axes stay in the shape, with extent 1; false: they are dropped.
  bool keep_dims = false;
  std::string name;
};

/// x of any shape -> y of that shape without the axes. Terms are added in the order of their
/// indices, in the type of x. The batch may be among the axes: the mean divides by its size at run
/// time. InvalidArgument (in the builder) for bad axes, or for a mean over nothing.
Value ReduceSum(FunctionBuilder& g, Value x, const ReduceOptions& options);
Value ReduceMean(FunctionBuilder& g, Value x, const ReduceOptions& options);

/// x -> y of the shape of `like`, along whose `axes` x is repeated. x has the shape of `like`
/// without the axes, or with extent 1 in their places. No element of `like` is read, so its
/// gradient is zero.
Value BroadcastLike(FunctionBuilder& g, Value x, Value like, std::vector<int64_t> axes,
                    std::string name = "");

}  // namespace seqgraph::ops
