#pragma once

#include <map>
#include <string>

#include "absl/status/status.h"
#include "graph/function.h"

namespace seqgraph {

/// OK if both functions compute the same from the same: equal inputs by order, nodes of equal ops
/// with equal attributes and inputs, equal results by order and updates by name, and variables that
/// correspond by `variable_of` (names in `built` to names in `given`; absent: equal names). Names
/// of nodes and values do not count, nor does the order of nodes that do not depend on each other.
/// FailedPrecondition names the node of `given` where they part.
absl::Status CheckSameFunction(const Function& given, const Function& built,
                               const std::map<std::string, std::string>& variable_of);

}  // namespace seqgraph
