#pragma once

#include "layers/layer_def.h"

namespace seqgraph {

/// [batch, ...] -> [batch, product of the other extents].
struct FlattenLayer {
  static constexpr char kClass[] = "Flatten";
  template <typename Visitor>
  void Fields(Visitor&) {}
};

LayerDef FlattenDef();

}  // namespace seqgraph
