// SGDUpdate, RMSPropUpdate and AdamUpdate with Keras's formulas. A state that the attributes do not
// use keeps its content.

#include <string>

#include "backends/kernels/optimizer_state.h"
#include "backends/simd/kernel_makers.h"
#include "backends/simd/optimizer_loops.h"
#include "backends/simd/parallel.h"
#include "base/status_macros.h"

namespace seqgraph::simd {
namespace {

enum { kW, kG, kLr };

using kernels::AdamStep;
using kernels::KeepState;
using kernels::OutOrScratch;

constexpr int64_t kFloat = sizeof(float);

const float* Plus(const float* x, int64_t i) { return x == nullptr ? nullptr : x + i; }

class AdamKernel : public Kernel {
 public:
  explicit AdamKernel(const KernelContext& context)
      : beta1_(context.attributes().GetFloat("beta_1")),
        beta2_(context.attributes().GetFloat("beta_2")),
        epsilon_(context.attributes().GetFloat("epsilon")),
        n_(context.input_size(kW)),
        pool_(context.pool()) {}

  std::string implementation() const override { return "loops"; }
  int64_t scratch_bytes() const override { return 3 * n_ * kFloat; }

  absl::Status Run(const KernelArgs& args) override {
    SEQ_ASSIGN_OR_RETURN(const float alpha,
                         AdamStep(*In<float>(args, kLr), *In<int64_t>(args, 3), beta1_, beta2_));
    const float* w = In<float>(args, kW);
    const float* g = In<float>(args, kG);
    const float* m = In<float>(args, 4);
    const float* v = In<float>(args, 5);
    float* new_w = OutOrScratch(args, 0, n_);
    float* new_m = OutOrScratch(args, 1, n_);
    float* new_v = OutOrScratch(args, 2, n_);
    ForBlocks(*pool_, n_, [&](int64_t i, int64_t size) {
      AdamLoop(w + i, g + i, m + i, v + i, alpha, beta1_, beta2_, epsilon_, size, new_w + i,
               new_m + i, new_v + i);
    });
    return absl::OkStatus();
  }

 private:
  const double beta1_, beta2_, epsilon_;
  const int64_t n_;
  const std::shared_ptr<ThreadPool> pool_;
};

}  // namespace

MadeKernel MakeSgdUpdate(KernelContext& context) {
  const double momentum = context.attributes().GetFloat("momentum");
  const bool nesterov = context.attributes().GetBool("nesterov");
  const int64_t n = context.input_size(kW);
  return MakeLoop(
      [=, pool = context.pool()](const KernelArgs& args) {
        const float* w = In<float>(args, kW);
        const float* g = In<float>(args, kG);
        const float lr = *In<float>(args, kLr);
        const float* m = In<float>(args, 3);
        float* new_w = OutOrScratch(args, 0, n);
        float* new_m = OutOrScratch(args, 1, n);
        ForBlocks(*pool, n, [&](int64_t i, int64_t size) {
          if (momentum > 0) {
            SgdMomentumLoop(w + i, g + i, m + i, lr, momentum, nesterov, size, new_w + i,
                            new_m + i);
          } else {
            SgdLoop(w + i, g + i, lr, size, new_w + i);
          }
        });
        if (!(momentum > 0)) KeepState(m, n, Out<float>(args, 1));
      },
      2 * n * kFloat);
}

MadeKernel MakeRmsPropUpdate(KernelContext& context) {
  const double rho = context.attributes().GetFloat("rho");
  const double momentum = context.attributes().GetFloat("momentum");
  const double epsilon = context.attributes().GetFloat("epsilon");
  const bool centered = context.attributes().GetBool("centered");
  const int64_t n = context.input_size(kW);
  return MakeLoop(
      [=, pool = context.pool()](const KernelArgs& args) {
        const float* w = In<float>(args, kW);
        const float* g = In<float>(args, kG);
        const float lr = *In<float>(args, kLr);
        const float* v = In<float>(args, 3);
        const float* m = In<float>(args, 4);
        const float* a = In<float>(args, 5);
        float* new_w = OutOrScratch(args, 0, n);
        float* new_v = OutOrScratch(args, 1, n);
        float* new_m = OutOrScratch(args, 2, n);
        float* new_a = OutOrScratch(args, 3, n);
        const float* inertia = momentum > 0 ? m : nullptr;
        const float* average = centered ? a : nullptr;
        ForBlocks(*pool, n, [&](int64_t i, int64_t size) {
          if (momentum > 0 || centered) {
            RmsPropGeneralLoop(w + i, g + i, v + i, Plus(inertia, i), Plus(average, i), lr, rho,
                               momentum, epsilon, size, new_w + i, new_v + i, new_m + i, new_a + i);
          } else {
            RmsPropLoop(w + i, g + i, v + i, lr, rho, epsilon, size, new_w + i, new_v + i);
          }
        });
        if (!(momentum > 0)) KeepState(m, n, Out<float>(args, 2));
        if (!centered) KeepState(a, n, Out<float>(args, 3));
      },
      4 * n * kFloat);
}

MadeKernel MakeAdamUpdate(KernelContext& context) { return std::make_unique<AdamKernel>(context); }

}  // namespace seqgraph::simd
