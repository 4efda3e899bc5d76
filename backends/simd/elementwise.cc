// Ops that compute each element from the same element of their inputs.

#include "backends/kernels/fused_elementwise.h"
#include "backends/simd/elementwise_loops.h"
#include "backends/simd/kernel_makers.h"
#include "backends/simd/parallel.h"

namespace seqgraph::simd {
namespace {

std::unique_ptr<Kernel> MakeUnary(const KernelContext& context, UnaryLoop loop) {
  return MakeLoop(
      [loop, n = context.output_size(0), pool = context.pool()](const KernelArgs& args) {
        float* y = Out<float>(args, 0);
        if (y == nullptr) return;
        const float* x = In<float>(args, 0);
        ForBlocks(*pool, n, [&](int64_t i, int64_t size) { loop(x + i, size, y + i); });
      });
}

std::unique_ptr<Kernel> MakeBinary(const KernelContext& context, BinaryLoop loop) {
  return MakeLoop(
      [loop, n = context.output_size(0), pool = context.pool()](const KernelArgs& args) {
        float* y = Out<float>(args, 0);
        if (y == nullptr) return;
        const float* a = In<float>(args, 0);
        const float* b = In<float>(args, 1);
        ForBlocks(*pool, n, [&](int64_t i, int64_t size) { loop(a + i, b + i, size, y + i); });
      });
}

}  // namespace

MadeKernel MakeSigmoid(KernelContext& context) { return MakeUnary(context, SigmoidLoop); }
MadeKernel MakeTanh(KernelContext& context) { return MakeUnary(context, TanhLoop); }
MadeKernel MakeRelu(KernelContext& context) { return MakeUnary(context, ReluLoop); }
MadeKernel MakeSigmoidGrad(KernelContext& context) { return MakeBinary(context, SigmoidGradLoop); }
MadeKernel MakeTanhGrad(KernelContext& context) { return MakeBinary(context, TanhGradLoop); }
MadeKernel MakeReluGrad(KernelContext& context) { return MakeBinary(context, ReluGradLoop); }
MadeKernel MakeAdd(KernelContext& context) { return MakeBinary(context, AddLoop); }
MadeKernel MakeSubtract(KernelContext& context) { return MakeBinary(context, SubtractLoop); }
MadeKernel MakeMultiply(KernelContext& context) { return MakeBinary(context, MultiplyLoop); }

MadeKernel MakeScale(KernelContext& context) {
  const float factor = static_cast<float>(context.attributes().GetFloat("factor"));
  return MakeLoop([factor, n = context.output_size(0)](const KernelArgs& args) {
    if (args.outputs[0] != nullptr) ScaleLoop(In<float>(args, 0), factor, n, Out<float>(args, 0));
  });
}

MadeKernel MakeFusedElementwise(KernelContext& context) {
  constexpr kernels::ElementwiseLoops kLoops = {.relu = ReluLoop,
                                                .sigmoid = SigmoidLoop,
                                                .tanh = TanhLoop,
                                                .add = AddLoop,
                                                .subtract = SubtractLoop,
                                                .multiply = MultiplyLoop,
                                                .relu_grad = ReluGradLoop,
                                                .sigmoid_grad = SigmoidGradLoop,
                                                .tanh_grad = TanhGradLoop,
                                                .scale = ScaleLoop};
  return kernels::MakeFusedElementwise(context, kLoops);
}

}  // namespace seqgraph::simd
