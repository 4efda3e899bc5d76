// One row times matrices that are packed in any format (packed_matrix.h): what a step of a stream
// reads all weights for. With int8 the sums are other ones than those of a row among several.

#if defined(SEQGRAPH_BACKENDS_KERNELS_ROW_PRODUCTS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SEQGRAPH_BACKENDS_KERNELS_ROW_PRODUCTS_INL_H_
#undef SEQGRAPH_BACKENDS_KERNELS_ROW_PRODUCTS_INL_H_
#else
#define SEQGRAPH_BACKENDS_KERNELS_ROW_PRODUCTS_INL_H_
#endif

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "backends/kernels/math-inl.h"
#include "backends/kernels/packed_matrix.h"
#include "backends/kernels/rows-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace seqgraph::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using kernels::HWY_NAMESPACE::Unroll;

/// f(the format as a constant).
template <class F>
HWY_INLINE void ByFormat(WeightFormat format, F&& f) {
  switch (format) {
    case WeightFormat::kFloat32:
      return f(std::integral_constant<WeightFormat, WeightFormat::kFloat32>());
    case WeightFormat::kBf16:
      return f(std::integral_constant<WeightFormat, WeightFormat::kBf16>());
    case WeightFormat::kInt8:
      return f(std::integral_constant<WeightFormat, WeightFormat::kInt8>());
  }
}

/// Bytes, widened to a vector of int16.
template <class D>
HWY_INLINE auto LoadPairs(D, const char* from) {
  const hn::Repartition<int16_t, D> d16;
  const hn::Rebind<int8_t, decltype(d16)> d8;
  return hn::PromoteTo(d16, hn::LoadU(d8, reinterpret_cast<const int8_t*>(from)));
}

/// The rows of a panel (packed_matrix.h) that lie in turn.
template <WeightFormat format, class D, int vecs, int rows = RowsInTurn(format, vecs)>
HWY_INLINE void LoadPanelRows(D d, const char* from, hn::Vec<D> (&to)[rows][vecs]) {
  constexpr int64_t kLanes = hn::MaxLanes(D());
  if constexpr (format == WeightFormat::kFloat32 || vecs == 1) {
    Unroll<vecs>([&](auto j) SEQ_INLINE {
      to[0][j] = hn::Load(d, reinterpret_cast<const float*>(from) + j * kLanes);
    });
  } else if constexpr (format == WeightFormat::kBf16) {
    const hn::RebindToUnsigned<D> du;
    const auto both = hn::Load(du, reinterpret_cast<const uint32_t*>(from));
    to[0][0] = hn::BitCast(d, hn::And(both, hn::Set(du, 0xFFFF0000u)));
    to[0][1] = hn::BitCast(d, hn::ShiftLeft<16>(both));
  } else {
    const hn::RebindToSigned<D> di;
    Unroll<vecs>([&](auto j) SEQ_INLINE {
      const auto pairs = hn::BitCast(di, LoadPairs(d, from + j * 2 * kLanes));
      to[0][j] = hn::ConvertTo(d, hn::ShiftRight<16>(hn::ShiftLeft<16>(pairs)));
      to[1][j] = hn::ConvertTo(d, hn::ShiftRight<16>(pairs));
    });
  }
}

/// A row and the packed matrix that it is multiplied by; or rows, a stride apart.
struct RowTerm {
  const float* a = nullptr;
  int64_t inner = 0;
  PackedMatrix b;
  int64_t stride = 0;
};

/// c[vecs] = init + the sum of the terms, from vector v on. Vectors lie side by side, so that
/// additions do not wait for each other.
template <int vecs, WeightFormat format, class D, size_t n>
HWY_INLINE void RowTile(D d, const RowTerm (&terms)[n], int64_t v, const float* init, float* c) {
  using V = hn::Vec<D>;
  constexpr int64_t kLanes = hn::MaxLanes(D());
  constexpr int kPanel = HWY_MIN(vecs, 2), kPanels = vecs / kPanel;  // vectors of a panel
  constexpr int64_t kRow = PanelRowBytes(format, kPanel, kLanes);
  constexpr bool kScaled = format == WeightFormat::kInt8;
  static_assert(RowsInTurn(format, kPanel) == 1);
  V sums[vecs];
  Unroll<vecs>([&](auto i) SEQ_INLINE { sums[i] = hn::LoadU(d, init + (v + i) * kLanes); });
  for (const RowTerm& term : terms) {
    const char* packed = term.b.data + PackedBytes(format, term.inner, v, kLanes);
    const int64_t panel = kRow * term.inner;
    V products[vecs];
    Unroll<vecs>([&](auto i) SEQ_INLINE { products[i] = kScaled ? hn::Zero(d) : sums[i]; });
    for (int64_t k = 0; k < term.inner; ++k, packed += kRow) {
      const V element = hn::Set(d, term.a[k]);
      Unroll<kPanels>([&](auto p) SEQ_INLINE {
        V row[1][kPanel];
        LoadPanelRows<format>(d, packed + p * panel, row);
        Unroll<kPanel>([&](auto j) SEQ_INLINE {
          constexpr int at = p * kPanel + j;
          products[at] = hn::MulAdd(element, row[0][j], products[at]);
        });
      });
    }
    Unroll<vecs>([&](auto i) SEQ_INLINE {
      if constexpr (kScaled) {
        const V scale = hn::Load(d, term.b.scales + (v + i) * kLanes);
        sums[i] = hn::MulAdd(products[i], scale, sums[i]);
      } else {
        sums[i] = products[i];
      }
    });
  }
  Unroll<vecs>([&](auto i) SEQ_INLINE { hn::StoreU(sums[i], d, c + (v + i) * kLanes); });
}

/// A stretch of a row in fixed point: element k is unit (high[k] + low[k] / 2^15), but for 2^-28 of
/// the largest, which is less than what a float32 sum of so many loses.
struct FixedRow {
  /// No sum of products with int8 leaves int32.
  static constexpr int64_t kMost = 512;
  HWY_ALIGN int16_t high[kMost];
  HWY_ALIGN int16_t low[kMost];
  float unit = 0;
};

inline float PowerOfTwo(uint32_t biased_exponent) {
  const uint32_t bits = biased_exponent << 23;
  float power;
  std::memcpy(&power, &bits, sizeof(power));
  return power;
}

/// Zeros follow the n elements, up to a whole vector. What is not finite makes the unit NaN.
template <class D>
void ToFixed(D d, const float* x, int64_t n, FixedRow& to) {
  using V = hn::Vec<D>;
  constexpr int64_t kLanes = hn::MaxLanes(D());
  const hn::Rebind<int16_t, D> d16;
  V largest = hn::Zero(d), poison = hn::Zero(d);
  for (int64_t k = 0; k < n; k += kLanes) {
    const V part = LoadSome(d, x + k, n - k);
    largest = hn::Max(largest, hn::Abs(part));
    poison = hn::Add(poison, hn::Sub(part, part));
  }
  const float most = hn::GetLane(hn::MaxOfLanes(d, largest));
  const float nan = hn::GetLane(hn::SumOfLanes(d, poison));
  uint32_t bits;
  std::memcpy(&bits, &most, sizeof(bits));
  // 2^13 <= most 2^up < 2^14; less for what is tiny.
  const uint32_t up = HWY_MIN(253u, 127u + 13u + 127u - (bits >> 23));
  to.unit = PowerOfTwo(254 - up) + nan;
  for (int64_t k = 0; k < n; k += kLanes) {
    const V part = hn::Mul(LoadSome(d, x + k, n - k), hn::Set(d, PowerOfTwo(up)));
    const auto high = hn::NearestInt(part);
    const V rest = hn::Sub(part, hn::ConvertTo(d, high));
    const auto low = hn::NearestInt(hn::Mul(rest, hn::Set(d, 32768.0f)));
    hn::StoreU(hn::DemoteTo(d16, high), d16, to.high + k);
    hn::StoreU(hn::DemoteTo(d16, low), d16, to.low + k);
  }
}

/// c[vecs] = init + scales (x b), for n rows of b, whose panels are `panel` bytes.
template <int vecs, class D>
HWY_INLINE void FixedTile(D d, const FixedRow& x, int64_t n, const char* packed, int64_t panel,
                          const float* scales, const float* init, float* c) {
  constexpr int64_t kLanes = hn::MaxLanes(D());
  constexpr int64_t kBytes = 2 * kLanes;  // of a vector in two rows
  const hn::RebindToSigned<D> di;
  const hn::Repartition<int16_t, D> d16;
  hn::Vec<decltype(di)> high[vecs], low[vecs], unused = hn::Zero(di);
  Unroll<vecs>([&](auto i) SEQ_INLINE { high[i] = low[i] = hn::Zero(di); });
  for (int64_t k = 0; k < n; k += 2, packed += 2 * kBytes) {
    const auto pair = [&](const int16_t* from) SEQ_INLINE {
      int32_t both;
      std::memcpy(&both, from + k, sizeof(both));
      return hn::BitCast(d16, hn::Set(di, both));
    };
    const auto x_high = pair(x.high), x_low = pair(x.low);
    Unroll<vecs>([&](auto i) SEQ_INLINE {
      const auto b = LoadPairs(d, packed + i / 2 * panel + i % 2 * kBytes);
      high[i] = hn::ReorderWidenMulAccumulate(di, b, x_high, high[i], unused);
      low[i] = hn::ReorderWidenMulAccumulate(di, b, x_low, low[i], unused);
    });
  }
  Unroll<vecs>([&](auto i) SEQ_INLINE {
    const auto sum =
        hn::MulAdd(hn::ConvertTo(d, low[i]), hn::Set(d, 1.0f / 32768), hn::ConvertTo(d, high[i]));
    const auto scale = hn::Mul(hn::Load(d, scales + i * kLanes), hn::Set(d, x.unit));
    hn::StoreU(hn::MulAdd(sum, scale, hn::LoadU(d, init + i * kLanes)), d, c + i * kLanes);
  });
}

/// RowProductOf int8, for an even number of vectors: in whole numbers, for each of which a float
/// would first have to be made, with the row as exact as its largest element is in float32.
template <class D, size_t n>
void FixedRowProduct(D d, const RowTerm (&terms)[n], int64_t vectors, const float* init, float* c,
                     bool from_end) {
  constexpr int64_t kLanes = hn::MaxLanes(D());
  constexpr WeightFormat kInt8 = WeightFormat::kInt8;
  FixedRow x;
  for (const RowTerm& term : terms) {
    const int64_t panel = PanelBytes(kInt8, term.inner, 2, kLanes);
    for (int64_t k = 0; k < term.inner; k += FixedRow::kMost, init = c) {
      const int64_t rows = HWY_MIN(FixedRow::kMost, term.inner - k);
      ToFixed(d, term.a + k, rows, x);
      const char* packed = term.b.data + k * PanelRowBytes(kInt8, 2, kLanes);
      const auto tile = [&](int64_t v, auto vecs) SEQ_INLINE {
        FixedTile<decltype(vecs)::value>(d, x, rows, packed + v / 2 * panel, panel,
                                         term.b.scales + v * kLanes, init + v * kLanes,
                                         c + v * kLanes);
      };
      const int64_t tiles = vectors / 4;
      for (int64_t t = 0; t < tiles; ++t) {
        tile((from_end ? tiles - 1 - t : t) * 4, std::integral_constant<int, 4>());
      }
      if (vectors % 4 != 0) tile(tiles * 4, std::integral_constant<int, 2>());
    }
  }
}

template <WeightFormat format, class D, size_t n>
HWY_NOINLINE void RowProductOf(D d, const RowTerm (&terms)[n], int64_t vectors, const float* init,
                               float* c, bool from_end) {
  int64_t v = 0;
  if constexpr (format == WeightFormat::kInt8) {
    v = vectors / 2 * 2;
    FixedRowProduct(d, terms, v, init, c, from_end);
  } else {
    if (vectors >= 16) {
      // Floats wait for the cache, what is widened for additions.
      constexpr int kWide = format == WeightFormat::kFloat32 ? 4 : 8;
      const int64_t tiles = vectors / kWide;
      for (int64_t t = 0; t < tiles; ++t) {
        RowTile<kWide, format>(d, terms, (from_end ? tiles - 1 - t : t) * kWide, init, c);
      }
      v = tiles * kWide;
    }
    for (; v + 8 <= vectors; v += 8) RowTile<8, format>(d, terms, v, init, c);
    for (; v + 4 <= vectors; v += 4) RowTile<4, format>(d, terms, v, init, c);
    for (; v + 2 <= vectors; v += 2) RowTile<2, format>(d, terms, v, init, c);
  }
  if (v < vectors) RowTile<1, format>(d, terms, v, init, c);
}

/// c[vectors] = init + the sum of the terms, which are of one format. Who multiplies by the same
/// matrices again and again goes through them from both ends in turn: what the cache still has of
/// larger ones is then what is read first.
template <class D, size_t n>
HWY_INLINE void RowProduct(D d, const RowTerm (&terms)[n], int64_t vectors, const float* init,
                           float* c, bool from_end = false) {
  ByFormat(terms[0].b.format, [&](auto format) SEQ_INLINE {
    RowProductOf<decltype(format)::value>(d, terms, vectors, init, c, from_end);
  });
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace seqgraph::kernels
HWY_AFTER_NAMESPACE();

#endif  // SEQGRAPH_BACKENDS_KERNELS_ROW_PRODUCTS_INL_H_
