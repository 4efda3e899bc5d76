// Recurrences whose state is one vector: at most 8 units (4 on SSE4). A product with a matrix takes
// no broadcast and no memory: with u's diagonals d_m[j] = u[j ^ m, j] in registers,
// (h·u)[j] = sum over m of h[j ^ m] d_m[j], and lane j ^ m comes by a permutation. Backward the
// same permutations of dz serve dz·uᵀ and, multiplied by h_{t-1}, the diagonals of du, which stay
// in registers over all steps of a chunk. Samples are interleaved so that one's latency is
// another's work.

#if defined(SEQGRAPH_BACKENDS_SIMD_RNN_REGISTERS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SEQGRAPH_BACKENDS_SIMD_RNN_REGISTERS_INL_H_
#undef SEQGRAPH_BACKENDS_SIMD_RNN_REGISTERS_INL_H_
#else
#define SEQGRAPH_BACKENDS_SIMD_RNN_REGISTERS_INL_H_
#endif

#include <algorithm>
#include <cstdint>

#include "backends/simd/rnn_job.h"
#include "backends/simd/rnn_products-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace seqgraph::simd {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using F8 = hn::CappedTag<float, 8>;
using V8 = hn::Vec<F8>;
constexpr int kRegister = hn::MaxLanes(F8());

/// Lane j gets lane j ^ m of v; `swapped` is v with its halves swapped.
template <int m>
HWY_INLINE V8 Permuted(V8 v, V8 swapped) {
  const V8 half = (m & 4) != 0 ? swapped : v;
  if constexpr ((m & 3) == 1) return hn::Shuffle2301(half);
  if constexpr ((m & 3) == 2) return hn::Shuffle1032(half);
  if constexpr ((m & 3) == 3) return hn::Shuffle0123(half);
  return half;
}

HWY_INLINE V8 Swapped(V8 v) {
  if constexpr (kRegister == 8) return hn::ConcatLowerUpper(F8(), v, v);
  return v;
}

/// d_m[j] = m[j ^ m, j], zeros beyond the units; element (r, c) of the matrix is
/// matrix[r row_stride + c column_stride].
inline void PackDiagonals(const float* matrix, int64_t row_stride, int64_t column_stride,
                          int64_t units, float* packed) {
  for (int64_t m = 0; m < kRegister; ++m) {
    for (int64_t j = 0; j < kRegister; ++j) {
      const int64_t r = j ^ m;
      *packed++ = r < units && j < units ? matrix[r * row_stride + j * column_stride] : 0.0f;
    }
  }
}

/// Steps of kSamples samples forward.
struct ForwardSteps {
  const float* rows;   ///< kLookup: the table; else z of the first sample and step
  int64_t row_stride;  ///< else: floats from one sample to the next
  const int32_t* ids;  ///< kLookup: of the first sample and step
  int64_t id_stride;
  int64_t steps;
  const float* u;
  const float* bias;
  int64_t units;
  float* states;    ///< [kSamples, kRegister], in and out
  float* sequence;  ///< null: not wanted
  int64_t sequence_stride;
};

template <RnnActivation act, bool kLookup, int kSamples>
HWY_NOINLINE void RunForwardSteps(const ForwardSteps& s) {
  const F8 d;
  constexpr int kTogether = HWY_MIN(kSamples, 4);
  V8 u[kRegister], h[kSamples];
  Unroll<kRegister>([&](auto m) SEQ_INLINE { u[m] = hn::Load(d, s.u + m * kRegister); });
  Unroll<kSamples>([&](auto i) SEQ_INLINE { h[i] = hn::Load(d, s.states + i * kRegister); });
  const V8 bias = hn::Load(d, s.bias);
  // Lanes behind the units stay zero, whatever infinity times a padding zero gives.
  const auto used = hn::FirstN(d, static_cast<size_t>(s.units));
  const float* rows = s.rows;
  const int32_t* ids = s.ids;
  float* sequence = s.sequence;
  const int64_t row_stride = s.row_stride, id_stride = s.id_stride, out = s.sequence_stride;
  for (int64_t t = 0; t < s.steps; ++t) {
    Unroll<kSamples / kTogether>([&](auto g) SEQ_INLINE {
      constexpr int kFirst = g * kTogether;
      V8 z[kTogether], z2[kTogether], swapped[kTogether];
      Unroll<kTogether>([&](auto i) SEQ_INLINE {
        constexpr int k = kFirst + i;
        swapped[i] = Swapped(h[k]);
        const float* row = kLookup ? rows + int64_t{ids[k * id_stride + t]} * kRegister
                                   : rows + k * row_stride + t * kRegister;
        z[i] = hn::MulAdd(h[k], u[0], hn::LoadU(d, row));
        z2[i] = hn::MulAdd(Permuted<kRegister / 2>(h[k], swapped[i]), u[kRegister / 2], bias);
      });
      Unroll<kRegister / 2 - 1>([&](auto j) SEQ_INLINE {
        constexpr int m = j + 1, m2 = m + kRegister / 2;
        Unroll<kTogether>([&](auto i) SEQ_INLINE {
          z[i] = hn::MulAdd(Permuted<m>(h[kFirst + i], swapped[i]), u[m], z[i]);
          z2[i] = hn::MulAdd(Permuted<m2>(h[kFirst + i], swapped[i]), u[m2], z2[i]);
        });
      });
      Unroll<kTogether>([&](auto i) SEQ_INLINE { z[i] = hn::Add(z[i], z2[i]); });
      Activate<act>(d, z);
      Unroll<kTogether>([&](auto i) SEQ_INLINE {
        z[i] = hn::IfThenElseZero(used, z[i]);
        h[kFirst + i] = z[i];
        if (sequence != nullptr) {
          hn::StoreU(z[i], d, sequence + (kFirst + i) * out + t * kRegister);
        }
      });
    });
  }
  Unroll<kSamples>([&](auto i) SEQ_INLINE { hn::Store(h[i], d, s.states + i * kRegister); });
}

/// Steps of kSamples samples backward, from the last on.
struct BackwardSteps {
  const float* states;  ///< h of the first sample and step
  int64_t state_stride;
  const float* before;  ///< [kSamples, kRegister]: h before the first step; null: there is none,
                        ///< and no product with it (zero times infinity would be NaN)
  const float* d_sequence;  ///< null: zero
  int64_t d_sequence_stride;
  const int32_t* ids;  ///< kLookup: of the first sample and step
  int64_t id_stride;
  int64_t steps;
  int64_t units;
  const float* u;  ///< diagonals of uᵀ
  float* dh;       ///< [kSamples, kRegister], in and out: what comes from later steps
  float* dz;       ///< null: not wanted
  int64_t dz_stride;
  float* dtable;  ///< kLookup: rows that get dz added
  float* du;      ///< diagonals that get those of du added
  float* db;
};

template <RnnActivation act, bool kLookup, int kSamples>
HWY_NOINLINE void RunBackwardSteps(const BackwardSteps& s) {
  const F8 d;
  V8 u[kRegister], du[kRegister], h[kSamples], dh[kSamples];
  Unroll<kRegister>([&](auto m) SEQ_INLINE {
    u[m] = hn::Load(d, s.u + m * kRegister);
    du[m] = hn::Zero(d);
  });
  V8 db = hn::Zero(d);
  const auto used = hn::FirstN(d, static_cast<size_t>(s.units));  // as forward
  const float* states = s.states;
  Unroll<kSamples>([&](auto i) SEQ_INLINE {
    h[i] = hn::LoadU(d, states + i * s.state_stride + (s.steps - 1) * kRegister);
    dh[i] = hn::Load(d, s.dh + i * kRegister);
  });
  const int32_t* ids = s.ids;
  float* dz_out = s.dz;
  // kProducts: there is a state before, which du takes.
  const auto step = [&](int64_t t, auto products) SEQ_INLINE {
    constexpr bool kProducts = decltype(products)::value;
    Unroll<kSamples>([&](auto i) SEQ_INLINE {
      if (s.d_sequence != nullptr) {
        dh[i] =
            hn::Add(dh[i], hn::LoadU(d, s.d_sequence + i * s.d_sequence_stride + t * kRegister));
      }
      const V8 dz = hn::IfThenElseZero(used, TimesSlope<act>(d, dh[i], h[i]));
      db = hn::Add(db, dz);
      if constexpr (kLookup) {
        float* row = s.dtable + int64_t{ids[i * s.id_stride + t]} * kRegister;
        hn::StoreU(hn::Add(hn::LoadU(d, row), dz), d, row);
      } else {
        if (dz_out != nullptr) hn::StoreU(dz, d, dz_out + i * s.dz_stride + t * kRegister);
      }
      if constexpr (kProducts) {
        h[i] = t > 0 ? hn::LoadU(d, states + i * s.state_stride + (t - 1) * kRegister)
                     : hn::Load(d, s.before + i * kRegister);
      }
      const V8 swapped = Swapped(dz);
      constexpr int kHalf = kRegister / 2;
      const V8 far = Permuted<kHalf>(dz, swapped);
      V8 next = hn::Mul(dz, u[0]), next2 = hn::Mul(far, u[kHalf]);
      if constexpr (kProducts) {
        du[0] = hn::MulAdd(h[i], dz, du[0]);
        du[kHalf] = hn::MulAdd(h[i], far, du[kHalf]);
      }
      Unroll<kHalf - 1>([&](auto j) SEQ_INLINE {
        constexpr int m = j + 1, m2 = m + kHalf;
        const V8 a = Permuted<m>(dz, swapped), b = Permuted<m2>(dz, swapped);
        next = hn::MulAdd(a, u[m], next);
        next2 = hn::MulAdd(b, u[m2], next2);
        if constexpr (kProducts) {
          du[m] = hn::MulAdd(h[i], a, du[m]);
          du[m2] = hn::MulAdd(h[i], b, du[m2]);
        }
      });
      dh[i] = hn::Add(next, next2);
    });
  };
  const int64_t without = s.before == nullptr ? 1 : 0;
  for (int64_t t = s.steps - 1; t >= without; --t) step(t, std::true_type());
  if (without > 0) step(0, std::false_type());
  Unroll<kSamples>([&](auto i) SEQ_INLINE { hn::Store(dh[i], d, s.dh + i * kRegister); });
  Unroll<kRegister>([&](auto m) SEQ_INLINE {
    float* sum = s.du + m * kRegister;
    hn::Store(hn::Add(hn::Load(d, sum), du[m]), d, sum);
  });
  hn::Store(hn::Add(hn::Load(d, s.db), db), d, s.db);
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace seqgraph::simd
HWY_AFTER_NAMESPACE();

#endif  // SEQGRAPH_BACKENDS_SIMD_RNN_REGISTERS_INL_H_
