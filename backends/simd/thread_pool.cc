#include "backends/simd/thread_pool.h"

#include <immintrin.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>
#include <system_error>

#include "backends/denormals.h"

namespace seqgraph::simd {
namespace {

constexpr int kTaskBits = 32;
constexpr uint64_t kTaskMask = (uint64_t{1} << kTaskBits) - 1;
constexpr std::chrono::microseconds kSpin(50);

// Calls `done` until it is true or `limit` has passed; whether it was true.
template <typename Done>
bool SpinFor(std::chrono::microseconds limit, Done done) {
  constexpr int kLooksAtATime = 32;
  const auto end = std::chrono::steady_clock::now() + limit;
  do {
    for (int i = 0; i < kLooksAtATime; ++i) {
      if (done()) return true;
      _mm_pause();
    }
  } while (std::chrono::steady_clock::now() < end);
  return false;
}

}  // namespace

ThreadPool::ThreadPool(int threads) : parts_(static_cast<size_t>(std::max(threads, 1))) {
  try {
    for (int i = 1; i < threads; ++i) workers_.emplace_back([this, i] { Work(i); });
  } catch (const std::system_error&) {
    // The threads that there are give the same bits.
  }
}

ThreadPool::~ThreadPool() {
  stop_.store(true);
  loop_.fetch_add(1);
  loop_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

std::shared_ptr<ThreadPool> ThreadPool::Shared(int threads) {
  static std::mutex* const mutex = new std::mutex;
  static auto* const pools = new std::map<int, std::weak_ptr<ThreadPool>>;
  const std::lock_guard<std::mutex> lock(*mutex);
  std::weak_ptr<ThreadPool>& slot = (*pools)[threads];
  std::shared_ptr<ThreadPool> pool = slot.lock();
  if (pool == nullptr) slot = pool = std::make_shared<ThreadPool>(threads);
  return pool;
}

void ThreadPool::ParallelFor(int64_t tasks, absl::FunctionRef<void(int64_t)> task) {
  if (tasks <= 1 || workers_.empty() || in_use_.exchange(true, std::memory_order_acquire)) {
    for (int64_t i = 0; i < tasks; ++i) task(i);
    return;
  }
  const uint32_t loop = loop_.load(std::memory_order_relaxed) + 1;
  const uint64_t ticket = uint64_t{loop} << kTaskBits;
  // Closed first: a thread that is late in the loop before, and sees the number of tasks of this
  // one, finds its ticket gone.
  for (Part& part : parts_) part.ticket.store(ticket | kTaskMask, std::memory_order_release);
  tasks_.store(tasks, std::memory_order_release);
  task_.store(&task, std::memory_order_relaxed);
  unfinished_.store(tasks, std::memory_order_relaxed);
  for (Part& part : parts_) part.ticket.store(ticket, std::memory_order_release);
  loop_.store(loop, std::memory_order_release);
  loop_.notify_all();
  TakeTasks(loop, 0);
  // A thread that has been put to sleep in its last task needs a core: this one's, if there is no
  // other.
  const auto done = [this] { return unfinished_.load(std::memory_order_acquire) == 0; };
  while (!SpinFor(kSpin, done)) std::this_thread::yield();
  in_use_.store(false, std::memory_order_release);
}

void ThreadPool::TakeTasks(uint32_t loop, int thread) {
  const auto parts = static_cast<int64_t>(parts_.size());
  for (int64_t i = 0; i < parts; ++i) TakePart(loop, (thread + i) % parts);
}

void ThreadPool::TakePart(uint32_t loop, int64_t part) {
  const auto parts = static_cast<int64_t>(parts_.size());
  std::atomic<uint64_t>& current = parts_[static_cast<size_t>(part)].ticket;
  uint64_t ticket = current.load(std::memory_order_acquire);
  int64_t finished = 0;  // told once, as the line it is told in travels between cores
  while (ticket >> kTaskBits == loop) {
    // What belongs to the ticket if it is still the ticket after this; otherwise it is not used.
    const int64_t tasks = tasks_.load(std::memory_order_acquire);
    const Task* task = task_.load(std::memory_order_relaxed);
    const int64_t i = tasks * part / parts + static_cast<int64_t>(ticket & kTaskMask);
    if (i >= tasks * (part + 1) / parts) break;
    if (current.compare_exchange_weak(ticket, ticket + 1, std::memory_order_acq_rel,
                                      std::memory_order_acquire)) {
      (*task)(i);
      ++finished;
      ticket = current.load(std::memory_order_acquire);
    }
  }
  if (finished > 0) unfinished_.fetch_sub(finished, std::memory_order_acq_rel);
}

uint32_t ThreadPool::AwaitLoop(uint32_t seen) {
  const auto changed = [this, seen] { return loop_.load(std::memory_order_acquire) != seen; };
  if (!SpinFor(kSpin, changed)) loop_.wait(seen, std::memory_order_acquire);
  return loop_.load(std::memory_order_acquire);
}

void ThreadPool::Work(int thread) {
  const FlushDenormals flush;
  uint32_t seen = 0;
  while (true) {
    seen = AwaitLoop(seen);
    if (stop_.load()) return;
    TakeTasks(seen, thread);
  }
}

}  // namespace seqgraph::simd
