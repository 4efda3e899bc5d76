#pragma once

// What a backend says when it is asked which nodes of a function it can run.

#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "graph/function.h"

namespace seqgraph {

/// Why a backend does not take a node, or how it does.
enum class ClaimReason {
  kClaimed,
  kUnknownOp,             ///< the op, or its version, is not implemented
  kUnsupportedType,       ///< an element type
  kUnsupportedShape,      ///< extents or rank
  kUnsupportedAttribute,  ///< an attribute's value
  kNeedsOtherNode,        ///< only together with a node that is not there (a gradient without its
                          ///< forward node)
  kBrokenPromise,         ///< claimed at first, but then Prepare refuses it: the backend is faulty
  kByDefinition,          ///< claimed, with nothing faster than the op's own definition
};

/// "unknown op", "unsupported shape", ...
absl::string_view ClaimReasonName(ClaimReason reason);

struct Claim {
  ClaimReason reason = ClaimReason::kClaimed;
  std::string text;  ///< for people: what is missing, if only a kernel
  /// Other nodes, of a group that runs as one kernel, or the forward node of a gradient: the claim
  /// holds only if all of them go to this backend too.
  std::vector<int> together = {};

  bool claimed() const { return has_kernel() || reason == ClaimReason::kByDefinition; }
  bool has_kernel() const { return reason == ClaimReason::kClaimed; }
  static Claim Yes() { return {}; }
  static Claim No(ClaimReason reason, std::string text) { return {reason, std::move(text), {}}; }
};

/// What a backend says of a whole function.
struct FunctionClaim {
  std::vector<Claim> nodes;  ///< one for each node of the function
  /// The backend's own: what it found out on the way (which kernel is to run which node), so that
  /// Prepare need not do it again. Holds nothing of the function by address.
  std::shared_ptr<const void> choice = nullptr;
};

/// The answer of a backend that looks at one node after the other.
FunctionClaim ClaimEach(const Function& function, absl::FunctionRef<Claim(int node)> claim);

/// Takes back claims that need a node which is not claimed, until all that are left hold, with
/// `label` (of a node) to name it. Each claim and each of its needs is looked at once.
void DropUnmetClaims(std::vector<Claim>& claims, absl::FunctionRef<std::string(int node)> label);

}  // namespace seqgraph
