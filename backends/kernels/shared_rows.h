#ifndef SEQGRAPH_BACKENDS_KERNELS_SHARED_ROWS_H_
#define SEQGRAPH_BACKENDS_KERNELS_SHARED_ROWS_H_

// The rows that the tables of all backends have in common.

#include <iterator>
#include <vector>

#include "absl/types/span.h"
#include "backends/kernels/by_definition.h"
#include "backends/kernels/clipping.h"
#include "backends/kernels/copies.h"
#include "backends/kernels/kernel_table.h"
#include "backends/kernels/losses.h"
#include "backends/kernels/reductions.h"
#include "backends/kernels/sequences.h"

namespace seqgraph::kernels {

/// Ops whose kernels are the same loops everywhere: op, version, claim, maker.
template <typename Row>
inline constexpr Row kSharedRows[] = {
    {"TakeStep", 1, ClaimAlways, Shared<MakeTakeStep>},
    {"TakeStepGrad", 1, ClaimAlways, Shared<MakeTakeStepGrad>},
    {"Reshape", 1, ClaimAlways, Shared<MakeReshape>},
    {"Transpose", 1, ClaimAlways, Shared<MakeTranspose>},
    {"Concat", 1, ClaimAlways, Shared<MakeConcat>},
    {"Slice", 1, ClaimAlways, Shared<MakeSlice>},
    {"SliceGrad", 1, ClaimAlways, Shared<MakeSliceGrad>},
    {"Reverse", 1, ClaimAlways, Shared<MakeReverse>},
    {"SequenceMask", 1, ClaimAlways, Shared<MakeSequenceMask>},
    {"ZeroMasked", 1, ClaimAlways, Shared<MakeZeroMasked>},
    {"DropoutMask", 1, ClaimAlways, Shared<MakeDropoutMask>},
    {"GlobalAveragePooling1D", 1, ClaimAlways, Shared<MakeAveragePooling>},
    {"GlobalAveragePooling1DGrad", 1, ClaimAlways, Shared<MakeAveragePoolingGrad>},
    {"GlobalMaxPooling1D", 1, ClaimAlways, Shared<MakeMaxPooling>},
    {"GlobalMaxPooling1DGrad", 1, ClaimAlways, Shared<MakeMaxPoolingGrad>},
    {"Softmax", 1, ClaimAlways, Shared<MakeSoftmax>},
    {"SoftmaxGrad", 1, ClaimAlways, Shared<MakeSoftmaxGrad>},
    {"SoftmaxCrossEntropyWithLogits", 1, ClaimAlways, Shared<MakeSoftmaxCrossEntropy>},
    {"SoftmaxCrossEntropyWithLogitsGrad", 1, ClaimAlways, Shared<MakeSoftmaxCrossEntropyGrad>},
    {"CategoricalCrossEntropy", 1, ClaimAlways, Shared<MakeCategoricalCrossEntropy>},
    {"CategoricalCrossEntropyGrad", 1, ClaimAlways, Shared<MakeCategoricalCrossEntropyGrad>},
    {"BCE", 1, ClaimAlways, Shared<MakeWeightedBce>},
    {"BCEGrad", 1, ClaimAlways, Shared<MakeWeightedBceGrad>},
    {"BCE", 2, ClaimAlways, Shared<MakeWeightedBce>},
    {"BCEGrad", 2, ClaimAlways, Shared<MakeWeightedBceGrad>},
    {"BCEWithLogits", 2, ClaimAlways, Shared<MakeWeightedBceWithLogits>},
    {"BCEWithLogitsGrad", 2, ClaimAlways, Shared<MakeWeightedBceWithLogitsGrad>},
    {"MSE", 1, ClaimAlways, Shared<MakeMse>},
    {"MSEGrad", 1, ClaimAlways, Shared<MakeMseGrad>},
    {"Power", 1, ClaimAlways, Shared<MakeByDefinition>},
    {"Cast", 1, ClaimAnyType, Shared<MakeByDefinition>},
    {"Clip", 1, ClaimAlways, Shared<MakeClip>},
    {"ClipByNorm", 1, ClaimAlways, Shared<MakeClipByNorm>},
    {"Constant", 2, ClaimAlways, Shared<MakeConstant>},
    {"FillLike", 1, ClaimAlways, Shared<MakeFillLike>},
    {"Increment", 1, ClaimAlways, Shared<MakeIncrement>},
    {"ReduceMeanGrad", 1, ClaimAlways, Shared<MakeReduceMeanGrad>},
    {"BroadcastLike", 1, ClaimAlways, Shared<MakeBroadcastLike>},
};

/// A backend's own rows, and behind them, as what comes last in preference, the shared ones. Never
/// freed.
template <typename Row>
const std::vector<Row>* WithSharedRows(absl::Span<const Row> own) {
  auto* const all = new std::vector<Row>(own.begin(), own.end());
  all->insert(all->end(), std::begin(kSharedRows<Row>), std::end(kSharedRows<Row>));
  return all;
}

}  // namespace seqgraph::kernels

#endif  // SEQGRAPH_BACKENDS_KERNELS_SHARED_ROWS_H_
