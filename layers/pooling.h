#pragma once

#include <cstdint>
#include <string>

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

/// The fields of pooling over windows.
struct WindowPooling {
  int64_t pool_size = 2;
  int64_t strides = 0;
  std::string padding = "valid";

  template <typename Visitor>
  void Fields(Visitor& field) {
    field("pool_size", pool_size, AtLeast(1), "steps of a window");
    field("strides", strides, AtLeast(0), "steps from one window to the next; 0: pool_size");
    field("padding", padding, OneOf({"valid", "same"}),
          "same: windows over the ends too, of the steps that there are");
  }
};

/// [batch, time, features] -> [batch, steps, features]: the maximum of each window.
struct MaxPooling1DLayer : WindowPooling {
  static constexpr char kClass[] = "MaxPooling1D";
};

/// [batch, time, features] -> [batch, steps, features]: the mean of each window.
struct AveragePooling1DLayer : WindowPooling {
  static constexpr char kClass[] = "AveragePooling1D";
};

extern template void FillLayerKind(const GlobalAveragePooling1DLayer&, LayerKind&);
extern template void FillLayerKind(const GlobalMaxPooling1DLayer&, LayerKind&);
LayerDef GlobalAveragePooling1DDef();
LayerDef GlobalMaxPooling1DDef();
LayerDef MaxPooling1DDef();
LayerDef AveragePooling1DDef();

}  // namespace seqgraph
