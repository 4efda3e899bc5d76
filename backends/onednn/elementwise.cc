// Ops that compute each element from the same element of their inputs.

#include "backends/kernels/fused_elementwise.h"
#include "backends/onednn/kernel_makers.h"
#include "backends/onednn/math_loops.h"

namespace seqgraph::onednn {
namespace {

constexpr kernels::ElementwiseLoops kLoops = {.abs = Abs,
                                              .sqrt = Sqrt,
                                              .relu = Relu,
                                              .sigmoid = Sigmoid,
                                              .tanh = Tanh,
                                              .add = Add,
                                              .subtract = Subtract,
                                              .multiply = Multiply,
                                              .divide = Divide,
                                              .maximum = Maximum,
                                              .relu_grad = ReluGrad,
                                              .sigmoid_grad = SigmoidGrad,
                                              .tanh_grad = TanhGrad,
                                              .scale = Scale};

}  // namespace

MadeKernel MakeElementwise(KernelContext& context) {
  return kernels::MakeElementwise(context, kLoops, context.for_blocks());
}

MadeKernel MakeFusedElementwise(KernelContext& context) {
  return kernels::MakeFusedElementwise(context, kLoops);
}

}  // namespace seqgraph::onednn
