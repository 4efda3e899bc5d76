#include "runtime/claims.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace seqgraph {

absl::string_view ClaimReasonName(ClaimReason reason) {
  constexpr absl::string_view kNames[] = {"claimed",
                                          "unknown op",
                                          "unsupported type",
                                          "unsupported shape",
                                          "unsupported attribute",
                                          "needs another node",
                                          "broken promise",
                                          "by definition"};
  return kNames[static_cast<int>(reason)];
}

FunctionClaim ClaimEach(const Function& function, absl::FunctionRef<Claim(int node)> claim) {
  FunctionClaim claims;
  claims.nodes.reserve(function.nodes().size());
  for (size_t n = 0; n < function.nodes().size(); ++n) {
    claims.nodes.push_back(claim(static_cast<int>(n)));
  }
  return claims;
}

void DropUnmetClaims(std::vector<Claim>& claims, absl::FunctionRef<std::string(int node)> label) {
  const int size = static_cast<int>(claims.size());
  std::vector<std::vector<int>> needed_by(size);
  std::vector<int> refused;  // whose needers are still to be told
  for (int n = 0; n < size; ++n) {
    if (!claims[n].claimed()) {
      refused.push_back(n);
      continue;
    }
    for (const int other : claims[n].together) {
      if (other >= 0 && other < size) {
        needed_by[other].push_back(n);
        continue;
      }
      claims[n] =
          Claim::No(ClaimReason::kNeedsOtherNode,
                    absl::StrCat("runs only together with node ", other, ", which is not there"));
      refused.push_back(n);
      break;
    }
  }
  for (size_t i = 0; i < refused.size(); ++i) {
    const int gone = refused[i];
    for (const int n : needed_by[gone]) {
      if (!claims[n].claimed()) continue;
      claims[n] = Claim::No(ClaimReason::kNeedsOtherNode,
                            absl::StrCat("runs only together with ", label(gone),
                                         ", which it does not get: ", claims[gone].text));
      refused.push_back(n);
    }
  }
}

}  // namespace seqgraph
