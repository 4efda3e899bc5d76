#pragma once

#include <sys/types.h>

#include <atomic>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace seqgraph::tools {

/// A program to run: its arguments, the first of which is its name.
struct PoolJob {
  std::vector<std::string> arguments;
  std::string output;  ///< a file that its standard output and error are appended to
};

/// Runs children of this very program, several at a time. Whoever deals jobs out over machines can
/// take its place.
class ProcessPool {
 public:
  /// At most so many at once.
  explicit ProcessPool(int at_once) : at_once_(at_once) {}
  /// Ends those that still run, and waits for them.
  ~ProcessPool();
  ProcessPool(const ProcessPool&) = delete;
  ProcessPool& operator=(const ProcessPool&) = delete;

  /// Runs all, in the order of the list; `ended` is called with the index and the exit status
  /// (128 + signal of one that was killed) of each as it ends. After `interrupt` is set none is
  /// begun, those that run are sent SIGTERM, and Cancelled is returned once they have ended. Errors
  /// of the system where none can be started.
  absl::Status Run(const std::vector<PoolJob>& jobs, const std::atomic<bool>& interrupt,
                   const std::function<void(size_t job, int status)>& ended);

 private:
  absl::Status Start(size_t index, const PoolJob& job);
  bool Reap(const std::function<void(size_t, int)>& ended);
  void SignalAll(int signal);

  int at_once_;
  std::map<pid_t, size_t> running_;
};

}  // namespace seqgraph::tools
