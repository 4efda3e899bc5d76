#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "distributed/step_plan.h"
#include "graph/model.h"
#include "runtime/compiled_function.h"

namespace seqgraph::tools {

/// The facts of a step of that batch, cut into blocks of so many rows: a block's `train_step` is
/// compiled and run on made-up rows for about `seconds`, and timed node by node. What the nodes
/// that update weights take is the optimizer's, what follows from the loss the backward pass's.
/// Runs change the model's variables. Errors: NotFound where the model has no train_step, and those
/// of compiling and running. `options.batch` does not count.
absl::StatusOr<StepFacts> MeasureStep(Model& model, int64_t batch, int64_t block_rows,
                                      CompileOptions options, double seconds = 0.5);

}  // namespace seqgraph::tools
