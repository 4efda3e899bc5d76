#pragma once

// Runs of Fit that are killed at any moment, and go on in another process: what strangers have lost
// elsewhere, tried here.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "graph/model.h"
#include "training/callback.h"
#include "training/examples.h"
#include "training/run_state.h"
#include "training/text_models.h"
#include "training/trainer.h"

namespace seqgraph {

constexpr int64_t kKilledBatch = 8;

/// Rows of four tokens, with whether the last one is a large one.
struct KilledRows {
  KilledRows(int64_t rows, uint64_t seed);
  Examples All() const;

  int64_t rows;
  std::vector<int32_t> tokens, targets;
};

/// A GRU with dropout for such rows.
TextModelOptions KilledModel();

/// A run, made anew in each process: KilledModel, trained by Adam on 50 rows in random order, in
/// batches of kKilledBatch.
struct KilledRun {
  int epochs = 6;
  std::function<std::vector<CallbackHandle>(const std::string& folder)> callbacks;
};

/// What was there at a moment at which a state had been kept.
struct Moment {
  RunState state;
  RunPosition position;
  std::map<std::string, std::string> files;  ///< of the folder
};

struct RunOutcome {
  Model model;
  FitResult result;
  std::vector<Moment> moments;
  std::map<std::string, std::string> files;
};

/// The run from its beginning to its end, never killed.
absl::StatusOr<RunOutcome> RunWhole(const KilledRun& run);
/// A new process that finds what a moment has left: the state through its file, and the folder.
/// Without moments of its own unless they are asked for.
absl::StatusOr<RunOutcome> RunFrom(const KilledRun& run, const Moment& moment,
                                   bool with_moments = false);

/// Goes on from every fifth moment of the whole run, each at another step of its epoch, and from
/// the last: each must end as the whole run did.
void ExpectToGoOn(const KilledRun& run, const RunOutcome& whole);

/// A failure of the test where the two do not end with the same bits, history and messages.
void ExpectTheSameEnd(const RunOutcome& whole, const RunOutcome& resumed);

}  // namespace seqgraph
