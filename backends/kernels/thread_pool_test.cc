#include "backends/kernels/thread_pool.h"

#include <gtest/gtest.h>
#include <xmmintrin.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <set>
#include <thread>
#include <vector>

#include "base/denormals.h"

namespace seqgraph::kernels {
namespace {

class ThreadPoolTest : public ::testing::TestWithParam<int> {};

TEST_P(ThreadPoolTest, EachTaskRunsOnceInEveryLoop) {
  ThreadPool pool(GetParam());
  EXPECT_EQ(pool.threads(), GetParam());
  std::vector<std::atomic<int>> runs(67);
  for (int loop = 1; loop <= 3000; ++loop) {
    const int64_t tasks = loop % 68;
    for (auto& run : runs) run = 0;
    pool.ParallelFor(tasks, [&](int64_t i) { ++runs[i]; });
    for (int64_t i = 0; i < 67; ++i) ASSERT_EQ(runs[i], i < tasks ? 1 : 0) << loop << " " << i;
  }
}

TEST_P(ThreadPoolTest, WhatTasksWroteIsThereAfterTheLoop) {
  ThreadPool pool(GetParam());
  std::vector<int64_t> squares(1000);
  for (int loop = 0; loop < 200; ++loop) {
    pool.ParallelFor(1000, [&](int64_t i) { squares[i] = i * i + loop; });
    for (int64_t i = 0; i < 1000; ++i) ASSERT_EQ(squares[i], i * i + loop);
  }
}

TEST_P(ThreadPoolTest, ThreadsThatSleepWakeUp) {
  ThreadPool pool(GetParam());
  for (int loop = 0; loop < 5; ++loop) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    std::atomic<int64_t> sum = 0;
    pool.ParallelFor(100, [&](int64_t i) { sum += i; });
    ASSERT_EQ(sum, 4950);
  }
}

TEST_P(ThreadPoolTest, NestedAndConcurrentLoopsRunWhole) {
  ThreadPool pool(GetParam());
  std::atomic<int64_t> sum = 0;
  const auto loops = [&] {
    for (int loop = 0; loop < 100; ++loop) {
      pool.ParallelFor(8, [&](int64_t) { pool.ParallelFor(5, [&](int64_t j) { sum += j; }); });
    }
  };
  std::thread other(loops);
  loops();
  other.join();
  EXPECT_EQ(sum, 2 * 100 * 8 * 10);
}

TEST_P(ThreadPoolTest, FlushesDenormalsInEveryTask) {
  const FlushDenormals flush;
  ThreadPool pool(GetParam());
  std::atomic<int> kept = 0;
  pool.ParallelFor(200, [&](int64_t) {
    constexpr unsigned kBoth = FlushDenormals::kFlushToZero | FlushDenormals::kDenormalsAreZero;
    if ((_mm_getcsr() & kBoth) != kBoth) ++kept;
  });
  EXPECT_EQ(kept, 0);
}

INSTANTIATE_TEST_SUITE_P(Threads, ThreadPoolTest, ::testing::Values(1, 2, 3, 8));

TEST(ThreadPool, SharesOnePoolForEachNumberOfThreads) {
  const auto two = ThreadPool::Shared(2);
  EXPECT_EQ(two, ThreadPool::Shared(2));
  EXPECT_NE(two, ThreadPool::Shared(3));
  EXPECT_EQ(two->threads(), 2);
}

// Two tasks that wait for each other can end only if two threads run them.
TEST(ThreadPool, TasksRunAtTheSameTime) {
  ThreadPool pool(2);
  std::atomic<int> arrived = 0;
  pool.ParallelFor(2, [&](int64_t) {
    ++arrived;
    while (arrived < 2) std::this_thread::yield();
  });
  EXPECT_EQ(arrived, 2);
}

}  // namespace
}  // namespace seqgraph::kernels
