#include "backends/onednn/layout_loops.h"

#include <algorithm>
#include <cstring>

#include "backends/onednn/multiversion.h"

namespace seqgraph::onednn {
namespace {

SEQ_MULTIVERSION
bool AllInRange(const int32_t* ids, int64_t count, uint32_t rows) {
  uint32_t bad = 0;
  for (int64_t i = 0; i < count; ++i) bad |= static_cast<uint32_t>(ids[i]) >= rows ? 1u : 0u;
  return bad == 0;
}

// A length known at compile time turns the copy into one or two vector moves; rows of 8 and 16
// floats are the common case and would otherwise be all call overhead.
template <int64_t kWidth>
SEQ_ALWAYS_INLINE void CopyFixed(const float* in, float* out) {
  std::memcpy(out, in, kWidth * sizeof(float));
}

template <int64_t kWidth>
SEQ_ALWAYS_INLINE void GatherFixed(const float* table, const int32_t* ids, int64_t batch,
                                   int64_t time, int64_t padded, float* out) {
  for (int64_t t = 0; t < time; ++t) {
    for (int64_t b = 0; b < batch; ++b, out += padded) {
      CopyFixed<kWidth>(table + ids[b * time + t] * kWidth, out);
      for (int64_t j = kWidth; j < padded; ++j) out[j] = 0.0f;
    }
  }
}

SEQ_ALWAYS_INLINE void AddRow(const float* in, int64_t width, float* out) {
  for (int64_t j = 0; j < width; ++j) out[j] += in[j];
}

template <int64_t kWidth>
SEQ_ALWAYS_INLINE void ScatterFixed(const float* grad, int64_t padded, const int32_t* ids,
                                    int64_t batch, int64_t time, float* table) {
  for (int64_t t = 0; t < time; ++t) {
    for (int64_t b = 0; b < batch; ++b, grad += padded) {
      float* __restrict row = table + ids[b * time + t] * kWidth;
      for (int64_t j = 0; j < kWidth; ++j) row[j] += grad[j];
    }
  }
}

}  // namespace

int64_t FindBadId(const int32_t* ids, int64_t count, int64_t rows) {
  // No id reaches 2^31, so a larger table is as good as one of 2^31 rows.
  const uint32_t limit = static_cast<uint32_t>(std::min<int64_t>(rows, int64_t{1} << 31));
  if (AllInRange(ids, count, limit)) return -1;
  const int32_t* bad = std::find_if(
      ids, ids + count, [limit](int32_t id) { return static_cast<uint32_t>(id) >= limit; });
  return bad - ids;
}

SEQ_MULTIVERSION
void GatherTimeMajor(const float* table, int64_t width, const int32_t* ids, int64_t batch,
                     int64_t time, int64_t padded, float* out) {
  switch (width) {
    case 8:
      return GatherFixed<8>(table, ids, batch, time, padded, out);
    case 16:
      return GatherFixed<16>(table, ids, batch, time, padded, out);
    case 32:
      return GatherFixed<32>(table, ids, batch, time, padded, out);
    default:
      break;
  }
  for (int64_t t = 0; t < time; ++t) {
    for (int64_t b = 0; b < batch; ++b, out += padded) {
      std::memcpy(out, table + ids[b * time + t] * width, width * sizeof(float));
      for (int64_t j = width; j < padded; ++j) out[j] = 0.0f;
    }
  }
}

void GatherRows(const float* table, int64_t width, const int32_t* ids, int64_t count, float* out) {
  GatherTimeMajor(table, width, ids, /*batch=*/1, /*time=*/count, width, out);
}

SEQ_MULTIVERSION
void ScatterAddTimeMajor(const float* grad, int64_t padded, const int32_t* ids, int64_t batch,
                         int64_t time, int64_t width, int64_t rows, float* table) {
  std::memset(table, 0, rows * width * sizeof(float));
  switch (width) {
    case 8:
      return ScatterFixed<8>(grad, padded, ids, batch, time, table);
    case 16:
      return ScatterFixed<16>(grad, padded, ids, batch, time, table);
    case 32:
      return ScatterFixed<32>(grad, padded, ids, batch, time, table);
    default:
      break;
  }
  for (int64_t t = 0; t < time; ++t) {
    for (int64_t b = 0; b < batch; ++b, grad += padded) {
      AddRow(grad, width, table + ids[b * time + t] * width);
    }
  }
}

void ScatterAddRows(const float* grad, const int32_t* ids, int64_t count, int64_t width,
                    int64_t rows, float* table) {
  ScatterAddTimeMajor(grad, width, ids, /*batch=*/1, /*time=*/count, width, rows, table);
}

void BatchToTimeMajor(const float* in, int64_t batch, int64_t time, int64_t width, int64_t padded,
                      float* out) {
  for (int64_t t = 0; t < time; ++t) {
    for (int64_t b = 0; b < batch; ++b, out += padded) {
      std::memcpy(out, in + (b * time + t) * width, width * sizeof(float));
      for (int64_t j = width; j < padded; ++j) out[j] = 0.0f;
    }
  }
}

void TimeToBatchMajor(const float* in, int64_t batch, int64_t time, int64_t width, int64_t padded,
                      float* out) {
  for (int64_t b = 0; b < batch; ++b) {
    for (int64_t t = 0; t < time; ++t, out += width) {
      std::memcpy(out, in + (t * batch + b) * padded, width * sizeof(float));
    }
  }
}

void PadMatrix(const float* in, int64_t rows, int64_t cols, int64_t padded_rows,
               int64_t padded_cols, float* out) {
  PadRows(in, cols, rows, cols, padded_cols, out);
  std::memset(out + rows * padded_cols, 0, (padded_rows - rows) * padded_cols * sizeof(float));
}

void PadRows(const float* in, int64_t stride, int64_t rows, int64_t cols, int64_t padded,
             float* out) {
  for (int64_t r = 0; r < rows; ++r, in += stride, out += padded) {
    std::memcpy(out, in, cols * sizeof(float));
    std::memset(out + cols, 0, (padded - cols) * sizeof(float));
  }
}

void UnpadMatrix(const float* in, int64_t stride, int64_t rows, int64_t cols, float* out) {
  for (int64_t r = 0; r < rows; ++r, in += stride, out += cols) {
    std::memcpy(out, in, cols * sizeof(float));
  }
}

SEQ_MULTIVERSION
void TransposeMatrix(const float* in, int64_t rows, int64_t cols, int64_t padded_rows,
                     int64_t padded_cols, float* out) {
  constexpr int64_t kBlock = 16;  // 16 x 16 floats: one cache line a row on both sides
  for (int64_t c0 = 0; c0 < cols; c0 += kBlock) {
    const int64_t c1 = std::min(c0 + kBlock, cols);
    for (int64_t r0 = 0; r0 < rows; r0 += kBlock) {
      const int64_t r1 = std::min(r0 + kBlock, rows);
      for (int64_t c = c0; c < c1; ++c) {
        for (int64_t r = r0; r < r1; ++r) out[c * padded_rows + r] = in[r * cols + c];
      }
    }
    for (int64_t c = c0; c < c1; ++c) {
      for (int64_t r = rows; r < padded_rows; ++r) out[c * padded_rows + r] = 0.0f;
    }
  }
  std::memset(out + cols * padded_rows, 0, (padded_cols - cols) * padded_rows * sizeof(float));
}

}  // namespace seqgraph::onednn
