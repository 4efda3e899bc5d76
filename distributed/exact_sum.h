#pragma once

// Sums of doubles without rounding, so that neither order nor grouping shows in the result.

#include <array>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace seqgraph {

/// The sum of x_1, x_2, ... as one wide fixed-point number (Kulisch's accumulator): the same for
/// any order of Add and Merge. Takes 2^30 numbers.
class ExactSum {
 public:
  void Add(double x);
  void Merge(const ExactSum& other);
  /// The sum as a double, off by less than one unit of its last place; NaN if a number was not
  /// finite.
  double value() const;

  /// For another process, and back; false: they are no such bytes.
  std::string Bytes() const;
  bool FromBytes(absl::string_view bytes);

 private:
  // Digits of 32 bits, the first worth 2^kLowest; a digit has room for carries.
  static constexpr int kLowest = -1152, kDigits = 71;
  struct State {
    std::array<int64_t, kDigits> digits{};
    int64_t not_finite = 0;
  };
  State state_;
};

}  // namespace seqgraph
