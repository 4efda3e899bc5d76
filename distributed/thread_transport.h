#pragma once

// Ranks as threads of one process: for tests, and for who has no MPI.

#include <memory>
#include <vector>

#include "distributed/transport.h"

namespace seqgraph {

/// One transport for each of so many ranks, which exchange bytes by copying them. They may be used
/// by a thread each, at the same time. When one is destroyed, whoever waits for its rank gets
/// Unavailable, which names it.
std::vector<std::unique_ptr<Transport>> ThreadTransports(int size);

}  // namespace seqgraph
