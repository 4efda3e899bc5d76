// The one list of kernels.

#include "backends/kernels/packed_once.h"
#include "backends/kernels/shared_rows.h"
#include "backends/onednn/kernel_makers.h"
#include "backends/onednn/rnn_cell.h"

namespace seqgraph::onednn {
namespace {

constexpr TimeMajorOperands kCell{{"x"}, "sequence"};
constexpr TimeMajorOperands kCellGrad{{"x", "sequence", "d_sequence"}, "dx"};

// op, version, claim, maker; then what may be time-major, and the row width.
constexpr KernelDef kKernels[] = {
    {"RNNCell", 1, ClaimRnnCell, MakeRnnCell, kCell, RnnCellRowWidth},
    {"RNNCellGrad", 1, ClaimRnnCellGrad, MakeRnnCellGrad, kCellGrad, RnnCellGradRowWidth},
    {"Embedding", 1, kernels::ClaimFloatWeights, MakeEmbedding, TimeMajorOperands{{}, "y"},
     EmbeddingRowWidth},
    {"EmbeddingGrad", 1, ClaimAlways, MakeEmbeddingGrad, TimeMajorOperands{{"dy"}, nullptr}},
    {"Dense", 1, ClaimDense, MakeDense},
    {"DenseGrad", 1, ClaimDense, MakeDenseGrad},
};

}  // namespace

absl::Span<const KernelDef> Kernels() {
  static const auto* const kAll = kernels::WithSharedRows<KernelDef>(kKernels);
  return *kAll;
}

}  // namespace seqgraph::onednn
