#pragma once

#include <cstdint>

#include "layers/layer_def.h"

namespace seqgraph {

/// [batch, time, features] -> [batch, before + time + after, features]: zeros on both sides.
struct ZeroPadding1DLayer {
  static constexpr char kClass[] = "ZeroPadding1D";
  int64_t before = 1;
  int64_t after = 1;

  template <typename Visitor>
  void Fields(Visitor& field) {
    field("before", before, AtLeast(0), "steps in front; in Keras the first number of `padding`");
    field("after", after, AtLeast(0), "steps behind; in Keras the second");
  }
};

/// [batch, time, features] -> [batch, time - before - after, features]: without steps at the ends.
struct Cropping1DLayer {
  static constexpr char kClass[] = "Cropping1D";
  int64_t before = 1;
  int64_t after = 1;

  template <typename Visitor>
  void Fields(Visitor& field) {
    field("before", before, AtLeast(0), "steps in front; in Keras the first number of `cropping`");
    field("after", after, AtLeast(0), "steps behind; in Keras the second");
  }
};

/// [batch, time, features] -> [batch, size time, features]: every step `size` times.
struct UpSampling1DLayer {
  static constexpr char kClass[] = "UpSampling1D";
  int64_t size = 2;

  template <typename Visitor>
  void Fields(Visitor& field) {
    field("size", size, AtLeast(1), "how often each step is there");
  }
};

LayerDef ZeroPadding1DDef();
LayerDef Cropping1DDef();
LayerDef UpSampling1DDef();

}  // namespace seqgraph
