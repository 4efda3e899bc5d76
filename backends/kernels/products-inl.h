// Products of matrices in tiles that stay in registers, and the activations of such tiles: what the
// recurrences are made of. Sums run over the inner index in its order, one accumulator an element,
// so that bits do not depend on how rows are cut into tiles.

#if defined(SEQGRAPH_BACKENDS_KERNELS_PRODUCTS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SEQGRAPH_BACKENDS_KERNELS_PRODUCTS_INL_H_
#undef SEQGRAPH_BACKENDS_KERNELS_PRODUCTS_INL_H_
#else
#define SEQGRAPH_BACKENDS_KERNELS_PRODUCTS_INL_H_
#endif

#include <cstdint>
#include <type_traits>

#include "backends/kernels/loops-inl.h"
#include "backends/kernels/math-inl.h"
#include "backends/kernels/packed_matrix.h"
#include "backends/kernels/row_products-inl.h"
#include "backends/kernels/rows-inl.h"
#include "graph/activation.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace seqgraph::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using kernels::HWY_NAMESPACE::Sigmoid;
using kernels::HWY_NAMESPACE::TanhFast;
using kernels::HWY_NAMESPACE::Unroll;

/// Rows of a tile that is `vectors` wide; tile, a row of b and an element of a fit the registers.
/// They leave little or nothing over of a group of samples.
constexpr int TileRows(int vectors) {
  if (HWY_TARGET <= HWY_AVX3) return vectors == 2 ? 12 : 16;
  return vectors == 2 ? 6 : 12;
}

/// Calls f(first row, rows of the tile as a constant) for tiles that cover `rows`: of `most` rows,
/// then of eight if that is fewer, of four and of one. A tile of two rows keeps only part of the
/// units busy, so six and two become four and four, and where work may be done twice (kTwice) what
/// is left in the end is one of the last four rows; where not, six are a tile too.
template <int most, bool kTwice = false, class F>
HWY_INLINE void ForTiles(int64_t rows, F&& f) {
  int64_t r = 0;
  for (; rows - r >= most && (most % 4 == 0 || rows - r != most + 2); r += most) {
    f(r, std::integral_constant<int, most>());
  }
  if constexpr (most > 8) {
    if (rows - r >= 8) {
      f(r, std::integral_constant<int, 8>());
      r += 8;
    }
    if constexpr (!kTwice) {
      if (rows - r >= 6) {
        f(r, std::integral_constant<int, 6>());
        r += 6;
      }
    }
  }
  for (; rows - r >= 4 || (kTwice && rows >= 4 && r < rows); r += 4) {
    r = HWY_MIN(r, rows - 4);
    f(r, std::integral_constant<int, 4>());
  }
  for (; r < rows; ++r) f(r, std::integral_constant<int, 1>());
}

/// packed[rows, wide] = from[used, rows]ᵀ with zeros behind; rows of `from` are a stride apart. In
/// blocks whose lines stay in the first-level cache, also where strides are powers of two.
HWY_INLINE void PackTransposed(const float* from, int64_t stride, int64_t used, int64_t rows,
                               int64_t wide, float* packed) {
  constexpr int64_t kBlock = 16;
  for (int64_t first = 0; first < rows; first += kBlock) {
    const int64_t last = HWY_MIN(first + kBlock, rows);
    for (int64_t j = 0; j < used; ++j) {
      for (int64_t k = first; k < last; ++k) packed[k * wide + j] = from[j * stride + k];
    }
    for (int64_t k = first; k < last; ++k) {
      for (int64_t j = used; j < wide; ++j) packed[k * wide + j] = 0.0f;
    }
  }
}

/// Packs b[inner, columns], whose element (k, j) is b[k row_stride + j column_stride], one of these
/// 1, for Product: panels of two vectors (one at the end, where their number is odd), zeros beyond
/// the columns.
template <class D>
void PackPanels(D d, const float* b, int64_t row_stride, int64_t column_stride, int64_t inner,
                int64_t columns, int64_t width, float* packed) {
  constexpr int64_t kLanes = hn::MaxLanes(D());
  for (int64_t j = 0; j < width; j += 2 * kLanes) {
    const int64_t wide = HWY_MIN(2 * kLanes, width - j), used = HWY_MIN(wide, columns - j);
    if (column_stride == 1) {
      for (int64_t k = 0; k < inner; ++k) {
        PadRow(d, b + k * row_stride + j, used, wide, packed + k * wide);
      }
    } else {
      PackTransposed(b + j * column_stride, column_stride, used, inner, wide, packed);
    }
    packed += inner * wide;
  }
}

/// Product, by matrices of that format. One function, without branches in its tiles: what comes
/// before and after a product is loops of its own, for with conditions on two dozen vectors
/// compilers take minutes.
template <WeightFormat format, class D, size_t n>
HWY_NOINLINE void ProductOf(D d, const RowTerm (&terms)[n], int64_t rows, int64_t vectors,
                            const float* init, int64_t init_stride, float* c, int64_t c_stride) {
  using V = hn::Vec<D>;
  constexpr int64_t kLanes = hn::MaxLanes(D());
  constexpr bool kScaled = format == WeightFormat::kInt8;
  if (rows == 1 && init != nullptr) {
    return RowProductOf<format>(d, terms, vectors, init, c, false);
  }
  HWY_ALIGN static constexpr float kZeros[2 * kLanes] = {};
  const auto panel = [&](int64_t v, auto vecs) SEQ_INLINE {
    constexpr int kVecs = decltype(vecs)::value;
    constexpr int64_t kRow = PanelRowBytes(format, kVecs, kLanes);
    constexpr int kInTurn = RowsInTurn(format, kVecs);
    ForTiles<TileRows(kVecs), true>(rows, [&](int64_t r, auto tile_rows) SEQ_INLINE {
      constexpr int kRows = decltype(tile_rows)::value;
      V tile[kRows * kVecs];
      // What the sums begin with; of several terms with scales, each adds to those before.
      const float* from = init == nullptr ? kZeros : init + r * init_stride + v * kLanes;
      int64_t from_stride = init == nullptr ? 0 : init_stride;
      const auto initial = [&](auto i) SEQ_INLINE {
        return hn::LoadU(d, from + i / kVecs * from_stride + i % kVecs * kLanes);
      };
      float* const to = c + r * c_stride + v * kLanes;
      const auto store = [&]() SEQ_INLINE {
        Unroll<kRows * kVecs>([&](auto i) SEQ_INLINE {
          hn::StoreU(tile[i], d, to + i / kVecs * c_stride + i % kVecs * kLanes);
        });
      };
      if constexpr (!kScaled) {
        Unroll<kRows * kVecs>([&](auto i) SEQ_INLINE { tile[i] = initial(i); });
      }
      for (const RowTerm& term : terms) {
        const char* bk = term.b.data + PackedBytes(format, term.inner, v, kLanes);
        // One pointer for four rows: sixteen of them do not fit the registers.
        const float* a4[(kRows + 3) / 4];
        Unroll<(kRows + 3) / 4>([&](auto i)
                                    SEQ_INLINE { a4[i] = term.a + (r + 4 * i) * term.stride; });
        const int64_t a_stride = term.stride, inner = term.inner;
        if constexpr (kScaled) {
          Unroll<kRows * kVecs>([&](auto i) SEQ_INLINE { tile[i] = hn::Zero(d); });
        }
        int64_t k = 0;
        const auto add_rows = [&](auto count) SEQ_INLINE {
          V row[kInTurn][kVecs];
          LoadPanelRows<format>(d, bk, row);
          Unroll<decltype(count)::value>([&](auto s) SEQ_INLINE {
            Unroll<kRows>([&](auto i) SEQ_INLINE {
              const V element = hn::Set(d, a4[i / 4][i % 4 * a_stride + k + s]);
              Unroll<kVecs>([&](auto j) SEQ_INLINE {
                constexpr int at = i * kVecs + j;
                tile[at] = hn::MulAdd(element, row[s][j], tile[at]);
              });
            });
          });
        };
        for (; k + kInTurn <= inner; k += kInTurn, bk += kInTurn * kRow) {
          add_rows(std::integral_constant<int, kInTurn>());
        }
        if constexpr (kInTurn > 1) {
          if (k < inner) add_rows(std::integral_constant<int, 1>());
        }
        if constexpr (kScaled) {
          Unroll<kRows * kVecs>([&](auto i) SEQ_INLINE {
            const V scale = hn::Load(d, term.b.scales + (v + i % kVecs) * kLanes);
            tile[i] = hn::MulAdd(tile[i], scale, initial(i));
          });
          store();
          from = to;
          from_stride = c_stride;
        }
      }
      if constexpr (!kScaled) store();
    });
  };
  int64_t v = 0;
  for (; v + 2 <= vectors; v += 2) panel(v, std::integral_constant<int, 2>());
  if (v < vectors) panel(v, std::integral_constant<int, 1>());
}

/// c[rows, vectors] = init + the sum of the terms, which are of one format; rows of each are a
/// stride apart. init may be null for zeros, or have stride 0, and is not c: some rows are computed
/// twice.
template <class D, size_t n>
HWY_INLINE void Product(D d, const RowTerm (&terms)[n], int64_t rows, int64_t vectors,
                        const float* init, int64_t init_stride, float* c, int64_t c_stride) {
  ByFormat(terms[0].b.format, [&](auto format) SEQ_INLINE {
    ProductOf<decltype(format)::value>(d, terms, rows, vectors, init, init_stride, c, c_stride);
  });
}

/// Of one term, a[rows, inner] b.
template <class D>
HWY_INLINE void Product(D d, const float* a, int64_t a_stride, int64_t rows, int64_t inner,
                        const PackedMatrix& b, int64_t vectors, const float* init,
                        int64_t init_stride, float* c, int64_t c_stride) {
  Product(d, {{a, inner, b, a_stride}}, rows, vectors, init, init_stride, c, c_stride);
}

/// By a matrix of packed floats.
template <class D>
HWY_INLINE void Product(D d, const float* a, int64_t a_stride, int64_t rows, int64_t inner,
                        const float* packed, int64_t vectors, const float* init,
                        int64_t init_stride, float* c, int64_t c_stride) {
  char* const data = reinterpret_cast<char*>(const_cast<float*>(packed));
  ProductOf<WeightFormat::kFloat32>(d, {{a, inner, {.data = data}, a_stride}}, rows, vectors, init,
                                    init_stride, c, c_stride);
}

/// Rows of a matrix that lies in blocks: row r of block s begins at data + s block_stride + r
/// stride.
struct RowBlocks {
  const float* data;
  int64_t stride;
  int64_t block_stride;
};

/// c[inner, width] += aᵀ b over `rows` rows of each of `blocks` blocks; rows of b and c, which are
/// c_stride apart, are aligned and padded to whole vectors.
template <class D>
HWY_NOINLINE void AddTransposedProduct(D d, const RowBlocks& a, const RowBlocks& b, int64_t blocks,
                                       int64_t rows, int64_t inner, int64_t width, float* c,
                                       int64_t c_stride) {
  using V = hn::Vec<D>;
  constexpr int64_t kLanes = hn::MaxLanes(D());
  const auto panel = [&](int64_t column, auto vecs) SEQ_INLINE {
    constexpr int kVecs = decltype(vecs)::value;
    ForTiles<TileRows(kVecs)>(inner, [&](int64_t k, auto tile_rows) SEQ_INLINE {
      constexpr int kRows = decltype(tile_rows)::value;
      V tile[kRows * kVecs];
      float* c0 = c + k * c_stride + column;
      Unroll<kRows * kVecs>([&](auto i) SEQ_INLINE {
        tile[i] = hn::Load(d, c0 + i / kVecs * c_stride + i % kVecs * kLanes);
      });
      for (int64_t s = 0; s < blocks; ++s) {
        const float* ar = a.data + s * a.block_stride + k;
        const float* br = b.data + s * b.block_stride + column;
        for (int64_t r = 0; r < rows; ++r, ar += a.stride, br += b.stride) {
          V row[kVecs];
          Unroll<kVecs>([&](auto j) SEQ_INLINE { row[j] = hn::Load(d, br + j * kLanes); });
          Unroll<kRows>([&](auto i) SEQ_INLINE {
            const V element = hn::Set(d, ar[i]);
            Unroll<kVecs>([&](auto j) SEQ_INLINE {
              constexpr int at = i * kVecs + j;
              tile[at] = hn::MulAdd(element, row[j], tile[at]);
            });
          });
        }
      }
      Unroll<kRows * kVecs>([&](auto i) SEQ_INLINE {
        hn::Store(tile[i], d, c0 + i / kVecs * c_stride + i % kVecs * kLanes);
      });
    });
  };
  int64_t column = 0;
  for (; column + 2 * kLanes <= width; column += 2 * kLanes) {
    panel(column, std::integral_constant<int, 2>());
  }
  if (column < width) panel(column, std::integral_constant<int, 1>());
}

/// sums[width] += the sum of all rows, in four interleaved parts.
template <class D>
void AddColumnSums(D d, const RowBlocks& a, int64_t blocks, int64_t rows, int64_t width,
                   float* sums) {
  using V = hn::Vec<D>;
  constexpr int64_t kLanes = hn::MaxLanes(D());
  for (int64_t j = 0; j < width; j += kLanes) {
    V part[4] = {hn::Zero(d), hn::Zero(d), hn::Zero(d), hn::Zero(d)};
    for (int64_t s = 0; s < blocks; ++s) {
      const float* at = a.data + s * a.block_stride + j;
      int64_t r = 0;
      for (; r + 4 <= rows; r += 4, at += 4 * a.stride) {
        Unroll<4>([&](auto i)
                      SEQ_INLINE { part[i] = hn::Add(part[i], hn::Load(d, at + i * a.stride)); });
      }
      for (; r < rows; ++r, at += a.stride) part[0] = hn::Add(part[0], hn::Load(d, at));
    }
    const V sum = hn::Add(hn::Add(part[0], part[1]), hn::Add(part[2], part[3]));
    hn::Store(hn::Add(hn::Load(d, sums + j), sum), d, sums + j);
  }
}

/// f(the activation as a constant).
template <class R, class F>
R ByActivation(Activation activation, F&& f) {
  switch (activation) {
    case Activation::kTanh:
      return f(std::integral_constant<Activation, Activation::kTanh>());
    case Activation::kRelu:
      return f(std::integral_constant<Activation, Activation::kRelu>());
    case Activation::kSigmoid:
      return f(std::integral_constant<Activation, Activation::kSigmoid>());
    default:  // no cell has it
      break;
  }
  return R();
}

/// x[i] = act(x[i]). The vectors go through each step together, so that one's latency is another's
/// work.
template <Activation act, class D, class V, int n>
HWY_INLINE void Activate(D d, V (&x)[n]) {
  if constexpr (act == Activation::kTanh) {
    TanhFast(d, x);
  } else if constexpr (act == Activation::kRelu) {
    Unroll<n>([&](auto i) SEQ_INLINE {
      x[i] = hn::IfThenZeroElse(hn::Lt(x[i], hn::Zero(d)), x[i]);  // NaN stays NaN
    });
  } else {
    Sigmoid(d, x);
  }
}

/// dh act'(z), from h = act(z).
template <Activation act, class D, class V>
HWY_INLINE V TimesSlope(D d, V dh, V h) {
  if constexpr (act == Activation::kTanh) {
    return hn::Mul(dh, hn::NegMulAdd(h, h, hn::Set(d, 1.0f)));
  } else if constexpr (act == Activation::kRelu) {
    // A product, so that NaN and infinity of dh do not vanish where h is 0.
    return hn::Mul(dh, hn::IfThenElseZero(hn::Gt(h, hn::Zero(d)), hn::Set(d, 1.0f)));
  } else {
    // Not h - h^2, which is NaN of an infinite h.
    return hn::Mul(dh, hn::Mul(h, hn::Sub(hn::Set(d, 1.0f), h)));
  }
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace seqgraph::kernels
HWY_AFTER_NAMESPACE();

#endif  // SEQGRAPH_BACKENDS_KERNELS_PRODUCTS_INL_H_
