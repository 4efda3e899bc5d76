#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "graph/model.h"
#include "serialization/self_test.h"
#include "training/model_runner.h"

namespace seqgraph {

/// Rows that are stored where the caller has no reason for another number.
inline constexpr int64_t kSelfTestRows = 4;

/// Runs the function on the inputs (by name, one for each; their batch is `batch`) with the model's
/// variables as they are, and keeps what it gives: its results and, if asked for, the gradients of
/// its result "loss" with respect to the trainable variables that it reads. Allowed is twice the
/// bound of all roundings on the way (EvaluateNodesInDouble): this backend and another may each be
/// off by one. Errors: those of compiling and running; InvalidArgument for gradients of a function
/// without a loss; Internal if the backend itself is beyond its bound, so that nothing is stored
/// that a right backend could not pass.
absl::StatusOr<SelfTest> MakeSelfTest(Model& model, const std::string& function, int64_t batch,
                                      const std::map<std::string, Tensor>& inputs, bool gradients,
                                      const RunnerOptions& options);

/// The first rows of the examples as inputs of `function` (tokens, and `labels` where it has them).
absl::StatusOr<std::map<std::string, Tensor>> SelfTestInputs(const Function& function,
                                                             const Examples& examples,
                                                             int64_t rows);

/// Of `predict`, and if asked for of `evaluate` with its gradients, on the first rows of the
/// examples: kSelfTestRows, where there are as many.
absl::StatusOr<std::vector<SelfTest>> MakeSelfTests(Model& model, const Examples& examples,
                                                    bool gradients, const RunnerOptions& options);

/// Runs each test on the backends of `options`. FailedPrecondition, with tensor, element, both
/// values, what was measured and what is allowed, for the first that differs; otherwise as
/// CompiledFunction::Compile and Run. The model stays as it is.
absl::Status RunSelfTests(Model& model, absl::Span<const SelfTest> tests,
                          const RunnerOptions& options);

}  // namespace seqgraph
