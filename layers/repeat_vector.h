#pragma once

#include <cstdint>

#include "layers/layer_def.h"

namespace seqgraph {

/// [batch, features] -> [batch, n, features]: the same vector n times.
struct RepeatVectorLayer {
  static constexpr char kClass[] = "RepeatVector";
  int64_t n = 0;

  template <typename Visitor>
  void Fields(Visitor& field) {
    field("n", n, Extent(), "steps of the output");
  }
};

LayerDef RepeatVectorDef();

}  // namespace seqgraph
