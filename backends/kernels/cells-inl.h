// What a step of a recurrent cell does between its products, for rows of a step: forward from the
// sums of the gates to the next state, backward from the gradient of that state to those of the
// sums. ops/{rnn,lstm,gru}_cell.h have the formulas, recurrence.cc what is kept in between.

#if defined(SEQGRAPH_BACKENDS_KERNELS_CELLS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SEQGRAPH_BACKENDS_KERNELS_CELLS_INL_H_
#undef SEQGRAPH_BACKENDS_KERNELS_CELLS_INL_H_
#else
#define SEQGRAPH_BACKENDS_KERNELS_CELLS_INL_H_
#endif

#include <cstdint>

#include "backends/kernels/products-inl.h"
#include "backends/kernels/recurrence_job.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace seqgraph::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// f(row, j) for all rows and the vectors of each, at j floats.
template <class D, class F>
HWY_INLINE void ForVectors(D d, int64_t rows, int64_t width, F&& f) {
  constexpr int64_t kLanes = hn::MaxLanes(D());
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t j = 0; j < width; j += kLanes) f(r, j);
  }
  (void)d;
}

template <Activation act, class D>
void SimpleForward(D d, const CellForward& s) {
  using V = hn::Vec<D>;
  constexpr int64_t kLanes = hn::MaxLanes(D());
  const auto some = [&](int64_t i, auto count) SEQ_INLINE {
    constexpr int kCount = decltype(count)::value;
    V x[kCount];
    Unroll<kCount>([&](auto k) SEQ_INLINE { x[k] = hn::Load(d, s.z + i + k * kLanes); });
    Activate<act>(d, x);
    Unroll<kCount>([&](auto k) SEQ_INLINE {
      hn::Store(x[k], d, s.h + i + k * kLanes);
      if (s.kept != nullptr) hn::Store(x[k], d, s.kept + i + k * kLanes);
    });
  };
  const int64_t floats = s.rows * s.width;
  int64_t i = 0;
  for (; i + 4 * kLanes <= floats; i += 4 * kLanes) some(i, std::integral_constant<int, 4>());
  for (; i < floats; i += kLanes) some(i, std::integral_constant<int, 1>());
}

template <Activation act, class D>
void SimpleBackward(D d, const CellBackward& s) {
  ForVectors(d, s.rows, s.width, [&](int64_t r, int64_t j) SEQ_INLINE {
    const int64_t at = r * s.width + j;
    const auto dz = TimesSlope<act>(d, hn::Load(d, s.dh + at), hn::Load(d, s.kept + at));
    StoreUsed(d, dz, s.units - j, s.dz + r * s.dz_row + j);
  });
}

template <Activation act, class D>
void LstmForward(D d, const CellForward& s) {
  using V = hn::Vec<D>;
  constexpr int64_t kLanes = hn::MaxLanes(D());
  const int64_t w = s.width;
  int64_t r = 0, j = 0;  // of the next vector
  // Several together: the last function of one, which waits for all before it, is the others' too.
  const auto some = [&](auto count) SEQ_INLINE {
    constexpr int kCount = decltype(count)::value;
    V o[kCount], a[kCount];
    int64_t row[kCount], column[kCount];
    Unroll<kCount>([&](auto k) SEQ_INLINE {
      row[k] = r;
      column[k] = j;
      const float* z = s.z + r * 4 * w + j;
      const int64_t at = r * w + j;
      V gate[3] = {hn::Load(d, z), hn::Load(d, z + w), hn::Load(d, z + 3 * w)};
      V g[1] = {hn::Load(d, z + 2 * w)};
      Sigmoid(d, gate);
      Activate<act>(d, g);
      a[k] = hn::MulAdd(gate[1], hn::Load(d, s.c_before + at), hn::Mul(gate[0], g[0]));
      hn::Store(a[k], d, s.c + at);
      o[k] = gate[2];
      if (s.kept != nullptr) {
        float* kept = s.kept + r * 5 * w + j;
        hn::Store(gate[0], d, kept);
        hn::Store(gate[1], d, kept + w);
        hn::Store(g[0], d, kept + 2 * w);
        hn::Store(gate[2], d, kept + 3 * w);
      }
      j += kLanes;
      if (j == w) j = 0, ++r;
    });
    Activate<act>(d, a);
    Unroll<kCount>([&](auto k) SEQ_INLINE {
      hn::Store(hn::Mul(o[k], a[k]), d, s.h + row[k] * w + column[k]);
      if (s.kept != nullptr) hn::Store(a[k], d, s.kept + (row[k] * 5 + 4) * w + column[k]);
    });
  };
  int64_t vectors = s.rows * w / kLanes;
  for (; vectors >= 2; vectors -= 2) some(std::integral_constant<int, 2>());
  if (vectors > 0) some(std::integral_constant<int, 1>());
}

template <Activation act, class D>
void LstmBackward(D d, const CellBackward& s) {
  using V = hn::Vec<D>;
  const int64_t w = s.width;
  ForVectors(d, s.rows, w, [&](int64_t r, int64_t j) SEQ_INLINE {
    const int64_t at = r * w + j;
    const float* kept = s.kept + r * 5 * w + j;
    const V i = hn::Load(d, kept), f = hn::Load(d, kept + w), g = hn::Load(d, kept + 2 * w);
    const V o = hn::Load(d, kept + 3 * w), a = hn::Load(d, kept + 4 * w);
    const V dh = hn::Load(d, s.dh + at);
    const V dc = hn::Add(hn::Load(d, s.dc + at), TimesSlope<act>(d, hn::Mul(dh, o), a));
    float* dz = s.dz + r * s.dz_row + j;
    const int64_t used = s.units - j;
    StoreUsed(d, TimesSlope<Activation::kSigmoid>(d, hn::Mul(dc, g), i), used, dz);
    const V df = hn::Mul(dc, hn::Load(d, s.c_before + at));
    StoreUsed(d, TimesSlope<Activation::kSigmoid>(d, df, f), used, dz + w);
    StoreUsed(d, TimesSlope<act>(d, hn::Mul(dc, i), g), used, dz + 2 * w);
    StoreUsed(d, TimesSlope<Activation::kSigmoid>(d, hn::Mul(dh, a), o), used, dz + 3 * w);
    hn::Store(hn::Mul(dc, f), d, s.dc + at);
  });
}

/// 1 - x.
template <class D, class V>
HWY_INLINE V OneMinus(D d, V x) {
  return hn::Sub(hn::Set(d, 1.0f), x);
}

/// h = z h_before + (1 - z) n: with a product for each, for n + z (h_before - n) may be infinity
/// less infinity.
template <class D, class V>
HWY_INLINE void GruState(D d, V z, V n, const float* before, float* h) {
  hn::Store(hn::MulAdd(z, hn::Load(d, before), hn::Mul(OneMinus(d, z), n)), d, h);
}

/// With the reset after the product.
template <Activation act, class D>
void GruAfterForward(D d, const CellForward& s) {
  using V = hn::Vec<D>;
  const int64_t w = s.width;
  ForVectors(d, s.rows, w, [&](int64_t r, int64_t j) SEQ_INLINE {
    const int64_t at = r * w + j;
    const float* z = s.z + r * 3 * w + j;
    V gate[2] = {hn::Load(d, z), hn::Load(d, z + w)};
    Sigmoid(d, gate);
    const V q = hn::Load(d, z + 2 * w);
    V n[1] = {hn::MulAdd(gate[1], q, hn::Load(d, s.x + (r * 4 + 3) * w + j))};
    Activate<act>(d, n);
    GruState(d, gate[0], n[0], s.before + at, s.h + at);
    if (s.kept == nullptr) return;
    float* kept = s.kept + r * 4 * w + j;
    hn::Store(gate[0], d, kept);
    hn::Store(gate[1], d, kept + w);
    hn::Store(n[0], d, kept + 2 * w);
    hn::Store(q, d, kept + 3 * w);
  });
}

template <Activation act, class D>
void GruAfterBackward(D d, const CellBackward& s) {
  using V = hn::Vec<D>;
  constexpr Activation kSigmoid = Activation::kSigmoid;
  const int64_t w = s.width;
  ForVectors(d, s.rows, w, [&](int64_t row, int64_t j) SEQ_INLINE {
    const int64_t at = row * w + j, used = s.units - j;
    const float* kept = s.kept + row * 4 * w + j;
    const V z = hn::Load(d, kept), r = hn::Load(d, kept + w), n = hn::Load(d, kept + 2 * w);
    const V dh = hn::Load(d, s.dh + at), h = hn::Load(d, s.before + at);
    const V dn = TimesSlope<act>(d, hn::Mul(dh, OneMinus(d, z)), n);
    float* dz = s.dz + row * s.dz_row + j;
    StoreUsed(d, dn, used, dz);
    StoreUsed(d, TimesSlope<kSigmoid>(d, hn::Mul(dh, hn::Sub(h, n)), z), used, dz + w);
    const V dr = hn::Mul(dn, hn::Load(d, kept + 3 * w));
    StoreUsed(d, TimesSlope<kSigmoid>(d, dr, r), used, dz + 2 * w);
    StoreUsed(d, hn::Mul(dn, r), used, dz + 3 * w);
    hn::Store(hn::Mul(dh, z), d, s.carry + at);
  });
}

/// With the reset before the product, in two parts: z, r and r h; the candidate and the state.
template <class D>
void GruBeforeForwardReset(D d, const CellForward& s) {
  if (!s.sizes->functions.plain()) return AnyCellForwardReset(s);
  using V = hn::Vec<D>;
  const int64_t w = s.width;
  ForVectors(d, s.rows, w, [&](int64_t r, int64_t j) SEQ_INLINE {
    float* z = s.z + r * 3 * w + j;
    V gate[2] = {hn::Load(d, z), hn::Load(d, z + w)};
    Sigmoid(d, gate);
    hn::Store(gate[0], d, z);
    hn::Store(hn::Mul(gate[1], hn::Load(d, s.before + r * w + j)), d, s.reset + r * w + j);
    if (s.kept == nullptr) return;
    float* kept = s.kept + r * 4 * w + j;
    hn::Store(gate[0], d, kept);
    hn::Store(gate[1], d, kept + w);
    hn::Store(hn::Load(d, s.reset + r * w + j), d, kept + 3 * w);
  });
}

template <Activation act, class D>
void GruBeforeForward(D d, const CellForward& s) {
  using V = hn::Vec<D>;
  const int64_t w = s.width;
  ForVectors(d, s.rows, w, [&](int64_t r, int64_t j) SEQ_INLINE {
    const int64_t at = r * w + j;
    const float* x = s.x + (r * 3 + 2) * w + j;
    V n[1] = {hn::Add(hn::Load(d, x), hn::Load(d, s.product + at))};
    Activate<act>(d, n);
    GruState(d, hn::Load(d, s.z + r * 3 * w + j), n[0], s.before + at, s.h + at);
    if (s.kept != nullptr) hn::Store(n[0], d, s.kept + (r * 4 + 2) * w + j);
  });
}

/// The same backward: the gradients of the sums of z and of the candidate; then, from that of r h,
/// the one of r's sum.
template <Activation act, class D>
void GruBeforeBackward(D d, const CellBackward& s) {
  using V = hn::Vec<D>;
  const int64_t w = s.width;
  ForVectors(d, s.rows, w, [&](int64_t row, int64_t j) SEQ_INLINE {
    const int64_t at = row * w + j, used = s.units - j;
    const float* kept = s.kept + row * 4 * w + j;
    const V z = hn::Load(d, kept), n = hn::Load(d, kept + 2 * w);
    const V dh = hn::Load(d, s.dh + at), h = hn::Load(d, s.before + at);
    float* dz = s.dz + row * s.dz_row + j;
    const V d_update = hn::Mul(dh, hn::Sub(h, n));
    StoreUsed(d, TimesSlope<Activation::kSigmoid>(d, d_update, z), used, dz);
    StoreUsed(d, TimesSlope<act>(d, hn::Mul(dh, OneMinus(d, z)), n), used, dz + 2 * w);
    hn::Store(hn::Mul(dh, z), d, s.carry + at);
  });
}

template <class D>
void GruBeforeBackwardReset(D d, const CellBackward& s) {
  if (!s.sizes->functions.plain()) return AnyCellBackwardReset(s);
  using V = hn::Vec<D>;
  const int64_t w = s.width;
  ForVectors(d, s.rows, w, [&](int64_t row, int64_t j) SEQ_INLINE {
    const int64_t at = row * w + j;
    const V r = hn::Load(d, s.kept + (row * 4 + 1) * w + j);
    const V d_reset = hn::Load(d, s.d_reset + at);
    const V dr = hn::Mul(d_reset, hn::Load(d, s.before + at));
    StoreUsed(d, TimesSlope<Activation::kSigmoid>(d, dr, r), s.units - j,
              s.dz + row * s.dz_row + w + j);
    hn::Store(hn::MulAdd(d_reset, r, hn::Load(d, s.carry + at)), d, s.carry + at);
  });
}

/// The forward step of a cell.
template <class D>
void (*ForwardFunction(const RecurrenceSizes& sizes))(D, const CellForward&) {
  using Function = void (*)(D, const CellForward&);
  if (!sizes.functions.plain()) return [](D, const CellForward& s) { AnyCellForward(s); };
  return ByActivation<Function>(sizes.functions.state.kind, [&sizes](auto activation) -> Function {
    constexpr Activation act = decltype(activation)::value;
    switch (sizes.cell) {
      case CellKind::kSimple:
        return SimpleForward<act, D>;
      case CellKind::kLstm:
        return LstmForward<act, D>;
      case CellKind::kGruAfter:
        return GruAfterForward<act, D>;
      case CellKind::kGruBefore:
        return GruBeforeForward<act, D>;
    }
    return nullptr;
  });
}

/// The backward step of a cell.
template <class D>
void (*BackwardFunction(const RecurrenceSizes& sizes))(D, const CellBackward&) {
  using Function = void (*)(D, const CellBackward&);
  if (!sizes.functions.plain()) return [](D, const CellBackward& s) { AnyCellBackward(s); };
  return ByActivation<Function>(sizes.functions.state.kind, [&sizes](auto activation) -> Function {
    constexpr Activation act = decltype(activation)::value;
    switch (sizes.cell) {
      case CellKind::kSimple:
        return SimpleBackward<act, D>;
      case CellKind::kLstm:
        return LstmBackward<act, D>;
      case CellKind::kGruAfter:
        return GruAfterBackward<act, D>;
      case CellKind::kGruBefore:
        return GruBeforeBackward<act, D>;
    }
    return nullptr;
  });
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace seqgraph::kernels
HWY_AFTER_NAMESPACE();

#endif  // SEQGRAPH_BACKENDS_KERNELS_CELLS_INL_H_
