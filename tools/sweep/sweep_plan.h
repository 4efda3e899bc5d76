#pragma once

// Which runs a sweep makes: a pure function of what was asked for.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace seqgraph::tools {

/// A flag of `train` and what it is to be.
struct SweepAxis {
  std::string flag;                 ///< "--units"
  std::vector<std::string> values;  ///< as they are written; none of a range
  double low = 0, high = 0;         ///< of a range
  bool whole = false;               ///< a range of whole numbers

  bool is_range() const { return values.empty(); }
};

/// Of "--units=8,16,32", or, for random search alone, "--learning_rate=1e-4..1e-1". InvalidArgument
/// for anything else, an empty value, a value twice.
absl::StatusOr<SweepAxis> ParseSweepAxis(const std::string& argument);

/// The flags of one combination, each "--name=value", and what it is called: "units=8_cell=gru".
struct SweepPoint {
  std::vector<std::string> flags;
  std::string name;
};

inline constexpr int64_t kMostPoints = 10'000;

/// Every combination of the axes' values, the last axis fastest. InvalidArgument for a range;
/// ResourceExhausted for more than kMostPoints.
absl::StatusOr<std::vector<SweepPoint>> GridPoints(const std::vector<SweepAxis>& axes);

/// `samples` combinations, each value drawn by itself: of a list each alike, of a range uniformly,
/// or, where it begins above 0 and its end is at least ten times its beginning, uniformly in the
/// logarithm. A combination is drawn once: fewer where there are not as many. A function of the
/// seed.
std::vector<SweepPoint> RandomPoints(const std::vector<SweepAxis>& axes, int64_t samples,
                                     uint64_t seed);

/// Epochs of the rungs of successive halving: `first`, then eta times as many each, the last
/// exactly `most`; how many of `points` are in each: ceil(points / eta^rung). Source: Jamieson and
/// Talwalkar, "Non-stochastic best arm identification and hyperparameter optimization", AISTATS
/// 2016.
struct SweepRung {
  int64_t epochs = 0;
  int64_t points = 0;
};
std::vector<SweepRung> HalvingRungs(int64_t points, int64_t first, int64_t most, int64_t eta);

}  // namespace seqgraph::tools
