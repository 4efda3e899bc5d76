#pragma once

#include "layers/layer_def.h"

namespace seqgraph {

/// [batch, time, ...] -> what the layer gives for each step, [batch, time, ...].
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

/// Layers one after the other as one layer, to be held by another. In a stack they lie beside its
/// own.
struct InnerStackLayer {
  static constexpr char kClass[] = "Sequential";
  std::vector<Layer> layers;

  template <typename Visitor>
  void Fields(Visitor& field) {
    field("layers", layers, FieldRule{.several = true}, "each takes what the one in front gives");
  }
};

/// Layers named by their classes.
InnerStackLayer InnerStack(const std::vector<LayerKind>& layers);

LayerDef TimeDistributedDef();
LayerDef InnerStackDef();

}  // namespace seqgraph
