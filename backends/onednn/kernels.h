#ifndef SEQGRAPH_BACKENDS_ONEDNN_KERNELS_H_
#define SEQGRAPH_BACKENDS_ONEDNN_KERNELS_H_

#include "absl/types/span.h"
#include "backends/onednn/kernel.h"

namespace seqgraph::onednn {

/// All kernels, in order of preference among those of one op.
absl::Span<const KernelDef> Kernels();

/// A kernel that takes the node, or the reason why none does.
struct KernelChoice {
  const KernelDef* def = nullptr;
  Claim claim;
};

/// The first kernel of the table that claims the node.
KernelChoice ChooseKernel(const NodeContext& context);

}  // namespace seqgraph::onednn

#endif  // SEQGRAPH_BACKENDS_ONEDNN_KERNELS_H_
