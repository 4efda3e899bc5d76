#ifndef SEQGRAPH_BACKENDS_PLUGIN_PLUGIN_BACKEND_H_
#define SEQGRAPH_BACKENDS_PLUGIN_PLUGIN_BACKEND_H_

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "backends/plugin/encoded_function.h"
#include "backends/plugin/plugin_table.h"
#include "runtime/backend.h"

namespace seqgraph {

/// What a plugin claims of one function.
struct PluginClaims {
  std::vector<Claim> claims;               ///< one for each node
  std::vector<std::vector<int>> together;  ///< for each node those that it needs beside it
  std::vector<int> broken;                 ///< nodes that were claimed and cannot be prepared
};

/// Asks a plugin for every node of a function and holds it to the answers: a claim that needs a
/// node which is not claimed is void, and all that is claimed is prepared once for a trial. A node
/// that was claimed and cannot be prepared is refused, with a text that says so.
PluginClaims ClaimAll(const PluginTable& plugin, const EncodedFunction& function);

/// Prepares `nodes` and gives the program back at once: OK if the plugin can do it.
absl::Status TryPrepare(const PluginTable& plugin, const EncodedFunction& function,
                        absl::Span<const int> nodes);

/// A plugin as a backend like any other. Whatever the plugin returns or throws becomes a status
/// that names the plugin; a plugin that crashes or hangs has to be found out before, in a process
/// of its own (plugin_probe.h).
class PluginBackend : public Backend {
 public:
  PluginBackend(PluginTable plugin, FunctionSerializer serialize)
      : plugin_(std::move(plugin)), serialize_(std::move(serialize)) {}

  const BackendInfo& info() const override { return plugin_.info; }
  const PluginTable& plugin() const { return plugin_; }

  Claim ClaimNode(const Function& function, int node) const override;
  /// FailedPrecondition if a node was claimed only together with one that is not among those
  /// requested.
  absl::StatusOr<std::unique_ptr<Program>> Prepare(const ProgramRequest& request) const override;

 private:
  using Claims = std::shared_ptr<const PluginClaims>;
  Claims ClaimsOf(const EncodedFunction& function) const;

  const PluginTable plugin_;
  const FunctionSerializer serialize_;
  struct Remembered {
    std::string bytes;
    Claims claims;
  };
  mutable std::mutex mutex_;
  mutable std::vector<Remembered> remembered_;  // Answers for the last functions, newest last.
};

}  // namespace seqgraph

#endif  // SEQGRAPH_BACKENDS_PLUGIN_PLUGIN_BACKEND_H_
