#include "tools/conformance/session.h"

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "graph/rewrite.h"
#include "tools/conformance/guarded_run.h"

namespace seqgraph::conformance {

absl::StatusOr<std::unique_ptr<CompiledFunction>> Compile(const Function& function,
                                                          const CaseContext& context,
                                                          VariableStore* variables, int64_t batch) {
  SEQ_ASSIGN_OR_RETURN(const Function bound, BindBatch(function, context.registry, batch));
  SEQ_RETURN_IF_ERROR(CheckClaimed(bound, context.backend.ClaimFunction(bound)));
  auto compiled = CompiledFunction::Compile(function, context.registry, variables,
                                            {.backends = {&context.backend}, .batch = batch});
  if (compiled.ok()) return compiled;
  return Internal("all nodes are claimed, but compiling fails: ", compiled.status().ToString());
}

absl::Status RunOnce(CompiledFunction& session, const TensorMap& batch, Verdict& verdict) {
  const Function& function = session.function();
  for (size_t i = 0; i < function.inputs().size(); ++i) {
    const auto content = batch.find(function.info(function.inputs()[i]).name);
    if (content == batch.end()) continue;
    SEQ_RETURN_IF_ERROR(session.SetInput(static_cast<int>(i), content->second));
  }
  SEQ_RETURN_IF_ERROR(session.Run());
  verdict.CountRun();
  return absl::OkStatus();
}

TensorMap ResultsOf(const CompiledFunction& session) {
  TensorMap results;
  const auto& named = session.function().results();
  for (size_t i = 0; i < named.size(); ++i) {
    results[named[i].name] = session.Result(static_cast<int>(i));
  }
  return results;
}

void CheckSession(const absl::Status& status, Verdict& verdict) {
  if (absl::IsUnimplemented(status)) {
    verdict.Refuse(std::string(status.message()));
  } else {
    verdict.Check(status, "running");
  }
}

void ExpectSameBits(const TensorMap& found, const TensorMap& expected, absl::string_view what,
                    Verdict& verdict) {
  for (const auto& [name, tensor] : expected) {
    const auto other = found.find(name);
    if (other != found.end() && other->second.BitwiseEquals(tensor)) continue;
    verdict.Fail(absl::StrCat(name, " has other bits ", what));
    return;
  }
}

}  // namespace seqgraph::conformance
