#ifndef SEQGRAPH_BACKENDS_KERNELS_LOSSES_H_
#define SEQGRAPH_BACKENDS_KERNELS_LOSSES_H_

// Kernels of softmax, of cross-entropies and of the mean squared error, in float32 and inside in
// double. ops/{softmax,cross_entropy,bce,mse}.h have the formulas.

#include <memory>

#include "absl/status/statusor.h"
#include "backends/kernels/kernel.h"

namespace seqgraph::kernels {

absl::StatusOr<std::unique_ptr<Kernel>> MakeSoftmax(const NodeContext& context);
absl::StatusOr<std::unique_ptr<Kernel>> MakeSoftmaxGrad(const NodeContext& context);
absl::StatusOr<std::unique_ptr<Kernel>> MakeSoftmaxCrossEntropy(const NodeContext& context);
absl::StatusOr<std::unique_ptr<Kernel>> MakeSoftmaxCrossEntropyGrad(const NodeContext& context);
absl::StatusOr<std::unique_ptr<Kernel>> MakeCategoricalCrossEntropy(const NodeContext& context);
absl::StatusOr<std::unique_ptr<Kernel>> MakeCategoricalCrossEntropyGrad(const NodeContext& context);
absl::StatusOr<std::unique_ptr<Kernel>> MakeMse(const NodeContext& context);
absl::StatusOr<std::unique_ptr<Kernel>> MakeMseGrad(const NodeContext& context);
/// With weights of the rows, which backends' own kernels of binary cross-entropy do not take.
absl::StatusOr<std::unique_ptr<Kernel>> MakeWeightedBce(const NodeContext& context);
absl::StatusOr<std::unique_ptr<Kernel>> MakeWeightedBceGrad(const NodeContext& context);
absl::StatusOr<std::unique_ptr<Kernel>> MakeWeightedBceWithLogits(const NodeContext& context);
absl::StatusOr<std::unique_ptr<Kernel>> MakeWeightedBceWithLogitsGrad(const NodeContext& context);

}  // namespace seqgraph::kernels

#endif  // SEQGRAPH_BACKENDS_KERNELS_LOSSES_H_
