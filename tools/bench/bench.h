#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "graph/function.h"
#include "runtime/compiled_function.h"
#include "runtime/profile.h"
#include "tools/bench/machine_peak.h"

namespace seqgraph::bench {

/// One of those that are compared: a function compiled for some backends, its inputs filled.
struct Contestant {
  std::string backends;
  CompiledFunction* compiled = nullptr;
};

struct BenchOptions {
  /// Calls of each contestant take at least so long together, those to warm up not counted (but end
  /// after 100,000 blocks).
  double min_seconds = 1;
  /// Looked at between calls: once true, what has been measured is the result.
  const std::atomic<bool>* interrupt = nullptr;
};

struct NodeResult {
  ProfiledNode node;
  double seconds = 0;           ///< median over the timed calls
  double roofline_percent = 0;  ///< the least time by the machine's limits, over `seconds`
};

struct BenchResult {
  std::string backends;
  int64_t batch = 1;
  int64_t calls = 0;    ///< whole calls that were timed
  double seconds = 0;   ///< of a call: the median over blocks of calls
  double dispatch = 0;  ///< of a call that is timed by nodes: what is in no node, median
  std::vector<NodeResult> nodes;

  double samples_per_second() const { return static_cast<double>(batch) / seconds; }
  OpCost cost() const;
};

/// Measures the contestants in turn, in short blocks of calls, so that what else the machine does
/// meets all of them alike. Whole calls are timed without an observer; one call a block is timed
/// node by node, and from each node the time of reading the clock is taken off. Errors: those of
/// running, and Cancelled if it is interrupted before the first block is over.
absl::StatusOr<std::vector<BenchResult>> RunBench(absl::Span<const Contestant> contestants,
                                                  const BenchOptions& options, MachinePeak& peak);

/// Fills the inputs of a compiled function with numbers that are the same on every machine: ids
/// that `function` (what it was compiled from) takes (IndexLimit in graph/function.h), labels 0 and
/// 1, other reals in [-1, 1), counters 0.
absl::Status FillInputs(const Function& function, CompiledFunction& compiled);

}  // namespace seqgraph::bench
