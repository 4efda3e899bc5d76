#pragma once

// Training on the ranks of a job against training by one of them, and against what the plan says of
// both.

#include <cstdint>

#include "absl/status/status.h"
#include "distributed/communicator.h"
#include "training/text_models.h"

namespace seqgraph {

struct RanksTrainingOptions {
  TextModelOptions model;
  int64_t batch = 256;  ///< of all ranks
  int64_t block = 0;    ///< as FitOptions::block_rows
  int steps = 10;       ///< a round
  double seconds = 30;  ///< rounds go on for so long
};

/// In each round the root predicts a step from what it measures (PlanStep of MeasureStep), trains
/// alone for some steps, and then with all others: Trainer::Fit with a communicator. Prints, at the
/// root, medians over the rounds of both steps, of how far off each prediction was, and of how many
/// times as fast all are.
absl::Status TrainOnRanks(Communicator& ranks, const RanksTrainingOptions& options);

}  // namespace seqgraph
