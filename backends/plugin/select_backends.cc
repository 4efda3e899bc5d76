#include "backends/plugin/select_backends.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "backends/plugin/plugin_backend.h"
#include "base/status_macros.h"
#include "graph/op_def.h"

namespace seqgraph {
namespace {

// A backend that somebody else owns.
class BorrowedBackend : public Backend {
 public:
  explicit BorrowedBackend(const Backend& backend) : backend_(backend) {}
  const BackendInfo& info() const override { return backend_.info(); }
  FunctionClaim ClaimFunction(const Function& function) const override {
    return backend_.ClaimFunction(function);
  }
  absl::StatusOr<std::unique_ptr<Program>> Prepare(const ProgramRequest& request) const override {
    return backend_.Prepare(request);
  }

 private:
  const Backend& backend_;
};

bool IsPath(absl::string_view text) { return text.find('/') != absl::string_view::npos; }

absl::StatusOr<std::unique_ptr<Backend>> Load(const std::string& path,
                                              const PluginOptions& options) {
  if (options.probe) {
    SEQ_RETURN_IF_ERROR(ProbePlugin(path, options.functions, options.probe_options).status());
  }
  SEQ_ASSIGN_OR_RETURN(PluginTable plugin, LoadPlugin(path));
  return std::make_unique<PluginBackend>(std::move(plugin), options.serialize);
}

std::vector<const PluginFile*> FilesNamed(const PluginSearch& search, absl::string_view name) {
  std::vector<const PluginFile*> files;
  for (const PluginFile& file : search.files) {
    if (file.name == name) files.push_back(&file);
  }
  return files;
}

absl::Status CheckAlone(absl::string_view name, const std::vector<const PluginFile*>& files) {
  if (files.size() < 2) return absl::OkStatus();
  return FailedPrecondition(
      "several plugins are named ", name, ", of which none is used; give the path of one: ",
      absl::StrJoin(files, ", ",
                    [](std::string* out, const PluginFile* file) { out->append(file->path); }));
}

absl::Status CheckOwnName(const PluginFile& file, const BackendInfo& info) {
  if (info.name == file.name) return absl::OkStatus();
  return FailedPrecondition("plugin ", file.path, ": calls itself ", info.name, ", not ", file.name,
                            "; name the file lib", info.name, ".so or give its path");
}

absl::Status NoSuchBackend(absl::string_view name, const PluginSearch& search,
                           const PluginOptions& options) {
  std::vector<std::string> known;
  for (const auto& backend : options.built_in->all()) known.push_back(backend->info().name);
  for (const PluginFile& file : search.files) known.push_back(file.name);
  return NotFound(
      "unknown backend \"", name, "\"; there are ", absl::StrJoin(known, ", "),
      "; a plugin is given by its path, with a '/' in it, or found in the folders of "
      "SEQGRAPH_BACKEND_PATH",
      search.refused.empty() ? "" : "; not searched: ", absl::StrJoin(search.refused, "; "));
}

absl::StatusOr<std::unique_ptr<Backend>> ByName(absl::string_view name,
                                                const PluginOptions& options) {
  for (const auto& backend : options.built_in->all()) {
    if (backend->info().name == name) return std::make_unique<BorrowedBackend>(*backend);
  }
  const PluginSearch search = FindPlugins(options.search_path);
  const std::vector<const PluginFile*> files = FilesNamed(search, name);
  if (files.empty()) return NoSuchBackend(name, search, options);
  SEQ_RETURN_IF_ERROR(CheckAlone(name, files));
  SEQ_ASSIGN_OR_RETURN(std::unique_ptr<Backend> backend, Load(files[0]->path, options));
  SEQ_RETURN_IF_ERROR(CheckOwnName(*files[0], backend->info()));
  return backend;
}

}  // namespace

absl::StatusOr<BackendSelection> SelectBackends(absl::string_view list,
                                                const PluginOptions& options) {
  if (list.empty()) return InvalidArgument("an empty list of backends; name at least one");
  BackendSelection selection;
  std::vector<std::string> names;
  for (const absl::string_view item : absl::StrSplit(list, ',')) {
    absl::StatusOr<std::unique_ptr<Backend>> backend =
        IsPath(item) ? Load(std::string(item), options) : ByName(item, options);
    if (!backend.ok()) return backend.status();
    names.push_back((*backend)->info().name);
    if (IsPath(item) && options.built_in->Get(names.back()).ok()) {
      selection.notes.push_back(absl::StrCat("backend ", names.back(), " is the plugin ", item,
                                             ", in place of the built-in one"));
    }
    if (!selection.registry.Register(*std::move(backend)).ok()) {
      return InvalidArgument("two backends in \"", list, "\" are named ", names.back());
    }
  }
  selection.names = absl::StrJoin(names, ",");
  return selection;
}

std::vector<ListedBackend> ListBackends(const PluginOptions& options,
                                        std::vector<std::string>* refused_folders) {
  std::vector<ListedBackend> listed;
  for (const auto& backend : options.built_in->all()) {
    listed.push_back({backend->info().name, "", backend->info(), absl::OkStatus()});
  }
  const PluginSearch search = FindPlugins(options.search_path);
  if (refused_folders != nullptr) *refused_folders = search.refused;
  for (const PluginFile& file : search.files) {
    ListedBackend row = {
        file.name, file.path, {}, CheckAlone(file.name, FilesNamed(search, file.name))};
    if (row.status.ok() && options.built_in->Get(file.name).ok()) {
      row.status = FailedPrecondition("plugin ", file.path,
                                      ": the name means the built-in backend; give the "
                                      "path to use it");
    }
    if (row.status.ok()) {
      const absl::StatusOr<ProbeReport> probed =
          ProbePlugin(file.path, options.functions, options.probe_options);
      row.status = probed.status();
      if (probed.ok()) row.info = probed->info;
      if (probed.ok()) row.status = CheckOwnName(file, probed->info);
    }
    listed.push_back(std::move(row));
  }
  return listed;
}

}  // namespace seqgraph
