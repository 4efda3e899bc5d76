#include "backends/plugin/plugin_backend.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "backends/plugin/plugin_program.h"
#include "base/status_macros.h"

namespace seqgraph {
namespace {

// A node's answer as a claim. What the plugin says wrongly is a refusal that says so.
Claim Checked(const PluginTable& plugin, const absl::Status& status, const sg_claim& claim,
              int num_nodes) {
  if (!status.ok()) return Claim::No(ClaimReason::kUnknownOp, std::string(status.message()));
  const auto nonsense = [&plugin](const auto&... parts) {
    return Claim::No(ClaimReason::kUnknownOp, absl::StrCat(plugin.label, ": claim: ", parts...));
  };
  const std::string text = TextFromPlugin(claim.text, sizeof(claim.text));
  if (claim.reason < SG_CLAIMED || claim.reason > SG_BY_DEFINITION) {
    return nonsense("gives the reason ", claim.reason, ", which does not exist: ", text);
  }
  Claim yes = {static_cast<ClaimReason>(claim.reason), text, {}};
  if (!yes.claimed()) return yes;
  if (claim.num_together < 0 || claim.num_together > SG_CLAIM_TOGETHER) {
    return nonsense("names ", claim.num_together, " other nodes; at most ", SG_CLAIM_TOGETHER);
  }
  for (int i = 0; i < claim.num_together; ++i) {
    const int other = claim.together[i];
    if (other < 0 || other >= num_nodes) {
      return nonsense("names node ", other, " of ", num_nodes, " as the one it needs");
    }
    yes.together.push_back(other);
  }
  return yes;
}

sg_claim NewClaim() {
  sg_claim claim = {};
  claim.struct_size = sizeof(claim);
  return claim;
}

// What a crash is told to have been about: "function predict", "node hidden (Dense) of function
// predict".
std::string Place(const EncodedFunction* function, int node = -1) {
  if (function == nullptr) return "";
  return absl::StrCat(node < 0 ? "" : absl::StrCat(function->NodeLabel(node), " of "), "function ",
                      function->name());
}

FunctionClaim AskAtOnce(const PluginTable& plugin, const sg_function& function,
                        const EncodedFunction* named) {
  std::vector<sg_claim> answers(function.num_nodes, NewClaim());
  std::vector<sg_claim*> pointers;
  for (sg_claim& answer : answers) pointers.push_back(&answer);
  sg_function_claim claim = {sizeof(claim), pointers.data(), function.num_nodes, 0, nullptr};
  const std::string place = Place(named);
  const auto ask = [&](sg_status* status) {
    return plugin.table.claim_function(plugin.table.instance, &function, &claim, status);
  };
  const absl::Status status = CallPlugin(plugin.label, "claim_function", ask, place);
  FunctionClaim all;
  all.choice.reset(claim.choice,
                   [release = plugin.table.release_choice, label = plugin.label](void* choice) {
                     if (choice == nullptr || release == nullptr) return;
                     // A destructor has nobody to tell.
                     (void)CallPlugin(label, "release_choice", [&](sg_status*) -> int32_t {
                       release(choice);
                       return SG_OK;
                     });
                   });
  for (const sg_claim& answer : answers) {
    all.nodes.push_back(Checked(plugin, status, answer, function.num_nodes));
  }
  return all;
}

void DropUnmet(PluginClaims& all) {
  DropUnmetClaims(all.answer.nodes, [&all](int n) { return all.function->NodeLabel(n); });
}

// Prepares `nodes` and gives the program back at once: OK if the plugin can do it.
absl::Status TryPrepare(const PluginTable& plugin, const PluginClaims& all,
                        const std::vector<int>& nodes) {
  return PluginProgram::Prepare(plugin, all.function, all.answer.choice.get(), nodes,
                                std::vector<uint8_t>(all.function->view().num_values, 0),
                                /*threads=*/1)
      .status();
}

void BreakPromise(PluginClaims& all, int node, const absl::Status& status) {
  all.answer.nodes[node] =
      Claim::No(ClaimReason::kBrokenPromise,
                absl::StrCat("claimed, but cannot be prepared: ", status.message()));
  all.broken.push_back(node);
}

// The node and all that it needs, directly or not, ascending.
std::vector<int> Closure(const std::vector<Claim>& claims, int node) {
  std::set<int> closure = {node};
  std::vector<int> open = {node};
  while (!open.empty()) {
    const int n = open.back();
    open.pop_back();
    for (int other : claims[n].together) {
      if (closure.insert(other).second) open.push_back(other);
    }
  }
  return {closure.begin(), closure.end()};
}

}  // namespace

FunctionClaim AskPlugin(const PluginTable& plugin, const sg_function& function,
                        const EncodedFunction* named) {
  if (plugin.table.claim_function != nullptr) return AskAtOnce(plugin, function, named);
  FunctionClaim all;
  for (int n = 0; n < function.num_nodes; ++n) {
    sg_claim answer = NewClaim();
    const std::string place = Place(named, n);
    const auto ask = [&](sg_status* status) {
      return plugin.table.claim(plugin.table.instance, &function, n, &answer, status);
    };
    const absl::Status status = CallPlugin(plugin.label, "claim", ask, place);
    all.nodes.push_back(Checked(plugin, status, answer, function.num_nodes));
  }
  return all;
}

std::vector<int> PluginClaims::Claimed() const {
  std::vector<int> nodes;
  for (size_t n = 0; n < answer.nodes.size(); ++n) {
    if (answer.nodes[n].claimed()) nodes.push_back(static_cast<int>(n));
  }
  return nodes;
}

PluginClaims ClaimAll(const PluginTable& plugin, std::shared_ptr<const EncodedFunction> function) {
  PluginClaims all{.function = std::move(function)};
  all.answer = AskPlugin(plugin, all.function->view(), all.function.get());
  DropUnmet(all);
  std::vector<int> claimed = all.Claimed();
  if (claimed.empty() || TryPrepare(plugin, all, claimed).ok()) return all;
  // Find out which ones.
  const std::vector<Claim> before = all.answer.nodes;
  for (int n : claimed) {
    const absl::Status alone = TryPrepare(plugin, all, Closure(before, n));
    if (!alone.ok()) BreakPromise(all, n, alone);
  }
  DropUnmet(all);
  claimed = all.Claimed();
  if (claimed.empty()) return all;
  // Each of the rest works alone; if they do not work together, none of them can be relied on.
  const absl::Status rest = TryPrepare(plugin, all, claimed);
  for (int n : claimed) {
    if (!rest.ok()) BreakPromise(all, n, rest);
  }
  return all;
}

FunctionClaim PluginBackend::ClaimFunction(const Function& function) const {
  absl::StatusOr<std::shared_ptr<const EncodedFunction>> encoded =
      EncodedFunction::Encode(function, serialize_);
  if (!encoded.ok()) {
    return ClaimEach(function, [&encoded](int) {
      return Claim::No(ClaimReason::kUnknownOp, std::string(encoded.status().message()));
    });
  }
  auto all = std::make_shared<const PluginClaims>(ClaimAll(plugin_, *std::move(encoded)));
  return {all->answer.nodes, all};
}

absl::StatusOr<std::unique_ptr<Program>> PluginBackend::Prepare(
    const ProgramRequest& request) const {
  const auto* all = static_cast<const PluginClaims*>(request.claim->choice.get());
  if (all == nullptr) {
    return FailedPrecondition(plugin_.label,
                              ": claimed nothing of this function, and is asked to run it");
  }
  for (int n : request.nodes) {
    for (int other : all->answer.nodes[n].together) {
      if (std::binary_search(request.nodes.begin(), request.nodes.end(), other)) continue;
      return FailedPrecondition(plugin_.label, ": runs ", all->function->NodeLabel(n),
                                " only together with ", all->function->NodeLabel(other),
                                ", which is assigned to another backend: name ", plugin_.info.name,
                                " before that one");
    }
  }
  std::vector<uint8_t> may_be_private(request.may_be_opaque.begin(), request.may_be_opaque.end());
  return PluginProgram::Prepare(plugin_, all->function, all->answer.choice.get(), request.nodes,
                                std::move(may_be_private), request.threads);
}

}  // namespace seqgraph
