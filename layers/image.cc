// Layers over the two axes of an image. All of them take any axes between the batch and the image,
// so that TimeDistributed has one node for the images of all steps.

#include "layers/image.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "layers/layer_context.h"
#include "layers/pool_axis.h"
#include "ops/dense.h"
#include "ops/examples.h"
#include "ops/pad.h"
#include "ops/pool1d.h"
#include "ops/reductions.h"
#include "ops/reshape.h"
#include "ops/slice.h"

namespace seqgraph {
namespace {

using ops::Reals;

// More of them would make functions of more nodes than anything here is meant for.
constexpr int64_t kMostPlacesOfWindow = 1024;

// Of a setting for both axes.
int64_t OfAxis(const std::vector<int64_t>& both, int axis) {
  return both[both.size() == 1 ? 0 : axis];
}

bool IsForBoth(const std::vector<int64_t>& setting) {
  return setting.size() == 1 || setting.size() == 2;
}

absl::Status CheckBoth(const char* name, const std::vector<int64_t>& setting) {
  if (IsForBoth(setting)) return absl::OkStatus();
  return InvalidArgument(name, " has ", setting.size(), " numbers: expected two, or one for both");
}

// Along one axis of x: zeros around it, and for each place of a window the slice of all windows.
struct AxisWindows {
  int axis = 0;
  int64_t places = 0;
  ops::WindowOptions windows;
};

AxisWindows WindowsAlong(LayerContext& c, int i, int64_t width, int64_t stride, int64_t dilation,
                         const std::string& padding) {
  AxisWindows along{.axis = c.outer_axes() + 1 + i};
  const int64_t extent = c.type().shape[along.axis].size();
  along.windows = PaddedWindows(padding, width, stride, dilation, extent);
  const int64_t padded = extent + along.windows.pad_before + along.windows.pad_after;
  along.places = (padded - (width - 1) * dilation - 1) / stride + 1;
  if (padded <= (width - 1) * dilation) {
    c.Fail(absl::StrCat("a window of ", width, " does not fit into ", c.type().ToString()));
  }
  return along;
}

// The slice of x at place k of every window.
Value AtPlace(LayerContext& c, Value x, const AxisWindows& along, int64_t k,
              const std::string& name) {
  const int64_t begin = k * along.windows.dilation;
  return ops::Slice(c.g(), x,
                    {.axis = along.axis,
                     .begin = begin,
                     .end = begin + (along.places - 1) * along.windows.stride + 1,
                     .stride = along.windows.stride,
                     .name = name});
}

// All side by side along the last axis; by halves, so that no element is copied often.
Value SideBySide(LayerContext& c, absl::Span<const Value> parts, const std::string& name) {
  if (parts.size() == 1) return parts[0];
  const size_t half = parts.size() / 2;
  const Value first = SideBySide(c, parts.subspan(0, half), name);
  const Value second = SideBySide(c, parts.subspan(half), name);
  if (!c.g().status().ok()) return {};
  return ops::Concat(c.g(), first, second, c.g().type(first).shape.rank() - 1, name);
}

// y = act(b + the product of all that a window sees with w as a matrix). Masks end here.
LayerFlow EmitConv2D(LayerContext& c, const Conv2DLayer& layer) {
  FunctionBuilder& g = c.g();
  const int64_t rows = OfAxis(layer.kernel_size, 0), columns = OfAxis(layer.kernel_size, 1);
  const int64_t channels = c.features();
  const Value w = c.Weight("kernel", {rows, columns, channels, layer.filters},
                           layer.kernel_initializer, layer.kernel_regularizer);
  const Value b = layer.use_bias ? c.Weight("bias", {layer.filters}, layer.bias_initializer,
                                            layer.bias_regularizer)
                                 : Value();
  if (!g.status().ok()) return {};
  if (rows > kMostPlacesOfWindow || rows * columns > kMostPlacesOfWindow) {
    c.Fail(absl::StrCat("its windows have ", rows, " times ", columns, " places; at most ",
                        kMostPlacesOfWindow));
    return {};
  }
  Value x = c.x();
  AxisWindows along[2];
  for (const int i : {0, 1}) {
    along[i] = WindowsAlong(c, i, i == 0 ? rows : columns, OfAxis(layer.strides, i),
                            OfAxis(layer.dilation_rate, i), layer.padding);
    if (!g.status().ok()) return {};
    const ops::WindowOptions& windows = along[i].windows;
    if (windows.pad_before + windows.pad_after == 0) continue;
    x = ops::Pad(g, x,
                 {.axis = along[i].axis,
                  .before = windows.pad_before,
                  .after = windows.pad_after,
                  .name = c.Part("padded")});
  }
  std::vector<Value> seen;
  for (int64_t i = 0; i < rows; ++i) {
    const Value row = AtPlace(c, x, along[0], i, c.Part("rows"));
    for (int64_t j = 0; j < columns; ++j) {
      seen.push_back(AtPlace(c, row, along[1], j, c.Part("places")));
    }
  }
  const Value windows = SideBySide(c, seen, c.Part("windows"));
  const Value matrix =
      ops::Reshape(g, w, {rows * columns * channels, layer.filters}, c.Part("matrix"));
  const Value y = ops::Dense(g, windows, matrix, {.bias = b, .name = c.name()});
  return c.Drop(EmitActivation(g, layer.activation, y, c.Part(layer.activation)));
}

// Masks end here. Both maxima and means of what is there are those along one axis of those along
// the other.
template <typename T, PoolFunction kPool>
LayerFlow EmitImageWindows(LayerContext& c, const T& layer) {
  Value y = c.x();
  for (const int i : {0, 1}) {
    const int64_t width = OfAxis(layer.pool_size, i);
    const int64_t stride = layer.strides.empty() ? width : OfAxis(layer.strides, i);
    const AxisWindows along = WindowsAlong(c, i, width, stride, /*dilation=*/1, layer.padding);
    if (!c.g().status().ok()) return {};
    y = PoolWindows(c, y, along.axis, width, along.windows, kPool);
    if (!c.g().status().ok()) return {};
  }
  return c.Drop(y);
}

template <typename T>
absl::Status CheckPooling(const T& layer) {
  SEQ_RETURN_IF_ERROR(CheckBoth("pool_size", layer.pool_size));
  return layer.strides.empty() ? absl::OkStatus() : CheckBoth("strides", layer.strides);
}

template <typename T>
DefineLayer<T> ImageWindows() {
  return DefineLayer<T>()
      .Takes(LayerTakes::kImage)
      .AllSteps(StepsAtOnce::kAlways)
      .Keras({.fixed = {{"data_format", "channels_last"}}})
      .Check(CheckPooling<T>)
      .Complete([](T& layer) {
        if (layer.strides.empty()) layer.strides = layer.pool_size;
      })
      // Windows that fit into any image.
      .FitSample([](T& layer, SampleSource& random) {
        layer.padding = "same";
        layer.pool_size = {random.Int(1, 3), random.Int(1, 3)};
        layer.strides = {random.Int(1, 3), random.Int(1, 3)};
      });
}

template <typename T, bool kMax>
LayerFlow EmitGlobalImage(LayerContext& c, const T&) {
  const int axis = c.outer_axes() + 1;
  const ops::ReduceOptions options{.axes = {axis, axis + 1}, .name = c.name()};
  if (!kMax) return c.Drop(ops::ReduceMean(c.g(), c.x(), options));
  return c.Drop(c.g().AddNode("ReduceMax", {c.x()}, {{"axes", options.axes}, {"keep_dims", false}},
                              options.name)[0]);
}

template <typename T>
DefineLayer<T> GlobalImage() {
  return DefineLayer<T>()
      .Takes(LayerTakes::kImage)
      .AllSteps(StepsAtOnce::kAlways)
      .Keras({.unset = {"keepdims"}, .fixed = {{"data_format", "channels_last"}}});
}

}  // namespace

LayerDef Conv2DDef() {
  return DefineLayer<Conv2DLayer>()
      .Doc(
          "[batch, height, width, channels] -> [batch, rows, columns, filters]: y = activation(b + "
          "the sum over the places of a window of x·w), a convolution over both axes (the kernel "
          "is not mirrored). Masks end here, as in Keras.")
      .Takes(LayerTakes::kImage)
      .AllSteps(StepsAtOnce::kAlways)
      .Keras({.unset = {"activity_regularizer", "kernel_constraint", "bias_constraint", "lora_rank",
                        "lora_alpha"},
              .fixed = {{"data_format", "channels_last"}}})
      .Emit(EmitConv2D)
      .Check([](const Conv2DLayer& layer) -> absl::Status {
        SEQ_RETURN_IF_ERROR(CheckBoth("kernel_size", layer.kernel_size));
        SEQ_RETURN_IF_ERROR(CheckBoth("strides", layer.strides));
        SEQ_RETURN_IF_ERROR(CheckBoth("dilation_rate", layer.dilation_rate));
        for (const int i : {0, 1}) {
          if (OfAxis(layer.strides, i) == 1) continue;
          for (const int k : {0, 1}) {
            if (OfAxis(layer.dilation_rate, k) == 1) continue;
            return InvalidArgument("strides and dilation_rate: one of them must be 1");
          }
        }
        return absl::OkStatus();
      })
      .LastActivation(
          [](const Conv2DLayer& layer) -> std::optional<std::string> { return layer.activation; })
      .FitSample([](Conv2DLayer& layer, SampleSource& random) {
        layer.groups = 1;
        layer.padding = "same";
        layer.kernel_size = {random.Int(1, 3), random.Int(1, 3)};
        if (random.Coin()) layer.strides = {random.Int(1, 2), random.Int(1, 2)};
      })
      // x + 10 of the right + 100 of below + 1000 of both, + 1.
      .Example({"valid",
                Conv2DLayer{.filters = 1, .kernel_size = {2, 2}},
                Reals({1, 2, 3, 1}, {1, 2, 3, 4, 5, 6}),
                {Reals({2, 2, 1, 1}, {1, 10, 100, 1000}), Reals({1}, {1})},
                Reals({1, 1, 2, 1}, {5422, 6533})})
      // Below the second row and right of the third column there are zeros.
      .Example({"same_strided",
                Conv2DLayer{.filters = 1,
                            .kernel_size = {2},
                            .strides = {2, 2},
                            .padding = "same",
                            .use_bias = false},
                Reals({1, 3, 3, 1}, {1, 2, 3, 4, 5, 6, 7, 8, 9}),
                {Reals({2, 2, 1, 1}, {1, 10, 100, 1000})},
                Reals({1, 2, 2, 1}, {5421, 603, 87, 9})});
}

LayerDef MaxPooling2DDef() {
  return ImageWindows<MaxPooling2DLayer>()
      .Doc(
          "[batch, height, width, channels] -> [batch, rows, columns, channels]: the maximum of "
          "each window. Masks end here, as in Keras.")
      .Emit(EmitImageWindows<MaxPooling2DLayer, ops::MaxPool1D>)
      .Example({"pairs",
                MaxPooling2DLayer{},
                Reals({1, 2, 4, 1}, {1, 3, -2, -4, 9, 0, -5, -6}),
                {},
                Reals({1, 1, 2, 1}, {9, -2})});
}

LayerDef AveragePooling2DDef() {
  return ImageWindows<AveragePooling2DLayer>()
      .Doc(
          "[batch, height, width, channels] -> [batch, rows, columns, channels]: the mean of each "
          "window, of the places that there are. Masks end here, as in Keras.")
      .Emit(EmitImageWindows<AveragePooling2DLayer, ops::AveragePool1D>)
      .Example({"same",
                AveragePooling2DLayer{{.padding = "same"}},
                Reals({1, 2, 3, 1}, {1, 3, 4, 5, 7, 6}),
                {},
                Reals({1, 1, 2, 1}, {4, 5})});
}

LayerDef GlobalAveragePooling2DDef() {
  return GlobalImage<GlobalAveragePooling2DLayer>()
      .Doc("[batch, height, width, channels] -> [batch, channels]: the mean over all places.")
      .Emit(EmitGlobalImage<GlobalAveragePooling2DLayer, false>)
      .Example({"mean",
                GlobalAveragePooling2DLayer{},
                Reals({1, 2, 2, 1}, {1, 2, 3, 6}),
                {},
                Reals({1, 1}, {3})});
}

LayerDef GlobalMaxPooling2DDef() {
  return GlobalImage<GlobalMaxPooling2DLayer>()
      .Doc("[batch, height, width, channels] -> [batch, channels]: the maximum over all places.")
      .Emit(EmitGlobalImage<GlobalMaxPooling2DLayer, true>)
      .Example({"largest",
                GlobalMaxPooling2DLayer{},
                Reals({1, 2, 2, 1}, {1, 6, 3, 2}),
                {},
                Reals({1, 1}, {6})});
}

}  // namespace seqgraph
