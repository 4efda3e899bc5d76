#include "backends/plugin/plugin_loader.h"

#include <dlfcn.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"
#include "base/temporary_file.h"

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

// Why others than root and this user decide what is there; empty: they do not.
std::string WhoDecides(const struct stat& info) {
  if (info.st_uid != 0 && info.st_uid != ::geteuid()) {
    return absl::StrCat("belongs to user ", info.st_uid, ", neither root nor you");
  }
  if ((info.st_mode & S_IWOTH) != 0) return "may be written by anybody (chmod o-w)";
  const bool own_group = info.st_gid == 0 || info.st_gid == ::getegid();
  if ((info.st_mode & S_IWGRP) == 0 || own_group) return "";
  return absl::StrCat("may be written by group ", info.st_gid, " (chmod g-w)");
}

}  // namespace

absl::Status CheckTrusted(const std::string& path) {
  std::error_code error;
  const std::filesystem::path real = std::filesystem::canonical(path, error);
  if (error) return NotFound(path, ": ", error.message());
  std::vector<std::string> looked_at = {real.string()};
  if (!std::filesystem::is_directory(real, error)) looked_at.push_back(real.parent_path().string());
  for (const std::string& each : looked_at) {
    struct stat info;
    if (::stat(each.c_str(), &info) != 0) return SystemError(errno, "cannot look at", each);
    const std::string who = WhoDecides(info);
    if (who.empty()) continue;
    return absl::PermissionDeniedError(absl::StrCat(S_ISDIR(info.st_mode) ? "folder " : "file ",
                                                    each, " ", who, ": code there is not run"));
  }
  return absl::OkStatus();
}

absl::StatusOr<void*> OpenPlugin(const std::string& path) {
  std::error_code error;
  const std::filesystem::path file = std::filesystem::canonical(path, error);
  if (error || !std::filesystem::is_regular_file(file, error)) {
    return NotFound("plugin ", path, ": there is no such file");
  }
  SEQ_RETURN_IF_ERROR(Annotate(CheckTrusted(file.string()), absl::StrCat("plugin ", path)));
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
    const absl::Status trusted = CheckTrusted(std::string(folder));
    if (absl::IsPermissionDenied(trusted)) {
      search.refused.emplace_back(trusted.message());
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
  const char* path = ::secure_getenv("SEQGRAPH_BACKEND_PATH");
  return path == nullptr ? "" : path;
}

}  // namespace seqgraph
