#ifndef SEQGRAPH_BACKENDS_KERNELS_OPTIMIZER_STATE_H_
#define SEQGRAPH_BACKENDS_KERNELS_OPTIMIZER_STATE_H_

// What kernels of optimizer updates have in common.

#include <cstdint>

#include "absl/status/statusor.h"
#include "runtime/backend.h"

namespace seqgraph::kernels {

/// Output i of n floats, or for one that nobody uses the place i n floats into the scratch memory,
/// so that loops need no branches.
float* OutOrScratch(const KernelArgs& args, int i, int64_t n);

/// A state that the attributes do not use keeps its content, or is zero if it is absent. Null: not
/// wanted.
void KeepState(const float* state, int64_t n, float* new_state);

/// Adam's step size lr sqrt(1 - beta_2^k) / (1 - beta_1^k) with k = t + 1, computed in double.
/// InvalidArgument for a negative t.
absl::StatusOr<float> AdamStep(float lr, int64_t t, double beta_1, double beta_2);

}  // namespace seqgraph::kernels

#endif  // SEQGRAPH_BACKENDS_KERNELS_OPTIMIZER_STATE_H_
