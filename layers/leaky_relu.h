#pragma once

#include "layers/layer_def.h"

namespace seqgraph {

/// x where x >= 0, negative_slope x elsewhere.
struct LeakyReLULayer {
  static constexpr char kClass[] = "LeakyReLU";
  double negative_slope = 0.3;

  template <typename Visitor>
  void Fields(Visitor& field) {
    field("negative_slope", negative_slope, FieldRule{.low = 0, .high = 1e6, .keras2 = "alpha"},
          "of the line below 0");
  }
};

LayerDef LeakyReLUDef();

}  // namespace seqgraph
