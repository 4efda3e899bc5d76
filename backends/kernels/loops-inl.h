// Loops over arrays that may be of any length and begin and end anywhere: nothing beyond an array
// is read or written.

#if defined(SEQGRAPH_BACKENDS_KERNELS_LOOPS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SEQGRAPH_BACKENDS_KERNELS_LOOPS_INL_H_
#undef SEQGRAPH_BACKENDS_KERNELS_LOOPS_INL_H_
#else
#define SEQGRAPH_BACKENDS_KERNELS_LOOPS_INL_H_
#endif

#include <cstdint>

#include "hwy/highway.h"

// SSE4 has no masked loads and stores: Highway's touch the whole vector.
#undef SEQ_HAS_MASKED_MEMORY
#if HWY_TARGET == HWY_SSE4
#define SEQ_HAS_MASKED_MEMORY 0
#else
#define SEQ_HAS_MASKED_MEMORY 1
#endif

HWY_BEFORE_NAMESPACE();
namespace seqgraph::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using F32 = hn::ScalableTag<float>;
using VF = hn::Vec<F32>;

/// The first `count` floats at `from`, 0 in the other lanes. 0 <= count <= Lanes.
template <class D>
HWY_INLINE hn::Vec<D> LoadFirst(D d, const float* from, int64_t count) {
#if SEQ_HAS_MASKED_MEMORY
  return hn::MaskedLoad(hn::FirstN(d, count), d, from);
#else
  HWY_ALIGN float lanes[hn::MaxLanes(d)] = {};
  for (int64_t i = 0; i < count; ++i) lanes[i] = from[i];
  return hn::Load(d, lanes);
#endif
}

/// Stores the first `count` lanes alone. 0 <= count <= Lanes.
template <class D>
HWY_INLINE void StoreFirst(D d, hn::Vec<D> v, float* to, int64_t count) {
#if SEQ_HAS_MASKED_MEMORY
  hn::BlendedStore(v, hn::FirstN(d, count), d, to);
#else
  HWY_ALIGN float lanes[hn::MaxLanes(d)];
  hn::Store(v, d, lanes);
  for (int64_t i = 0; i < count; ++i) to[i] = lanes[i];
#endif
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
}  // namespace seqgraph::kernels
HWY_AFTER_NAMESPACE();

#endif  // SEQGRAPH_BACKENDS_KERNELS_LOOPS_INL_H_
