#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "tools/output.h"
#include "tools/training_run.h"

namespace seqgraph::tools {

/// Float32 numbers that are no further apart than so much of the largest magnitude of their tensor
/// are told to be within the bound: what another instruction set or order of additions may make of
/// the steps between two states.
inline constexpr double kVerificationBound = 1e-5;

/// Repeats the steps between the states of the run that options.state holds, from the oldest on,
/// and says of each later one whether it has the same bits; of the first that has not, where it
/// parts. Writes no file. The exit status: 0 if all have the same bits or are within the bound.
/// FailedPrecondition for a folder with less than two whole states.
absl::StatusOr<int> VerifyRun(TrainingData& data, Trainer& trainer,
                              const TrainingRunOptions& options, Output& out);

}  // namespace seqgraph::tools
