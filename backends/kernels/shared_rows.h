#pragma once

// The rows that the tables of all backends have in common.

#include <iterator>
#include <vector>

#include "absl/types/span.h"
#include "backends/kernels/kernel_table.h"
#include "backends/kernels/makers.h"

namespace seqgraph::kernels {

/// Ops whose kernels are the same everywhere: op, version, claim, maker. What has no row, or none
/// for its types, runs by definition; so do ops whose definition no loop of ours would outrun.
template <typename Row>
inline constexpr Row kSharedRows[] = {
    {"RNNCell", 3, ClaimRecurrentCell, Shared<MakeRecurrentCell>},
    {"RNNCellGrad", 3, ClaimRecurrentCell, Shared<MakeRecurrentCellGrad>},
    {"LSTMCell", 2, ClaimRecurrentCell, Shared<MakeRecurrentCell>},
    {"LSTMCellGrad", 2, ClaimRecurrentCell, Shared<MakeRecurrentCellGrad>},
    {"GRUCell", 2, ClaimRecurrentCell, Shared<MakeRecurrentCell>},
    {"GRUCellGrad", 2, ClaimRecurrentCell, Shared<MakeRecurrentCellGrad>},
    {"LookupLSTMCell", 1, ClaimRecurrentCell, Shared<MakeRecurrentCell>},
    {"LookupLSTMCellGrad", 1, ClaimRecurrentCell, Shared<MakeRecurrentCellGrad>},
    {"LookupGRUCell", 1, ClaimRecurrentCell, Shared<MakeRecurrentCell>},
    {"LookupGRUCellGrad", 1, ClaimRecurrentCell, Shared<MakeRecurrentCellGrad>},
    {"Sigmoid", 1, ClaimAlways, Shared<MakeElementwise>},
    {"SigmoidGrad", 1, ClaimAlways, Shared<MakeElementwise>},
    {"Tanh", 1, ClaimAlways, Shared<MakeElementwise>},
    {"TanhGrad", 1, ClaimAlways, Shared<MakeElementwise>},
    {"Relu", 1, ClaimAlways, Shared<MakeElementwise>},
    {"ReluGrad", 1, ClaimAlways, Shared<MakeElementwise>},
    {"Add", 1, ClaimAlways, Shared<MakeElementwise>},
    {"Subtract", 1, ClaimAlways, Shared<MakeElementwise>},
    {"Multiply", 1, ClaimAlways, Shared<MakeElementwise>},
    {"Divide", 1, ClaimAlways, Shared<MakeElementwise>},
    {"Maximum", 1, ClaimAlways, Shared<MakeElementwise>},
    {"Abs", 1, ClaimAlways, Shared<MakeElementwise>},
    {"Sqrt", 1, ClaimAlways, Shared<MakeElementwise>},
    {"Scale", 1, ClaimAlways, Shared<MakeElementwise>},
    {"Ceil", 1, ClaimAlways, Shared<MakeMapOf<CeilLoop>>},
    {"Equal", 1, ClaimAlways, Shared<MakeMapOf<EqualLoop>>},
    {"Erf", 1, ClaimAlways, Shared<MakeMapOf<ErfLoop>>},
    {"Exp", 1, ClaimAlways, Shared<MakeMapOf<ExpLoop>>},
    {"Floor", 1, ClaimAlways, Shared<MakeMapOf<FloorLoop>>},
    {"Less", 1, ClaimAlways, Shared<MakeMapOf<LessLoop>>},
    {"Log", 1, ClaimAlways, Shared<MakeMapOf<LogLoop>>},
    {"Minimum", 1, ClaimAlways, Shared<MakeMapOf<MinimumLoop>>},
    {"Negative", 1, ClaimAlways, Shared<MakeMapOf<NegativeLoop>>},
    {"Power", 1, ClaimAlways, Shared<MakeMapOf<PowerLoop>>},
    {"Reciprocal", 1, ClaimAlways, Shared<MakeMapOf<ReciprocalLoop>>},
    {"Round", 1, ClaimAlways, Shared<MakeMapOf<RoundLoop>>},
    {"Sign", 1, ClaimAlways, Shared<MakeMapOf<SignLoop>>},
    {"Softplus", 1, ClaimAlways, Shared<MakeMapOf<SoftplusLoop>>},
    {"Elu", 1, ClaimAlways, Shared<MakeElu>},
    {"Where", 1, ClaimAlways, Shared<MakeWhere>},
    {"FusedElementwise", 2, ClaimAlways, Shared<MakeFusedElementwise>},
    {"Dense", 1, ClaimAlways, Shared<MakeDense>},
    {"DenseGrad", 1, ClaimAlways, Shared<MakeDenseGrad>},
    {"MatMul", 1, ClaimAlways, Shared<MakeMatMul>},
    {"Conv1D", 1, ClaimAlways, Shared<MakeConv1D>},
    {"Conv1DGrad", 1, ClaimAlways, Shared<MakeConv1DGrad>},
    {"MaxPool1D", 1, ClaimAlways, Shared<MakeMaxPool1D>},
    {"MaxPool1DGrad", 1, ClaimAlways, Shared<MakeMaxPool1DGrad>},
    {"AveragePool1D", 1, ClaimAlways, Shared<MakeAveragePool1D>},
    {"AveragePool1DGrad", 1, ClaimAlways, Shared<MakeAveragePool1DGrad>},
    {"Embedding", 1, ClaimAlways, Shared<MakeEmbedding>},
    {"EmbeddingGrad", 1, ClaimAlways, Shared<MakeEmbeddingGrad>},
    {"OneHot", 1, ClaimAnyType, Shared<MakeByDefinition>},
    {"Gather", 1, ClaimAlways, Shared<MakeGather>},
    {"GatherGrad", 1, ClaimAlways, Shared<MakeGatherGrad>},
    {"ReduceSum", 1, ClaimAlways, Shared<MakeReduceSum>},
    {"ReduceMean", 1, ClaimAlways, Shared<MakeReduceMean>},
    {"ReduceMeanGrad", 1, ClaimAlways, Shared<MakeReduceMeanGrad>},
    {"ReduceMax", 1, ClaimAlways, Shared<MakeReduceMax>},
    {"ReduceMin", 1, ClaimAlways, Shared<MakeReduceMin>},
    {"ReduceProd", 1, ClaimAlways, Shared<MakeReduceProd>},
    {"BroadcastLike", 1, ClaimAlways, Shared<MakeBroadcastLike>},
    {"BroadcastTo", 1, ClaimAlways, Shared<MakeBroadcastTo>},
    {"Softmax", 1, ClaimAlways, Shared<MakeSoftmax>},
    {"SoftmaxGrad", 1, ClaimAlways, Shared<MakeSoftmaxGrad>},
    {"SoftmaxCrossEntropyWithLogits", 1, ClaimAlways, Shared<MakeSoftmaxCrossEntropy>},
    {"SoftmaxCrossEntropyWithLogitsGrad", 1, ClaimAlways, Shared<MakeSoftmaxCrossEntropyGrad>},
    {"CategoricalCrossEntropy", 1, ClaimAlways, Shared<MakeCategoricalCrossEntropy>},
    {"CategoricalCrossEntropyGrad", 1, ClaimAlways, Shared<MakeCategoricalCrossEntropyGrad>},
    {"BCE", 2, ClaimAlways, Shared<MakeBce>},
    {"BCEGrad", 2, ClaimAlways, Shared<MakeBceGrad>},
    {"BCEWithLogits", 1, ClaimAlways, Shared<MakeBceWithLogits>},
    {"BCEWithLogitsGrad", 1, ClaimAlways, Shared<MakeBceWithLogitsGrad>},
    {"BCEWithLogits", 2, ClaimAlways, Shared<MakeWeightedBceWithLogits>},
    {"BCEWithLogitsGrad", 2, ClaimAlways, Shared<MakeWeightedBceWithLogitsGrad>},
    {"MSE", 1, ClaimAlways, Shared<MakeMse>},
    {"MSEGrad", 1, ClaimAlways, Shared<MakeMseGrad>},
    {"SGDUpdate", 1, ClaimAlways, Shared<MakeSgdUpdate>},
    {"RMSPropUpdate", 1, ClaimAlways, Shared<MakeRmsPropUpdate>},
    {"AdamUpdate", 1, ClaimAlways, Shared<MakeAdamUpdate>},
    {"Clip", 1, ClaimAnyType, Shared<MakeByDefinition>},
    {"ClipByNorm", 1, ClaimAlways, Shared<MakeClipByNorm>},
    {"TakeStep", 1, ClaimAlways, Shared<MakeTakeStep>},
    {"TakeStepGrad", 1, ClaimAlways, Shared<MakeTakeStepGrad>},
    {"Reshape", 1, ClaimAlways, Shared<MakeReshape>},
    {"Transpose", 1, ClaimAlways, Shared<MakeTranspose>},
    {"Concat", 1, ClaimAlways, Shared<MakeConcat>},
    {"Slice", 1, ClaimAlways, Shared<MakeSlice>},
    {"SliceGrad", 1, ClaimAlways, Shared<MakeSliceGrad>},
    {"Reverse", 1, ClaimAlways, Shared<MakeReverse>},
    {"Pad", 1, ClaimAlways, Shared<MakePad>},
    {"Constant", 2, ClaimAnyType, Shared<MakeConstant>},
    {"Cast", 1, ClaimAnyType, Shared<MakeByDefinition>},
    {"FillLike", 1, ClaimAnyType, Shared<MakeByDefinition>},
    {"Increment", 1, ClaimAnyType, Shared<MakeByDefinition>},
    {"SequenceMask", 1, ClaimAnyType, Shared<MakeByDefinition>},
    {"ZeroMasked", 1, ClaimAnyType, Shared<MakeByDefinition>},
    {"DropoutMask", 1, ClaimAnyType, Shared<MakeByDefinition>},
    {"GlobalAveragePooling1D", 1, ClaimAnyType, Shared<MakeByDefinition>},
    {"GlobalAveragePooling1DGrad", 1, ClaimAnyType, Shared<MakeByDefinition>},
    {"GlobalMaxPooling1D", 1, ClaimAnyType, Shared<MakeByDefinition>},
    {"GlobalMaxPooling1DGrad", 1, ClaimAnyType, Shared<MakeByDefinition>},
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
