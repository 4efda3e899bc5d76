#ifndef SEQGRAPH_BACKENDS_ONEDNN_KERNELS_H_
#define SEQGRAPH_BACKENDS_ONEDNN_KERNELS_H_

#include "absl/types/span.h"
#include "backends/onednn/kernel.h"

namespace seqgraph::onednn {

/// All kernels, in order of preference among those of one op.
absl::Span<const KernelDef> Kernels();

}  // namespace seqgraph::onednn

#endif  // SEQGRAPH_BACKENDS_ONEDNN_KERNELS_H_
