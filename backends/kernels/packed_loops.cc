#include "backends/kernels/packed_loops.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "backends/kernels/packed_matrix.h"
#include "backends/kernels/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/kernels/packed_loops.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// Behind foreach_target.h.
#include "backends/kernels/loops-inl.h"
#include "backends/kernels/packing-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace seqgraph::kernels {
namespace HWY_NAMESPACE {

int64_t LanesOfProduct() { return hn::MaxLanes(F32()); }

void Pack(const float* w, int64_t inner, int64_t columns, int64_t width, const PackedMatrix& to) {
  PackGates(F32(), w, columns, inner, /*gates=*/1, columns, width, to);
}

// y rows are `columns` apart, those of `padded`, where they are first written unless it is y, so
// many as whole vectors hold.
void MultiplyBlock(const float* x, int64_t rows, int64_t inner, int64_t columns, int64_t width,
                   const PackedMatrix& packed, const float* bias, float* padded, float* y) {
  const F32 d;
  Product(d, x, inner, rows, inner, packed, width / LanesOfProduct(), bias, 0, padded, width);
  for (int64_t r = 0; padded != y && r < rows; ++r) {
    UnpadRow(d, padded + r * width, columns, y + r * columns);
  }
}

// The bf16 are the upper halves of the floats.
HWY_INLINE float FloatOf(uint16_t bf16) {
  const uint32_t bits = static_cast<uint32_t>(bf16) << 16;
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

void GatherBf16(const uint16_t* table, int64_t width, const int32_t* ids, int64_t count, float* y) {
  const F32 d;
  const hn::RebindToUnsigned<F32> du;
  const hn::Rebind<uint16_t, F32> d16;
  const int64_t lanes = hn::Lanes(d);
  for (int64_t i = 0; i < count; ++i, y += width) {
    const uint16_t* row = table + ids[i] * width;
    int64_t j = 0;
    for (; j + lanes <= width; j += lanes) {
      const auto bits = hn::ShiftLeft<16>(hn::PromoteTo(du, hn::LoadU(d16, row + j)));
      hn::StoreU(hn::BitCast(d, bits), d, y + j);
    }
    for (; j < width; ++j) y[j] = FloatOf(row[j]);
  }
}

void GatherInt8(const float* scales, const int8_t* table, int64_t width, const int32_t* ids,
                int64_t count, float* y) {
  const F32 d;
  const hn::RebindToSigned<F32> di;
  const hn::Rebind<int8_t, F32> d8;
  const int64_t lanes = hn::Lanes(d);
  for (int64_t i = 0; i < count; ++i, y += width) {
    const int8_t* row = table + ids[i] * width;
    const float scale = scales[ids[i]];
    int64_t j = 0;
    for (; j + lanes <= width; j += lanes) {
      const VF steps = hn::ConvertTo(d, hn::PromoteTo(di, hn::LoadU(d8, row + j)));
      hn::StoreU(hn::Mul(steps, hn::Set(d, scale)), d, y + j);
    }
    for (; j < width; ++j) y[j] = static_cast<float>(row[j]) * scale;
  }
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace seqgraph::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace seqgraph::kernels {
namespace {

HWY_EXPORT(LanesOfProduct);
HWY_EXPORT(Pack);
HWY_EXPORT(MultiplyBlock);
HWY_EXPORT(GatherBf16);
HWY_EXPORT(GatherInt8);

int64_t Lanes() { return HWY_DYNAMIC_DISPATCH(LanesOfProduct)(); }

PackedMatrix MatrixIn(void* memory, WeightFormat format, int64_t inner, int64_t columns) {
  Pieces pieces(memory);
  return PackedMatrix::Take(pieces, format, inner, RoundUp(columns, Lanes()) / Lanes(), Lanes());
}

// A table's scales, and behind them its elements.
int64_t ScaleBytes(WeightFormat format, int64_t rows) {
  return format == WeightFormat::kInt8 ? RoundUp(rows * int64_t{sizeof(float)}, 64) : 0;
}

}  // namespace

int64_t PackedMatrixBytes(WeightFormat format, int64_t inner, int64_t columns) {
  Pieces pieces(nullptr);
  PackedMatrix::Take(pieces, format, inner, RoundUp(columns, Lanes()) / Lanes(), Lanes());
  return pieces.bytes();
}

void PackMatrix(WeightFormat format, const float* w, int64_t inner, int64_t columns, void* packed) {
  HWY_DYNAMIC_DISPATCH(Pack)
  (w, inner, columns, RoundUp(columns, Lanes()), MatrixIn(packed, format, inner, columns));
}

int64_t MultiplyPackedScratch(const GemmShape& shape) {
  return (shape.rows + 1) * RoundUp(shape.columns, Lanes());
}

void MultiplyPacked(const GemmShape& shape, const float* x, WeightFormat format, void* packed,
                    const float* bias, float* y, float* scratch, ThreadPool& pool) {
  const int64_t columns = shape.columns, width = RoundUp(columns, Lanes());
  const PackedMatrix w = MatrixIn(packed, format, shape.inner, columns);
  std::fill_n(scratch, width, 0.0f);
  if (bias != nullptr) std::copy_n(bias, columns, scratch);
  constexpr int64_t kRows = 48;  // a multiple of the rows of all tiles
  ForBlocks(pool, shape.rows, kRows, [&](int64_t first, int64_t rows) {
    float* const to = y + first * columns;
    float* const padded = width == columns ? to : scratch + (1 + first) * width;
    HWY_DYNAMIC_DISPATCH(MultiplyBlock)
    (x + first * shape.inner, rows, shape.inner, columns, width, w, scratch, padded, to);
  });
}

int64_t PackedTableBytes(WeightFormat format, int64_t rows, int64_t width) {
  return ScaleBytes(format, rows) + rows * width * (format == WeightFormat::kInt8 ? 1 : 2);
}

void PackTable(WeightFormat format, const float* table, int64_t rows, int64_t width, void* packed) {
  char* const elements = static_cast<char*>(packed) + ScaleBytes(format, rows);
  if (format == WeightFormat::kBf16) {
    // The lower halves of the floats are zeros.
    for (int64_t i = 0; i < rows * width; ++i) {
      std::memcpy(elements + 2 * i, reinterpret_cast<const char*>(table + i) + 2, 2);
    }
    return;
  }
  for (int64_t r = 0; r < rows; ++r, table += width) {
    float largest = 0;
    for (int64_t j = 0; j < width; ++j) largest = std::max(largest, std::abs(table[j]));
    const bool finite = width == 0 || std::isfinite(table[0]);  // as all of the row
    const double scale = finite ? Int8Scale(largest) : table[0];
    static_cast<float*>(packed)[r] = static_cast<float>(scale);
    for (int64_t j = 0; j < width; ++j) {
      const double steps = finite && scale > 0 ? static_cast<double>(table[j]) / scale : 0;
      elements[r * width + j] = static_cast<char>(std::lrint(steps));
    }
  }
}

void GatherPacked(WeightFormat format, const void* packed, int64_t rows, int64_t width,
                  const int32_t* ids, int64_t count, float* y) {
  const char* const elements = static_cast<const char*>(packed) + ScaleBytes(format, rows);
  if (format == WeightFormat::kBf16) {
    HWY_DYNAMIC_DISPATCH(GatherBf16)
    (reinterpret_cast<const uint16_t*>(elements), width, ids, count, y);
  } else {
    HWY_DYNAMIC_DISPATCH(GatherInt8)
    (static_cast<const float*>(packed), reinterpret_cast<const int8_t*>(elements), width, ids,
     count, y);
  }
}

}  // namespace seqgraph::kernels
#endif  // HWY_ONCE
