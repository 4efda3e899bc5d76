// ReduceSum and ReduceMean.

#include "backends/kernels/reductions.h"

#include "backends/kernels/reduction_loops.h"
#include "backends/simd/kernel_makers.h"

namespace seqgraph::simd {
namespace {

constexpr kernels::ReductionLoops kLoops = {.sum = kernels::SumLoop,
                                            .sum_rows = kernels::SumRowsLoop};

}  // namespace

MadeKernel MakeReduceSum(KernelContext& context) {
  return kernels::MakeReduction(context, kLoops, false);
}
MadeKernel MakeReduceMean(KernelContext& context) {
  return kernels::MakeReduction(context, kLoops, true);
}

}  // namespace seqgraph::simd
