#ifndef SEQGRAPH_OPS_AXIS_EXTENTS_H_
#define SEQGRAPH_OPS_AXIS_EXTENTS_H_

#include <cstdint>

#include "graph/shape.h"

namespace seqgraph::ops {

/// A static shape seen along one axis: [outer, extent of the axis, inner].
struct AxisExtents {
  AxisExtents(const Shape& shape, int64_t axis) {
    for (int i = 0; i < shape.rank(); ++i) {
      (i < axis ? outer : i == axis ? extent : inner) *= shape[i].size();
    }
  }
  int64_t outer = 1, extent = 1, inner = 1;
};

}  // namespace seqgraph::ops

#endif  // SEQGRAPH_OPS_AXIS_EXTENTS_H_
