#pragma once

// How long steps took, and which came too late.

#include <array>
#include <cstdint>
#include <string>

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

}  // namespace seqgraph::tools
