#include "backends/onednn/kernels.h"

#include "backends/kernels/ids.h"
#include "backends/kernels/shared_rows.h"
#include "backends/onednn/kernel_makers.h"
#include "backends/onednn/layout_loops.h"
#include "backends/onednn/recurrent_cells.h"
#include "backends/onednn/rnn_cell.h"

namespace seqgraph::onednn {
namespace {

constexpr TimeMajorOperands kCell{{"x"}, "sequence"};
constexpr TimeMajorOperands kCellGrad{{"x", "sequence", "d_sequence"}, "dx"};

// op, version, claim, maker; then what may be time-major, and the row width.
constexpr KernelDef kKernels[] = {
    {"RNNCell", 1, ClaimRnnCell, MakeRnnCell, kCell, RnnCellRowWidth},
    {"RNNCellGrad", 1, ClaimRnnCellGrad, MakeRnnCellGrad, kCellGrad, RnnCellGradRowWidth},
    {"RNNCell", 2, ClaimRecurrentCell, MakeRecurrentCell, kCell, RecurrentCellRowWidth},
    {"RNNCellGrad", 2, ClaimRecurrentCell, MakeRecurrentCellGrad, kCellGrad,
     RecurrentCellGradRowWidth},
    {"LSTMCell", 1, ClaimRecurrentCell, MakeRecurrentCell, kCell, RecurrentCellRowWidth},
    {"LSTMCellGrad", 1, ClaimRecurrentCell, MakeRecurrentCellGrad, kCellGrad,
     RecurrentCellGradRowWidth},
    {"GRUCell", 1, ClaimRecurrentCell, MakeRecurrentCell, kCell, RecurrentCellRowWidth},
    {"GRUCellGrad", 1, ClaimRecurrentCell, MakeRecurrentCellGrad, kCellGrad,
     RecurrentCellGradRowWidth},
    {"Embedding", 1, ClaimAlways, MakeEmbedding, TimeMajorOperands{{}, "y"}, EmbeddingRowWidth},
    {"EmbeddingGrad", 1, ClaimAlways, MakeEmbeddingGrad, TimeMajorOperands{{"dy"}, nullptr}},
    {"OneHot", 1, kernels::ClaimOneHot,
     kernels::Shared<kernels::MakeOneHot<FindBadId>, KernelContext>},
    {"Dense", 1, ClaimDenseOneUnit, MakeDenseOneUnit},
    {"Dense", 1, ClaimDense, MakeDense},
    {"DenseGrad", 1, ClaimDenseOneUnit, MakeDenseGradOneUnit},
    {"DenseGrad", 1, ClaimDense, MakeDenseGrad},
    {"BCE", 1, ClaimAlways, MakeBce},
    {"BCEGrad", 1, ClaimAlways, MakeBceGrad},
    {"BCEWithLogits", 1, ClaimAlways, MakeBceWithLogits},
    {"BCEWithLogitsGrad", 1, ClaimAlways, MakeBceWithLogitsGrad},
    {"Sigmoid", 1, ClaimAlways, MakeElementwise},
    {"SigmoidGrad", 1, ClaimAlways, MakeElementwise},
    {"Tanh", 1, ClaimAlways, MakeElementwise},
    {"TanhGrad", 1, ClaimAlways, MakeElementwise},
    {"Relu", 1, ClaimAlways, MakeElementwise},
    {"ReluGrad", 1, ClaimAlways, MakeElementwise},
    {"Add", 1, ClaimAlways, MakeElementwise},
    {"Subtract", 1, ClaimAlways, MakeElementwise},
    {"Multiply", 1, ClaimAlways, MakeElementwise},
    {"Divide", 1, ClaimAlways, MakeElementwise},
    {"Maximum", 1, ClaimAlways, MakeElementwise},
    {"Abs", 1, ClaimAlways, MakeElementwise},
    {"Sqrt", 1, ClaimAlways, MakeElementwise},
    {"Scale", 1, ClaimAlways, MakeElementwise},
    {"FusedElementwise", 2, ClaimAlways, MakeFusedElementwise},
    {"ReduceSum", 1, ClaimAlways, MakeReduceSum},
    {"ReduceMean", 1, ClaimAlways, MakeReduceMean},
    {"SGDUpdate", 1, ClaimAlways, MakeSgdUpdate},
    {"RMSPropUpdate", 1, ClaimAlways, MakeRmsPropUpdate},
    {"AdamUpdate", 1, ClaimAlways, MakeAdamUpdate},
};

}  // namespace

absl::Span<const KernelDef> Kernels() {
  static const auto* const kAll = kernels::WithSharedRows<KernelDef>(kKernels);
  return *kAll;
}

}  // namespace seqgraph::onednn
