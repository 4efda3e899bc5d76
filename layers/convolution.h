#pragma once

#include <cstdint>
#include <string>

#include "layers/activation.h"
#include "layers/layer_def.h"
#include "ops/window_rules.h"

namespace seqgraph {

/// [batch, time, channels] -> [batch, steps, filters]: a convolution over time.
struct Conv1DLayer {
  static constexpr char kClass[] = "Conv1D";
  int64_t filters = 0;
  int64_t kernel_size = 0;
  int64_t strides = 1;
  std::string padding = "valid";
  int64_t dilation_rate = 1;
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
    field("kernel_size", kernel_size, Extent(), "steps of a window");
    field("strides", strides, AtLeast(1), "steps from one window to the next");
    field("padding", padding, OneOf({"valid", "same", "causal"}), kPaddingDoc);
    field("dilation_rate", dilation_rate, AtLeast(1), "steps between neighbours in a window");
    field("groups", groups, AtLeast(1), "parts of channels and filters that are apart");
    field("activation", activation, ActivationName(ActivationNames()), "of the sum");
    field("use_bias", use_bias, AnyValue(), "whether b is added");
    field("kernel_initializer", kernel_initializer, AnyValue(), "of w");
    field("bias_initializer", bias_initializer, AnyValue(), "of b");
    field("kernel_regularizer", kernel_regularizer, AnyValue(), "of w");
    field("bias_regularizer", bias_regularizer, AnyValue(), "of b");
  }
  static constexpr char kPaddingDoc[] =
      "valid: none; same: zeros on both sides, for time / strides windows; causal: zeros in front, "
      "so that no step sees a later one";
};

/// [batch, time, channels] -> [batch, steps, depth_multiplier channels]: each channel by itself.
struct DepthwiseConv1DLayer {
  static constexpr char kClass[] = "DepthwiseConv1D";
  int64_t kernel_size = 0;
  int64_t strides = 1;
  std::string padding = "valid";
  int64_t dilation_rate = 1;
  int64_t depth_multiplier = 1;
  std::string activation = "linear";
  bool use_bias = true;
  Initializer depthwise_initializer = Initializer::GlorotUniform();
  Initializer bias_initializer = Initializer::Zeros();
  Regularizer depthwise_regularizer;
  Regularizer bias_regularizer;

  template <typename Visitor>
  void Fields(Visitor& field) {
    field("kernel_size", kernel_size, Extent(), "steps of a window");
    field("strides", strides, AtLeast(1), "steps from one window to the next");
    field("padding", padding, OneOf({"valid", "same"}), Conv1DLayer::kPaddingDoc);
    field("dilation_rate", dilation_rate, AtLeast(1), "steps between neighbours in a window");
    field("depth_multiplier", depth_multiplier, AtLeast(1), "filters of each channel");
    field("activation", activation, ActivationName(ActivationNames()), "of the sum");
    field("use_bias", use_bias, AnyValue(), "whether b is added");
    field("depthwise_initializer", depthwise_initializer, AnyValue(), "of w");
    field("bias_initializer", bias_initializer, AnyValue(), "of b");
    field("depthwise_regularizer", depthwise_regularizer, AnyValue(), "of w");
    field("bias_regularizer", bias_regularizer, AnyValue(), "of b");
  }
};

/// [batch, time, channels] -> [batch, steps, filters]: DepthwiseConv1D, and a product with a matrix
/// behind it.
struct SeparableConv1DLayer {
  static constexpr char kClass[] = "SeparableConv1D";
  int64_t filters = 0;
  int64_t kernel_size = 0;
  int64_t strides = 1;
  std::string padding = "valid";
  int64_t dilation_rate = 1;
  int64_t depth_multiplier = 1;
  std::string activation = "linear";
  bool use_bias = true;
  Initializer depthwise_initializer = Initializer::GlorotUniform();
  Initializer pointwise_initializer = Initializer::GlorotUniform();
  Initializer bias_initializer = Initializer::Zeros();
  Regularizer depthwise_regularizer;
  Regularizer pointwise_regularizer;
  Regularizer bias_regularizer;

  template <typename Visitor>
  void Fields(Visitor& field) {
    field("filters", filters, Extent(), "width of the output");
    field("kernel_size", kernel_size, Extent(), "steps of a window");
    field("strides", strides, AtLeast(1), "steps from one window to the next");
    field("padding", padding, OneOf({"valid", "same"}), Conv1DLayer::kPaddingDoc);
    field("dilation_rate", dilation_rate, AtLeast(1), "steps between neighbours in a window");
    field("depth_multiplier", depth_multiplier, AtLeast(1), "filters of each channel");
    field("activation", activation, ActivationName(ActivationNames()), "of the sum");
    field("use_bias", use_bias, AnyValue(), "whether b is added");
    field("depthwise_initializer", depthwise_initializer, AnyValue(), "of the windows");
    field("pointwise_initializer", pointwise_initializer, AnyValue(), "of the matrix");
    field("bias_initializer", bias_initializer, AnyValue(), "of b");
    field("depthwise_regularizer", depthwise_regularizer, AnyValue(), "of the windows");
    field("pointwise_regularizer", pointwise_regularizer, AnyValue(), "of the matrix");
    field("bias_regularizer", bias_regularizer, AnyValue(), "of b");
  }
};

extern template void FillLayerKind(const Conv1DLayer&, LayerKind&);
LayerDef Conv1DDef();
LayerDef DepthwiseConv1DDef();
LayerDef SeparableConv1DDef();

/// Where windows lie over `time` steps by Keras's padding "valid", "same" or "causal". Of "same"
/// the larger half of the zeros is behind, as in TensorFlow.
ops::WindowOptions PaddedWindows(const std::string& padding, int64_t width, int64_t stride,
                                 int64_t dilation, int64_t time);

}  // namespace seqgraph
