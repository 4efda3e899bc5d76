#pragma once

#include <cstdint>

namespace seqgraph::kernels {

/// A matrix in memory that may lie transposed: element (r, c) is data[r row_stride + c
/// column_stride].
struct MatrixView {
  const float* data = nullptr;
  int64_t row_stride = 0;
  int64_t column_stride = 1;

  const float* at(int64_t r, int64_t c) const { return data + r * row_stride + c * column_stride; }
  MatrixView From(int64_t r, int64_t c) const { return {at(r, c), row_stride, column_stride}; }
};

/// A dense row-major matrix with that many columns, and the transpose of one.
inline MatrixView RowMajor(const float* data, int64_t columns) { return {data, columns, 1}; }
inline MatrixView Transposed(const float* data, int64_t columns) { return {data, 1, columns}; }

}  // namespace seqgraph::kernels
