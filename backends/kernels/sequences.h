#ifndef SEQGRAPH_BACKENDS_KERNELS_SEQUENCES_H_
#define SEQGRAPH_BACKENDS_KERNELS_SEQUENCES_H_

// Kernels of masks and of what pools the steps of a sequence, in float32.

#include <memory>

#include "absl/status/statusor.h"
#include "backends/kernels/kernel.h"

namespace seqgraph::kernels {

absl::StatusOr<std::unique_ptr<Kernel>> MakeSequenceMask(const NodeContext& context);
absl::StatusOr<std::unique_ptr<Kernel>> MakeZeroMasked(const NodeContext& context);
/// Bit for bit the op's definition.
absl::StatusOr<std::unique_ptr<Kernel>> MakeDropoutMask(const NodeContext& context);
absl::StatusOr<std::unique_ptr<Kernel>> MakeAveragePooling(const NodeContext& context);
absl::StatusOr<std::unique_ptr<Kernel>> MakeAveragePoolingGrad(const NodeContext& context);
absl::StatusOr<std::unique_ptr<Kernel>> MakeMaxPooling(const NodeContext& context);
absl::StatusOr<std::unique_ptr<Kernel>> MakeMaxPoolingGrad(const NodeContext& context);

}  // namespace seqgraph::kernels

#endif  // SEQGRAPH_BACKENDS_KERNELS_SEQUENCES_H_
