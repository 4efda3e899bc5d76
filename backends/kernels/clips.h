#ifndef SEQGRAPH_BACKENDS_KERNELS_CLIPS_H_
#define SEQGRAPH_BACKENDS_KERNELS_CLIPS_H_

// Kernels of the clipping of gradients, in float32. ops/clip.h has the formulas.

#include <memory>

#include "absl/status/statusor.h"
#include "backends/kernels/kernel.h"

namespace seqgraph::kernels {

absl::StatusOr<std::unique_ptr<Kernel>> MakeClip(const NodeContext& context);
absl::StatusOr<std::unique_ptr<Kernel>> MakeClipByNorm(const NodeContext& context);

}  // namespace seqgraph::kernels

#endif  // SEQGRAPH_BACKENDS_KERNELS_CLIPS_H_
