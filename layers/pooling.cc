#include "layers/pooling.h"

#include "layers/layer_context.h"
#include "layers/stack_recognizer.h"
#include "ops/examples.h"
#include "ops/pooling.h"

namespace seqgraph {
namespace {

LayerFlow EmitAverage(LayerContext& c, const GlobalAveragePooling1DLayer&) {
  return c.Drop(ops::GlobalAveragePooling1D(c.g(), c.x(), c.mask(), c.name()));
}

// As in Keras, the maximum takes no notice of the mask.
LayerFlow EmitMax(LayerContext& c, const GlobalMaxPooling1DLayer&) {
  return c.Drop(ops::GlobalMaxPooling1D(c.g(), c.x(), {}, c.name()));
}

// The layer whose op has its name.
template <typename T>
absl::StatusOr<std::optional<RecognizedLayer>> Recognize(StackRecognizer& r) {
  const Node* node = r.Reader(T::kClass);
  if (node == nullptr) return std::nullopt;
  return RecognizedLayer{{.name = r.Name({}, SnakeCase(T::kClass)), .kind = T()}, node->outputs[0]};
}

KerasFacts Facts() { return {.unset = {"keepdims"}, .fixed = {{"data_format", "channels_last"}}}; }

}  // namespace

LayerDef GlobalAveragePooling1DDef() {
  return DefineLayer<GlobalAveragePooling1DLayer>()
      .Doc(
          "[batch, time, features] -> [batch, features]: the mean over the steps that are not "
          "masked; 0 where all are.")
      .Takes(LayerTakes::kSequence)
      .Keras(Facts())
      .Emit(EmitAverage)
      .Recognize(Recognize<GlobalAveragePooling1DLayer>)
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
      .Keras(Facts())
      .Emit(EmitMax)
      .Recognize(Recognize<GlobalMaxPooling1DLayer>)
      .Example({"masked",
                GlobalMaxPooling1DLayer{},
                ops::Reals({1, 2, 2}, {9, 1, 1, 2}),
                {},
                ops::Reals({1, 2}, {9, 2}),
                ops::Ids({1, 2}, {0, 5})});
}

template void FillLayerKind(const GlobalAveragePooling1DLayer&, LayerKind&);
template void FillLayerKind(const GlobalMaxPooling1DLayer&, LayerKind&);

}  // namespace seqgraph
