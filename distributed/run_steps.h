#pragma once

// The step of step_plan.h as it runs: the collectives as they are, over any transport. On a
// simulated network computing is so many seconds.

#include <cstdint>
#include <functional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "distributed/simulated_transport.h"
#include "distributed/step_plan.h"

namespace seqgraph {

/// What a rank does between messages.
struct StepWork {
  /// Of the gradients of a block of so many rows the part from one share of the time to another:
  /// 0 to 1, or up to each bucket.
  std::function<absl::Status(int64_t rows, double from, double to)> block;
  /// The optimizer on so many weights.
  std::function<absl::Status(int64_t weights)> update;
  /// So many bytes are moved or added to others; null: what TreeReduceScatter does itself is all.
  std::function<void(int64_t bytes)> moved;
};

/// Runs so many steps with the other ranks of the communicator; gradients and weights are as many
/// floats as the facts say, and mean nothing. `weights` is at least as long; where ranks share it,
/// nothing may be received (SimulationOptions::longest_carried).
absl::Status RunSteps(Communicator& communicator, const StepFacts& facts,
                      const StepOptions& options, int steps, const StepWork& work,
                      absl::Span<float> weights);

struct SimulatedStep {
  double seconds = 0;        ///< of a step, the mean
  double communication = 0;  ///< of it, of the rank that has the most
  int64_t traffic = 0;       ///< bytes a step that the rank sends that sends the most
};

struct SimulatedStepOptions {
  StepOptions step;
  int steps = 2;
  /// Each float stands for so many: the arrays are as much shorter, and their bytes take as much
  /// longer. For many ranks, which all have theirs in this process.
  int64_t floats_each = 1;
};

/// Runs steps on so many ranks. Errors: of SimulatedNetwork::Run.
absl::StatusOr<SimulatedStep> SimulateStep(const StepFacts& facts, const NetworkCosts& costs,
                                           int ranks, const SimulatedStepOptions& options = {});

}  // namespace seqgraph
