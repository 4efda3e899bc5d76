// ReduceSum and ReduceMean.

#include "backends/kernels/reductions.h"

#include "backends/simd/kernel_makers.h"
#include "backends/simd/reduction_loops.h"

namespace seqgraph::simd {
namespace {

constexpr kernels::ReductionLoops kLoops = {.sum = SumLoop, .sum_rows = SumRowsLoop};

}  // namespace

MadeKernel MakeReduceSum(KernelContext& context) {
  return kernels::MakeReduction(context, kLoops, false);
}
MadeKernel MakeReduceMean(KernelContext& context) {
  return kernels::MakeReduction(context, kLoops, true);
}

}  // namespace seqgraph::simd
