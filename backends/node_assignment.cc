#include "backends/node_assignment.h"

#include "absl/strings/str_cat.h"

namespace seqgraph {

absl::StatusOr<std::vector<int>> AssignNodes(const Function& function,
                                             absl::Span<const Backend* const> backends) {
  if (backends.empty()) return absl::InvalidArgumentError("no backend is given");
  std::vector<int> assignment(function.nodes().size(), -1);
  std::string refused;
  for (size_t n = 0; n < function.nodes().size(); ++n) {
    const Node& node = function.nodes()[n];
    std::string reasons;
    for (size_t b = 0; b < backends.size() && assignment[n] < 0; ++b) {
      const Claim claim = backends[b]->ClaimNode(function, static_cast<int>(n));
      if (claim.claimed()) {
        assignment[n] = static_cast<int>(b);
      } else {
        absl::StrAppend(&reasons, "\n    ", backends[b]->info().name, ": ",
                        ClaimReasonName(claim.reason), ": ", claim.text);
      }
    }
    if (assignment[n] < 0) {
      absl::StrAppend(&refused, "\n  ", node.name, " (", node.op->name(), ")", reasons);
    }
  }
  if (refused.empty()) return assignment;
  return absl::InvalidArgumentError(absl::StrCat("function ", function.name(),
                                                 ": no chosen backend runs these nodes; name "
                                                 "another one to run them as well:",
                                                 refused));
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
