#ifndef SEQGRAPH_BACKENDS_SIMD_KERNEL_MAKERS_H_
#define SEQGRAPH_BACKENDS_SIMD_KERNEL_MAKERS_H_

// The makers of the kernels that are this backend's own.

#include "backends/kernels/kernel.h"
#include "backends/kernels/thread_pool.h"

namespace seqgraph::simd {

using kernels::In;
using kernels::Kernel;
using kernels::KernelContext;
using kernels::MadeKernel;
using kernels::NodeContext;
using kernels::Out;
using kernels::ThreadPool;

// rnn_cell.cc
MadeKernel MakeRnnCell(KernelContext& context);
MadeKernel MakeRnnCellGrad(KernelContext& context);
MadeKernel MakeLookupRnnCell(KernelContext& context);
MadeKernel MakeLookupRnnCellGrad(KernelContext& context);

}  // namespace seqgraph::simd

#endif  // SEQGRAPH_BACKENDS_SIMD_KERNEL_MAKERS_H_
