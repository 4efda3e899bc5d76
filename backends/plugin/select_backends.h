#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "backends/plugin/encoded_function.h"
#include "backends/plugin/plugin_loader.h"
#include "backends/plugin/plugin_probe.h"
#include "runtime/backend_registry.h"

namespace seqgraph {

struct PluginOptions {
  /// Must outlive what is selected.
  const BackendRegistry* built_in = nullptr;
  FunctionSerializer serialize;
  /// Folders with ':' between them, in which names are looked up.
  std::string search_path = PluginSearchPath();
  /// Try each plugin in a process of its own before it is loaded into this one.
  bool probe = true;
  ProbeOptions probe_options;
  /// What the probe lets the plugin claim and prepare: what is about to be run, for every batch.
  std::vector<std::shared_ptr<const EncodedFunction>> functions;
};

/// The backends that a run uses. Moves; what is compiled with it must not outlive it.
struct BackendSelection {
  BackendRegistry registry;        ///< of just these
  std::string names;               ///< for BackendRegistry::ParseList, in the user's order
  std::vector<std::string> notes;  ///< what the user should know: one line each
  /// Each node is to run where it is measured to be fastest, whatever the order.
  bool by_measuring = false;
};

/// What --backend names, separated by ','. Each is a path, if there is a '/' in it, or the name of
/// a built-in backend, or the NAME of a file libNAME.so in the search path, whose backend must call
/// itself NAME. Never a file in the current folder, unless as ./libNAME.so.
///
/// A plugin given by its path keeps its own name, also if a built-in backend has the same; a note
/// then says which one runs. InvalidArgument: an empty list, two of one name. NotFound: nothing of
/// that name, with the names that there are. FailedPrecondition: several of that name in the search
/// path, or one that calls itself otherwise. Otherwise as ProbePlugin and LoadPlugin.
absl::StatusOr<BackendSelection> SelectBackends(absl::string_view list,
                                                const PluginOptions& options);

/// One line of `seqgraph backends`.
struct ListedBackend {
  std::string name;
  std::string path;     ///< empty: built in
  BackendInfo info;     ///< of one that can be used
  absl::Status status;  ///< why it cannot be used
};

/// All built-in backends, and all plugins of the search path, each probed; `refused_folders` gets
/// those that were not searched and why.
std::vector<ListedBackend> ListBackends(const PluginOptions& options,
                                        std::vector<std::string>* refused_folders);

}  // namespace seqgraph
