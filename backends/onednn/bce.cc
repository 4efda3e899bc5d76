// BCE on probabilities and on logits, and their gradients.

#include "backends/kernels/loop_kernel.h"
#include "backends/onednn/kernel_makers.h"
#include "backends/onednn/math_loops.h"

namespace seqgraph::onednn {

MadeKernel MakeBce(KernelContext& context) {
  const double epsilon = context.attributes().GetFloat("epsilon");
  return MakeLoop([epsilon, n = context.input_size(0)](const KernelArgs& args) {
    float* loss = Out<float>(args, 0);
    if (loss == nullptr) return;
    *loss = BceOnProbabilities(In<float>(args, 0), In<float>(args, 1), epsilon, n);
  });
}

MadeKernel MakeBceGrad(KernelContext& context) {
  const double epsilon = context.attributes().GetFloat("epsilon");
  return MakeLoop([epsilon, n = context.input_size(0)](const KernelArgs& args) {
    float* dp = Out<float>(args, 0);
    if (dp == nullptr) return;
    BceOnProbabilitiesGrad(In<float>(args, 0), In<float>(args, 1), epsilon, *In<float>(args, 2), n,
                           dp);
  });
}

MadeKernel MakeBceWithLogits(KernelContext& context) {
  return MakeLoop([n = context.input_size(0)](const KernelArgs& args) {
    float* loss = Out<float>(args, 0);
    if (loss != nullptr) *loss = BceOnLogits(In<float>(args, 0), In<float>(args, 1), n);
  });
}

MadeKernel MakeBceWithLogitsGrad(KernelContext& context) {
  return MakeLoop([n = context.input_size(0)](const KernelArgs& args) {
    float* dz = Out<float>(args, 0);
    if (dz == nullptr) return;
    BceOnLogitsGrad(In<float>(args, 0), In<float>(args, 1), *In<float>(args, 2), n, dz);
  });
}

}  // namespace seqgraph::onednn
