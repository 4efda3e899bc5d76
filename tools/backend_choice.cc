#include "tools/backend_choice.h"

#include <cstdio>
#include <memory>
#include <utility>

#include "absl/strings/str_split.h"
#include "backends/all_backends.h"
#include "graph/rewrite.h"
#include "graph/status_macros.h"
#include "ops/all_ops.h"
#include "ops/rewrites/all_rewrites.h"
#include "serialization/function_proto.h"

namespace seqgraph::tools {
namespace {

bool AllBuiltIn(absl::string_view names) {
  for (const absl::string_view name : absl::StrSplit(names, ',')) {
    if (!AllBackends().Get(name).ok()) return false;
  }
  return true;
}

// The call as CompiledFunction::Compile will put it to a backend.
absl::StatusOr<std::shared_ptr<const EncodedFunction>> Encode(const PlannedCall& call,
                                                              const FunctionSerializer& serialize) {
  SEQ_ASSIGN_OR_RETURN(const Function bound, BindBatch(*call.function, AllOps(), call.batch));
  SEQ_ASSIGN_OR_RETURN(const Function rewritten,
                       ApplyRewrites(bound, AllOps(), StandardRewrites()));
  return EncodedFunction::Encode(rewritten, serialize);
}

}  // namespace

PluginOptions PluginDefaults() {
  PluginOptions options;
  options.built_in = &AllBackends();
  options.serialize = [](const Function& function) -> absl::StatusOr<std::string> {
    return FunctionToProto(function).SerializeAsString();
  };
  return options;
}

absl::StatusOr<BackendSelection> ChooseBackends(absl::string_view names,
                                                absl::Span<const PlannedCall> calls) {
  PluginOptions options = PluginDefaults();
  if (!AllBuiltIn(names)) {
    for (const PlannedCall& call : calls) {
      SEQ_ASSIGN_OR_RETURN(std::shared_ptr<const EncodedFunction> encoded,
                           Encode(call, options.serialize));
      options.functions.push_back(std::move(encoded));
    }
  }
  SEQ_ASSIGN_OR_RETURN(BackendSelection selection, SelectBackends(names, options));
  for (const std::string& note : selection.notes) {
    std::fprintf(stderr, "seqgraph: note: %s\n", note.c_str());
  }
  return selection;
}

absl::Status CheckBackendNames(absl::string_view names) {
  const bool may_be_plugins =
      names.find('/') != absl::string_view::npos || !PluginSearchPath().empty();
  return may_be_plugins ? absl::OkStatus() : SelectBackends(names, PluginDefaults()).status();
}

RunnerOptions RunOn(const BackendSelection& selection, int64_t threads) {
  RunnerOptions options;
  options.backend = selection.names;
  options.backends = &selection.registry;
  options.threads = static_cast<int>(threads);
  return options;
}

std::vector<const Backend*> ListOf(const BackendSelection& selection) {
  std::vector<const Backend*> list;
  for (const auto& backend : selection.registry.all()) list.push_back(backend.get());
  return list;
}

}  // namespace seqgraph::tools
