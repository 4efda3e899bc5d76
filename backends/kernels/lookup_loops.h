#pragma once

// Rows of tables that ids choose.

#include <cstdint>

#include "backends/kernels/thread_pool.h"

namespace seqgraph::kernels {

/// Index of the first id that is not in [0, rows), or -1.
int64_t FindBadId(const int32_t* ids, int64_t count, int64_t rows);

/// y[i, :] = table[ids[i id_stride], :]. The ids have been checked.
void GatherRows(const float* table, int64_t width, const int32_t* ids, int64_t count, float* y,
                int64_t id_stride = 1);

/// table[ids[i id_stride], :] += dy[i dy_stride ...], `width` floats, in the order of the ids,
/// which have been checked.
void AddRows(const float* dy, int64_t dy_stride, const int32_t* ids, int64_t id_stride,
             int64_t count, int64_t width, float* table);

/// What ScatterAddRows needs of scratch, in floats.
int64_t ScatterAddScratch(int64_t count, int64_t width, int64_t rows);

/// table[v, :] = the sum of dy[i, :] where ids[i] = v. The ids have been checked. Sums are in the
/// order of the ids; many ids of a small table are cut into at most 16 parts, whose sizes depend on
/// the extents alone, with a table each, and the tables are added in pairs.
void ScatterAddRows(const float* dy, const int32_t* ids, int64_t count, int64_t width, int64_t rows,
                    float* table, float* scratch, ThreadPool& pool);

}  // namespace seqgraph::kernels
