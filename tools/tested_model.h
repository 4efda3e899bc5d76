#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "backends/plugin/select_backends.h"
#include "base/trace.h"
#include "graph/model.h"
#include "tools/flags.h"

namespace seqgraph::tools {

/// --self_test=true|false, of commands that run a saved model.
struct SelfTestFlag {
  std::string value = "true";

  void Declare(Flags& flags);
  bool on() const { return value == "true"; }
};

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

/// LoadModel; the backends that the flags name, tried with `calls` (those of them that the model
/// has) if they are plugins; then, if asked for, the self-tests in the file on these backends, with
/// weights in float32, for which their answers are.
/// Recorded in `trace` if it is not null. Errors name the file; those of a test say how to load the
/// model without it.
absl::StatusOr<TestedModel> LoadTestedModel(const std::string& path, bool self_test,
                                            const BackendFlags& flags,
                                            absl::Span<const NamedCall> calls,
                                            Trace* trace = nullptr);

}  // namespace seqgraph::tools
