#include "backends/kernels/gemm.h"

#include <algorithm>
#include <cstdint>

#include "backends/kernels/elementwise_loops.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/kernels/gemm.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// Behind foreach_target.h.
#include "backends/kernels/gemm-inl.h"
#include "backends/kernels/loops-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace seqgraph::kernels {
namespace HWY_NAMESPACE {

// Whether b's panels can be read where they lie: whole vectors of neighbours, and so few rows of c,
// or so short rows of b, that a copy would not pay.
bool ReadsInPlace(const GemmShape& shape, const MatrixView& b) {
  return b.column_stride == 1 && WholeVectors(shape.columns) &&
         (shape.rows <= 2 * kTileRows || shape.columns <= 2 * PanelColumns());
}

void PackRows(const MatrixView& b, int64_t first, int64_t rows, int64_t columns, float* packed) {
  PackPanels(b, first, rows, columns, packed);
}

void ProductOfRows(int64_t rows, const MatrixView& a, const MatrixView& b, const float* packed,
                   int64_t inner, const float* bias, bool add_to_c, float* c, int64_t c_stride,
                   int64_t columns) {
  MultiplyRows(rows, a, b, packed, inner, {bias, add_to_c}, c, c_stride, columns);
}

// One column: y[r] = row r of a, which lies in one piece, times b.
void DotProducts(int64_t rows, int64_t inner, const MatrixView& a, const float* b, float bias,
                 float* y) {
  const F32 d;
  const int64_t lanes = hn::Lanes(d);
  for (int64_t r = 0; r < rows; ++r) {
    const float* row = a.at(r, 0);
    VF sum0 = hn::Zero(d), sum1 = sum0, sum2 = sum0, sum3 = sum0;
    int64_t p = 0;
    for (; p + 4 * lanes <= inner; p += 4 * lanes) {
      sum0 = hn::MulAdd(hn::LoadU(d, row + p), hn::LoadU(d, b + p), sum0);
      sum1 = hn::MulAdd(hn::LoadU(d, row + p + lanes), hn::LoadU(d, b + p + lanes), sum1);
      sum2 = hn::MulAdd(hn::LoadU(d, row + p + 2 * lanes), hn::LoadU(d, b + p + 2 * lanes), sum2);
      sum3 = hn::MulAdd(hn::LoadU(d, row + p + 3 * lanes), hn::LoadU(d, b + p + 3 * lanes), sum3);
    }
    for (; p + lanes <= inner; p += lanes) {
      sum0 = hn::MulAdd(hn::LoadU(d, row + p), hn::LoadU(d, b + p), sum0);
    }
    sum1 = hn::MulAdd(LoadFirst(d, row + p, inner - p), LoadFirst(d, b + p, inner - p), sum1);
    const VF sum = hn::Add(hn::Add(sum0, sum1), hn::Add(sum2, sum3));
    y[r] = hn::GetLane(hn::SumOfLanes(d, sum)) + bias;
  }
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace seqgraph::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace seqgraph::kernels {
namespace {

HWY_EXPORT(ReadsInPlace);
HWY_EXPORT(PackRows);
HWY_EXPORT(ProductOfRows);
HWY_EXPORT(DotProducts);

// A panel of this many rows stays in the first-level cache.
constexpr int64_t kInnerBlock = 256;
// Rows and columns of c that one task computes; its stretch of a stays in the second-level cache.
constexpr int64_t kRowBlock = 120;     // a multiple of every kTileRows
constexpr int64_t kColumnGroup = 128;  // of every PanelColumns()
constexpr int64_t kWidestPanel = 32;

// Parts of the inner extent that are multiplied apart from each other.
constexpr int64_t kMaxParts = 16;
constexpr int64_t kLeastPart = 1024;
constexpr int64_t kLargestSplit = 16384;  // elements of c

struct Parts {
  int64_t count = 1;
  int64_t size = 0;
};

Parts PartsOf(const GemmShape& shape) {
  if (shape.rows * shape.columns > kLargestSplit || shape.inner < 2 * kLeastPart) {
    return {1, shape.inner};
  }
  const int64_t wanted = std::min(kMaxParts, shape.inner / kLeastPart);
  const int64_t size = (shape.inner + wanted - 1) / wanted;
  return {(shape.inner + size - 1) / size, size};
}

int64_t PackedFloats(int64_t inner, int64_t columns) {
  return inner * ((columns + kWidestPanel - 1) / kWidestPanel * kWidestPanel);
}

// The product on this thread, or by blocks of rows on the pool's (null: this thread).
void MultiplyPart(const GemmShape& shape, const MatrixView& a, const MatrixView& b,
                  const float* bias, float* c, float* scratch, ThreadPool* pool) {
  const bool in_place = HWY_DYNAMIC_DISPATCH(ReadsInPlace)(shape, b);
  const int64_t groups = (shape.columns + kColumnGroup - 1) / kColumnGroup;
  const int64_t tasks = (shape.rows + kRowBlock - 1) / kRowBlock * groups;
  for (int64_t first = 0; first == 0 || first < shape.inner; first += kInnerBlock) {
    const int64_t inner = std::min(kInnerBlock, shape.inner - first);
    if (!in_place) HWY_DYNAMIC_DISPATCH(PackRows)(b, first, inner, shape.columns, scratch);
    const float* packed = in_place ? nullptr : scratch;
    const auto task = [&](int64_t i) {
      const int64_t r = i / groups * kRowBlock, j = i % groups * kColumnGroup;
      HWY_DYNAMIC_DISPATCH(ProductOfRows)
      (std::min(kRowBlock, shape.rows - r), a.From(r, first), b.From(first, j),
       packed == nullptr ? nullptr : packed + j * inner, inner,
       bias == nullptr ? nullptr : bias + j,
       /*add_to_c=*/first > 0, c + r * shape.columns + j, shape.columns,
       std::min(kColumnGroup, shape.columns - j));
    };
    // A task should be worth waking a thread up for.
    constexpr int64_t kWorthwhile = 1 << 18;
    if (pool != nullptr && shape.rows * shape.columns * inner >= kWorthwhile) {
      pool->ParallelFor(tasks, task);
    } else {
      for (int64_t i = 0; i < tasks; ++i) task(i);
    }
  }
}

// Sums that are long next to c: parts on their own, then added in order.
void MultiplyInParts(const GemmShape& shape, Parts parts, const MatrixView& a, const MatrixView& b,
                     const float* bias, float* c, float* scratch, ThreadPool& pool) {
  const int64_t size = shape.rows * shape.columns;
  const int64_t stride = (size + 15) / 16 * 16;
  const int64_t packed = PackedFloats(kInnerBlock, shape.columns);
  float* const sums = scratch + parts.count * packed;
  pool.ParallelFor(parts.count, [&](int64_t i) {
    const int64_t first = i * parts.size;
    const GemmShape part{shape.rows, std::min(parts.size, shape.inner - first), shape.columns};
    MultiplyPart(part, a.From(0, first), b.From(first, 0), i == 0 ? bias : nullptr,
                 i == 0 ? c : sums + i * stride, scratch + i * packed, nullptr);
  });
  for (int64_t i = 1; i < parts.count; ++i) AddLoop(sums + i * stride, c, size, c);
}

}  // namespace

int64_t MultiplyScratch(const GemmShape& shape) {
  if (shape.columns == 1 && shape.rows > 1) return MultiplyScratch({1, shape.inner, shape.rows});
  const Parts parts = PartsOf(shape);
  const int64_t packed = PackedFloats(std::min(kInnerBlock, shape.inner), shape.columns);
  if (parts.count == 1) return packed;
  return parts.count * (packed + (shape.rows * shape.columns + 15) / 16 * 16);
}

void Multiply(const GemmShape& shape, const MatrixView& a, const MatrixView& b, const float* bias,
              float* c, float* scratch, ThreadPool& pool) {
  if (shape.rows == 0 || shape.columns == 0) return;
  if (shape.columns == 1 && a.column_stride == 1 && b.row_stride == 1) {
    HWY_DYNAMIC_DISPATCH(DotProducts)
    (shape.rows, shape.inner, a, b.data, bias == nullptr ? 0.0f : *bias, c);
    return;
  }
  if (shape.columns == 1 && shape.rows > 1) {
    // The transpose has the same memory, and rows that vectors can hold.
    const GemmShape transposed{1, shape.inner, shape.rows};
    Multiply(transposed, {b.data, b.column_stride, b.row_stride},
             {a.data, a.column_stride, a.row_stride}, nullptr, c, scratch, pool);
    for (int64_t r = 0; bias != nullptr && r < shape.rows; ++r) c[r] += *bias;
    return;
  }
  const Parts parts = PartsOf(shape);
  if (parts.count > 1) {
    MultiplyInParts(shape, parts, a, b, bias, c, scratch, pool);
  } else {
    MultiplyPart(shape, a, b, bias, c, scratch, &pool);
  }
}

}  // namespace seqgraph::kernels
#endif  // HWY_ONCE
