#pragma once

#include "layers/layer_def.h"

namespace seqgraph {

/// [batch, time, features] -> [batch, features]: the mean over the steps that are not masked.
struct GlobalAveragePooling1DLayer {
  static constexpr char kClass[] = "GlobalAveragePooling1D";
  template <typename Visitor>
  void Fields(Visitor&) {}
};

/// [batch, time, features] -> [batch, features]: the maximum over all steps.
struct GlobalMaxPooling1DLayer {
  static constexpr char kClass[] = "GlobalMaxPooling1D";
  template <typename Visitor>
  void Fields(Visitor&) {}
};

extern template void FillLayerKind(const GlobalAveragePooling1DLayer&, LayerKind&);
extern template void FillLayerKind(const GlobalMaxPooling1DLayer&, LayerKind&);
LayerDef GlobalAveragePooling1DDef();
LayerDef GlobalMaxPooling1DDef();

}  // namespace seqgraph
