#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "backends/plugin/encoded_function.h"
#include "backends/plugin/plugin_table.h"
#include "runtime/backend.h"

namespace seqgraph {

/// What a plugin says of a function: asked once for all nodes (sg_backend::claim_function), or for
/// one after the other if it is of version 1. What it says wrongly is a refusal that says so. The
/// choice is what it left for prepare, and is given back to it with the last copy.
FunctionClaim AskPlugin(const PluginTable& plugin, const sg_function& function,
                        const EncodedFunction* named = nullptr);

/// What a plugin is held to.
struct PluginClaims {
  std::shared_ptr<const EncodedFunction> function;
  FunctionClaim answer;
  std::vector<int> broken;  ///< nodes that were claimed and cannot be prepared

  std::vector<int> Claimed() const;
};

/// AskPlugin, and holds it to the answers: a claim that needs a node which is not claimed is void,
/// and all that is claimed is prepared once for a trial. A node that was claimed and cannot be
/// prepared is refused, with a text that says so.
PluginClaims ClaimAll(const PluginTable& plugin, std::shared_ptr<const EncodedFunction> function);

/// A plugin as a backend like any other. Whatever the plugin returns or throws becomes a status
/// that names the plugin; a plugin that crashes or hangs has to be found out before, in a process
/// of its own (plugin_probe.h).
class PluginBackend : public Backend {
 public:
  PluginBackend(PluginTable plugin, FunctionSerializer serialize)
      : plugin_(std::move(plugin)), serialize_(std::move(serialize)) {}

  const BackendInfo& info() const override { return plugin_.info; }
  const PluginTable& plugin() const { return plugin_; }

  /// Serializes the function once, for the claim and for Prepare.
  FunctionClaim ClaimFunction(const Function& function) const override;
  /// FailedPrecondition if a node was claimed only together with one that is not among those
  /// requested.
  absl::StatusOr<std::unique_ptr<Program>> Prepare(const ProgramRequest& request) const override;

 private:
  const PluginTable plugin_;
  const FunctionSerializer serialize_;
};

}  // namespace seqgraph
