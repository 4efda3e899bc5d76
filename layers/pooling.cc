#include "layers/pooling.h"

#include <functional>

#include "layers/convolution.h"
#include "layers/layer_context.h"
#include "layers/pool_axis.h"
#include "layers/stack_recognizer.h"
#include "ops/examples.h"
#include "ops/pool1d.h"
#include "ops/pooling.h"
#include "ops/reshape.h"

namespace seqgraph {
namespace {

// Of one sequence or of those of all steps: its axis goes away.
Value PoolOfSteps(LayerContext& c, const std::function<Value(Value)>& pool) {
  if (c.outer_axes() == 0) return pool(c.x());
  FunctionBuilder& g = c.g();
  const Shape from = c.type().shape;
  const int axis = 1 + c.outer_axes();
  const Value y = PoolAxis(c, c.x(), axis, [&](Value sequence) {
    const Value pooled = pool(sequence);
    if (!g.status().ok()) return Value();
    const Shape& flat = g.type(pooled).shape;
    return ops::Reshape(g, pooled, {flat[0], 1, flat[1]}, c.Part("one"));
  });
  if (!g.status().ok()) return {};
  Shape to(from.dims().subspan(0, axis));
  to.Append(from.back());
  return ops::Reshape(g, y, to, c.name());
}

LayerFlow EmitAverage(LayerContext& c, const GlobalAveragePooling1DLayer&) {
  return c.Drop(PoolOfSteps(
      c, [&](Value x) { return ops::GlobalAveragePooling1D(c.g(), x, c.mask(), c.name()); }));
}

// As in Keras, the maximum takes no notice of the mask.
LayerFlow EmitMax(LayerContext& c, const GlobalMaxPooling1DLayer&) {
  return c.Drop(
      PoolOfSteps(c, [&](Value x) { return ops::GlobalMaxPooling1D(c.g(), x, {}, c.name()); }));
}

// The layer whose op has its name.
template <typename T>
absl::StatusOr<std::optional<RecognizedLayer>> RecognizePooling(StackRecognizer& r) {
  const Node* node = r.Reader(T::kClass);
  if (node == nullptr) return std::nullopt;
  return RecognizedLayer{{.name = r.Name({}, SnakeCase(T::kClass)), .kind = T()}, node->outputs[0]};
}

// Masks end here, as in Keras.
template <typename T, PoolFunction kPool>
LayerFlow EmitWindows(LayerContext& c, const T& layer) {
  const int64_t stride = layer.strides == 0 ? layer.pool_size : layer.strides;
  const int axis = 1 + c.outer_axes();
  const ops::WindowOptions windows = PaddedWindows(layer.padding, layer.pool_size, stride,
                                                   /*dilation=*/1, c.type().shape[axis].size());
  return c.Drop(PoolWindows(c, c.x(), axis, layer.pool_size, windows, kPool));
}

template <typename T>
DefineLayer<T> PoolingOverWindows() {
  return DefineLayer<T>()
      .Takes(LayerTakes::kSequence)
      .AllSteps(StepsAtOnce::kAlways)
      .Keras({.fixed = {{"data_format", "channels_last"}}})
      .Complete([](T& layer) {
        if (layer.strides == 0) layer.strides = layer.pool_size;
      })
      // Windows that fit into any length.
      .FitSample([](T& layer, SampleSource&) {
        if (layer.padding == "valid") layer.pool_size = 1;
      });
}

KerasFacts PoolingFacts() {
  return {.unset = {"keepdims"}, .fixed = {{"data_format", "channels_last"}}};
}

}  // namespace

LayerDef GlobalAveragePooling1DDef() {
  return DefineLayer<GlobalAveragePooling1DLayer>()
      .Doc(
          "[batch, time, features] -> [batch, features]: the mean over the steps that are not "
          "masked; 0 where all are.")
      .Takes(LayerTakes::kSequence)
      .AllSteps(StepsAtOnce::kAlways)
      .Keras(PoolingFacts())
      .Emit(EmitAverage)
      .Recognize(RecognizePooling<GlobalAveragePooling1DLayer>)
      .Example({"masked",
                GlobalAveragePooling1DLayer{},
                ops::Reals({1, 3, 2}, {9, 9, 1, 2, 3, 4}),
                {},
                ops::Reals({1, 2}, {2, 3}),
                ops::Ids({1, 3}, {0, 5, 7})});
}

LayerDef GlobalMaxPooling1DDef() {
  return DefineLayer<GlobalMaxPooling1DLayer>()
      .Doc(
          "[batch, time, features] -> [batch, features]: the maximum over all steps, masked or "
          "not, as in Keras.")
      .Takes(LayerTakes::kSequence)
      .AllSteps(StepsAtOnce::kAlways)
      .Keras(PoolingFacts())
      .Emit(EmitMax)
      .Recognize(RecognizePooling<GlobalMaxPooling1DLayer>)
      .Example({"masked",
                GlobalMaxPooling1DLayer{},
                ops::Reals({1, 2, 2}, {9, 1, 1, 2}),
                {},
                ops::Reals({1, 2}, {9, 2}),
                ops::Ids({1, 2}, {0, 5})});
}

LayerDef MaxPooling1DDef() {
  return PoolingOverWindows<MaxPooling1DLayer>()
      .Doc(
          "[batch, time, features] -> [batch, steps, features]: the maximum of each window. Masks "
          "end here, as in Keras.")
      .Emit(EmitWindows<MaxPooling1DLayer, ops::MaxPool1D>)
      .Example({"pairs",
                MaxPooling1DLayer{},
                ops::Reals({1, 5, 1}, {1, 3, -2, -4, 9}),
                {},
                ops::Reals({1, 2, 1}, {3, -2})})
      .Example({"same",
                MaxPooling1DLayer{{.pool_size = 3, .strides = 1, .padding = "same"}},
                ops::Reals({1, 3, 1}, {-1, -2, -3}),
                {},
                ops::Reals({1, 3, 1}, {-1, -1, -2})});
}

LayerDef AveragePooling1DDef() {
  return PoolingOverWindows<AveragePooling1DLayer>()
      .Doc(
          "[batch, time, features] -> [batch, steps, features]: the mean of each window, of the "
          "steps that there are. Masks end here, as in Keras.")
      .Emit(EmitWindows<AveragePooling1DLayer, ops::AveragePool1D>)
      .Example({"same",
                AveragePooling1DLayer{{.pool_size = 2, .strides = 2, .padding = "same"}},
                ops::Reals({1, 3, 1}, {1, 3, 7}),
                {},
                ops::Reals({1, 2, 1}, {2, 7})});
}

template void FillLayerKind(const GlobalAveragePooling1DLayer&, LayerKind&);
template void FillLayerKind(const GlobalMaxPooling1DLayer&, LayerKind&);

}  // namespace seqgraph
