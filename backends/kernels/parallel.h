#pragma once

#include <algorithm>
#include <cstdint>

#include "backends/kernels/thread_pool.h"

namespace seqgraph::kernels {

/// Calls f(begin, size) for consecutive blocks of `block` elements (the last may be smaller) that
/// cover [0, n), on the pool's threads. Blocks are the same for any number of threads. Less than
/// four of them stay on the calling thread.
template <typename F>
void ForBlocks(ThreadPool& pool, int64_t n, int64_t block, F f) {
  const int64_t blocks = (n + block - 1) / block;
  const auto run = [&](int64_t i) { f(i * block, std::min(block, n - i * block)); };
  if (blocks < 4) {
    for (int64_t i = 0; i < blocks; ++i) run(i);
  } else {
    pool.ParallelFor(blocks, run);
  }
}

/// The same for loops over floats, in blocks that fit the first-level cache.
template <typename F>
void ForBlocks(ThreadPool& pool, int64_t n, F f) {
  constexpr int64_t kFloatsInCache = 4096;
  ForBlocks(pool, n, kFloatsInCache, f);
}

}  // namespace seqgraph::kernels
