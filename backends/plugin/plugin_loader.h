#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "backends/plugin/plugin_table.h"

namespace seqgraph {

/// Loads a plugin into this process, for good (RTLD_LOCAL | RTLD_NOW, never unloaded), and
/// negotiates with it. What a plugin does while it is loaded, this process suffers: probe one of
/// unknown origin first (plugin_probe.h).
///
/// NotFound: no such file. PermissionDenied: CheckTrusted. FailedPrecondition: not a shared
/// library, one that lacks something, one without entry point, or what NegotiateWithPlugin refuses.
/// Errors name the path.
absl::StatusOr<PluginTable> LoadPlugin(const std::string& path);

/// The same in two steps, for the probe, which tells them apart.
absl::StatusOr<void*> OpenPlugin(const std::string& path);
absl::StatusOr<PluginTable> EnterPlugin(void* library, const std::string& path);

/// OK if nobody but root and this process's user decides what lies at the path: the folder, or the
/// file and the folder that it is in, belong to one of these two, and neither others nor a group
/// that is not root's or this process's own may write to them. Otherwise PermissionDenied, which
/// says who may and what to do; NotFound where nothing is there. Links are followed.
absl::Status CheckTrusted(const std::string& path);

/// A shared library in a folder of the search path.
struct PluginFile {
  std::string name;  ///< the NAME of libNAME.so
  std::string path;
};

struct PluginSearch {
  std::vector<PluginFile> files;     ///< ordered by folder, then by name
  std::vector<std::string> refused;  ///< folders that were not searched, and why
};

/// All files libNAME.so in the folders of `search_path`, which are separated by ':'. A folder that
/// is not an absolute path is refused, so that the current folder never counts by itself; so is one
/// that others may write to (CheckTrusted).
PluginSearch FindPlugins(absl::string_view search_path);

/// The environment variable SEQGRAPH_BACKEND_PATH, or "": also in a process that has other rights
/// than whoever started it (set-user-ID), for whom he must not choose code.
std::string PluginSearchPath();

}  // namespace seqgraph
