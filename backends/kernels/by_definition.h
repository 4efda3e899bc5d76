#ifndef SEQGRAPH_BACKENDS_KERNELS_BY_DEFINITION_H_
#define SEQGRAPH_BACKENDS_KERNELS_BY_DEFINITION_H_

#include <memory>

#include "absl/status/statusor.h"
#include "backends/kernels/kernel.h"

namespace seqgraph::kernels {

/// A kernel that is the op's own definition: for what is computed once a step, such as a power of
/// its number, where no loop of a backend's would be faster.
absl::StatusOr<std::unique_ptr<Kernel>> MakeByDefinition(const NodeContext& context);

}  // namespace seqgraph::kernels

#endif  // SEQGRAPH_BACKENDS_KERNELS_BY_DEFINITION_H_
