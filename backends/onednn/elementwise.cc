// Ops that compute each element from the same element of their inputs.

#include "backends/kernels/fused_elementwise.h"
#include "backends/kernels/loop_kernel.h"
#include "backends/onednn/kernel_makers.h"
#include "backends/onednn/math_loops.h"

namespace seqgraph::onednn {
namespace {

using Unary = void (*)(const float* x, int64_t n, float* y);
using Binary = void (*)(const float* a, const float* b, int64_t n, float* y);

std::unique_ptr<Kernel> MakeUnary(const KernelContext& context, Unary function) {
  return MakeLoop([function, n = context.output_size(0)](const KernelArgs& args) {
    if (args.outputs[0] != nullptr) function(In<float>(args, 0), n, Out<float>(args, 0));
  });
}

std::unique_ptr<Kernel> MakeBinary(const KernelContext& context, Binary function) {
  return MakeLoop([function, n = context.output_size(0)](const KernelArgs& args) {
    if (args.outputs[0] == nullptr) return;
    function(In<float>(args, 0), In<float>(args, 1), n, Out<float>(args, 0));
  });
}

}  // namespace

MadeKernel MakeSigmoid(KernelContext& context) { return MakeUnary(context, Sigmoid); }
MadeKernel MakeTanh(KernelContext& context) { return MakeUnary(context, Tanh); }
MadeKernel MakeRelu(KernelContext& context) { return MakeUnary(context, Relu); }
MadeKernel MakeSigmoidGrad(KernelContext& context) { return MakeBinary(context, SigmoidGrad); }
MadeKernel MakeTanhGrad(KernelContext& context) { return MakeBinary(context, TanhGrad); }
MadeKernel MakeReluGrad(KernelContext& context) { return MakeBinary(context, ReluGrad); }
MadeKernel MakeAdd(KernelContext& context) { return MakeBinary(context, Add); }
MadeKernel MakeSubtract(KernelContext& context) { return MakeBinary(context, Subtract); }
MadeKernel MakeMultiply(KernelContext& context) { return MakeBinary(context, Multiply); }

MadeKernel MakeScale(KernelContext& context) {
  const float factor = static_cast<float>(context.attributes().GetFloat("factor"));
  return MakeLoop([factor, n = context.output_size(0)](const KernelArgs& args) {
    if (args.outputs[0] != nullptr) Scale(In<float>(args, 0), factor, n, Out<float>(args, 0));
  });
}

MadeKernel MakeFusedElementwise(KernelContext& context) {
  constexpr kernels::ElementwiseLoops kLoops = {.relu = Relu,
                                                .sigmoid = Sigmoid,
                                                .tanh = Tanh,
                                                .add = Add,
                                                .subtract = Subtract,
                                                .multiply = Multiply,
                                                .relu_grad = ReluGrad,
                                                .sigmoid_grad = SigmoidGrad,
                                                .tanh_grad = TanhGrad,
                                                .scale = Scale};
  return kernels::MakeFusedElementwise(context, kLoops);
}

}  // namespace seqgraph::onednn
