#ifndef SEQGRAPH_BACKENDS_KERNELS_IDS_H_
#define SEQGRAPH_BACKENDS_KERNELS_IDS_H_

#include <cstdint>

#include "absl/status/status.h"
#include "graph/shape.h"

namespace seqgraph::kernels {

/// The error for ids[bad], of a tensor with that shape, which is not in [0, rows): "ids[3, 17] is
/// 500, must be in [0, 500)".
absl::Status BadIdError(const int32_t* ids, int64_t bad, const Shape& shape, int64_t rows);

}  // namespace seqgraph::kernels

#endif  // SEQGRAPH_BACKENDS_KERNELS_IDS_H_
