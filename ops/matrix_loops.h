#pragma once

// Products of a vector and a row-major matrix m[rows, columns], for reference computations. Every
// sum is accumulated in T, in the order of the index. The memory read and written must not overlap.

#include <cstdint>

namespace seqgraph::ops {

/// y[j] += sum_i v[i] m[i, j]
template <typename T>
void AddVectorTimesMatrix(const T* v, const T* m, int64_t rows, int64_t columns, T* y) {
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < columns; ++j) y[j] += v[i] * m[i * columns + j];
  }
}

/// y[i] = sum_j m[i, j] v[j]
template <typename T>
void MatrixTimesVector(const T* m, const T* v, int64_t rows, int64_t columns, T* y) {
  for (int64_t i = 0; i < rows; ++i) {
    T sum = 0;
    for (int64_t j = 0; j < columns; ++j) sum += m[i * columns + j] * v[j];
    y[i] = sum;
  }
}

/// m[i, j] += a[i] b[j]
template <typename T>
void AddOuterProduct(const T* a, const T* b, int64_t rows, int64_t columns, T* m) {
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < columns; ++j) m[i * columns + j] += a[i] * b[j];
  }
}

/// y[j] += a[j]
template <typename T>
void AddVector(const T* a, int64_t size, T* y) {
  for (int64_t j = 0; j < size; ++j) y[j] += a[j];
}

}  // namespace seqgraph::ops
