#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "graph/function.h"
#include "graph/op_def.h"
#include "graph/tensor.h"
#include "tools/conformance/case.h"
#include "tools/conformance/exact_run.h"
#include "tools/conformance/guarded_run.h"

namespace seqgraph::conformance {

/// A function with contents for its inputs and variables.
struct Problem {
  Function function;  ///< static shapes, float32
  TensorMap contents;
};

struct OneNodeOptions {
  int only = -1;           ///< not negative: this output alone
  bool variables = false;  ///< the real inputs are variables
};

/// One node with inputs of its own. Each output is a result of its name.
absl::StatusOr<Problem> OneNode(const OpDef& op, const OpRegistry& registry, const OpSample& sample,
                                const OneNodeOptions& options = {});

/// The sample with reals in float32 (tensors and dtype attributes).
OpSample InFloat(const OpSample& sample);

/// Makes a guarded run; null where that failed or was refused, which the verdict then says.
std::unique_ptr<GuardedRun> Start(const Problem& problem, const CaseContext& context,
                                  const GuardedRunOptions& options, Verdict& verdict);

/// Runs once and holds every node against its definition applied to the inputs that it had.
void RunAndCheckNodes(GuardedRun& run, const ExactRun& exact, Verdict& verdict);

/// Holds the problem, once it could be built, against the definitions: CheckEachNode, and if that
/// finds nothing CheckChain.
void CheckProblem(const absl::StatusOr<Problem>& problem, const CaseContext& context, uint64_t seed,
                  Verdict& verdict);

/// The problem with canaries (twice, the second time with other bytes in the outputs beforehand:
/// the same bits must come), with unmapped pages, and with outputs in the memory of inputs where
/// the ops allow it.
void CheckEachNode(const Problem& problem, const CaseContext& context, Verdict& verdict);

/// The problem as a whole, with layouts of the backend's own allowed: results and updates within
/// what the bounds of the nodes add up to (ChainBound).
void CheckChain(const Problem& problem, const CaseContext& context, uint64_t seed,
                Verdict& verdict);

}  // namespace seqgraph::conformance
