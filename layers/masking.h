#pragma once

#include "layers/layer_def.h"

namespace seqgraph {

/// [batch, time, features] -> the same: steps all of whose features are mask_value are masked for
/// the layers behind, and zero.
struct MaskingLayer {
  static constexpr char kClass[] = "Masking";
  double mask_value = 0;

  template <typename Visitor>
  void Fields(Visitor& field) {
    field("mask_value", mask_value, AnyValue(), "what marks a step that is not there");
  }
};

LayerDef MaskingDef();

}  // namespace seqgraph
