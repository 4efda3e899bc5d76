#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "distributed/communicator.h"
#include "tools/sweep/sweep_plan.h"
#include "tools/sweep/sweep_table.h"

namespace seqgraph::tools {

/// A sweep, ready to run. Each run has a folder of its own in `folder`, named by its combination
/// and seed, so that a sweep which was cut off goes on where it was.
struct Sweep {
  std::string folder;
  std::string program;             ///< what this one is called
  std::vector<std::string> train;  ///< arguments behind `train` that all runs have
  std::vector<SweepPoint> points;
  std::vector<SweepRung> rungs;  ///< {{0, points}}: all to the end that `train` itself finds
  int64_t first_seed = 1, seeds = 1;
  std::string metric = "val_loss";  ///< that tells which combinations go to the next rung
  int at_once = 1;                  ///< on each rank
};

/// What the words behind `--` may not have, for the sweep says it: --run, --output, --seed, ...;
/// empty: none of it.
std::string FlagOfSweep(const std::vector<std::string>& train);

/// Makes the folder and says there what the sweep is. FailedPrecondition: it holds another one, or
/// another process has it. The lock is held until the process ends.
absl::Status OpenSweep(const Sweep& sweep, const std::string& definition);

/// Runs what has not been run yet, on all ranks, which reach the same folder: called by the root of
/// `communicator`, while the others call HelpSweep(). `say` is called with a line for each run that
/// ends. The rows of all combinations, the best first. Cancelled when it was interrupted; then the
/// same call goes on. A run that fails does not end the others: FailedPrecondition at the end names
/// the first.
struct SweepOutcome {
  std::vector<SweepRow> rows;
  std::string first_failure;  ///< empty: none
  int64_t ended = 0;          ///< runs that this call has begun, of all rungs and ranks
  double own_seconds = 0;     ///< what these took, added up
};
absl::StatusOr<SweepOutcome> RunSweep(const Sweep& sweep, Communicator& communicator,
                                      const std::atomic<bool>& interrupt,
                                      const std::function<void(const std::string&)>& say);

/// Runs what the root deals out to another rank, at most so many at once.
absl::Status HelpSweep(int at_once, Communicator& communicator, const std::atomic<bool>& interrupt);

}  // namespace seqgraph::tools
