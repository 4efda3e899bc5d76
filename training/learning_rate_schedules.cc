#include "training/learning_rate_schedules.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "base/status_macros.h"

namespace seqgraph {
namespace {

absl::Status CheckNumber(absl::string_view schedule, absl::string_view name, double value) {
  if (std::isfinite(value) && value >= 0) return absl::OkStatus();
  return InvalidArgument(schedule, ": ", name, " must be finite and at least 0, got ", value);
}

absl::Status CheckSteps(absl::string_view schedule, absl::string_view name, int64_t steps,
                        int64_t least) {
  if (steps >= least) return absl::OkStatus();
  return InvalidArgument(schedule, ": ", name, " must be at least ", least, ", got ", steps);
}

absl::Status CheckDecay(absl::string_view schedule, const DecayOptions& o) {
  SEQ_RETURN_IF_ERROR(CheckNumber(schedule, "initial", o.initial));
  SEQ_RETURN_IF_ERROR(CheckNumber(schedule, "decay_rate", o.decay_rate));
  return CheckSteps(schedule, "decay_steps", o.decay_steps, 1);
}

// s / steps.
double Periods(const DecayOptions& o, int64_t step) {
  const double periods = static_cast<double>(step) / static_cast<double>(o.decay_steps);
  return o.staircase ? std::floor(periods) : periods;
}

}  // namespace

absl::StatusOr<LearningRateSchedule> ExponentialDecay(const DecayOptions& options) {
  SEQ_RETURN_IF_ERROR(CheckDecay("ExponentialDecay", options));
  return LearningRateSchedule(
      [o = options](int64_t step) { return o.initial * std::pow(o.decay_rate, Periods(o, step)); });
}

absl::StatusOr<LearningRateSchedule> InverseTimeDecay(const DecayOptions& options) {
  SEQ_RETURN_IF_ERROR(CheckDecay("InverseTimeDecay", options));
  return LearningRateSchedule(
      [o = options](int64_t step) { return o.initial / (1 + o.decay_rate * Periods(o, step)); });
}

absl::StatusOr<LearningRateSchedule> PiecewiseConstantDecay(std::vector<int64_t> boundaries,
                                                            std::vector<double> values) {
  if (values.size() != boundaries.size() + 1) {
    return InvalidArgument("PiecewiseConstantDecay: ", boundaries.size(), " boundaries need ",
                           boundaries.size() + 1, " values, got ", values.size());
  }
  if (!std::is_sorted(boundaries.begin(), boundaries.end())) {
    return InvalidArgument("PiecewiseConstantDecay: boundaries must ascend");
  }
  for (const double value : values) {
    SEQ_RETURN_IF_ERROR(CheckNumber("PiecewiseConstantDecay", "a value", value));
  }
  return LearningRateSchedule(
      [boundaries = std::move(boundaries), values = std::move(values)](int64_t step) {
        const auto first = std::lower_bound(boundaries.begin(), boundaries.end(), step);
        return values[static_cast<size_t>(first - boundaries.begin())];
      });
}

absl::StatusOr<LearningRateSchedule> CosineDecay(const CosineDecayOptions& options) {
  SEQ_RETURN_IF_ERROR(CheckNumber("CosineDecay", "initial", options.initial));
  SEQ_RETURN_IF_ERROR(CheckNumber("CosineDecay", "alpha", options.alpha));
  SEQ_RETURN_IF_ERROR(CheckSteps("CosineDecay", "decay_steps", options.decay_steps, 1));
  SEQ_RETURN_IF_ERROR(CheckSteps("CosineDecay", "warmup_steps", options.warmup_steps, 0));
  SEQ_RETURN_IF_ERROR(
      CheckNumber("CosineDecay", "warmup_target", options.warmup_target.value_or(0)));
  return LearningRateSchedule([o = options](int64_t step) {
    const int64_t warmup = o.warmup_target.has_value() ? o.warmup_steps : 0;
    const double largest = o.warmup_target.value_or(o.initial);
    if (step < warmup) {
      const double share = static_cast<double>(step) / static_cast<double>(warmup);
      return o.initial + (largest - o.initial) * share;
    }
    const double share = static_cast<double>(std::min(step - warmup, o.decay_steps)) /
                         static_cast<double>(o.decay_steps);
    const double cosine = (1 + std::cos(std::numbers::pi * share)) / 2;
    return largest * ((1 - o.alpha) * cosine + o.alpha);
  });
}

}  // namespace seqgraph
