#pragma once

// The makers of this backend's own kernels without state that others share, by the file that has
// them. See kernels.cc for the ops they compute, and ops/ for what those mean.

#include <vector>

#include "backends/onednn/kernel.h"

namespace seqgraph::onednn {

// lookup.cc: straight from and to the recurrence's time-major layout.
MadeKernel MakeEmbedding(KernelContext& context);
int64_t EmbeddingRowWidth(const NodeContext& context, const std::vector<Layout>& layouts);
MadeKernel MakeEmbeddingGrad(KernelContext& context);

// dense.cc: oneDNN's matrix product for more than one unit.
Claim ClaimDense(const NodeContext& context);
MadeKernel MakeDense(KernelContext& context);
MadeKernel MakeDenseGrad(KernelContext& context);

}  // namespace seqgraph::onednn
