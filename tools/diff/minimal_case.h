#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "graph/op_registry.h"
#include "serialization/graph_test_case.h"
#include "tools/diff/lockstep.h"

namespace seqgraph::diff {

/// A graph test case that fails on the second backend and passes on the first.
struct MinimalCase {
  GraphTestCase test;
  std::vector<int> nodes;  ///< of the function, in order; the last one is compared
  bool two_calls = false;  ///< fails only in a second call with changed variables
  int64_t elements = 0;    ///< of all inputs and variables together
};

/// Looks for the smallest case that shows the fault, in this order: each node of its group alone on
/// the values of the first backend; the same in two calls, with the variables of the step before
/// and then those of this one; the node with more and more of the nodes that it depends on. What
/// shows it is shrunk: extents that are equal are taken for one and made as small as the fault
/// allows. Expected are the values in double, allowed are NodeBounds; a case of a write outside of
/// a buffer has guards. Nothing if none of these shows the fault: then it needs the whole function.
absl::StatusOr<std::optional<MinimalCase>> FindMinimalCase(const LockstepResult& result,
                                                           const OpRegistry& registry,
                                                           const LockstepOptions& options,
                                                           const std::string& source);

}  // namespace seqgraph::diff
