#ifndef SEQGRAPH_OPS_RECURRENCE_SAMPLES_H_
#define SEQGRAPH_OPS_RECURRENCE_SAMPLES_H_

#include "graph/op_def.h"
#include "graph/tensor.h"

namespace seqgraph::ops {

/// Runs RNNCell in double on `sample`, whose inputs are x, w, u, b, h0: its sequence, and in
/// `kink_distance` the smallest |z| (at most 1), how near relu comes to its kink.
Tensor RunRNNCellSample(const OpSample& sample, double* kink_distance);

}  // namespace seqgraph::ops

#endif  // SEQGRAPH_OPS_RECURRENCE_SAMPLES_H_
