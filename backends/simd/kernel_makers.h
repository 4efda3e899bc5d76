#ifndef SEQGRAPH_BACKENDS_SIMD_KERNEL_MAKERS_H_
#define SEQGRAPH_BACKENDS_SIMD_KERNEL_MAKERS_H_

// The makers of kernels, by the file that has them. See kernels.cc for the ops they compute, and
// ops/ for what those mean.

#include "backends/simd/kernel.h"

namespace seqgraph::simd {

// elementwise.cc
MadeKernel MakeElementwise(KernelContext& context);
MadeKernel MakeFusedElementwise(KernelContext& context);

// dense.cc
MadeKernel MakeDense(KernelContext& context);
MadeKernel MakeDenseGrad(KernelContext& context);

// lookup.cc
MadeKernel MakeEmbedding(KernelContext& context);
MadeKernel MakeEmbeddingGrad(KernelContext& context);

// reductions.cc
MadeKernel MakeReduceSum(KernelContext& context);
MadeKernel MakeReduceMean(KernelContext& context);

// bce.cc
MadeKernel MakeBceWithLogits(KernelContext& context);
MadeKernel MakeBceWithLogitsGrad(KernelContext& context);

// optimizers.cc
MadeKernel MakeSgdUpdate(KernelContext& context);
MadeKernel MakeRmsPropUpdate(KernelContext& context);
MadeKernel MakeAdamUpdate(KernelContext& context);

// rnn_cell.cc
MadeKernel MakeRnnCell(KernelContext& context);
MadeKernel MakeRnnCellGrad(KernelContext& context);
MadeKernel MakeLookupRnnCell(KernelContext& context);
MadeKernel MakeLookupRnnCellGrad(KernelContext& context);

}  // namespace seqgraph::simd

#endif  // SEQGRAPH_BACKENDS_SIMD_KERNEL_MAKERS_H_
