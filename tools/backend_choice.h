#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "backends/plugin/select_backends.h"
#include "graph/function.h"
#include "graph/model.h"
#include "graph/pass.h"
#include "ops/rewrites/all_rewrites.h"
#include "training/model_runner.h"

namespace seqgraph::tools {

/// A function that is about to be compiled, and its batch. Does not own the function.
struct PlannedCall {
  const Function* function = nullptr;
  int64_t batch = 1;
};

/// All calls that training compiles: of the training step on whole batches and on what is left of
/// them, and of `evaluate` on the validation's. The model has both functions.
std::vector<PlannedCall> TrainingCalls(const Model& model, int64_t train_rows,
                                       int64_t validation_rows, int64_t batch);

/// The function of that name; for an empty one train_step, or the first function of a model without
/// it. NotFound lists the names that there are.
absl::StatusOr<const Function*> ChooseFunction(const Model& model, const std::string& name);

/// How this program finds, tries and talks to plugins.
PluginOptions PluginDefaults();

/// What --backend names: built-in backends and plugins, or "auto" (tools/auto_choice.h). Each
/// plugin is first tried with `calls`, as they will be compiled, in a process of its own. What the
/// user should know of the choice is written to standard error. Errors: those of SelectBackends and
/// of preparing the calls. What is compiled with the selection must not outlive it.
absl::StatusOr<BackendSelection> ChooseBackends(absl::string_view names,
                                                absl::Span<const PlannedCall> calls,
                                                const PassList& passes = StandardPasses());

/// The preferences of --backend=auto for a function (tools/auto_choice.h), measured or remembered.
absl::StatusOr<BackendPreferences> PreferMeasured(const Function& function,
                                                  const VariableStore& variables,
                                                  const CompileOptions& options);

/// What --passes names, and before it what --weights does. InvalidArgument for an unknown name.
absl::StatusOr<PassList> ChoosePasses(absl::string_view text,
                                      absl::string_view weights = "float32");

/// OK, or the error that ChooseBackends would give for a name that cannot be meant, where that is
/// known without looking for plugins: before a command reads much data.
absl::Status CheckBackendNames(absl::string_view names);

/// To run on the selection, which must outlive the runner.
RunnerOptions RunOn(const BackendSelection& selection, int64_t threads,
                    const PassList& passes = StandardPasses());

/// The backends of the selection, in the user's order.
std::vector<const Backend*> ListOf(const BackendSelection& selection);

}  // namespace seqgraph::tools
