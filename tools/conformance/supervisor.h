#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tools/conformance/case.h"
#include "tools/conformance/report.h"

namespace seqgraph::conformance {

struct SupervisorOptions {
  /// The command line of a worker: a program whose main calls WorkerMain where IsWorker().
  std::vector<std::string> worker;
  uint64_t seed = 1;
  /// A worker that does not answer for so long is hung.
  double timeout_seconds = 60;
  /// A worker of its own for each case.
  bool isolate = false;
  /// After so many hung cases the rest is not run.
  int max_hung = 3;
  /// Called after each case; may be null.
  std::function<void(const Row&)> on_row;
};

/// Runs the cases in a child process, which is replaced after a crash, a hang or damaged memory;
/// the case that did it is named. This process never touches a backend (a fork after OpenMP has
/// started would hang). An error: the backend is not there, or does not even load.
absl::StatusOr<Report> Supervise(const Cases& cases, const SupervisorOptions& options);

}  // namespace seqgraph::conformance
