#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "backends/plugin/select_backends.h"
#include "base/trace.h"
#include "data/vocabulary.h"
#include "graph/model.h"
#include "serialization/self_test.h"
#include "tools/flags.h"
#include "tools/import_flags.h"

namespace seqgraph::tools {

/// --self_test=true|false, of commands that run a saved model.
struct SelfTestFlag {
  std::string value = "true";

  void Declare(Flags& flags);
  bool on() const { return value == "true"; }
};

/// A model in any format that `seqgraph convert` reads, which its content tells, with what the
/// flags say of what it leaves open, and the self-tests in it if they are asked for. What was
/// assumed while it was read goes to stderr. Errors name the path.
absl::StatusOr<Model> LoadAnyModel(const std::string& path, const ImportFlags& import,
                                   std::vector<SelfTest>* self_tests = nullptr);

/// A saved model and the backends that it runs on.
struct TestedModel {
  BackendSelection backends;  ///< outlives what is compiled, so it comes first
  Model model;
};

/// A function of the model by name, and the batch with which it will be called.
struct NamedCall {
  std::string function;
  int64_t batch = 1;
};

/// LoadAnyModel; the backends that the flags name, tried with `calls` (those of them that the model
/// has) if they are plugins; then, if asked for, the self-tests in the file on these backends, with
/// weights in float32, for which their answers are.
/// Recorded in `trace` if it is not null. Errors name the file; those of a test say how to load the
/// model without it.
absl::StatusOr<TestedModel> LoadTestedModel(const std::string& path, const ImportFlags& import,
                                            bool self_test, const BackendFlags& flags,
                                            absl::Span<const NamedCall> calls,
                                            Trace* trace = nullptr);
/// The same for a model that has been read from `path`, with those tests.
absl::StatusOr<TestedModel> TestModel(Model model, const std::vector<SelfTest>& tests,
                                      const std::string& path, const BackendFlags& flags,
                                      absl::Span<const NamedCall> calls, Trace* trace);

/// The vocabulary of a model from that path; for one that takes no text the error says what runs
/// it.
absl::StatusOr<data::Vocabulary> VocabularyToRun(const Model& model, const std::string& path);

}  // namespace seqgraph::tools
