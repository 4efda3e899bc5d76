#include "backends/kernels/thread_pool.h"

#include <immintrin.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <map>
#include <mutex>

#include "base/denormals.h"

namespace seqgraph::kernels {
namespace {

constexpr int kTaskBits = 32;
uint32_t LoopOf(uint64_t ticket) { return static_cast<uint32_t>(ticket >> kTaskBits); }
int64_t TasksLeft(uint64_t ticket) { return static_cast<uint32_t>(ticket); }

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
  } catch (const std::exception&) {  // No thread, or no memory for one.
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
  unfinished_.store(tasks, std::memory_order_relaxed);
  const auto parts = static_cast<int64_t>(parts_.size());
  for (int64_t i = parts - 1; i >= 0; --i) {
    Part& part = parts_[static_cast<size_t>(i)];
    part.end = tasks * (i + 1) / parts;
    part.task.emplace(task);
    const auto left = static_cast<uint64_t>(part.end - tasks * i / parts);
    part.ticket.store(uint64_t{loop} << kTaskBits | left, std::memory_order_release);
  }
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
  const size_t parts = parts_.size();
  for (size_t i = 0; i < parts; ++i) {
    TakePart(loop, parts_[(static_cast<size_t>(thread) + i) % parts]);
  }
}

void ThreadPool::TakePart(uint32_t loop, Part& part) {
  int64_t finished = 0;  // told once, as the line it is told in travels between cores
  uint64_t ticket = part.ticket.load(std::memory_order_acquire);
  while (LoopOf(ticket) == loop && TasksLeft(ticket) > 0) {
    if (!part.ticket.compare_exchange_weak(ticket, ticket - 1, std::memory_order_acq_rel,
                                           std::memory_order_acquire)) {
      continue;
    }
    (*part.task)(part.end - TasksLeft(ticket));
    ++finished;
    ticket = part.ticket.load(std::memory_order_acquire);
  }
  if (finished > 0) unfinished_.fetch_sub(finished, std::memory_order_acq_rel);
}

void ThreadPool::Work(int thread) {
  const FlushDenormals flush;
  const std::atomic<uint64_t>& ticket = parts_[static_cast<size_t>(thread)].ticket;
  const auto loop = [&ticket] { return LoopOf(ticket.load(std::memory_order_acquire)); };
  uint32_t seen = 0;
  while (true) {
    if (!SpinFor(kSpin, [&] { return loop() != seen; })) {
      loop_.wait(seen, std::memory_order_acquire);
      if (stop_.load()) return;
    }
    seen = loop();
    TakeTasks(seen, thread);
  }
}

}  // namespace seqgraph::kernels
