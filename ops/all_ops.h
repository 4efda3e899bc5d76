#pragma once

#include "absl/status/status.h"
#include "graph/op_registry.h"

namespace seqgraph {

/// Registers every op of this folder. Fails only where one of them is in the registry already.
absl::Status RegisterAllOps(OpRegistry& registry);

/// A registry with every op of this folder and no other; it lives as long as the program.
const OpRegistry& AllOps();

}  // namespace seqgraph
