#ifndef SEQGRAPH_BACKENDS_KERNELS_COPIES_H_
#define SEQGRAPH_BACKENDS_KERNELS_COPIES_H_

// Kernels of ops that only move what is there, in float32, or write what is known beforehand.

#include <memory>

#include "absl/status/statusor.h"
#include "backends/kernels/kernel.h"

namespace seqgraph::kernels {

absl::StatusOr<std::unique_ptr<Kernel>> MakeTakeStep(const NodeContext& context);
absl::StatusOr<std::unique_ptr<Kernel>> MakeTakeStepGrad(const NodeContext& context);
absl::StatusOr<std::unique_ptr<Kernel>> MakeReshape(const NodeContext& context);
absl::StatusOr<std::unique_ptr<Kernel>> MakeTranspose(const NodeContext& context);
absl::StatusOr<std::unique_ptr<Kernel>> MakeConcat(const NodeContext& context);
absl::StatusOr<std::unique_ptr<Kernel>> MakeSlice(const NodeContext& context);
absl::StatusOr<std::unique_ptr<Kernel>> MakeSliceGrad(const NodeContext& context);
absl::StatusOr<std::unique_ptr<Kernel>> MakeReverse(const NodeContext& context);
/// The content is computed here, by the op's own definition.
absl::StatusOr<std::unique_ptr<Kernel>> MakeConstant(const NodeContext& context);
absl::StatusOr<std::unique_ptr<Kernel>> MakeFillLike(const NodeContext& context);
/// t + 1, in int64.
absl::StatusOr<std::unique_ptr<Kernel>> MakeIncrement(const NodeContext& context);

}  // namespace seqgraph::kernels

#endif  // SEQGRAPH_BACKENDS_KERNELS_COPIES_H_
