#pragma once

// Loops that move rows between the graph's dense batch-major layout and the recurrence's time-major
// layout, whose rows may be wider than what they hold ("padded").

#include <cstdint>

namespace seqgraph::onednn {

/// [batch, time, width] dense -> [time, batch, padded], padding zero.
void BatchToTimeMajor(const float* in, int64_t batch, int64_t time, int64_t width, int64_t padded,
                      float* out);

/// [time, batch, padded] -> [batch, time, width] dense.
void TimeToBatchMajor(const float* in, int64_t batch, int64_t time, int64_t width, int64_t padded,
                      float* out);

/// [rows, cols] dense -> [padded_rows, padded_cols], padding zero.
void PadMatrix(const float* in, int64_t rows, int64_t cols, int64_t padded_rows,
               int64_t padded_cols, float* out);

/// The first `cols` of each row of a matrix with rows of `stride` floats -> [rows, padded] with
/// zeros behind them.
void PadRows(const float* in, int64_t stride, int64_t rows, int64_t cols, int64_t padded,
             float* out);

/// Upper left [rows, cols] of a matrix with rows of `stride` floats, dense.
void UnpadMatrix(const float* in, int64_t stride, int64_t rows, int64_t cols, float* out);

/// out[c, r] = in[r, c]; out is [padded_cols, padded_rows], padding zero.
void TransposeMatrix(const float* in, int64_t rows, int64_t cols, int64_t padded_rows,
                     int64_t padded_cols, float* out);

}  // namespace seqgraph::onednn
