// Rows of floats, padded to whole vectors or not.

#if defined(SEQGRAPH_BACKENDS_KERNELS_ROWS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SEQGRAPH_BACKENDS_KERNELS_ROWS_INL_H_
#undef SEQGRAPH_BACKENDS_KERNELS_ROWS_INL_H_
#else
#define SEQGRAPH_BACKENDS_KERNELS_ROWS_INL_H_
#endif

#include <cstdint>

#include "backends/kernels/loops-inl.h"
#include "hwy/cache_control.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace seqgraph::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
/// `count` floats as a vector with zeros behind; count may exceed the lanes.
template <class D>
HWY_INLINE hn::Vec<D> LoadSome(D d, const float* from, int64_t count) {
  constexpr int64_t kLanes = hn::MaxLanes(D());
  return HWY_LIKELY(count >= kLanes) ? hn::LoadU(d, from) : LoadFirst(d, from, count);
}

template <class D>
HWY_INLINE void StoreSome(D d, hn::Vec<D> v, float* to, int64_t count) {
  constexpr int64_t kLanes = hn::MaxLanes(D());
  if (HWY_LIKELY(count >= kLanes)) return hn::StoreU(v, d, to);
  StoreFirst(d, v, to, count);
}

/// Stores a whole vector, with zeros behind the first `count` lanes; count may exceed the lanes.
template <class D>
HWY_INLINE void StoreUsed(D d, hn::Vec<D> v, int64_t count, float* to) {
  constexpr int64_t kLanes = hn::MaxLanes(D());
  if (HWY_UNLIKELY(count < kLanes)) v = hn::IfThenElseZero(hn::FirstN(d, count), v);
  hn::Store(v, d, to);
}

/// Copies rows of `count` floats to rows of `width` >= count, padded with zeros, or back.
template <class D>
HWY_INLINE void PadRow(D d, const float* from, int64_t count, int64_t width, float* to) {
  constexpr int64_t kLanes = hn::MaxLanes(D());
  for (int64_t j = 0; j < width; j += kLanes) {
    hn::Store(LoadSome(d, from + j, count - j), d, to + j);
  }
}

template <class D>
HWY_INLINE void UnpadRow(D d, const float* from, int64_t count, float* to) {
  constexpr int64_t kLanes = hn::MaxLanes(D());
  for (int64_t j = 0; j < count; j += kLanes) {
    StoreSome(d, hn::Load(d, from + j), to + j, count - j);
  }
}

/// Asks for the cache lines of `count` floats that are soon read or written. Rows of different
/// samples are too many streams for the hardware to see.
HWY_INLINE void FetchAhead(const float* from, int64_t count) {
  constexpr int64_t kLine = 64 / sizeof(float);
  for (int64_t i = 0; i < count; i += kLine) hwy::Prefetch(from + i);
}

/// y[i] += a[i] for whole vectors.
template <class D>
HWY_INLINE void AddRow(D d, const float* a, int64_t width, float* y) {
  constexpr int64_t kLanes = hn::MaxLanes(D());
  for (int64_t j = 0; j < width; j += kLanes) {
    hn::Store(hn::Add(hn::Load(d, y + j), hn::Load(d, a + j)), d, y + j);
  }
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace seqgraph::kernels
HWY_AFTER_NAMESPACE();

#endif  // SEQGRAPH_BACKENDS_KERNELS_ROWS_INL_H_
