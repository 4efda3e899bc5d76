#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "absl/functional/function_ref.h"

namespace seqgraph::kernels {

/// Threads that share the tasks of one loop. Which thread runs a task is left to chance, so results
/// are the same bits for any number of threads exactly if what a task does depends on its index
/// alone: cut work into blocks of constant size, and add partial sums afterwards, in order.
///
/// Threads that have just worked look out for more for about 50 microseconds before they sleep, so
/// that loop after loop starts within 1 or 2 microseconds.
///
/// Each thread begins with a part of its own, the same in every loop of as many tasks, and then
/// takes what the others have left: what a task wrote in one loop is mostly still in the cache of
/// the core that reads it in the next.
class ThreadPool {
 public:
  /// `threads` counts the one that calls ParallelFor; 1 or less makes none. Fewer where the system
  /// gives no more.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  /// The pool of that many threads which all programs of this process share, made when it is first
  /// asked for and gone with the last that holds it.
  static std::shared_ptr<ThreadPool> Shared(int threads);

  int threads() const { return static_cast<int>(workers_.size()) + 1; }

  /// Calls task(0), ..., task(tasks - 1), each once, in any order and on any thread, the calling
  /// one among them, and returns when all are done. Allocates nothing. While another thread is in
  /// ParallelFor of this pool, or from within a task, the calling thread runs all tasks itself.
  /// tasks < 2^31. Denormals are flushed in every task (see base/denormals.h).
  void ParallelFor(int64_t tasks, absl::FunctionRef<void(int64_t)> task);

 private:
  using Task = absl::FunctionRef<void(int64_t)>;

  // What a thread needs to begin its part of a loop, in one line of the cache. The ticket has the
  // number of the loop and, below it, how many of the part's tasks are left: who lowers it by one
  // has a task of that loop, which lasts until this task is done. So a thread that comes late takes
  // nothing of the next loop for this one's, and what stands beside the ticket does not change
  // between that and the end of the task.
  struct alignas(64) Part {
    std::atomic<uint64_t> ticket{0};
    int64_t end = 0;
    std::optional<Task> task;
  };

  void Work(int thread);
  // Takes tasks of that loop until none is left, those of part `thread` first.
  void TakeTasks(uint32_t loop, int thread);
  void TakePart(uint32_t loop, Part& part);

  std::vector<Part> parts_;  // one for each thread; the first is the calling one's
  std::vector<std::thread> workers_;
  alignas(64) std::atomic<int64_t> unfinished_{0};
  // The loop's number once more, for threads that sleep: not read by those that look out.
  alignas(64) std::atomic<uint32_t> loop_{0};
  std::atomic<bool> in_use_{false};
  std::atomic<bool> stop_{false};
};

}  // namespace seqgraph::kernels
