#pragma once

#include "layers/layer_def.h"

namespace seqgraph {

/// scale x + offset.
struct RescalingLayer {
  static constexpr char kClass[] = "Rescaling";
  double scale = 1;
  double offset = 0;

  template <typename Visitor>
  void Fields(Visitor& field) {
    field("scale", scale, AnyValue(), "what x is multiplied with");
    field("offset", offset, AnyValue(), "what is added");
  }
};

/// x itself.
struct IdentityLayer {
  static constexpr char kClass[] = "Identity";
  template <typename Visitor>
  void Fields(Visitor&) {}
};

LayerDef RescalingDef();
LayerDef IdentityDef();

}  // namespace seqgraph
