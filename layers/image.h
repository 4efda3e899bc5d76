#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "layers/activation.h"
#include "layers/convolution.h"
#include "layers/layer_def.h"

namespace seqgraph {

/// [batch, height, width, channels] -> [batch, rows, columns, filters]: a convolution over both
/// axes.
struct Conv2DLayer {
  static constexpr char kClass[] = "Conv2D";
  int64_t filters = 0;
  std::vector<int64_t> kernel_size;
  std::vector<int64_t> strides = {1, 1};
  std::string padding = "valid";
  std::vector<int64_t> dilation_rate = {1, 1};
  int64_t groups = 1;
  std::string activation = "linear";
  bool use_bias = true;
  Initializer kernel_initializer = Initializer::GlorotUniform();
  Initializer bias_initializer = Initializer::Zeros();
  Regularizer kernel_regularizer;
  Regularizer bias_regularizer;

  template <typename Visitor>
  void Fields(Visitor& field) {
    field("filters", filters, Extent(), "width of the output");
    field("kernel_size", kernel_size, Extent(), "rows and columns of a window; one number: both");
    field("strides", strides, AtLeast(1), "from one window to the next");
    field("padding", padding, OneOf({"valid", "same"}), Conv1DLayer::kPaddingDoc);
    field("dilation_rate", dilation_rate, AtLeast(1), "between neighbours in a window");
    field("groups", groups, FieldRule{.low = 1, .high = 1}, "more are not known here");
    field("activation", activation, ActivationName(ActivationNames()), "of the sum");
    field("use_bias", use_bias, AnyValue(), "whether b is added");
    field("kernel_initializer", kernel_initializer, AnyValue(), "of w");
    field("bias_initializer", bias_initializer, AnyValue(), "of b");
    field("kernel_regularizer", kernel_regularizer, AnyValue(), "of w");
    field("bias_regularizer", bias_regularizer, AnyValue(), "of b");
  }
};

/// The fields of pooling over windows of both axes.
struct ImagePooling {
  std::vector<int64_t> pool_size = {2, 2};
  std::vector<int64_t> strides;
  std::string padding = "valid";

  template <typename Visitor>
  void Fields(Visitor& field) {
    field("pool_size", pool_size, AtLeast(1), "rows and columns of a window; one number: both");
    field("strides", strides, AtLeast(1), "from one window to the next; none: pool_size");
    field("padding", padding, OneOf({"valid", "same"}),
          "same: windows over the ends too, of the places that there are");
  }
};

/// [batch, height, width, channels] -> [batch, rows, columns, channels]: the maximum of each
/// window.
struct MaxPooling2DLayer : ImagePooling {
  static constexpr char kClass[] = "MaxPooling2D";
};

/// [batch, height, width, channels] -> [batch, rows, columns, channels]: the mean of each window.
struct AveragePooling2DLayer : ImagePooling {
  static constexpr char kClass[] = "AveragePooling2D";
};

/// [batch, height, width, channels] -> [batch, channels]: the mean over all places.
struct GlobalAveragePooling2DLayer {
  static constexpr char kClass[] = "GlobalAveragePooling2D";
  template <typename Visitor>
  void Fields(Visitor&) {}
};

/// [batch, height, width, channels] -> [batch, channels]: the maximum over all places.
struct GlobalMaxPooling2DLayer {
  static constexpr char kClass[] = "GlobalMaxPooling2D";
  template <typename Visitor>
  void Fields(Visitor&) {}
};

LayerDef Conv2DDef();
LayerDef MaxPooling2DDef();
LayerDef AveragePooling2DDef();
LayerDef GlobalAveragePooling2DDef();
LayerDef GlobalMaxPooling2DDef();

}  // namespace seqgraph
