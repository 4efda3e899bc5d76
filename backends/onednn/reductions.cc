// ReduceSum and ReduceMean.

#include "backends/kernels/reductions.h"

#include "backends/onednn/kernel_makers.h"
#include "backends/onednn/math_loops.h"

namespace seqgraph::onednn {
namespace {

constexpr kernels::ReductionLoops kLoops = {.sum = Sum, .sum_rows = SumRows};

}  // namespace

MadeKernel MakeReduceSum(KernelContext& context) {
  return kernels::MakeReduction(context, kLoops, false);
}
MadeKernel MakeReduceMean(KernelContext& context) {
  return kernels::MakeReduction(context, kLoops, true);
}

}  // namespace seqgraph::onednn
