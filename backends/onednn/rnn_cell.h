#pragma once

// RNNCell and RNNCellGrad on the vanilla RNN primitive. Forward leaves a workspace for backward;
// the two nodes of a function that belong together share one primitive and that workspace.

#include <memory>
#include <vector>

#include "backends/onednn/kernel.h"
#include "backends/onednn/rnn_primitive.h"

namespace seqgraph::onednn {

/// An RNNCell node with the RNNCellGrad node that uses up its workspace.
struct RnnPair {
  RnnConfig config;
  std::unique_ptr<RnnPrimitive> rnn;
  // Offsets into the program's persistent bytes.
  int64_t workspace = 0;
  int64_t x = -1;  ///< time-major copy of x; -1: x itself is time-major
  int64_t y = -1;  ///< time-major sequence; -1: the sequence itself is time-major
};

Claim ClaimRnnCell(const NodeContext& context);
absl::StatusOr<std::unique_ptr<Kernel>> MakeRnnCell(KernelContext& context);
int64_t RnnCellRowWidth(const NodeContext& context, const std::vector<Layout>& layouts);

/// Takes a gradient whose forward node is in the function.
Claim ClaimRnnCellGrad(const NodeContext& context);
absl::StatusOr<std::unique_ptr<Kernel>> MakeRnnCellGrad(KernelContext& context);
int64_t RnnCellGradRowWidth(const NodeContext& context, const std::vector<Layout>& layouts);

}  // namespace seqgraph::onednn
