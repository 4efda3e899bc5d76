#pragma once

#include "layers/layer_def.h"

namespace seqgraph {

/// Normal noise is added while training, nothing otherwise.
struct GaussianNoiseLayer {
  static constexpr char kClass[] = "GaussianNoise";
  double stddev = 0.1;

  template <typename Visitor>
  void Fields(Visitor& field) {
    field("stddev", stddev, FieldRule{.low = 0, .high = 1}, "of the noise");
  }
};

/// Elements are multiplied by normal noise while training, by nothing otherwise.
struct GaussianDropoutLayer {
  static constexpr char kClass[] = "GaussianDropout";
  double rate = 0.5;

  template <typename Visitor>
  void Fields(Visitor& field) {
    field("rate", rate, Rate(), "the noise has the standard deviation sqrt(rate / (1 - rate))");
  }
};

LayerDef GaussianNoiseDef();
LayerDef GaussianDropoutDef();

}  // namespace seqgraph
