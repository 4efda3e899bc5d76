#ifndef SEQGRAPH_BACKENDS_KERNELS_REDUCTIONS_H_
#define SEQGRAPH_BACKENDS_KERNELS_REDUCTIONS_H_

// Kernels of reductions and of the broadcasts that are their gradients, in float32.

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "backends/kernels/kernel.h"

namespace seqgraph::kernels {

/// A backend's loops for the common cases.
struct ReductionLoops {
  /// The sum of n floats, in double.
  double (*sum)(const float* x, int64_t n);
  /// y[columns] = the sum of the rows of x[rows, columns].
  void (*sum_rows)(const float* x, int64_t rows, int64_t columns, float* y);
};

/// Of ReduceSum or, with `mean`, ReduceMean. Sums in double, whatever the axes.
absl::StatusOr<std::unique_ptr<Kernel>> MakeReduction(const NodeContext& context,
                                                      const ReductionLoops& loops, bool mean);
absl::StatusOr<std::unique_ptr<Kernel>> MakeBroadcastLike(const NodeContext& context);
absl::StatusOr<std::unique_ptr<Kernel>> MakeReduceMeanGrad(const NodeContext& context);

}  // namespace seqgraph::kernels

#endif  // SEQGRAPH_BACKENDS_KERNELS_REDUCTIONS_H_
