#include "tools/tested_model.h"

#include <cstdio>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "tools/backend_choice.h"
#include "tools/convert/model_formats.h"
#include "training/preprocessing.h"
#include "training/self_tests.h"

namespace seqgraph::tools {

void SelfTestFlag::Declare(Flags& flags) {
  flags.Choice("--self_test", &value, {"true", "false"},
               "Check the backend against the answers that the model carries");
}

absl::StatusOr<Model> LoadAnyModel(const std::string& path, const ImportFlags& import,
                                   std::vector<SelfTest>* self_tests) {
  SEQ_ASSIGN_OR_RETURN(const FormatOptions options, import.Options(path));
  SEQ_ASSIGN_OR_RETURN(ConvertedModel read, ReadAnyModel(path, options));
  for (const std::string& note : read.notes) {
    std::fprintf(stderr, "seqgraph: note: %s\n", note.c_str());
  }
  if (self_tests != nullptr) *self_tests = std::move(read.self_tests);
  return std::move(read.model);
}

absl::StatusOr<TestedModel> LoadTestedModel(const std::string& path, const ImportFlags& import,
                                            bool self_test, const BackendFlags& flags,
                                            absl::Span<const NamedCall> calls, Trace* trace) {
  std::vector<SelfTest> tests;
  TraceSpan load(trace, "load model", "file");
  SEQ_ASSIGN_OR_RETURN(Model model, LoadAnyModel(path, import, &tests));
  load.End();
  if (!self_test) tests.clear();
  return TestModel(std::move(model), tests, path, flags, calls, trace);
}

absl::StatusOr<TestedModel> TestModel(Model model, const std::vector<SelfTest>& tests,
                                      const std::string& path, const BackendFlags& flags,
                                      absl::Span<const NamedCall> calls, Trace* trace) {
  TestedModel tested;
  tested.model = std::move(model);
  SEQ_ASSIGN_OR_RETURN(const PassList passes, ChoosePasses(flags.passes));
  std::vector<PlannedCall> planned;
  const auto plan = [&](const std::string& name, int64_t batch) {
    const Function* function = tested.model.FindFunction(name);
    if (function != nullptr) planned.push_back({function, batch});
  };
  for (const NamedCall& call : calls) plan(call.function, call.batch);
  for (const SelfTest& test : tests) plan(test.function, test.batch);
  TraceSpan choose(trace, "choose backends", "start");
  SEQ_ASSIGN_OR_RETURN(const PassList planned_passes, ChoosePasses(flags.passes, flags.weights));
  SEQ_ASSIGN_OR_RETURN(tested.backends, ChooseBackends(flags.backend, planned, planned_passes));
  choose.End();
  const TraceSpan self_tests(trace, "self-tests", "start");
  const absl::Status status =
      RunSelfTests(tested.model, tests, RunOn(tested.backends, flags.threads, passes));
  if (status.ok()) return tested;
  if (status.code() != absl::StatusCode::kFailedPrecondition) return Annotate(status, path);
  return FailedPrecondition(path, ": ", status.message(),
                            "; --self_test=false loads the model without this check");
}

absl::StatusOr<data::Vocabulary> VocabularyToRun(const Model& model, const std::string& path) {
  absl::StatusOr<data::Vocabulary> vocabulary = VocabularyOf(model);
  if (vocabulary.ok() || !model.preprocessing.rule.empty()) return Annotate(vocabulary, path);
  return InvalidArgument(path, ": ", vocabulary.status().message(), "; `seqgraph run ", path,
                         " --inputs=ARRAYS.npz` runs it on arrays");
}

}  // namespace seqgraph::tools
