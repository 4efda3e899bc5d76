#pragma once

#include <memory>

#include "runtime/backend.h"

namespace seqgraph {

/// Runs each op's own reference computation, in float32 or float64 as the function says: the
/// meaning of every op, and the oracle for the other backends. Claims every node.
std::unique_ptr<Backend> MakeReferenceBackend();

}  // namespace seqgraph
