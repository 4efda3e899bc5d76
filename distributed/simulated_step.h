#pragma once

// The step of step_plan.h run on a simulated network: the collectives as they are, computing as so
// many seconds.

#include "absl/status/statusor.h"
#include "distributed/simulated_transport.h"
#include "distributed/step_plan.h"

namespace seqgraph {

struct SimulatedStep {
  double seconds = 0;        ///< of a step, the mean
  double communication = 0;  ///< of it, of the rank that has the most
  int64_t traffic = 0;       ///< bytes a step that the rank sends that sends the most
};

struct SimulatedStepOptions {
  int steps = 2;
  /// Each float stands for so many: the arrays are as much shorter, and their bytes take as much
  /// longer. For many ranks, which all have theirs in this process.
  int64_t floats_each = 1;
};

/// Runs steps on so many ranks. Errors: of SimulatedNetwork::Run.
absl::StatusOr<SimulatedStep> SimulateStep(const StepFacts& facts, const NetworkCosts& costs,
                                           int ranks, const SimulatedStepOptions& options = {});

}  // namespace seqgraph
