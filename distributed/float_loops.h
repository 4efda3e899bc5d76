#pragma once

// Loops over floats that compilers make vectors of without being asked for more than -O2: blocks of
// a fixed length, and arrays that are told not to overlap.

#include <cstdint>

namespace seqgraph {

inline constexpr int64_t kLoopBlock = 16;

/// f(i) for all i below `count`.
template <typename F>
inline void ForEachElement(int64_t count, F f) {
  int64_t i = 0;
  for (; i + kLoopBlock <= count; i += kLoopBlock) {
    for (int64_t k = 0; k < kLoopBlock; ++k) f(i + k);
  }
  for (; i < count; ++i) f(i);
}

/// to += a.
inline void AddTo(const float* __restrict a, int64_t count, float* __restrict to) {
  ForEachElement(count, [=](int64_t i) { to[i] += a[i]; });
}

/// to = a + b.
inline void SumInto(const float* __restrict a, const float* __restrict b, int64_t count,
                    float* __restrict to) {
  ForEachElement(count, [=](int64_t i) { to[i] = a[i] + b[i]; });
}

}  // namespace seqgraph
