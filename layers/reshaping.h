#pragma once

#include <cstdint>
#include <vector>

#include "layers/layer_def.h"

namespace seqgraph {

/// [batch, ...] -> [batch, target_shape...]: the same elements in row-major order.
struct ReshapeLayer {
  static constexpr char kClass[] = "Reshape";
  std::vector<int64_t> target_shape;

  template <typename Visitor>
  void Fields(Visitor& field) {
    field("target_shape", target_shape,
          FieldRule{.low = -1, .high = static_cast<double>(kMaxLayerExtent), .must = true},
          "extents behind the batch; one may be -1, which is what remains");
  }
};

/// [batch, ...] -> the same with the axes in another order.
struct PermuteLayer {
  static constexpr char kClass[] = "Permute";
  std::vector<int64_t> dims;

  template <typename Visitor>
  void Fields(Visitor& field) {
    field("dims", dims, FieldRule{.low = 1, .high = Shape::kMaxRank, .must = true},
          "axis i + 1 of the output is axis dims[i] of the input; the batch, axis 0, stays");
  }
};

LayerDef ReshapeDef();
LayerDef PermuteDef();

}  // namespace seqgraph
