#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "distributed/step_plan.h"
#include "graph/model.h"
#include "runtime/compiled_function.h"

namespace seqgraph::tools {

/// The facts of a step of that batch, cut into blocks of so many rows: what a rank runs of it
/// (SplitTrainStep), the gradients of a block and the optimizer of all weights, is compiled and run
/// on made-up rows for about `seconds`, the gradients also node by node: those from which only
/// gradients follow are the backward pass. Errors: those of SplitTrainStep, of compiling and of
/// running. `options.batch` does not count.
absl::StatusOr<StepFacts> MeasureStep(Model& model, int64_t batch, int64_t block_rows,
                                      CompileOptions options, double seconds = 0.5);

}  // namespace seqgraph::tools
