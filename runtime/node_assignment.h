#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "graph/function.h"
#include "runtime/backend.h"

namespace seqgraph {

/// For nodes, by name, the name of the backend that is asked before all others.
using BackendPreferences = std::map<std::string, std::string>;

/// Which backend runs which node.
struct Assignment {
  std::vector<int> backend_of;  ///< for each node an index into the list of backends
  /// For each backend its answer, for Prepare; empty for one that was not asked, because those
  /// before it took everything.
  std::vector<FunctionClaim> claims;

  /// The nodes of a backend, ascending.
  std::vector<int> NodesOf(int backend) const;
  /// The nodes beside which node n runs only.
  const std::vector<int>& together(int n) const { return claims[backend_of[n]].nodes[n].together; }
};

/// Gives each node to the first backend that claims it; a node of `preferences` goes to its own
/// backend if that claims it. A claim that needs other nodes beside it (Claim::together) holds only
/// if these go to the same backend: a group is assigned whole or not at all. Asks each backend once
/// at most. InvalidArgument, listing every node that none claims with each backend's reason.
absl::StatusOr<Assignment> AssignNodes(const Function& function,
                                       absl::Span<const Backend* const> backends,
                                       const BackendPreferences& preferences = {});

/// AssignNodes, for passes that must not drive a node away from where it should be (NodeOwners in
/// graph/pass.h): for each node that prefers a backend 0 if it goes there and more than all others
/// if not, for any other the index of its backend; more than all others too where that has no
/// kernel for it.
absl::StatusOr<std::vector<int>> RankAssignment(const Function& function,
                                                absl::Span<const Backend* const> backends,
                                                const BackendPreferences& preferences = {});

/// For each value: true if a node of `assignment` == `backend` computes it, only such nodes read
/// it, and it is neither result nor update.
std::vector<bool> OpaqueValues(const Function& function, absl::Span<const int> assignment,
                               int backend);

}  // namespace seqgraph
