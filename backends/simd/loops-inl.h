// Loops over arrays that may be of any length and begin and end anywhere: nothing beyond an array
// is read or written.

#if defined(SEQGRAPH_BACKENDS_SIMD_LOOPS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SEQGRAPH_BACKENDS_SIMD_LOOPS_INL_H_
#undef SEQGRAPH_BACKENDS_SIMD_LOOPS_INL_H_
#else
#define SEQGRAPH_BACKENDS_SIMD_LOOPS_INL_H_
#endif

#include <cstdint>
#include <cstring>

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace seqgraph::simd {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using F32 = hn::ScalableTag<float>;
using VF = hn::Vec<F32>;

/// The first `count` floats at `from`, 0 in the other lanes. count < Lanes.
HWY_INLINE VF LoadFirst(F32 d, const float* from, int64_t count) {
  HWY_ALIGN float lanes[hn::MaxLanes(d)] = {};
  std::memcpy(lanes, from, count * sizeof(float));
  return hn::Load(d, lanes);
}

HWY_INLINE void StoreFirst(F32 d, VF v, float* to, int64_t count) {
  HWY_ALIGN float lanes[hn::MaxLanes(d)];
  hn::Store(v, d, lanes);
  std::memcpy(to, lanes, count * sizeof(float));
}

/// y[i] = f(x[i]). f takes and gives vectors. Outputs may be inputs.
template <class F>
HWY_INLINE void Map(const float* x, int64_t n, float* y, F f) {
  const F32 d;
  const int64_t lanes = hn::Lanes(d);
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(f(hn::LoadU(d, x + i)), d, y + i);
  if (i < n) StoreFirst(d, f(LoadFirst(d, x + i, n - i)), y + i, n - i);
}

/// y[i] = f(a[i], b[i]).
template <class F>
HWY_INLINE void Map(const float* a, const float* b, int64_t n, float* y, F f) {
  const F32 d;
  const int64_t lanes = hn::Lanes(d);
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    hn::StoreU(f(hn::LoadU(d, a + i), hn::LoadU(d, b + i)), d, y + i);
  }
  if (i == n) return;
  StoreFirst(d, f(LoadFirst(d, a + i, n - i), LoadFirst(d, b + i, n - i)), y + i, n - i);
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace seqgraph::simd
HWY_AFTER_NAMESPACE();

#endif  // SEQGRAPH_BACKENDS_SIMD_LOOPS_INL_H_
