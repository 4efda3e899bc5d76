#pragma once

#include "layers/layer_def.h"

namespace seqgraph {

/// Inverted dropout while training, nothing otherwise.
struct DropoutLayer {
  static constexpr char kClass[] = "Dropout";
  double rate = 0.5;

  template <typename Visitor>
  void Fields(Visitor& field) {
    field("rate", rate, Rate(), "the share of elements that are dropped");
  }
};

/// The same with one mask for all steps.
struct SpatialDropout1DLayer {
  static constexpr char kClass[] = "SpatialDropout1D";
  double rate = 0.5;

  template <typename Visitor>
  void Fields(Visitor& field) {
    field("rate", rate, Rate(), "the share of features that are dropped");
  }
};

extern template void FillLayerKind(const DropoutLayer&, LayerKind&);
extern template void FillLayerKind(const SpatialDropout1DLayer&, LayerKind&);
LayerDef DropoutDef();
LayerDef SpatialDropout1DDef();

}  // namespace seqgraph
