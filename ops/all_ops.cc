#include "ops/all_ops.h"

#include <utility>

#include "base/status_macros.h"
#include "ops/activations.h"
#include "ops/adam_update.h"
#include "ops/bce.h"
#include "ops/binary.h"
#include "ops/broadcast_to.h"
#include "ops/cast.h"
#include "ops/clip.h"
#include "ops/constant.h"
#include "ops/cross_entropy.h"
#include "ops/dense.h"
#include "ops/dropout.h"
#include "ops/elementwise.h"
#include "ops/embedding.h"
#include "ops/extrema.h"
#include "ops/fused_elementwise.h"
#include "ops/gather.h"
#include "ops/gru_cell.h"
#include "ops/increment.h"
#include "ops/lookup_rnn_cell.h"
#include "ops/lstm_cell.h"
#include "ops/mask.h"
#include "ops/matmul.h"
#include "ops/mse.h"
#include "ops/one_hot.h"
#include "ops/pooling.h"
#include "ops/reductions.h"
#include "ops/reshape.h"
#include "ops/rmsprop_update.h"
#include "ops/rnn_cell.h"
#include "ops/sgd_update.h"
#include "ops/slice.h"
#include "ops/softmax.h"
#include "ops/take_step.h"
#include "ops/unary.h"

namespace seqgraph {

absl::Status RegisterAllOps(OpRegistry& registry) {
  // Layers.
  SEQ_RETURN_IF_ERROR(registry.Register(ops::EmbeddingOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::EmbeddingGradOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::OneHotOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::RNNCellOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::RNNCellGradOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::LSTMCellOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::LSTMCellGradOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::GRUCellOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::GRUCellGradOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::LookupRNNCellOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::LookupRNNCellGradOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::DenseOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::DenseGradOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::TakeStepOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::TakeStepGradOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::GlobalAveragePooling1DOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::GlobalAveragePooling1DGradOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::GlobalMaxPooling1DOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::GlobalMaxPooling1DGradOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::DropoutMaskOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::SequenceMaskOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::ZeroMaskedOp()));
  // Activations.
  SEQ_RETURN_IF_ERROR(registry.Register(ops::SigmoidOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::SigmoidGradOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::TanhOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::TanhGradOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::ReluOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::ReluGradOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::SoftmaxOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::SoftmaxGradOp()));
  // Losses.
  SEQ_RETURN_IF_ERROR(registry.Register(ops::BCEOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::BCEGradOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::BCEWithLogitsOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::BCEWithLogitsGradOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::SoftmaxCrossEntropyWithLogitsOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::SoftmaxCrossEntropyWithLogitsGradOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::CategoricalCrossEntropyOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::CategoricalCrossEntropyGradOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::MSEOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::MSEGradOp()));
  // Element by element.
  SEQ_RETURN_IF_ERROR(registry.Register(ops::AddOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::SubtractOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::MultiplyOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::ScaleOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::FillLikeOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::ConstantOp()));
  for (OpDef& op : ops::UnaryOps()) SEQ_RETURN_IF_ERROR(registry.Register(std::move(op)));
  for (OpDef& op : ops::BinaryOps()) SEQ_RETURN_IF_ERROR(registry.Register(std::move(op)));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::WhereOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::CastOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::FusedElementwiseOp()));
  // Reductions.
  SEQ_RETURN_IF_ERROR(registry.Register(ops::ReduceSumOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::ReduceMeanOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::ReduceMeanGradOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::BroadcastLikeOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::BroadcastToOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::ReduceMaxOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::ReduceMinOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::ReduceProdOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::MatMulOp()));
  // Layout.
  SEQ_RETURN_IF_ERROR(registry.Register(ops::GatherOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::GatherGradOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::ReshapeOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::TransposeOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::ConcatOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::SliceOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::SliceGradOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::ReverseOp()));
  // Optimizers.
  SEQ_RETURN_IF_ERROR(registry.Register(ops::ClipOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::ClipByNormOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::SGDUpdateOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::RMSPropUpdateOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::AdamUpdateOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::IncrementOp()));
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
