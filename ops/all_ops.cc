#include "ops/all_ops.h"

#include <utility>

#include "base/status_macros.h"
#include "ops/binary.h"
#include "ops/unary.h"

// The one list, which also declares them: a line for each op, NAME for the definition `OpDef
// NAMEOp()` of its .cc file. (Families whose ops are rows of a table follow in RegisterAllOps.)
// clang-format off
#define SEQGRAPH_OPS(OP) \
  /* Layers */ \
  OP(Embedding) \
  OP(EmbeddingGrad) \
  OP(OneHot) \
  OP(RNNCell) \
  OP(RNNCellGrad) \
  OP(LSTMCell) \
  OP(LSTMCellGrad) \
  OP(GRUCell) \
  OP(GRUCellGrad) \
  OP(LookupRNNCell) \
  OP(LookupRNNCellGrad) \
  OP(LookupLSTMCell) \
  OP(LookupLSTMCellGrad) \
  OP(LookupGRUCell) \
  OP(LookupGRUCellGrad) \
  OP(Dense) \
  OP(DenseGrad) \
  OP(TakeStep) \
  OP(TakeStepGrad) \
  OP(GlobalAveragePooling1D) \
  OP(GlobalAveragePooling1DGrad) \
  OP(GlobalMaxPooling1D) \
  OP(GlobalMaxPooling1DGrad) \
  OP(Conv1D) \
  OP(Conv1DGrad) \
  OP(MaxPool1D) \
  OP(MaxPool1DGrad) \
  OP(AveragePool1D) \
  OP(AveragePool1DGrad) \
  OP(DropoutMask) \
  OP(RandomNormal) \
  OP(SequenceMask) \
  OP(ZeroMasked) \
  /* Activations */ \
  OP(SigmoidGrad) \
  OP(TanhGrad) \
  OP(ReluGrad) \
  OP(Softmax) \
  OP(SoftmaxGrad) \
  OP(Elu) \
  /* Losses */ \
  OP(BCE) \
  OP(BCEGrad) \
  OP(BCEWithLogits) \
  OP(BCEWithLogitsGrad) \
  OP(SoftmaxCrossEntropyWithLogits) \
  OP(SoftmaxCrossEntropyWithLogitsGrad) \
  OP(CategoricalCrossEntropy) \
  OP(CategoricalCrossEntropyGrad) \
  OP(MSE) \
  OP(MSEGrad) \
  OP(RowLoss) \
  OP(RowLossGrad) \
  /* Element by element */ \
  OP(Scale) \
  OP(FillLike) \
  OP(Constant) \
  OP(Where) \
  OP(Cast) \
  OP(RoundWeights) \
  OP(FusedElementwise) \
  /* Reductions */ \
  OP(ReduceSum) \
  OP(ReduceMean) \
  OP(ReduceMeanGrad) \
  OP(BroadcastLike) \
  OP(BroadcastTo) \
  OP(ReduceMax) \
  OP(ReduceMin) \
  OP(ReduceProd) \
  OP(MatMul) \
  /* Layout */ \
  OP(Gather) \
  OP(GatherGrad) \
  OP(Reshape) \
  OP(Transpose) \
  OP(Concat) \
  OP(Slice) \
  OP(SliceGrad) \
  OP(Pad) \
  OP(Reverse) \
  OP(ScatterElements) \
  OP(ScatterElementsGrad) \
  /* Optimizers */ \
  OP(Clip) \
  OP(ClipByNorm) \
  OP(SGDUpdate) \
  OP(RMSPropUpdate) \
  OP(AdamUpdate) \
  OP(Increment)
// clang-format on

namespace seqgraph {

namespace ops {
#define DECLARE(name) OpDef name##Op();
SEQGRAPH_OPS(DECLARE)
#undef DECLARE
}  // namespace ops

absl::Status RegisterAllOps(OpRegistry& registry) {
#define REGISTER(name) SEQ_RETURN_IF_ERROR(registry.RegisterLater(#name, ops::name##Op));
  SEQGRAPH_OPS(REGISTER)
#undef REGISTER
  for (auto family : {ops::UnaryOps, ops::BinaryOps}) {
    SEQ_RETURN_IF_ERROR(registry.RegisterLater(family));
  }
  return absl::OkStatus();
}

const OpRegistry& AllOps() {
  static const OpRegistry* const kAll = [] {
    auto* registry = new OpRegistry;  // never freed: functions hold pointers into it
    const absl::Status status = RegisterAllOps(*registry);
    SEQ_CHECK(status.ok());
    return registry;
  }();
  return *kAll;
}

}  // namespace seqgraph
