#include "runtime/backend_registry.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"
#include "graph/op_def.h"

namespace seqgraph {

absl::Status BackendRegistry::Register(std::unique_ptr<Backend> backend) {
  const std::string& name = backend->info().name;
  for (const auto& known : backends_) {
    if (known->info().name == name) {
      return absl::AlreadyExistsError(absl::StrCat("two backends are named ", name));
    }
  }
  backends_.push_back(std::move(backend));
  return absl::OkStatus();
}

absl::StatusOr<const Backend*> BackendRegistry::Get(absl::string_view name) const {
  for (const auto& backend : backends_) {
    if (backend->info().name == name) return backend.get();
  }
  return NotFound("unknown backend \"", name, "\"; there are ",
                  absl::StrJoin(backends_, ", ", [](std::string* out, const auto& backend) {
                    *out += backend->info().name;
                  }));
}

absl::StatusOr<std::vector<const Backend*>> BackendRegistry::ParseList(
    absl::string_view names) const {
  if (names.empty()) {
    return InvalidArgument("an empty list of backends; name at least one");
  }
  std::vector<const Backend*> list;
  for (absl::string_view name : absl::StrSplit(names, ',')) {
    SEQ_ASSIGN_OR_RETURN(const Backend* backend, Get(name));
    if (std::find(list.begin(), list.end(), backend) != list.end()) {
      return InvalidArgument("backend ", name, " is named twice in \"", names, "\"");
    }
    list.push_back(backend);
  }
  return list;
}

}  // namespace seqgraph
