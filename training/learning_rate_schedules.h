#pragma once

// Learning rates as functions of the number of optimizer steps done, s:
//   ExponentialDecay    initial rate^(s / steps)
//   InverseTimeDecay    initial / (1 + rate s / steps)
//   PiecewiseConstant   values[i], i the number of boundaries below s
//   CosineDecay         initial ((1 - alpha) (1 + cos(pi s / steps)) / 2 + alpha), constant from
//                       `steps` on; with warm-up, linear to warmup_target before
// Names, defaults and formulas are those of keras.optimizers.schedules.

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"

namespace seqgraph {

/// The rate of the step before which `step` others have been done.
using LearningRateSchedule = std::function<double(int64_t step)>;

struct DecayOptions {
  double initial = 1e-3;     ///< the rate of the first step; finite, at least 0
  int64_t decay_steps = 1;   ///< at least 1
  double decay_rate = 0.96;  ///< finite, at least 0
  bool staircase = false;    ///< s / steps is rounded down
};
/// InvalidArgument for options out of range, as for all that follow.
absl::StatusOr<LearningRateSchedule> ExponentialDecay(const DecayOptions& options);
absl::StatusOr<LearningRateSchedule> InverseTimeDecay(const DecayOptions& options);

/// `boundaries` ascend; there is one value more than boundaries. A step that is a boundary still
/// has the value before it.
absl::StatusOr<LearningRateSchedule> PiecewiseConstantDecay(std::vector<int64_t> boundaries,
                                                            std::vector<double> values);

struct CosineDecayOptions {
  double initial = 1e-3;
  int64_t decay_steps = 1;  ///< at least 1; from the end of the warm-up
  double alpha = 0;         ///< what is left at the end, as a share of the largest rate
  /// With it the rate goes from `initial` to this in `warmup_steps`, and decays from there.
  std::optional<double> warmup_target;
  int64_t warmup_steps = 0;
};
absl::StatusOr<LearningRateSchedule> CosineDecay(const CosineDecayOptions& options);

}  // namespace seqgraph
