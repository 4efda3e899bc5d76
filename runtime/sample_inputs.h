#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "graph/function.h"
#include "graph/model.h"
#include "runtime/compiled_function.h"

namespace seqgraph {

/// Writes the same pseudo-random elements into all inputs of `compiled`, whoever calls it: reals in
/// [0, 1), which are good labels too, and integers below IndexLimit (graph/function.h), 2 where
/// nothing tells. For measuring; the times of kernels that scatter depend on how often rows repeat.
void FillInputs(CompiledFunction& compiled, uint64_t seed = 1);

/// The variables that the function reads, with their content: what runs on them leaves `variables`
/// as it is. NotFound for one that is not there.
absl::StatusOr<VariableStore> CopyVariables(const Function& function,
                                            const VariableStore& variables);

}  // namespace seqgraph
