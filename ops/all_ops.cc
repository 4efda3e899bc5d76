#include "ops/all_ops.h"

#include "graph/status_macros.h"
#include "ops/activations.h"
#include "ops/adam_update.h"
#include "ops/bce.h"
#include "ops/constant.h"
#include "ops/dense.h"
#include "ops/elementwise.h"
#include "ops/embedding.h"
#include "ops/fused_elementwise.h"
#include "ops/increment.h"
#include "ops/lookup_rnn_cell.h"
#include "ops/one_hot.h"
#include "ops/reductions.h"
#include "ops/rmsprop_update.h"
#include "ops/rnn_cell.h"
#include "ops/sgd_update.h"
#include "ops/take_step.h"

namespace seqgraph {

absl::Status RegisterAllOps(OpRegistry& registry) {
  // Layers.
  SEQ_RETURN_IF_ERROR(registry.Register(ops::EmbeddingOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::EmbeddingGradOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::OneHotOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::RNNCellOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::RNNCellGradOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::LookupRNNCellOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::LookupRNNCellGradOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::DenseOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::DenseGradOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::TakeStepOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::TakeStepGradOp()));
  // Activations.
  SEQ_RETURN_IF_ERROR(registry.Register(ops::SigmoidOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::SigmoidGradOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::TanhOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::TanhGradOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::ReluOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::ReluGradOp()));
  // Losses.
  SEQ_RETURN_IF_ERROR(registry.Register(ops::BCEOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::BCEGradOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::BCEWithLogitsOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::BCEWithLogitsGradOp()));
  // Element by element.
  SEQ_RETURN_IF_ERROR(registry.Register(ops::AddOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::SubtractOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::MultiplyOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::ScaleOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::FillLikeOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::ConstantOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::FusedElementwiseOp()));
  // Reductions.
  SEQ_RETURN_IF_ERROR(registry.Register(ops::ReduceSumOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::ReduceMeanOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::ReduceMeanGradOp()));
  SEQ_RETURN_IF_ERROR(registry.Register(ops::BroadcastLikeOp()));
  // Optimizers.
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
