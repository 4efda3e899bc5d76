#pragma once

// What a training run is made with, so that one which goes on knows whether it will have the same
// bits.

#include <future>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "serialization/records.h"
#include "tools/training_data.h"
#include "training/examples.h"
#include "training/model_runner.h"
#include "training/run_state.h"

namespace seqgraph::tools {

/// SHA-256, in hexadecimal digits, of all that training takes of the rows: tokens, features,
/// targets, weights and how they lie. Not for rows of a source.
std::string HashOfExamples(const Examples& examples);

struct RowHashes {
  std::string train, validation;  ///< HashOfExamples
};
/// Those of rows that stay where they are, in a thread of its own: a hash of 25,000 reviews takes
/// as long as some twenty steps of a small model.
std::future<RowHashes> HashRows(const TrainingData& data);

/// What was read and where it runs.
struct RunFacts {
  /// The flags of the command, each "--name=value" (Flags::Given), but for those of one process.
  std::vector<std::string> arguments;
  std::string train, validation;  ///< HashOfExamples
  std::string model;              ///< SHA-256 of the model that the run began with
  std::string backends;           ///< with versions and instruction sets
  std::string assignment;         ///< SHA-256 of which node of a step runs where

  /// Of a run with those flags, which saves its model at `output`. An error where the model that it
  /// began with cannot be read.
  static absl::StatusOr<RunFacts> Make(const std::vector<std::string>& given,
                                       const std::string& output, RowHashes rows,
                                       const std::string& first_model, const ModelRunner& runner,
                                       const CompiledFunction& step);

  void Save(Records& facts) const;
  /// NotFound, InvalidArgument: they are no facts that Save() left.
  static absl::StatusOr<RunFacts> Load(const StateReader& state);
};

/// The flags of `train` that change no bit of a run.
const std::vector<std::string>& FreeFlags();

/// A line for each difference that a run which goes on would have, and what follows from it; none:
/// it will have the same bits.
std::vector<std::string> Differences(const RunFacts& then, const RunFacts& now);

/// The flags that are not as they were. FailedPrecondition for another model and for differences
/// that are not allowed; those that are go to standard error.
absl::StatusOr<std::vector<std::string>> CheckChanges(const RunFacts& then, const RunFacts& now,
                                                      const std::vector<std::string>& of_the_model,
                                                      bool allow);

/// "--units" of "--units=8".
std::string NameOfFlag(const std::string& argument);

/// The arguments of a command that goes on: `stored` but for those flags that `given` has as well,
/// and `given` behind them.
std::vector<std::string> MergeArguments(const std::vector<std::string>& stored,
                                        const std::vector<std::string>& given);

}  // namespace seqgraph::tools
