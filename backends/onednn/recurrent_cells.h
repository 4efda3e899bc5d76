#ifndef SEQGRAPH_BACKENDS_ONEDNN_RECURRENT_CELLS_H_
#define SEQGRAPH_BACKENDS_ONEDNN_RECURRENT_CELLS_H_

// RNNCell, LSTMCell, GRUCell and their gradients with all that they may have (masks, recurrent
// dropout, reverse, every activation), step by step (recurrence.h). A gradient whose forward node
// is here too takes over gates and states; any other computes them anew.

#include <memory>
#include <vector>

#include "backends/onednn/kernel.h"

namespace seqgraph::onednn {

Claim ClaimRecurrentCell(const NodeContext& context);
absl::StatusOr<std::unique_ptr<Kernel>> MakeRecurrentCell(KernelContext& context);
int64_t RecurrentCellRowWidth(const NodeContext& context, const std::vector<Layout>& layouts);

absl::StatusOr<std::unique_ptr<Kernel>> MakeRecurrentCellGrad(KernelContext& context);
/// That of x.
int64_t RecurrentCellGradRowWidth(const NodeContext& context, const std::vector<Layout>& layouts);

}  // namespace seqgraph::onednn

#endif  // SEQGRAPH_BACKENDS_ONEDNN_RECURRENT_CELLS_H_
