#include "layers/convolution.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "layers/layer_context.h"
#include "ops/conv1d.h"
#include "ops/dense.h"
#include "ops/examples.h"
#include "ops/pad.h"
#include "ops/reshape.h"
#include "ops/slice.h"

namespace seqgraph {
namespace {

using ops::Reals;

KerasFacts Facts(std::vector<std::string> unset, std::vector<std::string> ignored = {}) {
  unset.push_back("activity_regularizer");
  return {.ignored = std::move(ignored),
          .unset = std::move(unset),
          .fixed = {{"data_format", "channels_last"}}};
}

// In Keras 2 those of one filter a channel say it, and that it is 1.
constexpr char kGroups[] = "groups";

// The windows of a layer over x.
template <typename T>
ops::WindowOptions WindowsOf(LayerContext& c, const T& layer) {
  return PaddedWindows(layer.padding, layer.kernel_size, layer.strides, layer.dilation_rate,
                       c.type().shape[1 + c.outer_axes()].size());
}

// A convolution over the last axis but one of x, whatever axes stand in front: their sequences lie
// behind each other, with as many zeros between them that the windows of each begin at a stride.
Value ConvolveSequences(LayerContext& c, Value x, Value w, const ops::Conv1DOptions& options) {
  FunctionBuilder& g = c.g();
  if (c.outer_axes() == 0 || !g.status().ok()) return ops::Conv1D(g, x, w, options);
  const Shape from = g.type(x).shape;
  const int axis = from.rank() - 2;
  int64_t sequences = 1;
  for (int i = 1; i < axis; ++i) sequences *= from[i].size();
  const ops::WindowOptions& windows = options.windows;
  const int64_t reach = (g.type(w).shape[0].size() - 1) * windows.dilation + 1;
  const int64_t whole = from[axis].size() + windows.pad_before + windows.pad_after;
  if (whole < reach) {
    c.Fail(absl::StrCat("a window of ", reach, " steps does not fit into ", c.type().ToString()));
    return {};
  }
  const int64_t places = (whole - reach) / windows.stride + 1;
  const int64_t starts = (whole + windows.stride - 1) / windows.stride;
  const int64_t length = starts * windows.stride;
  Value y = ops::Pad(g, x,
                     {.axis = axis,
                      .before = windows.pad_before,
                      .after = length - from[axis].size() - windows.pad_before,
                      .name = c.Part("padded")});
  if (!g.status().ok()) return {};
  y = ops::Reshape(g, y, {from[0], sequences * length, from.back()}, c.Part("sequences"));
  ops::Conv1DOptions one = options;
  one.windows = {.stride = windows.stride,
                 .dilation = windows.dilation,
                 .pad_after = std::max<int64_t>(reach - windows.stride, 0)};
  y = ops::Conv1D(g, y, w, one);
  if (!g.status().ok()) return {};
  Shape to(from.dims().subspan(0, axis));
  to.Append(starts);
  to.Append(g.type(y).shape.back());
  y = ops::Reshape(g, y, to, c.Part("windows"));
  return ops::Slice(g, y, {.axis = axis, .end = places, .name = c.name()});
}

template <typename T>
Value Bias(LayerContext& c, const T& layer, int64_t filters) {
  if (!layer.use_bias) return {};
  return c.Weight("bias", {filters}, layer.bias_initializer, layer.bias_regularizer);
}

// Masks end here, as in Keras.
template <typename T>
LayerFlow Activated(LayerContext& c, const T& layer, Value y) {
  return c.Drop(EmitActivation(c.g(), layer.activation, y, c.Part(layer.activation)));
}

LayerFlow EmitConv1D(LayerContext& c, const Conv1DLayer& layer) {
  if (c.features() % layer.groups != 0) {
    c.Fail(absl::StrCat("groups is ", layer.groups, ", which does not divide the ", c.features(),
                        " channels of its input"));
    return {};
  }
  const Value w =
      c.Weight("kernel", {layer.kernel_size, c.features() / layer.groups, layer.filters},
               layer.kernel_initializer, layer.kernel_regularizer);
  const Value b = Bias(c, layer, layer.filters);
  return Activated(
      c, layer,
      ConvolveSequences(
          c, c.x(), w,
          {.bias = b, .windows = WindowsOf(c, layer), .groups = layer.groups, .name = c.name()}));
}

// A convolution of as many groups as there are channels; the filters of a channel lie together.
template <typename T>
Value Depthwise(LayerContext& c, const T& layer, const char* part, Value b, const std::string& name,
                Value w) {
  const int64_t filters = c.features() * layer.depth_multiplier;
  w = ops::Reshape(c.g(), w, {layer.kernel_size, 1, filters}, c.Part(part));
  return ConvolveSequences(
      c, c.x(), w,
      {.bias = b, .windows = WindowsOf(c, layer), .groups = c.features(), .name = name});
}

template <typename T>
Value DepthwiseKernel(LayerContext& c, const T& layer, const char* part) {
  return c.Weight(part, {layer.kernel_size, c.features(), layer.depth_multiplier},
                  layer.depthwise_initializer, layer.depthwise_regularizer);
}

LayerFlow EmitDepthwise(LayerContext& c, const DepthwiseConv1DLayer& layer) {
  const Value w = DepthwiseKernel(c, layer, "kernel");
  if (!c.g().status().ok()) return {};  // beyond which extents have no product
  const Value b = Bias(c, layer, c.features() * layer.depth_multiplier);
  return Activated(c, layer, Depthwise(c, layer, "kernel_by_groups", b, c.name(), w));
}

LayerFlow EmitSeparable(LayerContext& c, const SeparableConv1DLayer& layer) {
  const Value w = DepthwiseKernel(c, layer, "depthwise_kernel");
  if (!c.g().status().ok()) return {};
  const int64_t channels = c.features() * layer.depth_multiplier;
  const Value matrix = c.Weight("pointwise_kernel", {1, channels, layer.filters},
                                layer.pointwise_initializer, layer.pointwise_regularizer);
  const Value b = Bias(c, layer, layer.filters);
  const Value x = Depthwise(c, layer, "kernel_by_groups", {}, c.Part("depthwise"), w);
  const Value m = ops::Reshape(c.g(), matrix, {channels, layer.filters}, c.Part("matrix"));
  return Activated(c, layer, ops::Dense(c.g(), x, m, {.bias = b, .name = c.name()}));
}

template <typename T>
absl::Status CheckWindows(const T& layer) {
  if (layer.strides == 1 || layer.dilation_rate == 1) return absl::OkStatus();
  return InvalidArgument("strides and dilation_rate are ", layer.strides, " and ",
                         layer.dilation_rate, ": one of them must be 1");
}

absl::Status Check(const Conv1DLayer& layer) {
  if (layer.filters % layer.groups != 0) {
    return InvalidArgument("groups is ", layer.groups, ", which does not divide its ",
                           layer.filters, " filters");
  }
  return CheckWindows(layer);
}

// Windows that fit into any length.
template <typename T>
void FitWindows(T& layer, SampleSource&) {
  if (layer.padding == "valid") layer.kernel_size = 1;
  if (layer.strides > 1) layer.dilation_rate = 1;
}

void FitSample(Conv1DLayer& layer, SampleSource& random) {
  layer.groups = 1;
  FitWindows(layer, random);
}

template <typename T>
std::optional<std::string> LastActivation(const T& layer) {
  return layer.activation;
}

}  // namespace

ops::WindowOptions PaddedWindows(const std::string& padding, int64_t width, int64_t stride,
                                 int64_t dilation, int64_t time) {
  ops::WindowOptions windows{.stride = stride, .dilation = dilation};
  const int64_t extent = (width - 1) * dilation + 1;
  if (padding == "causal") windows.pad_before = extent - 1;
  if (padding == "same") {
    const int64_t last = (time - 1) / stride * stride;  // the first step of the last window
    const int64_t zeros = std::max<int64_t>(last + extent - time, 0);
    windows.pad_before = zeros / 2;
    windows.pad_after = zeros - zeros / 2;
  }
  return windows;
}

LayerDef Conv1DDef() {
  return DefineLayer<Conv1DLayer>()
      .Doc(
          "[batch, time, channels] -> [batch, steps, filters]: y_s = activation(b + the sum over i "
          "of x_{s strides + i dilation_rate}·w_i), a convolution over time (the kernel is not "
          "mirrored). Masks end here, as in Keras.")
      .Takes(LayerTakes::kSequence)
      .Keras(Facts({"kernel_constraint", "bias_constraint", "lora_rank", "lora_alpha"}))
      .AllSteps(StepsAtOnce::kAlways)
      .Emit(EmitConv1D)
      .Check(Check)
      .LastActivation(LastActivation<Conv1DLayer>)
      .FitSample(FitSample)
      // x_t + 10 x_{t+1} + 1.
      .Example({"valid",
                Conv1DLayer{.filters = 1, .kernel_size = 2},
                Reals({1, 3, 1}, {1, 2, 3}),
                {Reals({2, 1, 1}, {1, 10}), Reals({1}, {1})},
                Reals({1, 2, 1}, {22, 33})})
      // Windows of steps 0, 1, 2 and 2, 3, 4, of which 4 is not there.
      .Example(
          {"same_strided",
           Conv1DLayer{
               .filters = 1, .kernel_size = 3, .strides = 2, .padding = "same", .use_bias = false},
           Reals({1, 4, 1}, {1, 2, 3, 4}),
           {Reals({3, 1, 1}, {1, 10, 100})},
           Reals({1, 2, 1}, {321, 43})})
      // x_t + 10 x_{t-2}, below 0 cut off.
      .Example({"causal_dilated",
                Conv1DLayer{.filters = 1,
                            .kernel_size = 2,
                            .padding = "causal",
                            .dilation_rate = 2,
                            .activation = "relu",
                            .use_bias = false},
                Reals({1, 3, 1}, {1, -2, 3}),
                {Reals({2, 1, 1}, {10, 1})},
                Reals({1, 3, 1}, {1, 0, 13})})
      .Example({"groups",
                Conv1DLayer{.filters = 2, .kernel_size = 1, .groups = 2, .use_bias = false},
                Reals({1, 1, 2}, {3, 4}),
                {Reals({1, 1, 2}, {10, 100})},
                Reals({1, 1, 2}, {30, 400})});
}

LayerDef DepthwiseConv1DDef() {
  return DefineLayer<DepthwiseConv1DLayer>()
      .Doc(
          "[batch, time, channels] -> [batch, steps, depth_multiplier channels]: a convolution "
          "over time of each channel by itself; its filters lie together. Masks end here.")
      .Takes(LayerTakes::kSequence)
      .Keras(Facts({"depthwise_constraint", "bias_constraint"}, {kGroups}))
      .AllSteps(StepsAtOnce::kAlways)
      .Emit(EmitDepthwise)
      .Check(CheckWindows<DepthwiseConv1DLayer>)
      .LastActivation(LastActivation<DepthwiseConv1DLayer>)
      .FitSample(FitWindows<DepthwiseConv1DLayer>)
      // Channel 0: x_t + 3 x_{t+1} and 2 x_t + 4 x_{t+1}; channel 1 with 10 times the weights.
      .Example({"two_filters",
                DepthwiseConv1DLayer{.kernel_size = 2, .depth_multiplier = 2, .use_bias = false},
                Reals({1, 2, 2}, {1, 1, 2, 0}),
                {Reals({2, 2, 2}, {1, 2, 10, 20, 3, 4, 30, 40})},
                Reals({1, 1, 4}, {7, 10, 10, 20})});
}

LayerDef SeparableConv1DDef() {
  return DefineLayer<SeparableConv1DLayer>()
      .Doc(
          "[batch, time, channels] -> [batch, steps, filters]: a convolution over time of each "
          "channel by itself, and a product of each step with a matrix. Masks end here.")
      .Takes(LayerTakes::kSequence)
      // Keras 2 says of a kernel that there is not how it would begin.
      .Keras(Facts({"depthwise_constraint", "pointwise_constraint", "bias_constraint",
                    "kernel_regularizer", "kernel_constraint"},
                   {kGroups, "kernel_initializer"}))
      .AllSteps(StepsAtOnce::kAlways)
      .Emit(EmitSeparable)
      .Check(CheckWindows<SeparableConv1DLayer>)
      .LastActivation(LastActivation<SeparableConv1DLayer>)
      .FitSample(FitWindows<SeparableConv1DLayer>)
      // Channels 1 + 3 2 = 7 and 10 1 + 30 0 = 10; 7 + 2 10 + 1.
      .Example({"valid",
                SeparableConv1DLayer{.filters = 1, .kernel_size = 2},
                Reals({1, 2, 2}, {1, 1, 2, 0}),
                {Reals({2, 2, 1}, {1, 10, 3, 30}), Reals({1, 2, 1}, {1, 2}), Reals({1}, {1})},
                Reals({1, 1, 1}, {28})});
}

template void FillLayerKind(const Conv1DLayer&, LayerKind&);

}  // namespace seqgraph
