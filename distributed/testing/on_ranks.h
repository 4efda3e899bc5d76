#pragma once

#include <functional>

#include "distributed/communicator.h"

namespace seqgraph {

/// Calls `body` on so many ranks, a thread each, and returns when all have.
void OnRanks(int size, const std::function<void(Communicator&)>& body);

}  // namespace seqgraph
