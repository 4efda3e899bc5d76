#ifndef SEQGRAPH_BACKENDS_KERNELS_DENSE_EXTENTS_H_
#define SEQGRAPH_BACKENDS_KERNELS_DENSE_EXTENTS_H_

#include <cstdint>

#include "backends/kernels/kernel.h"

namespace seqgraph::kernels {

/// Of a Dense or DenseGrad node: x is [rows, features], where rows stands for any number of leading
/// extents, and w is [features, units].
struct DenseExtents {
  int64_t rows, features, units;
};

inline DenseExtents DenseExtentsOf(const NodeContext& context) {
  const Shape& w = context.input_shape(1);
  DenseExtents e{1, w[0].size(), w[1].size()};
  const Shape& x = context.input_shape(0);
  for (int d = 0; d + 1 < x.rank(); ++d) e.rows *= x[d].size();
  return e;
}

}  // namespace seqgraph::kernels

#endif  // SEQGRAPH_BACKENDS_KERNELS_DENSE_EXTENTS_H_
