// Recurrences whose state is one vector: at most 8 units (4 on SSE4). A product with a matrix takes
// no broadcast and no memory: with u's diagonals d_m[j] = u[j ^ m, j] in registers,
// (h·u)[j] = sum over m of h[j ^ m] d_m[j], and lane j ^ m comes by a permutation. Backward the
// same permutations of dz serve dz·uᵀ and, multiplied by h_{t-1}, the diagonals of du, which stay
// in registers over all steps of a chunk. Where a vector has 16 lanes it holds the states of two
// samples side by side. Vectors are interleaved so that one's latency is another's work.

#if defined(SEQGRAPH_BACKENDS_KERNELS_RNN_REGISTERS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SEQGRAPH_BACKENDS_KERNELS_RNN_REGISTERS_INL_H_
#undef SEQGRAPH_BACKENDS_KERNELS_RNN_REGISTERS_INL_H_
#else
#define SEQGRAPH_BACKENDS_KERNELS_RNN_REGISTERS_INL_H_
#endif

#include <algorithm>
#include <cstdint>

#include "backends/kernels/products-inl.h"
#include "backends/kernels/rnn_job.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace seqgraph::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using F8 = hn::CappedTag<float, 8>;
using V8 = hn::Vec<F8>;
constexpr int kRegister = hn::MaxLanes(F8());

/// Vectors that hold as many samples as go into one.
#if HWY_TARGET <= HWY_AVX3
using FSamples = hn::CappedTag<float, 16>;
#else
using FSamples = F8;
#endif

/// Samples whose states one vector holds.
template <class D>
constexpr int SamplesIn(D) {
  return hn::MaxLanes(D()) / kRegister;
}

/// The states that begin there: one, or two that are a stride apart.
template <class D>
HWY_INLINE hn::Vec<D> LoadStates(D d, const float* from, int64_t stride) {
  if constexpr (SamplesIn(d) == 2) {
    return hn::Combine(d, hn::LoadU(F8(), from + stride), hn::LoadU(F8(), from));
  } else {
    return hn::LoadU(d, from);
  }
}

template <class D>
HWY_INLINE void StoreStates(D d, hn::Vec<D> v, float* to, int64_t stride) {
  if constexpr (SamplesIn(d) == 2) {
    hn::StoreU(hn::LowerHalf(F8(), v), F8(), to);
    hn::StoreU(hn::UpperHalf(F8(), v), F8(), to + stride);
  } else {
    hn::StoreU(v, d, to);
  }
}

/// to[0, kRegister) += the sum of v over its samples.
template <class D>
HWY_INLINE void AddOverSamples(D d, hn::Vec<D> v, float* to) {
  const F8 d8;
  if constexpr (SamplesIn(d) == 2) {
    const V8 sum = hn::Add(hn::LowerHalf(d8, v), hn::UpperHalf(d8, v));
    hn::Store(hn::Add(hn::Load(d8, to), sum), d8, to);
  } else {
    hn::Store(hn::Add(hn::Load(d, to), v), d, to);
  }
}

/// The lanes of each sample that are units.
template <class D>
HWY_INLINE hn::Mask<D> UsedLanes(D d, int64_t units) {
  HWY_ALIGN float lanes[hn::MaxLanes(d)];
  for (int j = 0; j < SamplesIn(d) * kRegister; ++j) lanes[j] = static_cast<float>(j % kRegister);
  return hn::Lt(hn::Load(d, lanes), hn::Set(d, static_cast<float>(units)));
}

/// Lane j of each sample gets its lane j ^ m of v; `swapped` is v by Swapped.
template <int m, class V>
HWY_INLINE V Permuted(V v, V swapped) {
  const V half = (m & 4) != 0 ? swapped : v;
  if constexpr ((m & 3) == 1) return hn::Shuffle2301(half);
  if constexpr ((m & 3) == 2) return hn::Shuffle1032(half);
  if constexpr ((m & 3) == 3) return hn::Shuffle0123(half);
  return half;
}

/// v with the halves of each sample swapped.
template <class D, class V>
HWY_INLINE V Swapped(D d, V v) {
  if constexpr (SamplesIn(d) == 2) {
    return hn::SwapAdjacentBlocks(v);
  } else if constexpr (kRegister == 8) {
    return hn::ConcatLowerUpper(d, v, v);
  } else {
    return v;
  }
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

/// Steps of some samples forward.
struct ForwardSteps {
  const float* rows;   ///< kLookup: the table; else z of the first sample and step
  int64_t row_stride;  ///< else: floats from one sample to the next
  const int32_t* ids;  ///< kLookup: of the first sample and step
  int64_t id_stride;
  int64_t steps;
  const float* u;
  const float* bias;
  int64_t units;
  float* states;    ///< [samples, kRegister], in and out
  float* sequence;  ///< null: not wanted
  int64_t sequence_stride;
};

/// For kVectors vectors of samples.
template <Activation act, bool kLookup, int kVectors, class D>
HWY_NOINLINE void RunForwardSteps(D d, const ForwardSteps& s) {
  using V = hn::Vec<D>;
  constexpr int kEach = SamplesIn(D()), kTogether = HWY_MIN(kVectors, 4);
  V u[kRegister], h[kVectors];
  Unroll<kRegister>([&](auto m) SEQ_INLINE { u[m] = LoadStates(d, s.u + m * kRegister, 0); });
  Unroll<kVectors>([&](auto i) SEQ_INLINE {
    h[i] = LoadStates(d, s.states + i * kEach * kRegister, kRegister);
  });
  const V bias = LoadStates(d, s.bias, 0);
  // Lanes behind the units stay zero, whatever infinity times a padding zero gives.
  const auto used = UsedLanes(d, s.units);
  const float* rows = s.rows;
  const int32_t* ids = s.ids;
  float* sequence = s.sequence;
  const int64_t row_stride = s.row_stride, id_stride = s.id_stride, out = s.sequence_stride;
  for (int64_t t = 0; t < s.steps; ++t) {
    Unroll<kVectors / kTogether>([&](auto g) SEQ_INLINE {
      constexpr int kFirst = g * kTogether;
      V z[kTogether], z2[kTogether], swapped[kTogether];
      Unroll<kTogether>([&](auto i) SEQ_INLINE {
        constexpr int k = kFirst + i;
        swapped[i] = Swapped(d, h[k]);
        const float* row = rows + k * kEach * row_stride + t * kRegister;
        int64_t next = row_stride;
        if constexpr (kLookup) {
          const int32_t* id = ids + k * kEach * id_stride + t;
          row = rows + int64_t{id[0]} * kRegister;
          if constexpr (kEach == 2) next = rows + int64_t{id[id_stride]} * kRegister - row;
        }
        z[i] = hn::MulAdd(h[k], u[0], LoadStates(d, row, next));
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
        constexpr int k = kFirst + i;
        z[i] = hn::IfThenElseZero(used, z[i]);
        h[k] = z[i];
        if (sequence != nullptr) {
          StoreStates(d, z[i], sequence + k * kEach * out + t * kRegister, out);
        }
      });
    });
  }
  Unroll<kVectors>([&](auto i) SEQ_INLINE {
    StoreStates(d, h[i], s.states + i * kEach * kRegister, kRegister);
  });
}

/// Steps of some samples backward, from the last on.
struct BackwardSteps {
  const float* states;  ///< h of the first sample and step
  int64_t state_stride;
  const float* before;      ///< [samples, kRegister]: h before the first step; null: there is none,
                            ///< and no product with it (zero times infinity would be NaN)
  const float* d_sequence;  ///< null: zero
  int64_t d_sequence_stride;
  const int32_t* ids;  ///< kLookup: of the first sample and step
  int64_t id_stride;
  int64_t steps;
  int64_t units;
  const float* u;  ///< diagonals of uᵀ
  float* dh;       ///< [samples, kRegister], in and out: what comes from later steps
  float* dz;       ///< null: not wanted
  int64_t dz_stride;
  float* dtable;  ///< kLookup: rows that get dz added
  float* du;      ///< diagonals that get those of du added
  float* db;
};

/// For kVectors vectors of samples.
template <Activation act, bool kLookup, int kVectors, class D>
HWY_NOINLINE void RunBackwardSteps(D d, const BackwardSteps& s) {
  using V = hn::Vec<D>;
  constexpr int kEach = SamplesIn(D());
  V u[kRegister], du[kRegister], h[kVectors], dh[kVectors];
  Unroll<kRegister>([&](auto m) SEQ_INLINE {
    u[m] = LoadStates(d, s.u + m * kRegister, 0);
    du[m] = hn::Zero(d);
  });
  V db = hn::Zero(d);
  const auto used = UsedLanes(d, s.units);  // as forward
  const float* states = s.states;
  Unroll<kVectors>([&](auto i) SEQ_INLINE {
    const float* last = states + i * kEach * s.state_stride + (s.steps - 1) * kRegister;
    h[i] = LoadStates(d, last, s.state_stride);
    dh[i] = LoadStates(d, s.dh + i * kEach * kRegister, kRegister);
  });
  const int32_t* ids = s.ids;
  float* dz_out = s.dz;
  // kProducts: there is a state before, which du takes.
  const auto step = [&](int64_t t, auto products) SEQ_INLINE {
    constexpr bool kProducts = decltype(products)::value;
    Unroll<kVectors>([&](auto i) SEQ_INLINE {
      constexpr int k = i * kEach;  // the first sample
      if (s.d_sequence != nullptr) {
        const float* from = s.d_sequence + k * s.d_sequence_stride + t * kRegister;
        dh[i] = hn::Add(dh[i], LoadStates(d, from, s.d_sequence_stride));
      }
      const V dz = hn::IfThenElseZero(used, TimesSlope<act>(d, dh[i], h[i]));
      db = hn::Add(db, dz);
      if constexpr (kLookup) {
        // One after the other: both may be of one row.
        const auto add = [&](int64_t sample, V8 one) SEQ_INLINE {
          float* row = s.dtable + int64_t{ids[sample * s.id_stride + t]} * kRegister;
          hn::StoreU(hn::Add(hn::LoadU(F8(), row), one), F8(), row);
        };
        if constexpr (kEach == 2) {
          add(k, hn::LowerHalf(F8(), dz));
          add(k + 1, hn::UpperHalf(F8(), dz));
        } else {
          add(k, dz);
        }
      } else {
        if (dz_out != nullptr) {
          StoreStates(d, dz, dz_out + k * s.dz_stride + t * kRegister, s.dz_stride);
        }
      }
      if constexpr (kProducts) {
        h[i] =
            t > 0 ? LoadStates(d, states + k * s.state_stride + (t - 1) * kRegister, s.state_stride)
                  : LoadStates(d, s.before + k * kRegister, kRegister);
      }
      const V swapped = Swapped(d, dz);
      constexpr int kHalf = kRegister / 2;
      const V far = Permuted<kHalf>(dz, swapped);
      V next = hn::Mul(dz, u[0]), next2 = hn::Mul(far, u[kHalf]);
      if constexpr (kProducts) {
        du[0] = hn::MulAdd(h[i], dz, du[0]);
        du[kHalf] = hn::MulAdd(h[i], far, du[kHalf]);
      }
      Unroll<kHalf - 1>([&](auto j) SEQ_INLINE {
        constexpr int m = j + 1, m2 = m + kHalf;
        const V a = Permuted<m>(dz, swapped), b = Permuted<m2>(dz, swapped);
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
  Unroll<kVectors>(
      [&](auto i) SEQ_INLINE { StoreStates(d, dh[i], s.dh + i * kEach * kRegister, kRegister); });
  Unroll<kRegister>([&](auto m) SEQ_INLINE { AddOverSamples(d, du[m], s.du + m * kRegister); });
  AddOverSamples(d, db, s.db);
}

/// Calls f(d, first sample, vectors as a constant) for groups of samples that cover `count`: of
/// kVectors vectors of as many samples as go in, then of fewer.
template <int kVectors, class F>
HWY_INLINE void ForSamples(int64_t count, F&& f) {
  constexpr int kEach = SamplesIn(FSamples());
  int64_t s = 0;
  for (; count - s >= kVectors * kEach; s += kVectors * kEach) {
    f(FSamples(), s, std::integral_constant<int, kVectors>());
  }
  for (; count - s >= 4 * kEach; s += 4 * kEach) {
    f(FSamples(), s, std::integral_constant<int, 4>());
  }
  for (; count - s >= 4; s += 4) f(FSamples(), s, std::integral_constant<int, 4 / kEach>());
  for (; s < count; ++s) f(F8(), s, std::integral_constant<int, 1>());
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace seqgraph::kernels
HWY_AFTER_NAMESPACE();

#endif  // SEQGRAPH_BACKENDS_KERNELS_RNN_REGISTERS_INL_H_
