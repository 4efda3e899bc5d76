#include "runtime/node_assignment.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "graph/op_def.h"

namespace seqgraph {
namespace {

std::string Label(const Function& function, int n) {
  const Node& node = function.nodes()[n];
  return absl::StrCat(node.name, " (", node.op->name(), ")");
}

// Of one backend's answer what it can have: the nodes of `wanted`, beside those of `backend_of`
// that are its own already, without claims that need a node which it does not get.
std::vector<Claim> ClaimsOn(const Function& function, const FunctionClaim& answer, int index,
                            const std::vector<int>& backend_of, const std::vector<bool>& wanted) {
  const Claim taken =
      Claim::No(ClaimReason::kNeedsOtherNode, "it goes to a backend that was named before");
  std::vector<Claim> claims;
  for (size_t n = 0; n < backend_of.size(); ++n) {
    if (wanted[n]) {
      claims.push_back(answer.nodes[n]);
    } else if (backend_of[n] == index) {
      claims.push_back(Claim::Yes());
    } else {
      claims.push_back(taken);
    }
  }
  DropUnmetClaims(claims, [&function](int n) { return Label(function, n); });
  return claims;
}

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
  return InvalidArgument("function ", function.name(),
                         ": no chosen backend runs these nodes; name "
                         "another one to run them as well:",
                         refused);
}

}  // namespace

std::vector<int> Assignment::NodesOf(int backend) const {
  std::vector<int> nodes;
  for (size_t n = 0; n < backend_of.size(); ++n) {
    if (backend_of[n] == backend) nodes.push_back(static_cast<int>(n));
  }
  return nodes;
}

absl::StatusOr<Assignment> AssignNodes(const Function& function,
                                       absl::Span<const Backend* const> backends,
                                       const BackendPreferences& preferences) {
  if (backends.empty()) return InvalidArgument("no backend is given");
  const std::vector<int> preferred = PreferredBackends(function, backends, preferences);
  Assignment assignment;
  std::vector<int>& backend_of = assignment.backend_of;
  backend_of.assign(function.nodes().size(), -1);
  assignment.claims.resize(backends.size());
  std::vector<std::string> reasons(backend_of.size());
  std::vector<bool> wanted(backend_of.size());
  // Each backend is first given the nodes that prefer it, then all that are still free.
  for (const bool only_preferred : {true, false}) {
    for (int b = 0; b < static_cast<int>(backends.size()); ++b) {
      for (size_t n = 0; n < wanted.size(); ++n) {
        wanted[n] = backend_of[n] < 0 && (!only_preferred || preferred[n] == b);
      }
      if (absl::c_none_of(wanted, [](bool w) { return w; })) continue;
      FunctionClaim& answer = assignment.claims[b];
      if (answer.nodes.empty()) answer = backends[b]->ClaimFunction(function);
      if (answer.nodes.size() != backend_of.size()) {
        return Internal("backend ", backends[b]->info().name, " answers for ", answer.nodes.size(),
                        " of the ", backend_of.size(), " nodes of function ", function.name());
      }
      const std::vector<Claim> claims = ClaimsOn(function, answer, b, backend_of, wanted);
      for (size_t n = 0; n < backend_of.size(); ++n) {
        if (!wanted[n]) continue;
        if (claims[n].claimed()) {
          backend_of[n] = b;
        } else if (!only_preferred) {
          absl::StrAppend(&reasons[n], "\n    ", backends[b]->info().name, ": ",
                          ClaimReasonName(claims[n].reason), ": ", claims[n].text);
        }
      }
    }
  }
  SEQ_RETURN_IF_ERROR(NobodyRuns(function, backend_of, reasons));
  return assignment;
}

absl::StatusOr<std::vector<int>> RankAssignment(const Function& function,
                                                absl::Span<const Backend* const> backends,
                                                const BackendPreferences& preferences) {
  SEQ_ASSIGN_OR_RETURN(const Assignment assignment, AssignNodes(function, backends, preferences));
  std::vector<int> ranks = assignment.backend_of;
  const std::vector<int> preferred = PreferredBackends(function, backends, preferences);
  const int elsewhere = static_cast<int>(backends.size());
  for (size_t n = 0; n < ranks.size(); ++n) {
    const bool slow = !assignment.claims[ranks[n]].nodes[n].has_kernel();
    if (preferred[n] >= 0) ranks[n] = ranks[n] == preferred[n] ? 0 : elsewhere;
    if (slow) ranks[n] = elsewhere;
  }
  return ranks;
}

std::vector<bool> OpaqueValues(const Function& function, absl::Span<const int> assignment,
                               int backend) {
  std::vector<bool> is_opaque(function.values().size(), false);
  const std::vector<std::vector<int>>& consumers = function.Consumers();
  for (size_t v = 0; v < is_opaque.size(); ++v) {
    const ValueInfo& info = function.values()[v];
    bool own = info.origin == Origin::kNode && assignment[info.source] == backend;
    for (int reader : consumers[v]) own = own && assignment[reader] == backend;
    is_opaque[v] = own;
  }
  for (const NamedValue& result : function.results()) is_opaque[result.value.index] = false;
  for (const NamedValue& update : function.updates()) is_opaque[update.value.index] = false;
  return is_opaque;
}

}  // namespace seqgraph
