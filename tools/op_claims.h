#pragma once

#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "graph/op_registry.h"
#include "runtime/backend.h"

namespace seqgraph::tools {

/// What a backend says to the examples and a number of random uses of an op, in float32.
struct OpClaims {
  const OpDef* op = nullptr;
  int uses = 0;
  int claimed = 0;
  int kernels = 0;  ///< of those claimed, the ones that do not run by definition
  /// Of refusals and of missing kernels, each once, in the order they came up.
  std::vector<std::string> reasons;
};

/// One for each op of the registry: asked for, not looked up in a list that could be wrong. A use
/// stands alone in its function, so an op that a backend runs only beside another is refused here
/// with that reason.
absl::StatusOr<std::vector<OpClaims>> ClaimsOfAllOps(const Backend& backend,
                                                     const OpRegistry& registry);

/// The names of the ops of which it has a kernel for some use.
absl::StatusOr<std::set<std::string>> OpsWithKernels(const Backend& backend,
                                                     const OpRegistry& registry);

}  // namespace seqgraph::tools
