// Ops that compute each element from the same element of their inputs.

#include "backends/kernels/fused_elementwise.h"
#include "backends/simd/elementwise_loops.h"
#include "backends/simd/kernel_makers.h"

namespace seqgraph::simd {
namespace {

constexpr kernels::ElementwiseLoops kLoops = {.abs = AbsLoop,
                                              .sqrt = SqrtLoop,
                                              .relu = ReluLoop,
                                              .sigmoid = SigmoidLoop,
                                              .tanh = TanhLoop,
                                              .add = AddLoop,
                                              .subtract = SubtractLoop,
                                              .multiply = MultiplyLoop,
                                              .divide = DivideLoop,
                                              .maximum = MaximumLoop,
                                              .relu_grad = ReluGradLoop,
                                              .sigmoid_grad = SigmoidGradLoop,
                                              .tanh_grad = TanhGradLoop,
                                              .scale = ScaleLoop};

}  // namespace

MadeKernel MakeElementwise(KernelContext& context) {
  return kernels::MakeElementwise(context, kLoops, context.for_blocks());
}

MadeKernel MakeFusedElementwise(KernelContext& context) {
  return kernels::MakeFusedElementwise(context, kLoops);
}

}  // namespace seqgraph::simd
