#include "backends/kernels/clips.h"

#include <cmath>

#include "backends/kernels/loop_kernel.h"

namespace seqgraph::kernels {
namespace {

struct Extent {
  explicit Extent(const NodeContext& context)
      : n(context.input_shape(0).num_elements()),
        limit(static_cast<float>(context.attributes().GetFloat("limit"))) {}
  int64_t n;
  float limit;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Kernel>> MakeClip(const NodeContext& context) {
  return MakeLoop([e = Extent(context)](const KernelArgs& args) {
    const float* x = In<float>(args, 0);
    float* y = Out<float>(args, 0);
    // The comparisons leave NaN as it is.
    for (int64_t i = 0; i < e.n && y != nullptr; ++i) {
      y[i] = x[i] > e.limit ? e.limit : x[i] < -e.limit ? -e.limit : x[i];
    }
  });
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeClipByNorm(const NodeContext& context) {
  return MakeLoop([e = Extent(context)](const KernelArgs& args) {
    const float* x = In<float>(args, 0);
    float* y = Out<float>(args, 0);
    const float norm = std::sqrt(*In<float>(args, 1));
    // As limit < norm is false for NaN, a norm that is NaN must be asked for.
    const float factor = e.limit < norm || std::isnan(norm) ? e.limit / norm : 1.0f;
    for (int64_t i = 0; i < e.n && y != nullptr; ++i) y[i] = factor * x[i];
  });
}

}  // namespace seqgraph::kernels
