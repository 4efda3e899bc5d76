#pragma once

#include <functional>

#include "absl/status/statusor.h"
#include "distributed/communicator.h"
#include "training/judged_batch.h"
#include "training/model_runner.h"

namespace seqgraph {

/// ModelRunner::Evaluate() by all ranks, which all call it with the same model, examples and
/// options: each runs some of the batches, whoever is free the next ones, and the root adds them in
/// their order. So loss and metrics are those of one rank in every bit. At the root; elsewhere
/// there are none. `each` (null: nobody) sees the batches at the root, in their order.
///
/// Errors: those of Evaluate(), named by the rank where they are; Cancelled once options.interrupt
/// of any rank is set; Unavailable where a rank is gone that cannot be done without.
absl::StatusOr<Logs> EvaluateOnRanks(ModelRunner& runner, Communicator& communicator,
                                     const Examples& examples, const EvaluateOptions& options = {},
                                     const std::function<void(const JudgedBatch&)>& each = nullptr);

}  // namespace seqgraph
