#pragma once

// Products by matrices and look-ups in tables that lie in memory in fewer bits. The results are
// those for the rounded weights (ops/round_weights.h), but for roundings of sums.

#include <cstdint>

#include "backends/kernels/gemm.h"
#include "backends/kernels/thread_pool.h"
#include "graph/weight_format.h"

namespace seqgraph::kernels {

/// Bytes, 64-byte aligned, that hold w[inner, columns].
int64_t PackedMatrixBytes(WeightFormat format, int64_t inner, int64_t columns);
void PackMatrix(WeightFormat format, const float* w, int64_t inner, int64_t columns, void* packed);
/// What MultiplyPacked needs of scratch, in floats, 64-byte aligned.
int64_t MultiplyPackedScratch(const GemmShape& shape);
/// y = x w, dense and row-major, plus bias[columns] in each row (null: none). The same bits for any
/// number of threads.
void MultiplyPacked(const GemmShape& shape, const float* x, WeightFormat format, void* packed,
                    const float* bias, float* y, float* scratch, ThreadPool& pool);

/// Bytes that hold table[rows, width], which is rounded to the format already.
int64_t PackedTableBytes(WeightFormat format, int64_t rows, int64_t width);
void PackTable(WeightFormat format, const float* table, int64_t rows, int64_t width, void* packed);
/// y[i, :] = table[ids[i], :]. The ids have been checked.
void GatherPacked(WeightFormat format, const void* packed, int64_t rows, int64_t width,
                  const int32_t* ids, int64_t count, float* y);

}  // namespace seqgraph::kernels
