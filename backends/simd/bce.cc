// BCE on probabilities and on logits, and their gradients. On probabilities it is what no rewrite
// turned into logits: seldom, and in plain loops in double, for in float 1 - 1e-7 would be 1 -
// 1.2e-7.

#include <algorithm>
#include <cmath>

#include "backends/simd/kernel_makers.h"
#include "backends/simd/reduction_loops.h"

namespace seqgraph::simd {

MadeKernel MakeBce(KernelContext& context) {
  const double epsilon = context.attributes().GetFloat("epsilon");
  return MakeLoop([epsilon, n = context.input_size(0)](const KernelArgs& args) {
    float* loss = Out<float>(args, 0);
    if (loss == nullptr) return;
    const float* p = In<float>(args, 0);
    const float* y = In<float>(args, 1);
    double sum = 0.0;
    for (int64_t i = 0; i < n; ++i) {
      const double q = std::clamp<double>(p[i], epsilon, 1.0 - epsilon);
      // 1 - p is clipped on its own: 1 - (1 - epsilon) would lose half of epsilon's digits.
      const double r = std::clamp<double>(1.0 - p[i], epsilon, 1.0 - epsilon);
      sum -= y[i] * std::log(q) + (1.0 - y[i]) * std::log(r);
    }
    *loss = static_cast<float>(sum / static_cast<double>(n));
  });
}

MadeKernel MakeBceGrad(KernelContext& context) {
  const double epsilon = context.attributes().GetFloat("epsilon");
  return MakeLoop([epsilon, n = context.input_size(0)](const KernelArgs& args) {
    float* dp = Out<float>(args, 0);
    if (dp == nullptr) return;
    const float* p = In<float>(args, 0);
    const float* y = In<float>(args, 1);
    const double factor = static_cast<double>(*In<float>(args, 2)) / static_cast<double>(n);
    for (int64_t i = 0; i < n; ++i) {
      const double q = p[i];
      const bool clipped = q < epsilon || q > 1.0 - epsilon;
      dp[i] = clipped ? 0.0f : static_cast<float>(factor * (q - y[i]) / (q * (1.0 - q)));
    }
  });
}

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
