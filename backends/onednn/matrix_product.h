#ifndef SEQGRAPH_BACKENDS_ONEDNN_MATRIX_PRODUCT_H_
#define SEQGRAPH_BACKENDS_ONEDNN_MATRIX_PRODUCT_H_

// oneDNN's plain matrix product, for operands that are parts of larger matrices.

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "backends/onednn/dnnl_compat.h"

namespace seqgraph::onednn {

/// A row-major matrix with its row stride in floats; `transposed`: a product takes it the other way
/// round.
struct Matrix {
  const float* data = nullptr;
  int64_t stride = 0;
  bool transposed = false;
};

/// c[rows, cols] = a[rows, inner] b[inner, cols], added to what is there if `add`. All extents are
/// at least 1.
inline absl::Status Product(int64_t rows, int64_t inner, int64_t cols, Matrix a, Matrix b, bool add,
                            float* c, int64_t c_stride) {
  const dnnl_status_t status =
      dnnl_sgemm(a.transposed ? 'T' : 'N', b.transposed ? 'T' : 'N', rows, cols, inner, 1.0f,
                 a.data, a.stride, b.data, b.stride, add ? 1.0f : 0.0f, c, c_stride);
  if (status == dnnl_success) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("oneDNN failed to multiply [", rows, ", ", inner,
                                          "] by [", inner, ", ", cols,
                                          "]: ", dnnl_status2str(status)));
}

}  // namespace seqgraph::onednn

#endif  // SEQGRAPH_BACKENDS_ONEDNN_MATRIX_PRODUCT_H_
