#include "backends/onednn/layout_loops.h"

#include <algorithm>
#include <cstring>

namespace seqgraph::onednn {

void BatchToTimeMajor(const float* in, int64_t batch, int64_t time, int64_t width, int64_t padded,
                      float* out) {
  for (int64_t t = 0; t < time; ++t, in += width, out += batch * padded) {
    PadRows(in, time * width, batch, width, padded, out);
  }
}

void TimeToBatchMajor(const float* in, int64_t batch, int64_t time, int64_t width, int64_t padded,
                      float* out) {
  for (int64_t b = 0; b < batch; ++b, in += padded, out += time * width) {
    UnpadMatrix(in, batch * padded, time, width, out);
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
