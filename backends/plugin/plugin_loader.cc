#include "backends/plugin/plugin_loader.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"

namespace seqgraph {
namespace {

constexpr absl::string_view kPrefix = "lib", kSuffix = ".so";

// The plugins of one folder, by name.
std::vector<PluginFile> FindInFolder(const std::string& folder, std::error_code& error) {
  std::vector<PluginFile> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const std::string file = entry.path().filename().string();
    absl::string_view name = file;
    if (!absl::ConsumePrefix(&name, kPrefix) || !absl::ConsumeSuffix(&name, kSuffix) ||
        name.empty()) {
      continue;
    }
    files.push_back({std::string(name), entry.path().string()});
  }
  std::sort(files.begin(), files.end(),
            [](const PluginFile& a, const PluginFile& b) { return a.name < b.name; });
  return files;
}

}  // namespace

absl::StatusOr<void*> OpenPlugin(const std::string& path) {
  std::error_code error;
  const std::filesystem::path file = std::filesystem::canonical(path, error);
  if (error || !std::filesystem::is_regular_file(file, error)) {
    return NotFound("plugin ", path, ": there is no such file");
  }
  void* library = nullptr;
  const absl::Status loaded =
      CallPlugin(absl::StrCat("plugin ", path), "loading", [&](sg_status* status) -> int32_t {
        library = dlopen(file.c_str(), RTLD_LOCAL | RTLD_NOW);
        if (library != nullptr) return SG_OK;
        return sg_fail(status, SG_FAILED_PRECONDITION, "cannot be loaded: %s", dlerror());
      });
  if (!loaded.ok()) return loaded;
  return library;
}

absl::StatusOr<PluginTable> EnterPlugin(void* library, const std::string& path) {
  void* entry = dlsym(library, SG_ENTRY_NAME);
  if (entry == nullptr) {
    return FailedPrecondition("plugin ", path, ": has no function ", SG_ENTRY_NAME,
                              ": it is no Seqgraph backend, or hides the function");
  }
  return NegotiateWithPlugin(reinterpret_cast<sg_entry_function>(entry), path);
}

absl::StatusOr<PluginTable> LoadPlugin(const std::string& path) {
  SEQ_ASSIGN_OR_RETURN(void* library, OpenPlugin(path));
  return EnterPlugin(library, path);
}

PluginSearch FindPlugins(absl::string_view search_path) {
  PluginSearch search;
  for (const absl::string_view folder : absl::StrSplit(search_path, ':', absl::SkipEmpty())) {
    if (!absl::StartsWith(folder, "/")) {
      search.refused.push_back(absl::StrCat("folder ", folder, ": not an absolute path"));
      continue;
    }
    std::error_code error;
    std::vector<PluginFile> files = FindInFolder(std::string(folder), error);
    if (error) search.refused.push_back(absl::StrCat("folder ", folder, ": ", error.message()));
    search.files.insert(search.files.end(), files.begin(), files.end());
  }
  return search;
}

std::string PluginSearchPath() {
  const char* path = std::getenv("SEQGRAPH_BACKEND_PATH");
  return path == nullptr ? "" : path;
}

}  // namespace seqgraph
