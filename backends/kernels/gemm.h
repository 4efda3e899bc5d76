#pragma once

#include <cstdint>

#include "backends/kernels/matrix.h"
#include "backends/kernels/thread_pool.h"

namespace seqgraph::kernels {

/// c[rows, columns] = a[rows, inner] b[inner, columns], any of them 0.
struct GemmShape {
  int64_t rows = 0, inner = 0, columns = 0;
};

/// What Multiply needs of scratch, in floats.
int64_t MultiplyScratch(const GemmShape& shape);

/// c = a b, dense and row-major, plus bias[columns] in each row (null: none). `scratch` is 64-byte
/// aligned. The order of all sums depends on the shape and the target alone, not on the number of
/// threads: blocks of rows are of constant size; where the inner extent is long and c is small, the
/// inner extent is cut into at most 16 parts whose products are added in order.
void Multiply(const GemmShape& shape, const MatrixView& a, const MatrixView& b, const float* bias,
              float* c, float* scratch, ThreadPool& pool);

}  // namespace seqgraph::kernels
