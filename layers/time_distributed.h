#pragma once

#include "layers/layer_def.h"

namespace seqgraph {

/// [batch, time, ...] -> what the layer gives for each step.
struct TimeDistributedLayer {
  static constexpr char kClass[] = "TimeDistributed";
  Layer layer{.name = "layer"};

  template <typename Visitor>
  void Fields(Visitor& field) {
    field("layer", layer, AnyValue(), "what is applied to each step");
  }
};

/// The layer over time. Sequential names it.
TimeDistributedLayer TimeDistributed(LayerKind layer);

LayerDef TimeDistributedDef();

}  // namespace seqgraph
