#ifndef SEQGRAPH_BACKENDS_ONEDNN_KERNEL_MAKERS_H_
#define SEQGRAPH_BACKENDS_ONEDNN_KERNEL_MAKERS_H_

// The kernels without state that others share, by the file that has them. See kernels.cc for the
// ops they compute, and ops/ for what those mean.

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "backends/onednn/kernel.h"

namespace seqgraph::onednn {

using MadeKernel = absl::StatusOr<std::unique_ptr<Kernel>>;

// lookup.cc
MadeKernel MakeEmbedding(KernelContext& context);
int64_t EmbeddingRowWidth(const NodeContext& context, const std::vector<Layout>& layouts);
MadeKernel MakeEmbeddingGrad(KernelContext& context);

// dense.cc: one unit in loops, more with oneDNN's matrix product.
Claim ClaimDenseOneUnit(const NodeContext& context);
Claim ClaimDense(const NodeContext& context);
MadeKernel MakeDenseOneUnit(KernelContext& context);
MadeKernel MakeDense(KernelContext& context);
MadeKernel MakeDenseGradOneUnit(KernelContext& context);
MadeKernel MakeDenseGrad(KernelContext& context);

// elementwise.cc
MadeKernel MakeElementwise(KernelContext& context);
MadeKernel MakeFusedElementwise(KernelContext& context);

// reductions.cc
MadeKernel MakeReduceSum(KernelContext& context);
MadeKernel MakeReduceMean(KernelContext& context);

// bce.cc
MadeKernel MakeBce(KernelContext& context);
MadeKernel MakeBceGrad(KernelContext& context);
MadeKernel MakeBceWithLogits(KernelContext& context);
MadeKernel MakeBceWithLogitsGrad(KernelContext& context);

// optimizers.cc
MadeKernel MakeSgdUpdate(KernelContext& context);
MadeKernel MakeRmsPropUpdate(KernelContext& context);
MadeKernel MakeAdamUpdate(KernelContext& context);

}  // namespace seqgraph::onednn

#endif  // SEQGRAPH_BACKENDS_ONEDNN_KERNEL_MAKERS_H_
