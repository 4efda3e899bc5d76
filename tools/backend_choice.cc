#include "tools/backend_choice.h"

#include <cstdio>
#include <utility>

#include "absl/strings/str_split.h"
#include "backends/all_backends.h"
#include "base/status_macros.h"
#include "graph/rewrite.h"
#include "ops/all_ops.h"
#include "serialization/function_proto.h"
#include "tools/auto_choice.h"
#include "training/model_builder.h"

namespace seqgraph::tools {
namespace {

bool AllBuiltIn(absl::string_view names) {
  for (const absl::string_view name : absl::StrSplit(names, ',')) {
    if (!AllBackends().Get(name).ok()) return false;
  }
  return true;
}

// The call as CompiledFunction::Compile may put it to a backend: to one that takes whatever the
// passes make of it, and to one that takes nothing of that.
absl::Status Encode(const PlannedCall& call, const PassList& passes, PluginOptions& options) {
  SEQ_ASSIGN_OR_RETURN(const Function bound, BindBatch(*call.function, AllOps(), call.batch));
  const NodeOwners takes_all = [](const Function& function) -> absl::StatusOr<std::vector<int>> {
    return std::vector<int>(function.nodes().size(), 0);
  };
  for (const NodeOwners& owners : {NodeOwners(), takes_all}) {
    SEQ_ASSIGN_OR_RETURN(const Function rewritten, RunPasses(bound, AllOps(), passes, owners));
    SEQ_ASSIGN_OR_RETURN(options.functions.emplace_back(),
                         EncodedFunction::Encode(rewritten, options.serialize));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<const Function*> ChooseFunction(const Model& model, const std::string& name) {
  if (!name.empty()) return model.GetFunction(name);
  const Function* step = model.FindFunction(kTrainStep);
  if (step != nullptr) return step;
  if (model.functions.empty()) {
    return InvalidArgument(
        "the model has no function, so there is nothing to run; `seqgraph inspect` shows what it "
        "has");
  }
  return &model.functions.front();
}

PluginOptions PluginDefaults() {
  PluginOptions options;
  options.built_in = &AllBackends();
  options.serialize = [](const Function& function) -> absl::StatusOr<std::string> {
    return FunctionToProto(function).SerializeAsString();
  };
  return options;
}

absl::StatusOr<BackendSelection> ChooseBackends(absl::string_view names,
                                                absl::Span<const PlannedCall> calls,
                                                const PassList& passes) {
  PluginOptions options = PluginDefaults();
  const bool by_measuring = names == kAuto;
  if (by_measuring) names = kAutoCandidates;
  if (!AllBuiltIn(names)) {
    for (const PlannedCall& call : calls) {
      SEQ_RETURN_IF_ERROR(Encode(call, passes, options));
    }
  }
  SEQ_ASSIGN_OR_RETURN(BackendSelection selection, SelectBackends(names, options));
  selection.by_measuring = by_measuring;
  for (const std::string& note : selection.notes) {
    std::fprintf(stderr, "seqgraph: note: %s\n", note.c_str());
  }
  return selection;
}

absl::Status CheckBackendNames(absl::string_view names) {
  if (names == kAuto) return absl::OkStatus();
  const bool may_be_plugins =
      names.find('/') != absl::string_view::npos || !PluginSearchPath().empty();
  return may_be_plugins ? absl::OkStatus() : SelectBackends(names, PluginDefaults()).status();
}

absl::StatusOr<PassList> ChoosePasses(absl::string_view text, absl::string_view weights) {
  SEQ_ASSIGN_OR_RETURN(const PassList passes,
                       Annotate(SelectPasses(StandardPasses(), text), "--passes"));
  return PassesWithWeights(ParseWeightFormat(weights), passes);
}

absl::StatusOr<BackendPreferences> PreferMeasured(const Function& function,
                                                  const VariableStore& variables,
                                                  const CompileOptions& options) {
  SEQ_ASSIGN_OR_RETURN(BackendChoice choice,
                       AutoChoice(DefaultChoiceCache()).Choose(function, variables, options));
  return std::move(choice.preferences);
}

RunnerOptions RunOn(const BackendSelection& selection, int64_t threads, const PassList& passes) {
  RunnerOptions options;
  options.backend = selection.names;
  options.backends = &selection.registry;
  options.threads = static_cast<int>(threads);
  options.passes = passes;
  if (selection.by_measuring) options.prefer = PreferMeasured;
  return options;
}

std::vector<const Backend*> ListOf(const BackendSelection& selection) {
  std::vector<const Backend*> list;
  for (const auto& backend : selection.registry.all()) list.push_back(backend.get());
  return list;
}

std::vector<PlannedCall> TrainingCalls(const Model& model, int64_t train_rows,
                                       int64_t validation_rows, int64_t batch) {
  std::vector<PlannedCall> calls;
  const auto plan = [&](const char* name, int64_t rows) {
    const Function* function = model.FindFunction(name);
    SEQ_CHECK(function != nullptr);
    if (rows >= batch) calls.push_back({function, batch});
    if (rows % batch != 0) calls.push_back({function, rows % batch});
  };
  plan(kTrainStep, train_rows);
  plan(kEvaluate, validation_rows);
  return calls;
}

}  // namespace seqgraph::tools
