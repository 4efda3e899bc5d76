#ifndef SEQGRAPH_BACKENDS_ONEDNN_LAYOUT_LOOPS_H_
#define SEQGRAPH_BACKENDS_ONEDNN_LAYOUT_LOOPS_H_

// Loops that move rows between the graph's dense batch-major layout and the recurrence's time-major
// layout, whose rows may be wider than what they hold ("padded"). Every loop has one fixed order of
// additions, whatever the instruction set.

#include <cstdint>

namespace seqgraph::onednn {

/// The first of `count` ids outside [0, rows), as an index into ids; -1 if all lie inside.
int64_t FindBadId(const int32_t* ids, int64_t count, int64_t rows);

/// out[t, b, :width] = table[ids[b, t], :], out[t, b, width:padded] = 0.
/// All ids lie in the table. out is [time, batch, padded].
void GatherTimeMajor(const float* table, int64_t width, const int32_t* ids, int64_t batch,
                     int64_t time, int64_t padded, float* out);

/// out[i, :] = table[ids[i], :]; out is [count, width].
void GatherRows(const float* table, int64_t width, const int32_t* ids, int64_t count, float* out);

/// table[r, :] = sum of grad[t, b, :width] over the (t, b) with ids[b, t] = r, added in the order
/// t, then b. grad is [time, batch, padded], table [rows, width] is overwritten.
void ScatterAddTimeMajor(const float* grad, int64_t padded, const int32_t* ids, int64_t batch,
                         int64_t time, int64_t width, int64_t rows, float* table);

/// table[r, :] = sum of grad[i, :] over the i with ids[i] = r, in order; grad is [count, width].
void ScatterAddRows(const float* grad, const int32_t* ids, int64_t count, int64_t width,
                    int64_t rows, float* table);

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

#endif  // SEQGRAPH_BACKENDS_ONEDNN_LAYOUT_LOOPS_H_
