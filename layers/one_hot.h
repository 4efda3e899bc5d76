#pragma once

#include <cstdint>

#include "layers/layer_def.h"

namespace seqgraph {

/// int32 [batch, time] -> [batch, time, depth]. No weights; in Keras files it is the input's shape.
struct OneHotLayer {
  static constexpr char kClass[] = "OneHot";
  int64_t depth = 0;

  template <typename Visitor>
  void Fields(Visitor& field) {
    field("depth", depth, Extent(), "tokens are below it");
  }
};

extern template void FillLayerKind(const OneHotLayer&, LayerKind&);
LayerDef OneHotDef();

}  // namespace seqgraph
