#include "tests/benchmark/paired.h"

#include <time.h>

#include <algorithm>
#include <chrono>
#include <cmath>

namespace seqgraph {
namespace {

// Whether twice the standard error of the mean is below that share of it.
bool IsPrecise(const std::vector<double>& values, double share) {
  const double n = static_cast<double>(values.size());
  double sum = 0, squares = 0;
  for (double value : values) sum += value;
  for (double value : values) squares += (value - sum / n) * (value - sum / n);
  return 2 * std::sqrt(squares / (n - 1) / n) < share * sum / n;
}

}  // namespace

double ThreadSeconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

double WallSeconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double SecondsOfRun(BenchmarkClock clock, int repeats, const BenchmarkRun& run) {
  const double start = clock();
  for (int i = 0; i < repeats; ++i) run();
  return (clock() - start) / repeats;
}

int RepeatsFor(BenchmarkClock clock, double seconds, const BenchmarkRun& run) {
  constexpr int kFew = 5;
  // The least, as a run that is the first or was interrupted would make all turns too short.
  double least = SecondsOfRun(clock, 1, run);
  double total = 0;
  for (int i = 0; i < kFew && total < seconds; ++i) {
    const double once = SecondsOfRun(clock, 1, run);
    least = std::min(least, once);
    total += once;
  }
  return std::max(1, static_cast<int>(seconds / least));
}

double Quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(q * static_cast<double>(values.size() - 1) + 0.5)];
}

Spread SpreadOf(const std::vector<double>& values) {
  return {Quantile(values, 0.1), Quantile(values, 0.5), Quantile(values, 0.9)};
}

PairedTimes MeasureInTurn(BenchmarkClock clock, const std::vector<BenchmarkRun>& sides,
                          const PairedLimits& limits) {
  std::vector<int> repeats;
  for (const BenchmarkRun& side : sides) {
    repeats.push_back(RepeatsFor(clock, limits.turn_seconds, side));
  }
  std::vector<std::vector<double>> times(sides.size()), ratios(sides.size());
  const double start = WallSeconds();
  PairedTimes result;
  const auto enough = [&] {
    if (result.rounds < limits.least_rounds) return false;
    return result.rounds >= limits.most_rounds || WallSeconds() - start > limits.seconds ||
           std::all_of(ratios.begin(), ratios.end(), [&](const std::vector<double>& values) {
             return IsPrecise(values, limits.precision);
           });
  };
  for (; !enough(); ++result.rounds) {
    for (size_t s = 0; s < sides.size(); ++s) {
      times[s].push_back(SecondsOfRun(clock, repeats[s], sides[s]));
      ratios[s].push_back(times[s].back() / times[0].back());
    }
  }
  for (size_t s = 0; s < sides.size(); ++s) {
    result.ratios.push_back(SpreadOf(ratios[s]));
    result.seconds.push_back(Quantile(times[s], 0.5));
  }
  return result;
}

}  // namespace seqgraph
