#include "backends/simd/kernels.h"

#include "backends/kernels/copies.h"
#include "backends/kernels/losses.h"
#include "backends/kernels/reductions.h"
#include "backends/kernels/sequences.h"
#include "backends/simd/kernel_makers.h"

namespace seqgraph::simd {
namespace {

using kernels::Shared;

// op, version, claim, maker.
constexpr KernelDef kKernels[] = {
    {"RNNCell", 1, ClaimAlways, MakeRnnCell},
    {"RNNCellGrad", 1, ClaimAlways, MakeRnnCellGrad},
    {"LookupRNNCell", 1, ClaimAlways, MakeLookupRnnCell},
    {"LookupRNNCellGrad", 1, ClaimAlways, MakeLookupRnnCellGrad},
    {"Embedding", 1, ClaimAlways, MakeEmbedding},
    {"EmbeddingGrad", 1, ClaimAlways, MakeEmbeddingGrad},
    {"OneHot", 1, ClaimOneHot, MakeOneHot},
    {"Dense", 1, ClaimAlways, MakeDense},
    {"DenseGrad", 1, ClaimAlways, MakeDenseGrad},
    {"BCE", 1, ClaimAlways, MakeBce},
    {"BCEGrad", 1, ClaimAlways, MakeBceGrad},
    {"BCEWithLogits", 1, ClaimAlways, MakeBceWithLogits},
    {"BCEWithLogitsGrad", 1, ClaimAlways, MakeBceWithLogitsGrad},
    {"Sigmoid", 1, ClaimAlways, MakeSigmoid},
    {"SigmoidGrad", 1, ClaimAlways, MakeSigmoidGrad},
    {"Tanh", 1, ClaimAlways, MakeTanh},
    {"TanhGrad", 1, ClaimAlways, MakeTanhGrad},
    {"Relu", 1, ClaimAlways, MakeRelu},
    {"ReluGrad", 1, ClaimAlways, MakeReluGrad},
    {"Add", 1, ClaimAlways, MakeAdd},
    {"Subtract", 1, ClaimAlways, MakeSubtract},
    {"Multiply", 1, ClaimAlways, MakeMultiply},
    {"Scale", 1, ClaimAlways, MakeScale},
    {"FillLike", 1, ClaimAlways, MakeFillLike},
    {"FusedElementwise", 1, ClaimAlways, MakeFusedElementwise},
    {"TakeStep", 1, ClaimAlways, Shared<kernels::MakeTakeStep>},
    {"TakeStepGrad", 1, ClaimAlways, Shared<kernels::MakeTakeStepGrad>},
    {"Reshape", 1, ClaimAlways, Shared<kernels::MakeReshape>},
    {"Transpose", 1, ClaimAlways, Shared<kernels::MakeTranspose>},
    {"Concat", 1, ClaimAlways, Shared<kernels::MakeConcat>},
    {"Slice", 1, ClaimAlways, Shared<kernels::MakeSlice>},
    {"SliceGrad", 1, ClaimAlways, Shared<kernels::MakeSliceGrad>},
    {"Reverse", 1, ClaimAlways, Shared<kernels::MakeReverse>},
    {"SequenceMask", 1, ClaimAlways, Shared<kernels::MakeSequenceMask>},
    {"ZeroMasked", 1, ClaimAlways, Shared<kernels::MakeZeroMasked>},
    {"DropoutMask", 1, ClaimAlways, Shared<kernels::MakeDropoutMask>},
    {"GlobalAveragePooling1D", 1, ClaimAlways, Shared<kernels::MakeAveragePooling>},
    {"GlobalAveragePooling1DGrad", 1, ClaimAlways, Shared<kernels::MakeAveragePoolingGrad>},
    {"GlobalMaxPooling1D", 1, ClaimAlways, Shared<kernels::MakeMaxPooling>},
    {"GlobalMaxPooling1DGrad", 1, ClaimAlways, Shared<kernels::MakeMaxPoolingGrad>},
    {"Softmax", 1, ClaimAlways, Shared<kernels::MakeSoftmax>},
    {"SoftmaxGrad", 1, ClaimAlways, Shared<kernels::MakeSoftmaxGrad>},
    {"SoftmaxCrossEntropyWithLogits", 1, ClaimAlways, Shared<kernels::MakeSoftmaxCrossEntropy>},
    {"SoftmaxCrossEntropyWithLogitsGrad", 1, ClaimAlways,
     Shared<kernels::MakeSoftmaxCrossEntropyGrad>},
    {"CategoricalCrossEntropy", 1, ClaimAlways, Shared<kernels::MakeCategoricalCrossEntropy>},
    {"CategoricalCrossEntropyGrad", 1, ClaimAlways,
     Shared<kernels::MakeCategoricalCrossEntropyGrad>},
    {"MSE", 1, ClaimAlways, Shared<kernels::MakeMse>},
    {"MSEGrad", 1, ClaimAlways, Shared<kernels::MakeMseGrad>},
    {"Constant", 1, ClaimAlways, Shared<kernels::MakeConstant>},
    {"ReduceSum", 1, ClaimAlways, MakeReduceSum},
    {"ReduceMean", 1, ClaimAlways, MakeReduceMean},
    {"ReduceMeanGrad", 1, ClaimAlways, Shared<kernels::MakeReduceMeanGrad>},
    {"BroadcastLike", 1, ClaimAlways, Shared<kernels::MakeBroadcastLike>},
    {"SGDUpdate", 1, ClaimAlways, MakeSgdUpdate},
    {"RMSPropUpdate", 1, ClaimAlways, MakeRmsPropUpdate},
    {"AdamUpdate", 1, ClaimAlways, MakeAdamUpdate},
    {"Increment", 1, ClaimAlways, MakeIncrement},
};

}  // namespace

absl::Span<const KernelDef> Kernels() { return kKernels; }

}  // namespace seqgraph::simd
