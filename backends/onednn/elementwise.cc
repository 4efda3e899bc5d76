// Ops that compute each element from the same element of their inputs.

#include "backends/kernels/fused_elementwise.h"
#include "backends/kernels/loop_kernel.h"
#include "backends/onednn/kernel_makers.h"
#include "backends/onednn/math_loops.h"

namespace seqgraph::onednn {

MadeKernel MakeUnary(KernelContext& context, UnaryLoop function) {
  return MakeLoop([function, n = context.output_size(0)](const KernelArgs& args) {
    if (args.outputs[0] != nullptr) function(In<float>(args, 0), n, Out<float>(args, 0));
  });
}

MadeKernel MakeBinary(KernelContext& context, BinaryLoop function) {
  return MakeLoop([function, n = context.output_size(0)](const KernelArgs& args) {
    if (args.outputs[0] == nullptr) return;
    function(In<float>(args, 0), In<float>(args, 1), n, Out<float>(args, 0));
  });
}

MadeKernel MakeScale(KernelContext& context) {
  const float factor = static_cast<float>(context.attributes().GetFloat("factor"));
  return MakeLoop([factor, n = context.output_size(0)](const KernelArgs& args) {
    if (args.outputs[0] != nullptr) Scale(In<float>(args, 0), factor, n, Out<float>(args, 0));
  });
}

MadeKernel MakeFusedElementwise(KernelContext& context) {
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
  return kernels::MakeFusedElementwise(context, kLoops);
}

}  // namespace seqgraph::onednn
