#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "distributed/work_queue.h"

namespace seqgraph::tools {

/// A program to run: its arguments, the first of which is its name.
struct PoolJob {
  std::vector<std::string> arguments;
  std::string output;  ///< a file that its standard output and error are appended to

  /// As a text of WorkQueue, and back.
  std::string Text() const;
  static PoolJob FromText(absl::string_view text);
};

/// How a program ended.
struct PoolResult {
  int status = 0;      ///< exit status; 128 + signal of one that was killed
  double seconds = 0;  ///< from its start to its end

  /// As a text of WorkQueue, and back; an error names a text that is none.
  std::string Text() const;
  static absl::StatusOr<PoolResult> FromText(absl::string_view text);
};

/// Runs children of this very program, several at a time: those jobs that a queue deals out to this
/// rank.
class ProcessPool {
 public:
  /// At most so many at once.
  explicit ProcessPool(int at_once) : at_once_(at_once) {}
  /// Ends those that still run, and waits for them.
  ~ProcessPool();
  ProcessPool(const ProcessPool&) = delete;
  ProcessPool& operator=(const ProcessPool&) = delete;

  /// Runs jobs until the queue, which has at_once() slots and texts of PoolJob, is at its end on
  /// all ranks. A result is the text of a PoolResult.
  /// After `interrupt` is set none is begun, those that run are sent SIGTERM, and Cancelled is
  /// returned once they have ended, on all ranks. Errors of the system where none can be started,
  /// and those of the queue.
  absl::Status Run(WorkQueue& queue, const std::atomic<bool>& interrupt);
  int at_once() const { return at_once_; }

 private:
  struct Running {
    int64_t number = 0;
    std::chrono::steady_clock::time_point began;
  };
  using Ended = std::function<absl::Status(int64_t number, const PoolResult& result)>;
  absl::Status RunAll(WorkQueue& queue, const std::atomic<bool>& interrupt);
  absl::Status Start(int64_t number, const PoolJob& job);
  absl::Status Reap(const Ended& ended);
  void EndAll(const Ended& ended);

  int at_once_;
  std::map<pid_t, Running> running_;
};

/// The environment that children get: ours without what mpirun and srun tell their processes (names
/// that begin with OMPI_, PMI, PMIX_, SLURM_, ...), for a child is none of the job's ranks.
std::vector<std::string> EnvironmentOutsideJob();

}  // namespace seqgraph::tools
