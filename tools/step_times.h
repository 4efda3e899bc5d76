#pragma once

// How long steps took, and which came too late.

#include <array>
#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"

namespace seqgraph::tools {

/// Counts of times in buckets of about 3 %, from 1 ns to 10^4 s; adding one allocates nothing.
class StepTimes {
 public:
  void Add(int64_t nanoseconds);
  int64_t count() const { return count_; }
  int64_t longest() const { return longest_; }
  /// The time that the given share of all steps does not exceed, to 3 %; 0 without any.
  int64_t Quantile(double share) const;
  /// "1000 steps: median 0.12 us, 99 % 0.14 us, 99.9 % 0.3 us, longest 4.1 us", and below it a line
  /// for each power of two with a bar.
  std::string Text() const;

 private:
  static constexpr int kPerOctave = 32, kOctaves = 44;
  std::array<int64_t, kPerOctave * kOctaves> counts_{};
  int64_t count_ = 0, longest_ = 0;
};

/// When calls are taken, and how long they took. A call that is due at a time takes the input that
/// has come by then: number k, from 0, at the end of the (k + 1)-th period.
class StepPace {
 public:
  /// `realtime`: calls wait until they are due; otherwise they are as fast as they can be.
  explicit StepPace(bool realtime) : realtime_(realtime) {}

  /// Waits, takes the call, and sees whether it came too late: when the next one had become due
  /// too.
  absl::Status Take(double calls_per_second, absl::FunctionRef<absl::Status()> call);

  /// StepTimes::Text, and how many came too late.
  std::string Text() const;

 private:
  bool realtime_;
  StepTimes times_;
  int64_t start_ = 0, late_ = 0;
};

}  // namespace seqgraph::tools
