#pragma once

// Times of things that alternate in one process, so that what else the machine does hits all alike;
// what counts is the median of the paired ratios and their 10 % and 90 % quantiles.

#include <functional>
#include <vector>

namespace seqgraph {

/// Seconds since some moment.
using BenchmarkClock = double (*)();
double ThreadSeconds();  ///< processor time of this thread
double WallSeconds();

using BenchmarkRun = std::function<void()>;

/// Seconds of one of `repeats` runs.
double SecondsOfRun(BenchmarkClock clock, int repeats, const BenchmarkRun& run);

/// How many runs take about so many seconds, at least 1; first runs it a few times to warm up,
/// twice only if that takes longer.
int RepeatsFor(BenchmarkClock clock, double seconds, const BenchmarkRun& run);

/// The element that a share q in [0, 1] of all do not exceed. At least one value.
double Quantile(std::vector<double> values, double q);

struct Spread {
  double p10 = 0, median = 0, p90 = 0;
};
Spread SpreadOf(const std::vector<double>& values);

/// When MeasureInTurn has seen enough.
struct PairedLimits {
  double turn_seconds = 0.01;  ///< of one side, in one turn
  int least_rounds = 7, most_rounds = 61;
  double seconds = 2;  ///< after so many no round more than least_rounds begins
  /// Enough once twice the standard error of every ratio is below this share of it.
  double precision = 0.01;
};

struct PairedTimes {
  std::vector<Spread> ratios;   ///< time of each side / time of the first one in the same round
  std::vector<double> seconds;  ///< of one run of each side, the median
  int rounds = 0;
};

/// Runs the sides in turn, as many rounds as it takes.
PairedTimes MeasureInTurn(BenchmarkClock clock, const std::vector<BenchmarkRun>& sides,
                          const PairedLimits& limits = {});

}  // namespace seqgraph
