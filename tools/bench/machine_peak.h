#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "graph/cost.h"

namespace seqgraph::bench {

/// What arithmetic one vector instruction set reaches here.
struct TargetPeak {
  std::string target;  ///< "baseline", "avx2", "avx512"
  double gflops = 0;   ///< 1e9 float32 operations a second
};

/// The limits of this machine, measured on it: the two sides of a roofline (Williams, Waterman and
/// Patterson 2009). With several threads all of them run at once and their rates are added.
class MachinePeak {
 public:
  /// Measures arithmetic at once: multiply-adds on independent sums that stay in registers, for
  /// each instruction set that the machine has (separate multiplications and additions on the
  /// baseline, which has no multiply-add). Each measurement is the best of several that take
  /// `seconds` together.
  explicit MachinePeak(int threads, double seconds = 0.02);

  const std::vector<TargetPeak>& targets() const { return targets_; }
  /// That of the fastest instruction set.
  double gflops() const;

  /// 1e9 bytes a second of a[i] = b[i] + s c[i] (the STREAM triad, McCalpin 1995) where all three
  /// arrays together take about that many bytes; what the caches fetch beside the operands is not
  /// counted. Measured for each power of two when it is first asked for, and kept.
  double GigabytesPerSecond(int64_t working_set);

  /// The least seconds that work of that cost takes here by both limits, its traffic at the
  /// bandwidth of a working set of its size.
  double LeastSeconds(const OpCost& cost);

 private:
  int threads_;
  double seconds_;
  std::vector<TargetPeak> targets_;
  std::map<int, double> bandwidths_;  // by the logarithm of the working set
};

}  // namespace seqgraph::bench
