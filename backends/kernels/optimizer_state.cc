#include "backends/kernels/optimizer_state.h"

#include <cmath>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "backends/kernels/kernel.h"

namespace seqgraph::kernels {

float* OutOrScratch(const KernelArgs& args, int i, int64_t n) {
  if (args.outputs[i] != nullptr) return Out<float>(args, i);
  return static_cast<float*>(args.scratch) + i * n;
}

void KeepState(const float* state, int64_t n, float* new_state) {
  if (new_state == nullptr || new_state == state) return;
  if (state == nullptr) {
    std::memset(new_state, 0, n * sizeof(float));
  } else {
    std::memcpy(new_state, state, n * sizeof(float));
  }
}

absl::StatusOr<float> AdamStep(float lr, int64_t t, double beta_1, double beta_2) {
  if (t < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("t, the number of steps done before, is ", t, ", must be at least 0"));
  }
  const double k = static_cast<double>(t) + 1.0;
  return static_cast<float>(lr * std::sqrt(1.0 - std::pow(beta_2, k)) /
                            (1.0 - std::pow(beta_1, k)));
}

}  // namespace seqgraph::kernels
