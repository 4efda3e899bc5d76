// SGDUpdate, RMSPropUpdate and AdamUpdate with Keras's formulas. A state that the attributes do not
// use keeps its content.

#include <cmath>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "backends/kernels/loop_kernel.h"
#include "backends/onednn/kernel_makers.h"
#include "backends/onednn/math_loops.h"

namespace seqgraph::onednn {
namespace {

enum { kW, kG, kLr };

constexpr int64_t kFloat = sizeof(float);

// Output i, or a place in scratch for one that nobody uses, so that the loops have no branches.
float* OutOrScratch(const KernelArgs& args, int i, int64_t n) {
  if (args.outputs[i] != nullptr) return Out<float>(args, i);
  return static_cast<float*>(args.scratch) + i * n;
}

void KeepState(const float* state, int64_t n, float* new_state) {
  if (new_state == nullptr || new_state == state) return;
  if (state == nullptr) {
    std::memset(new_state, 0, n * kFloat);
  } else {
    std::memcpy(new_state, state, n * kFloat);
  }
}

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
    const int64_t t = *In<int64_t>(args, 3);
    if (t < 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("t, the number of steps done before, is ", t, ", must be at least 0"));
    }
    const double step = static_cast<double>(t) + 1.0;
    const double lr = *In<float>(args, kLr);
    const double alpha =
        lr * std::sqrt(1.0 - std::pow(beta2_, step)) / (1.0 - std::pow(beta1_, step));
    AdamUpdate(In<float>(args, kW), In<float>(args, kG), In<float>(args, 4), In<float>(args, 5),
               static_cast<float>(alpha), beta1_, beta2_, epsilon_, n_, OutOrScratch(args, 0, n_),
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
