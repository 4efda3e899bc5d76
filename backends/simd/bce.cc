// BCE on logits and its gradient. On probabilities it is what no rewrite turned into logits:
// seldom, and by the kernels that all backends share.

#include "backends/kernels/reduction_loops.h"
#include "backends/simd/kernel_makers.h"

namespace seqgraph::simd {
using kernels::BceOnLogitsGradLoop;
using kernels::BceOnLogitsLoop;

MadeKernel MakeBceWithLogits(KernelContext& context) {
  return MakeLoop([n = context.input_size(0)](const KernelArgs& args) {
    float* loss = Out<float>(args, 0);
    if (loss != nullptr) *loss = BceOnLogitsLoop(In<float>(args, 0), In<float>(args, 1), n);
  });
}

MadeKernel MakeBceWithLogitsGrad(KernelContext& context) {
  return MakeLoop([n = context.input_size(0)](const KernelArgs& args) {
    float* dz = Out<float>(args, 0);
    if (dz == nullptr) return;
    BceOnLogitsGradLoop(In<float>(args, 0), In<float>(args, 1), *In<float>(args, 2), n, dz);
  });
}

}  // namespace seqgraph::simd
