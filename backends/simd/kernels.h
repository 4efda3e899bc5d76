#ifndef SEQGRAPH_BACKENDS_SIMD_KERNELS_H_
#define SEQGRAPH_BACKENDS_SIMD_KERNELS_H_

#include "absl/types/span.h"
#include "backends/simd/kernel.h"

namespace seqgraph::simd {

/// All kernels, in order of preference among those of one op.
absl::Span<const KernelDef> Kernels();

}  // namespace seqgraph::simd

#endif  // SEQGRAPH_BACKENDS_SIMD_KERNELS_H_
