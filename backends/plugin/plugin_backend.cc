#include "backends/plugin/plugin_backend.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "backends/plugin/plugin_program.h"
#include "base/status_macros.h"

namespace seqgraph {
namespace {

// Training and validation, whole and partial batches, with and without rewrites.
constexpr size_t kRememberedFunctions = 16;

std::vector<uint8_t> NothingPrivate(const EncodedFunction& function) {
  return std::vector<uint8_t>(function.view().num_values, 0);
}

std::shared_ptr<const EncodedFunction> Borrow(const EncodedFunction& function) {
  return std::shared_ptr<const EncodedFunction>(std::shared_ptr<void>(), &function);
}

// Asks for one node. What the plugin says wrongly is a refusal that says so.
Claim AskOne(const PluginTable& plugin, const EncodedFunction& function, int node,
             std::vector<int>& together) {
  sg_claim claim = {};
  claim.struct_size = sizeof(claim);
  const absl::Status status = CallPlugin(plugin.label, "claim", [&](sg_status* status) {
    return plugin.table.claim(plugin.table.instance, &function.view(), node, &claim, status);
  });
  if (!status.ok()) {
    return Claim::No(ClaimReason::kUnknownOp, std::string(status.message()));
  }
  const std::string text = TextFromPlugin(claim.text, sizeof(claim.text));
  if (claim.reason < SG_CLAIMED || claim.reason > SG_BROKEN_PROMISE) {
    return Claim::No(ClaimReason::kUnknownOp,
                     absl::StrCat(plugin.label, ": claim: gives the reason ", claim.reason,
                                  ", which does not exist: ", text));
  }
  if (claim.reason != SG_CLAIMED) return Claim::No(static_cast<ClaimReason>(claim.reason), text);
  if (claim.num_together < 0 || claim.num_together > SG_CLAIM_TOGETHER) {
    return Claim::No(ClaimReason::kUnknownOp,
                     absl::StrCat(plugin.label, ": claim: names ", claim.num_together,
                                  " other nodes; at most ", SG_CLAIM_TOGETHER));
  }
  for (int i = 0; i < claim.num_together; ++i) {
    const int other = claim.together[i];
    if (other < 0 || other >= function.num_nodes()) {
      return Claim::No(ClaimReason::kUnknownOp,
                       absl::StrCat(plugin.label, ": claim: names node ", other, " of ",
                                    function.num_nodes(), " as the one it needs"));
    }
    together.push_back(other);
  }
  return Claim::Yes();
}

// Takes back claims that need a node which is not claimed, until all that are left hold.
void DropLonely(const EncodedFunction& function, PluginClaims& claims) {
  for (bool changed = true; changed;) {
    changed = false;
    for (int n = 0; n < function.num_nodes(); ++n) {
      if (!claims.claims[n].claimed()) continue;
      for (int other : claims.together[n]) {
        const Claim& needed = claims.claims[other];
        if (needed.claimed()) continue;
        claims.claims[n] =
            Claim::No(ClaimReason::kNeedsOtherNode,
                      absl::StrCat("runs only together with ", function.NodeLabel(other),
                                   ", which is refused: ", needed.text));
        changed = true;
        break;
      }
    }
  }
}

std::vector<int> Claimed(const PluginClaims& claims) {
  std::vector<int> nodes;
  for (size_t n = 0; n < claims.claims.size(); ++n) {
    if (claims.claims[n].claimed()) nodes.push_back(static_cast<int>(n));
  }
  return nodes;
}

void BreakPromise(PluginClaims& claims, int node, const absl::Status& status) {
  claims.claims[node] =
      Claim::No(ClaimReason::kBrokenPromise,
                absl::StrCat("claimed, but cannot be prepared: ", status.message()));
  claims.broken.push_back(node);
}

// The node and all that it needs, directly or not, ascending.
std::vector<int> Closure(const PluginClaims& claims, int node) {
  std::set<int> closure = {node};
  std::vector<int> open = {node};
  while (!open.empty()) {
    const int n = open.back();
    open.pop_back();
    for (int other : claims.together[n]) {
      if (closure.insert(other).second) open.push_back(other);
    }
  }
  return {closure.begin(), closure.end()};
}

}  // namespace

absl::Status TryPrepare(const PluginTable& plugin, const EncodedFunction& function,
                        absl::Span<const int> nodes) {
  return PluginProgram::Prepare(plugin, Borrow(function), nodes, NothingPrivate(function),
                                /*threads=*/1)
      .status();
}

PluginClaims ClaimAll(const PluginTable& plugin, const EncodedFunction& function) {
  PluginClaims all;
  all.together.resize(function.num_nodes());
  for (int n = 0; n < function.num_nodes(); ++n) {
    all.claims.push_back(AskOne(plugin, function, n, all.together[n]));
  }
  DropLonely(function, all);
  std::vector<int> claimed = Claimed(all);
  if (claimed.empty() || TryPrepare(plugin, function, claimed).ok()) return all;
  // Find out which ones.
  for (int n : claimed) {
    const absl::Status alone = TryPrepare(plugin, function, Closure(all, n));
    if (!alone.ok()) BreakPromise(all, n, alone);
  }
  DropLonely(function, all);
  claimed = Claimed(all);
  if (claimed.empty()) return all;
  // Each of the rest works alone; if they do not work together, none of them can be relied on.
  const absl::Status rest = TryPrepare(plugin, function, claimed);
  for (int n : claimed) {
    if (!rest.ok()) BreakPromise(all, n, rest);
  }
  return all;
}

PluginBackend::Claims PluginBackend::ClaimsOf(const EncodedFunction& function) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const Remembered& known : remembered_) {
    if (known.bytes == function.bytes()) return known.claims;
  }
  Claims claims = std::make_shared<const PluginClaims>(ClaimAll(plugin_, function));
  if (remembered_.size() == kRememberedFunctions) remembered_.erase(remembered_.begin());
  remembered_.push_back({function.bytes(), claims});
  return claims;
}

Claim PluginBackend::ClaimNode(const Function& function, int node) const {
  absl::StatusOr<std::shared_ptr<const EncodedFunction>> encoded =
      EncodedFunction::Encode(function, serialize_);
  if (!encoded.ok()) {
    return Claim::No(ClaimReason::kUnknownOp, std::string(encoded.status().message()));
  }
  const Claims claims = ClaimsOf(**encoded);
  Claim claim = claims->claims[node];
  if (claim.claimed()) claim.together = claims->together[node];
  return claim;
}

namespace {

// A program of a plugin behind the interface that all backends have.
class AdaptedProgram : public Program {
 public:
  explicit AdaptedProgram(std::unique_ptr<PluginProgram> program) : program_(std::move(program)) {
    for (const PluginProgram::PrivateBytes& entry : program_->private_bytes()) {
      private_storage_.push_back({Value{entry.value}, entry.bytes});
    }
  }
  std::string implementation(int node) const override {
    return program_->call(node).implementation;
  }
  int64_t scratch_bytes(int node) const override { return program_->call(node).scratch_bytes; }
  int64_t persistent_bytes() const override { return program_->persistent_bytes(); }
  std::vector<PrivateStorage> private_storage() const override { return private_storage_; }
  absl::Status Begin() override { return program_->Begin(); }
  void End() override { program_->End(); }
  absl::Status Run(int node, const KernelArgs& args) override {
    return program_->Run(node, args.inputs, args.outputs, args.versions, args.scratch,
                         args.persistent);
  }

 private:
  const std::unique_ptr<PluginProgram> program_;
  std::vector<PrivateStorage> private_storage_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Program>> PluginBackend::Prepare(
    const ProgramRequest& request) const {
  SEQ_ASSIGN_OR_RETURN(std::shared_ptr<const EncodedFunction> encoded,
                       EncodedFunction::Encode(*request.function, serialize_));
  const Claims claims = ClaimsOf(*encoded);
  for (int n : request.nodes) {
    for (int other : claims->together[n]) {
      if (std::binary_search(request.nodes.begin(), request.nodes.end(), other)) continue;
      return absl::FailedPreconditionError(
          absl::StrCat(plugin_.label, ": runs ", encoded->NodeLabel(n), " only together with ",
                       encoded->NodeLabel(other), ", which is assigned to another backend: name ",
                       plugin_.info.name, " before that one"));
    }
  }
  std::vector<uint8_t> may_be_private(request.may_be_private.begin(), request.may_be_private.end());
  SEQ_ASSIGN_OR_RETURN(std::unique_ptr<PluginProgram> program,
                       PluginProgram::Prepare(plugin_, std::move(encoded), request.nodes,
                                              std::move(may_be_private), request.threads));
  return std::make_unique<AdaptedProgram>(std::move(program));
}

}  // namespace seqgraph
