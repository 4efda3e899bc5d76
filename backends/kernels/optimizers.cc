// Optimizer updates.

#include <cmath>
#include <cstring>

#include "backends/kernels/loop_kernel.h"
#include "backends/kernels/makers.h"
#include "backends/kernels/optimizer_loops.h"
#include "backends/kernels/parallel.h"
#include "base/status_macros.h"

namespace seqgraph::kernels {
namespace {

enum { kW, kG, kLr };

constexpr int64_t kFloat = sizeof(float);

// Output i of n floats, or for one that nobody uses the place i n floats into the scratch memory,
// so that loops need no branches.
float* OutOrScratch(const KernelArgs& args, int i, int64_t n) {
  if (args.outputs[i] != nullptr) return Out<float>(args, i);
  return static_cast<float*>(args.scratch) + i * n;
}

// A state that the attributes do not use keeps its content, or is zero if it is absent. Null: not
// wanted.
void KeepState(const float* state, int64_t n, float* new_state) {
  if (new_state == nullptr || new_state == state) return;
  if (state == nullptr) {
    std::memset(new_state, 0, n * kFloat);
  } else {
    std::memcpy(new_state, state, n * kFloat);
  }
}

// Adam's step size lr sqrt(1 - beta_2^k) / (1 - beta_1^k) with k = t + 1, computed in double.
// InvalidArgument for a negative t.
absl::StatusOr<float> AdamStep(float lr, int64_t t, double beta_1, double beta_2) {
  if (t < 0) {
    return InvalidArgument("t, the number of steps done before, is ", t, ", must be at least 0");
  }
  const double k = static_cast<double>(t) + 1.0;
  return static_cast<float>(lr * std::sqrt(1.0 - std::pow(beta_2, k)) /
                            (1.0 - std::pow(beta_1, k)));
}

const float* Plus(const float* x, int64_t i) { return x == nullptr ? nullptr : x + i; }

}  // namespace

MadeKernel MakeSgdUpdate(const KernelContext& context) {
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
        const float* inertia = momentum > 0 ? m : nullptr;
        ForBlocks(*pool, n, [&](int64_t i, int64_t size) {
          SgdLoop(w + i, g + i, Plus(inertia, i), lr, momentum, nesterov, size, new_w + i,
                  new_m + i);
        });
        if (!(momentum > 0)) KeepState(m, n, Out<float>(args, 1));
      },
      2 * n * kFloat);
}

MadeKernel MakeRmsPropUpdate(const KernelContext& context) {
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
          RmsPropLoop(w + i, g + i, v + i, Plus(inertia, i), Plus(average, i), lr, rho, momentum,
                      epsilon, size, new_w + i, new_v + i, new_m + i, new_a + i);
        });
        if (!(momentum > 0)) KeepState(m, n, Out<float>(args, 2));
        if (!centered) KeepState(a, n, Out<float>(args, 3));
      },
      4 * n * kFloat);
}

MadeKernel MakeAdamUpdate(const KernelContext& context) {
  const double beta_1 = context.attributes().GetFloat("beta_1");
  const double beta_2 = context.attributes().GetFloat("beta_2");
  const double epsilon = context.attributes().GetFloat("epsilon");
  const int64_t n = context.input_size(kW);
  return MakeLoop(
      [=, pool = context.pool()](const KernelArgs& args) {
        SEQ_ASSIGN_OR_RETURN(const float alpha, AdamStep(*In<float>(args, kLr),
                                                         *In<int64_t>(args, 3), beta_1, beta_2));
        const float* w = In<float>(args, kW);
        const float* g = In<float>(args, kG);
        const float* m = In<float>(args, 4);
        const float* v = In<float>(args, 5);
        float* new_w = OutOrScratch(args, 0, n);
        float* new_m = OutOrScratch(args, 1, n);
        float* new_v = OutOrScratch(args, 2, n);
        ForBlocks(*pool, n, [&](int64_t i, int64_t size) {
          AdamLoop(w + i, g + i, m + i, v + i, alpha, beta_1, beta_2, epsilon, size, new_w + i,
                   new_m + i, new_v + i);
        });
        return absl::OkStatus();
      },
      3 * n * kFloat);
}

}  // namespace seqgraph::kernels
