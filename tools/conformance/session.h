#pragma once

// Functions run by the host itself (runtime/compiled_function.h), on the backend alone.

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "runtime/compiled_function.h"
#include "tools/conformance/case.h"
#include "tools/conformance/exact_run.h"

namespace seqgraph::conformance {

/// Compiles for the backend of the context. A node that it does not claim: Unimplemented; one that
/// it claims and cannot prepare: Internal.
absl::StatusOr<std::unique_ptr<CompiledFunction>> Compile(const Function& function,
                                                          const CaseContext& context,
                                                          VariableStore* variables, int64_t batch);

/// Sets all inputs from `batch`, which may hold more, and runs.
absl::Status RunOnce(CompiledFunction& session, const TensorMap& batch, Verdict& verdict);

/// Results by name.
TensorMap ResultsOf(const CompiledFunction& session);

/// Ends the case with what became of its sessions: Unimplemented is a refusal.
void CheckSession(const absl::Status& status, Verdict& verdict);

/// Fails unless both hold the same tensors with the same bits.
void ExpectSameBits(const TensorMap& found, const TensorMap& expected, absl::string_view what,
                    Verdict& verdict);

}  // namespace seqgraph::conformance
