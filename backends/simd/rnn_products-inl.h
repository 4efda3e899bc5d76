// Products of matrices in tiles that stay in registers, and the activations of such tiles: what the
// recurrences are made of. Sums run over the inner index in its order, one accumulator an element,
// so that bits do not depend on how rows are cut into tiles.

#if defined(SEQGRAPH_BACKENDS_SIMD_RNN_PRODUCTS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SEQGRAPH_BACKENDS_SIMD_RNN_PRODUCTS_INL_H_
#undef SEQGRAPH_BACKENDS_SIMD_RNN_PRODUCTS_INL_H_
#else
#define SEQGRAPH_BACKENDS_SIMD_RNN_PRODUCTS_INL_H_
#endif

#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

#include "backends/simd/math-inl.h"
#include "backends/simd/rnn_loops.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace seqgraph::simd {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// `count` floats as a vector with zeros behind; count may reach or exceed the lanes.
template <class D>
HWY_INLINE hn::Vec<D> LoadSome(D d, const float* from, int64_t count) {
  constexpr int64_t kLanes = hn::MaxLanes(D());
  if (HWY_LIKELY(count >= kLanes)) return hn::LoadU(d, from);
  HWY_ALIGN float lanes[kLanes] = {};
  std::memcpy(lanes, from, count * sizeof(float));
  return hn::Load(d, lanes);
}

template <class D>
HWY_INLINE void StoreSome(D d, hn::Vec<D> v, float* to, int64_t count) {
  constexpr int64_t kLanes = hn::MaxLanes(D());
  if (HWY_LIKELY(count >= kLanes)) return hn::StoreU(v, d, to);
  HWY_ALIGN float lanes[kLanes];
  hn::Store(v, d, lanes);
  std::memcpy(to, lanes, count * sizeof(float));
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

/// y[i] += a[i] for whole vectors.
template <class D>
HWY_INLINE void AddRow(D d, const float* a, int64_t width, float* y) {
  constexpr int64_t kLanes = hn::MaxLanes(D());
  for (int64_t j = 0; j < width; j += kLanes) {
    hn::Store(hn::Add(hn::Load(d, y + j), hn::Load(d, a + j)), d, y + j);
  }
}

/// Rows of a tile that is `vectors` wide; tile, a row of b and an element of a fit the registers.
/// 12 and 6 divide a group of samples.
constexpr int TileRows(int vectors) { return HWY_TARGET <= HWY_AVX3 ? 12 : vectors == 2 ? 6 : 12; }

/// Calls f(first row, rows of the tile as a constant) for tiles that cover `rows`. A tile of two
/// rows keeps only part of the units busy, so six and two become four and four.
template <int most, class F>
HWY_INLINE void ForTiles(int64_t rows, F&& f) {
  int64_t r = 0;
  for (; rows - r >= most && (most % 4 == 0 || rows - r != most + 2); r += most) {
    f(r, std::integral_constant<int, most>());
  }
  for (; rows - r >= 4; r += 4) f(r, std::integral_constant<int, 4>());
  if (rows - r >= 2) {
    f(r, std::integral_constant<int, 2>());
    r += 2;
  }
  if (rows - r >= 1) f(r, std::integral_constant<int, 1>());
}

/// Packs b[inner, columns], whose element (k, j) is b[k row_stride + j column_stride], for Product:
/// panels of two vectors (one at the end, where their number is odd), zeros beyond the columns.
template <class D>
void PackPanels(D, const float* b, int64_t row_stride, int64_t column_stride, int64_t inner,
                int64_t columns, int64_t width, float* packed) {
  constexpr int64_t kLanes = hn::MaxLanes(D());
  for (int64_t j0 = 0; j0 < width; j0 += 2 * kLanes) {
    const int64_t wide = HWY_MIN(2 * kLanes, width - j0);
    for (int64_t k = 0; k < inner; ++k) {
      for (int64_t j = 0; j < wide; ++j) {
        *packed++ = j0 + j < columns ? b[k * row_stride + (j0 + j) * column_stride] : 0.0f;
      }
    }
  }
}

/// c[rows, vectors] = init + a[rows, inner] b, tile by tile: init(tile, row, vector) fills a tile
/// V[n][m] from the given row and vector on, done(tile, row, vector) takes it. Rows of a are
/// a_stride floats apart; b is packed.
template <class D, class Init, class Done>
HWY_INLINE void Product(D d, const float* a, int64_t a_stride, int64_t rows, int64_t inner,
                        const float* packed, int64_t vectors, Init init, Done done) {
  using V = hn::Vec<D>;
  constexpr int64_t kLanes = hn::MaxLanes(D());
  const auto panel = [&](int64_t v, auto vecs) SEQ_INLINE {
    constexpr int kVecs = decltype(vecs)::value;
    const float* b = packed + v * kLanes * inner;
    ForTiles<TileRows(kVecs)>(rows, [&](int64_t r, auto tile_rows) SEQ_INLINE {
      constexpr int kRows = decltype(tile_rows)::value;
      V tile[kRows][kVecs];
      init(tile, r, v);
      const float* a0 = a + r * a_stride;
      const float* bk = b;
      for (int64_t k = 0; k < inner; ++k, bk += kVecs * kLanes) {
        V row[kVecs];
        Unroll<kVecs>([&](auto j) SEQ_INLINE { row[j] = hn::Load(d, bk + j * kLanes); });
        Unroll<kRows>([&](auto i) SEQ_INLINE {
          const V element = hn::Set(d, a0[i * a_stride + k]);
          Unroll<kVecs>([&](auto j)
                            SEQ_INLINE { tile[i][j] = hn::MulAdd(element, row[j], tile[i][j]); });
        });
      }
      done(tile, r, v);
    });
  };
  int64_t v = 0;
  for (; v + 2 <= vectors; v += 2) panel(v, std::integral_constant<int, 2>());
  if (v < vectors) panel(v, std::integral_constant<int, 1>());
}

/// c[inner, width] += aᵀ b for a[rows, inner] and b[rows, width], rows of a and b a_stride and
/// b_stride floats apart; b and c are aligned and padded to whole vectors.
template <class D>
void AddTransposedProduct(D d, const float* a, int64_t a_stride, const float* b, int64_t b_stride,
                          int64_t rows, int64_t inner, int64_t width, float* c) {
  using V = hn::Vec<D>;
  constexpr int64_t kLanes = hn::MaxLanes(D());
  const auto panel = [&](int64_t column, auto vecs) SEQ_INLINE {
    constexpr int kVecs = decltype(vecs)::value;
    ForTiles<TileRows(kVecs)>(inner, [&](int64_t k, auto tile_rows) SEQ_INLINE {
      constexpr int kRows = decltype(tile_rows)::value;
      V tile[kRows][kVecs];
      float* c0 = c + k * width + column;
      Unroll<kRows>([&](auto i) SEQ_INLINE {
        Unroll<kVecs>([&](auto j)
                          SEQ_INLINE { tile[i][j] = hn::Load(d, c0 + i * width + j * kLanes); });
      });
      const float* ar = a + k;
      const float* br = b + column;
      for (int64_t r = 0; r < rows; ++r, ar += a_stride, br += b_stride) {
        V row[kVecs];
        Unroll<kVecs>([&](auto j) SEQ_INLINE { row[j] = hn::Load(d, br + j * kLanes); });
        Unroll<kRows>([&](auto i) SEQ_INLINE {
          const V element = hn::Set(d, ar[i]);
          Unroll<kVecs>([&](auto j)
                            SEQ_INLINE { tile[i][j] = hn::MulAdd(element, row[j], tile[i][j]); });
        });
      }
      Unroll<kRows>([&](auto i) SEQ_INLINE {
        Unroll<kVecs>([&](auto j)
                          SEQ_INLINE { hn::Store(tile[i][j], d, c0 + i * width + j * kLanes); });
      });
    });
  };
  int64_t column = 0;
  for (; column + 2 * kLanes <= width; column += 2 * kLanes) {
    panel(column, std::integral_constant<int, 2>());
  }
  if (column < width) panel(column, std::integral_constant<int, 1>());
}

/// x[i] = act(x[i]). The vectors go through each step together, so that one's latency is another's
/// work.
template <RnnActivation act, class D, class V, int n>
HWY_INLINE void Activate(D d, V (&x)[n]) {
  if constexpr (act == RnnActivation::kTanh) {
    TanhFast(d, x);
  } else if constexpr (act == RnnActivation::kRelu) {
    Unroll<n>([&](auto i) SEQ_INLINE {
      x[i] = hn::IfThenZeroElse(hn::Lt(x[i], hn::Zero(d)), x[i]);  // NaN stays NaN
    });
  } else {
    Unroll<n>([&](auto i) SEQ_INLINE { x[i] = Sigmoid(d, x[i]); });
  }
}

/// dh act'(z), from h = act(z).
template <RnnActivation act, class D, class V>
HWY_INLINE V TimesSlope(D d, V dh, V h) {
  if constexpr (act == RnnActivation::kTanh) {
    return hn::Mul(dh, hn::NegMulAdd(h, h, hn::Set(d, 1.0f)));
  } else if constexpr (act == RnnActivation::kRelu) {
    return hn::IfThenElseZero(hn::Gt(h, hn::Zero(d)), dh);
  } else {
    return hn::Mul(dh, hn::NegMulAdd(h, h, h));
  }
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace seqgraph::simd
HWY_AFTER_NAMESPACE();

#endif  // SEQGRAPH_BACKENDS_SIMD_RNN_PRODUCTS_INL_H_
