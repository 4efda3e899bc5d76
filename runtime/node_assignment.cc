#include "runtime/node_assignment.h"

#include <string>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace seqgraph {
namespace {

std::string Label(const Function& function, int n) {
  const Node& node = function.nodes()[n];
  return absl::StrCat(node.name, " (", node.op->name(), ")");
}

// The claims of one backend on the nodes of `wanted`, without those that need a node which it does
// not get. What it has of `assignment` already stays claimed.
class BackendClaims {
 public:
  BackendClaims(const Function& function, const Backend& backend, int index,
                const std::vector<int>& assignment, const std::vector<bool>& wanted)
      : function_(function), claims_(assignment.size(), Taken()) {
    for (size_t n = 0; n < claims_.size(); ++n) {
      if (assignment[n] == index) claims_[n] = Claim::Yes();
      if (wanted[n]) claims_[n] = backend.ClaimNode(function, static_cast<int>(n));
    }
    // One claim that falls can let others fall.
    while (DropOne()) {
    }
  }

  const Claim& operator[](size_t n) const { return claims_[n]; }

 private:
  static Claim Taken() {
    return Claim::No(ClaimReason::kNeedsOtherNode, "it goes to a backend that was named before");
  }

  bool DropOne() {
    for (Claim& claim : claims_) {
      if (!claim.claimed()) continue;
      for (int other : claim.together) {
        const bool exists = other >= 0 && other < static_cast<int>(claims_.size());
        if (exists && claims_[other].claimed()) continue;
        claim = Claim::No(
            ClaimReason::kNeedsOtherNode,
            exists ? absl::StrCat("runs only together with ", Label(function_, other),
                                  ", which it does not get: ", claims_[other].text)
                   : absl::StrCat("runs only together with node ", other, ", which is not there"));
        return true;
      }
    }
    return false;
  }

  const Function& function_;
  std::vector<Claim> claims_;
};

// For each node the index of the backend that it prefers; -1: none of those there are.
std::vector<int> PreferredBackends(const Function& function,
                                   absl::Span<const Backend* const> backends,
                                   const BackendPreferences& preferences) {
  std::vector<int> preferred(function.nodes().size(), -1);
  for (size_t n = 0; n < preferred.size(); ++n) {
    const auto preference = preferences.find(function.nodes()[n].name);
    if (preference == preferences.end()) continue;
    for (size_t b = 0; b < backends.size(); ++b) {
      if (backends[b]->info().name == preference->second) preferred[n] = static_cast<int>(b);
    }
  }
  return preferred;
}

absl::Status NobodyRuns(const Function& function, const std::vector<int>& assignment,
                        const std::vector<std::string>& reasons) {
  std::string refused;
  for (size_t n = 0; n < assignment.size(); ++n) {
    if (assignment[n] >= 0) continue;
    absl::StrAppend(&refused, "\n  ", Label(function, static_cast<int>(n)), reasons[n]);
  }
  if (refused.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("function ", function.name(),
                                                 ": no chosen backend runs these nodes; name "
                                                 "another one to run them as well:",
                                                 refused));
}

}  // namespace

absl::StatusOr<std::vector<int>> AssignNodes(const Function& function,
                                             absl::Span<const Backend* const> backends,
                                             const BackendPreferences& preferences) {
  if (backends.empty()) return absl::InvalidArgumentError("no backend is given");
  const std::vector<int> preferred = PreferredBackends(function, backends, preferences);
  std::vector<int> assignment(function.nodes().size(), -1);
  std::vector<std::string> reasons(assignment.size());
  std::vector<bool> wanted(assignment.size());
  // Each backend is first asked for the nodes that prefer it, then for all that are still free.
  for (const bool only_preferred : {true, false}) {
    for (int b = 0; b < static_cast<int>(backends.size()); ++b) {
      for (size_t n = 0; n < wanted.size(); ++n) {
        wanted[n] = assignment[n] < 0 && (!only_preferred || preferred[n] == b);
      }
      if (absl::c_none_of(wanted, [](bool w) { return w; })) continue;
      const BackendClaims claims(function, *backends[b], b, assignment, wanted);
      for (size_t n = 0; n < assignment.size(); ++n) {
        if (!wanted[n]) continue;
        if (claims[n].claimed()) {
          assignment[n] = b;
        } else if (!only_preferred) {
          absl::StrAppend(&reasons[n], "\n    ", backends[b]->info().name, ": ",
                          ClaimReasonName(claims[n].reason), ": ", claims[n].text);
        }
      }
    }
  }
  SEQ_RETURN_IF_ERROR(NobodyRuns(function, assignment, reasons));
  return assignment;
}

absl::StatusOr<std::vector<int>> RankAssignment(const Function& function,
                                                absl::Span<const Backend* const> backends,
                                                const BackendPreferences& preferences) {
  SEQ_ASSIGN_OR_RETURN(std::vector<int> ranks, AssignNodes(function, backends, preferences));
  const std::vector<int> preferred = PreferredBackends(function, backends, preferences);
  const int elsewhere = static_cast<int>(backends.size());
  for (size_t n = 0; n < ranks.size(); ++n) {
    if (preferred[n] >= 0) ranks[n] = ranks[n] == preferred[n] ? 0 : elsewhere;
  }
  return ranks;
}

std::vector<bool> PrivateValues(const Function& function, absl::Span<const int> assignment,
                                int backend) {
  std::vector<bool> is_private(function.values().size(), false);
  const std::vector<std::vector<int>> consumers = function.Consumers();
  for (size_t v = 0; v < is_private.size(); ++v) {
    const ValueInfo& info = function.values()[v];
    bool own = info.origin == Origin::kNode && assignment[info.source] == backend;
    for (int reader : consumers[v]) own = own && assignment[reader] == backend;
    is_private[v] = own;
  }
  for (const NamedValue& result : function.results()) is_private[result.value.index] = false;
  for (const NamedValue& update : function.updates()) is_private[update.value.index] = false;
  return is_private;
}

}  // namespace seqgraph
