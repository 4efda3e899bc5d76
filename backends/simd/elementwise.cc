// Ops that compute each element from the same element of their inputs.

#include "backends/kernels/fused_elementwise.h"
#include "backends/simd/elementwise_loops.h"
#include "backends/simd/kernel_makers.h"
#include "backends/simd/parallel.h"

namespace seqgraph::simd {

MadeKernel MakeUnary(KernelContext& context, UnaryLoop loop) {
  return MakeLoop(
      [loop, n = context.output_size(0), pool = context.pool()](const KernelArgs& args) {
        float* y = Out<float>(args, 0);
        if (y == nullptr) return;
        const float* x = In<float>(args, 0);
        ForBlocks(*pool, n, [&](int64_t i, int64_t size) { loop(x + i, size, y + i); });
      });
}

MadeKernel MakeBinary(KernelContext& context, BinaryLoop loop) {
  return MakeLoop(
      [loop, n = context.output_size(0), pool = context.pool()](const KernelArgs& args) {
        float* y = Out<float>(args, 0);
        if (y == nullptr) return;
        const float* a = In<float>(args, 0);
        const float* b = In<float>(args, 1);
        ForBlocks(*pool, n, [&](int64_t i, int64_t size) { loop(a + i, b + i, size, y + i); });
      });
}

MadeKernel MakeScale(KernelContext& context) {
  const float factor = static_cast<float>(context.attributes().GetFloat("factor"));
  return MakeLoop([factor, n = context.output_size(0)](const KernelArgs& args) {
    if (args.outputs[0] != nullptr) ScaleLoop(In<float>(args, 0), factor, n, Out<float>(args, 0));
  });
}

MadeKernel MakeFusedElementwise(KernelContext& context) {
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
  return kernels::MakeFusedElementwise(context, kLoops);
}

}  // namespace seqgraph::simd
