// Ops that compute each element from the same element of their inputs.

#include "backends/kernels/elementwise_loops.h"
#include "backends/kernels/fused_elementwise.h"
#include "backends/simd/kernel_makers.h"

namespace seqgraph::simd {
namespace {

constexpr kernels::ElementwiseLoops kLoops = {.abs = kernels::AbsLoop,
                                              .sqrt = kernels::SqrtLoop,
                                              .relu = kernels::ReluLoop,
                                              .sigmoid = kernels::SigmoidLoop,
                                              .tanh = kernels::TanhLoop,
                                              .add = kernels::AddLoop,
                                              .subtract = kernels::SubtractLoop,
                                              .multiply = kernels::MultiplyLoop,
                                              .divide = kernels::DivideLoop,
                                              .maximum = kernels::MaximumLoop,
                                              .relu_grad = kernels::ReluGradLoop,
                                              .sigmoid_grad = kernels::SigmoidGradLoop,
                                              .tanh_grad = kernels::TanhGradLoop,
                                              .scale = kernels::ScaleLoop};

}  // namespace

MadeKernel MakeElementwise(KernelContext& context) {
  return kernels::MakeElementwise(context, kLoops, context.for_blocks());
}

MadeKernel MakeFusedElementwise(KernelContext& context) {
  return kernels::MakeFusedElementwise(context, kLoops);
}

}  // namespace seqgraph::simd
