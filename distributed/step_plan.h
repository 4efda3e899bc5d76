#pragma once

// What a training step of several ranks takes, before it runs: the time of its computing, measured
// on one, and of its messages, by the cost model.
//
//   T(p) = max over ranks of (own blocks g + arrays of P floats that are moved or added)
//          + T(reduce-scatter of P floats, but for what the backward pass hides) + u / p
//          + T(allgather of P floats) + T(gather of records) + T(broadcast of a command)
// with g the seconds of a block's gradients and u those of the whole optimizer.

#include <cstdint>
#include <string>
#include <vector>

#include "distributed/cost_model.h"

namespace seqgraph {

/// What is known of a step on one rank.
struct StepFacts {
  int64_t batch = 64;              ///< rows of all ranks together
  int64_t block_rows = 32;         ///< the last block has what is left
  double block_seconds = 0;        ///< of a whole block's forward and backward pass
  double backward_share = 2. / 3;  ///< of it, what the backward pass takes
  double optimizer_seconds = 0;    ///< of the update of all weights by one rank
  int64_t weights = 0;             ///< that are trained: floats of the gradient
  /// Of it each weight's part, in the order of the function; empty: it is one.
  std::vector<int64_t> tensors;
  int64_t slots = 0;           ///< floats that the optimizer keeps a weight
  int64_t call_bytes = 0;      ///< values and scratch of a block's call
  int64_t record_bytes = 8;    ///< that the root gets of each row: a prediction and a label
  int64_t command_bytes = 24;  ///< that the root tells all once a step
  /// That all ranks have together; 0: each has cores of its own. What they compute then takes
  /// turns.
  int cores = 0;
};

struct StepOptions {
  /// The gradient of a rank's last block goes out in buckets, each as soon as the backward pass has
  /// made it, evenly over its time; the messages of one are under way while the next is made.
  /// False: all of it behind the backward pass.
  bool overlap = true;
  /// A bucket is of whole tensors, the last ones first, and full from so many bytes on.
  int64_t bucket_bytes = int64_t{1} << 20;
};

/// The elements of each bucket, in the order in which they are sent.
std::vector<int64_t> BucketsOf(const StepFacts& facts, const StepOptions& options);

/// The prediction for a number of ranks. "A rank" is the one with the most.
struct StepPlan {
  int ranks = 1;
  double seconds = 0;
  double communication = 0;  ///< of it: what nothing hides
  double samples_per_second = 0;
  double efficiency = 1;     ///< T(1) / (p T(p)) with the same batch
  int64_t traffic = 0;       ///< bytes a rank sends a step
  int64_t weight_bytes = 0;  ///< of the memory a rank: weights, and the flat copy that is gathered
  int64_t gradient_bytes = 0;   ///< what TreeReduceScatter keeps
  int64_t optimizer_bytes = 0;  ///< the share of the optimizer's state
  int64_t call_bytes = 0;

  int64_t memory() const { return weight_bytes + gradient_bytes + optimizer_bytes + call_bytes; }
};

StepPlan PlanStep(const StepFacts& facts, const NetworkCosts& costs, int ranks,
                  const StepOptions& options = {});

/// 1, 2, 4, ... and the number itself.
std::vector<int> RanksToShow(int ranks);

/// The least batch, a multiple of whole blocks on each rank, for which so many ranks have that
/// efficiency; 0: none below 10^9 rows.
int64_t LeastBatch(const StepFacts& facts, const NetworkCosts& costs, int ranks,
                   const StepOptions& options, double efficiency);

/// A line or two for people: whether steps on so many ranks pay, and what does otherwise.
std::string StepAdvice(const StepFacts& facts, const NetworkCosts& costs, int ranks,
                       const StepOptions& options = {});

}  // namespace seqgraph
