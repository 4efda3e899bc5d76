// What limits gradients. ops/clip.h has the formulas.

#include <cmath>

#include "backends/kernels/elementwise_loops.h"
#include "backends/kernels/loop_kernel.h"
#include "backends/kernels/makers.h"

namespace seqgraph::kernels {

MadeKernel MakeClipByNorm(const KernelContext& context) {
  const auto limit = static_cast<float>(context.attributes().GetFloat("limit"));
  return MakeLoop([limit, n = context.input_size(0)](const KernelArgs& args) {
    const float* x = In<float>(args, 0);
    float* y = Out<float>(args, 0);
    if (y == nullptr) return;
    const float norm = std::sqrt(*In<float>(args, 1));
    // A norm that is NaN makes all NaN, as in the op's definition.
    const float factor = norm <= limit ? 1.0f : limit / norm;
    ScaleLoop(x, factor, n, y);
  });
}

}  // namespace seqgraph::kernels
