// SGDUpdate, RMSPropUpdate and AdamUpdate with Keras's formulas. A state that the attributes do not
// use keeps its content.

#include "backends/kernels/loop_kernel.h"
#include "backends/kernels/optimizer_state.h"
#include "backends/onednn/kernel_makers.h"
#include "backends/onednn/math_loops.h"
#include "base/status_macros.h"

namespace seqgraph::onednn {
namespace {

enum { kW, kG, kLr };

using kernels::AdamStep;
using kernels::KeepState;
using kernels::OutOrScratch;

constexpr int64_t kFloat = sizeof(float);

class AdamKernel : public Kernel {
 public:
  AdamKernel(const Attributes& attributes, int64_t n)
      : beta1_(attributes.GetFloat("beta_1")),
        beta2_(attributes.GetFloat("beta_2")),
        epsilon_(attributes.GetFloat("epsilon")),
        n_(n) {}

  std::string implementation() const override { return "loops"; }
  int64_t scratch_bytes() const override { return 3 * n_ * kFloat; }

  absl::Status Run(const KernelArgs& args) override {
    SEQ_ASSIGN_OR_RETURN(const float alpha,
                         AdamStep(*In<float>(args, kLr), *In<int64_t>(args, 3), beta1_, beta2_));
    AdamUpdate(In<float>(args, kW), In<float>(args, kG), In<float>(args, 4), In<float>(args, 5),
               alpha, beta1_, beta2_, epsilon_, n_, OutOrScratch(args, 0, n_),
               OutOrScratch(args, 1, n_), OutOrScratch(args, 2, n_));
    return absl::OkStatus();
  }

 private:
  const double beta1_, beta2_, epsilon_;
  const int64_t n_;
};

}  // namespace

MadeKernel MakeSgdUpdate(KernelContext& context) {
  const double momentum = context.attributes().GetFloat("momentum");
  const bool nesterov = context.attributes().GetBool("nesterov");
  const int64_t n = context.input_size(kW);
  return MakeLoop(
      [=](const KernelArgs& args) {
        const float* w = In<float>(args, kW);
        const float* g = In<float>(args, kG);
        const float lr = *In<float>(args, kLr);
        const float* m = In<float>(args, 3);
        float* new_w = OutOrScratch(args, 0, n);
        if (momentum > 0) {
          SgdMomentumUpdate(w, g, m, lr, momentum, nesterov, n, new_w, OutOrScratch(args, 1, n));
        } else {
          SgdUpdate(w, g, lr, n, new_w);
          KeepState(m, n, Out<float>(args, 1));
        }
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
      [=](const KernelArgs& args) {
        const float* w = In<float>(args, kW);
        const float* g = In<float>(args, kG);
        const float lr = *In<float>(args, kLr);
        const float* v = In<float>(args, 3);
        const float* m = In<float>(args, 4);
        const float* a = In<float>(args, 5);
        float* new_w = OutOrScratch(args, 0, n);
        float* new_v = OutOrScratch(args, 1, n);
        if (momentum > 0 || centered) {
          RmsPropGeneralUpdate(w, g, v, momentum > 0 ? m : nullptr, centered ? a : nullptr, lr, rho,
                               momentum, epsilon, n, new_w, new_v, OutOrScratch(args, 2, n),
                               OutOrScratch(args, 3, n));
        } else {
          RmsPropUpdate(w, g, v, lr, rho, epsilon, n, new_w, new_v);
        }
        if (!(momentum > 0)) KeepState(m, n, Out<float>(args, 2));
        if (!centered) KeepState(a, n, Out<float>(args, 3));
      },
      4 * n * kFloat);
}

MadeKernel MakeAdamUpdate(KernelContext& context) {
  return std::make_unique<AdamKernel>(context.attributes(), context.input_size(kW));
}

}  // namespace seqgraph::onednn
