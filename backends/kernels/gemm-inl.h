// Matrix products, for any extents: c = a b (+ bias, or + c), on one thread, from registers.
//
// c is made in tiles of up to kTileRows rows and two vectors of columns, whose sums stay in
// registers over a stretch of the inner index. b is read in panels: all rows of b, as many columns
// as a tile has. A panel is copied side by side (PackPanels) unless it lies like that already.

#if defined(SEQGRAPH_BACKENDS_KERNELS_GEMM_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SEQGRAPH_BACKENDS_KERNELS_GEMM_INL_H_
#undef SEQGRAPH_BACKENDS_KERNELS_GEMM_INL_H_
#else
#define SEQGRAPH_BACKENDS_KERNELS_GEMM_INL_H_
#endif

#include <algorithm>
#include <cstdint>

#include "backends/kernels/loops-inl.h"
#include "backends/kernels/matrix.h"
#include "backends/kernels/unroll.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace seqgraph::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// So many sums that multiply-adds do not wait for each other, and fit the registers: 32 on AVX-512,
// 16 below, and without fused multiply-add one more is needed for the product.
#if HWY_TARGET <= HWY_AVX3
inline constexpr int kTileRows = 12;
#elif HWY_TARGET == HWY_AVX2
inline constexpr int kTileRows = 6;
#else
inline constexpr int kTileRows = 5;
#endif

// Where c is as narrow as half a vector, half vectors do: on AVX-512 twice as many start in a
// cycle.
#if HWY_TARGET <= HWY_AVX3
inline constexpr bool kHasHalves = true;
#else
inline constexpr bool kHasHalves = false;
#endif
using HalfTag = hn::Half<F32>;

/// Columns of a panel: two vectors.
HWY_INLINE int64_t PanelColumns() { return 2 * static_cast<int64_t>(hn::Lanes(F32())); }

/// Whether the tiles of so many columns read whole vectors of columns that are there.
HWY_INLINE bool WholeVectors(int64_t columns) {
  const int64_t lanes = hn::Lanes(F32()), last = columns % PanelColumns();
  return last % lanes == 0 || (kHasHalves && 2 * last == lanes);
}

/// Copies the rows [first, first + rows) of b, which has `columns` columns, into panels of
/// PanelColumns() columns each, one after another, the last one filled up with zeros.
HWY_INLINE void PackPanels(const MatrixView& b, int64_t first, int64_t rows, int64_t columns,
                           float* packed) {
  const F32 d;
  const int64_t lanes = hn::Lanes(d), width = PanelColumns();
  for (int64_t j = 0; j < columns; j += width) {
    const int64_t used = std::min(width, columns - j);
    for (int64_t p = 0; p < rows; ++p, packed += width) {
      const float* from = b.at(first + p, j);
      if (b.column_stride == 1) {
        const int64_t low = std::min(used, lanes);
        hn::Store(LoadFirst(d, from, low), d, packed);
        hn::Store(LoadFirst(d, from + low, used - low), d, packed + lanes);
        continue;
      }
      for (int64_t c = 0; c < used; ++c) packed[c] = from[c * b.column_stride];
      for (int64_t c = used; c < width; ++c) packed[c] = 0.0f;
    }
  }
}

/// What a tile begins with.
struct TileStart {
  const float* bias = nullptr;  ///< one for each column of the tile; null: none
  bool add_to_c = false;        ///< instead of bias: what c holds
};

/// c[kRows, columns] = start + a[kRows, inner] panel, where columns <= kVectors * Lanes. The
/// panel's rows are `panel_stride` floats apart and whole vectors can be read.
template <class D, int kRows, int kVectors>
HWY_INLINE void Tile(const MatrixView& a, const float* panel, int64_t panel_stride, int64_t inner,
                     TileStart start, float* c, int64_t c_stride, int64_t columns) {
  const D d;
  const int64_t lanes = hn::Lanes(d);
  const bool whole = columns == kVectors * lanes;
  const int64_t last = columns - (kVectors - 1) * lanes;  // columns of the last vector
  hn::Vec<D> sums[kRows][kVectors];
  SEQ_UNROLL
  for (int v = 0; v < kVectors; ++v) {
    const int64_t used = v + 1 < kVectors ? lanes : last;
    hn::Vec<D> bias = hn::Zero(d);
    if (!start.add_to_c && start.bias != nullptr) {
      bias = LoadFirst(d, start.bias + v * lanes, used);
    }
    SEQ_UNROLL
    for (int r = 0; r < kRows; ++r) {
      sums[r][v] = start.add_to_c ? LoadFirst(d, c + r * c_stride + v * lanes, used) : bias;
    }
  }
  const float* row[kRows];
  SEQ_UNROLL
  for (int r = 0; r < kRows; ++r) row[r] = a.at(r, 0);
  for (int64_t p = 0; p < inner; ++p, panel += panel_stride) {
    hn::Vec<D> b[kVectors];
    SEQ_UNROLL
    for (int v = 0; v < kVectors; ++v) b[v] = hn::LoadU(d, panel + v * lanes);
    SEQ_UNROLL
    for (int r = 0; r < kRows; ++r) {
      const hn::Vec<D> factor = hn::Set(d, row[r][p * a.column_stride]);
      SEQ_UNROLL
      for (int v = 0; v < kVectors; ++v) sums[r][v] = hn::MulAdd(factor, b[v], sums[r][v]);
    }
  }
  SEQ_UNROLL
  for (int r = 0; r < kRows; ++r) {
    SEQ_UNROLL
    for (int v = 0; v < kVectors; ++v) {
      float* to = c + r * c_stride + v * lanes;
      if (whole || v + 1 < kVectors) {
        hn::StoreU(sums[r][v], d, to);
      } else {
        StoreFirst(d, sums[r][v], to, last);
      }
    }
  }
}

/// Tile with a number of rows that is known only now, 1 to kRows.
template <class D, int kRows, int kVectors>
HWY_INLINE void TileOf(int64_t rows, const MatrixView& a, const float* panel, int64_t panel_stride,
                       int64_t inner, TileStart start, float* c, int64_t c_stride,
                       int64_t columns) {
  if (rows == kRows) {
    Tile<D, kRows, kVectors>(a, panel, panel_stride, inner, start, c, c_stride, columns);
  } else if constexpr (kRows > 1) {
    TileOf<D, kRows - 1, kVectors>(rows, a, panel, panel_stride, inner, start, c, c_stride,
                                   columns);
  }
}

/// c[rows, columns] = start + a[rows, inner] panel for any number of rows. Not inlined: it holds
/// tiles of all heights.
template <class D, int kVectors>
HWY_NOINLINE void PanelProduct(int64_t rows, MatrixView a, const float* panel, int64_t panel_stride,
                               int64_t inner, TileStart start, float* c, int64_t c_stride,
                               int64_t columns) {
  // Tiles of equal height, so that no thin one is left.
  const int64_t tiles = (rows + kTileRows - 1) / kTileRows;
  for (int64_t t = 0, r = 0; t < tiles; ++t) {
    const int64_t height = (rows - r + tiles - t - 1) / (tiles - t);
    TileOf<D, kTileRows, kVectors>(height, a.From(r, 0), panel, panel_stride, inner, start,
                                   c + r * c_stride, c_stride, columns);
    r += height;
  }
}

/// c[rows, columns] = start + a[rows, inner] b, where start.bias has one float for each column.
/// `packed`: the panels of b's rows [0, inner) by PackPanels, or null to read b itself, which takes
/// b.column_stride == 1 and whole vectors to read: WholeVectors(columns).
HWY_INLINE void MultiplyRows(int64_t rows, const MatrixView& a, const MatrixView& b,
                             const float* packed, int64_t inner, TileStart start, float* c,
                             int64_t c_stride, int64_t columns) {
  const int64_t lanes = hn::Lanes(F32()), width = PanelColumns();
  for (int64_t j = 0; j < columns; j += width) {
    const int64_t used = std::min(width, columns - j);
    const float* panel = packed != nullptr ? packed + j * inner : b.at(0, j);
    const int64_t stride = packed != nullptr ? width : b.row_stride;
    TileStart from = start;
    if (from.bias != nullptr) from.bias += j;
    if (used > lanes) {
      PanelProduct<F32, 2>(rows, a, panel, stride, inner, from, c + j, c_stride, used);
    } else if (kHasHalves && used <= lanes / 2) {
      PanelProduct<HalfTag, 1>(rows, a, panel, stride, inner, from, c + j, c_stride, used);
    } else {
      PanelProduct<F32, 1>(rows, a, panel, stride, inner, from, c + j, c_stride, used);
    }
  }
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace seqgraph::kernels
HWY_AFTER_NAMESPACE();

#endif  // SEQGRAPH_BACKENDS_KERNELS_GEMM_INL_H_
