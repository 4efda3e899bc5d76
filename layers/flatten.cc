#include "layers/flatten.h"

#include "graph/function_builder.h"
#include "layers/layer_context.h"
#include "layers/stack_recognizer.h"
#include "ops/examples.h"
#include "ops/reshape.h"

namespace seqgraph {
namespace {

LayerFlow EmitFlatten(LayerContext& c, const FlattenLayer&) {
  const Shape& shape = c.type().shape;
  int64_t features = 1;
  for (int i = 1; i < shape.rank(); ++i) features *= shape[i].size();
  return c.Drop(ops::Reshape(c.g(), c.x(), {shape[0], features}, c.name()));
}

absl::StatusOr<std::optional<RecognizedLayer>> RecognizeFlatten(StackRecognizer& r) {
  const Node* node = r.Reader("Reshape");
  if (node == nullptr || r.function().type(node->outputs[0]).shape.rank() != 2) {
    return std::nullopt;
  }
  return RecognizedLayer{{.name = r.Name({}, "flatten"), .kind = FlattenLayer()}, node->outputs[0]};
}

}  // namespace

LayerDef FlattenDef() {
  return DefineLayer<FlattenLayer>()
      .Doc(
          "[batch, ...] -> [batch, product of the other extents], in row-major order: the steps of "
          "a sequence side by side. Masks end here, as in Keras.")
      .Keras({.fixed = {{"data_format", "channels_last"}}})
      .Emit(EmitFlatten)
      .Recognize(RecognizeFlatten)
      .Example({"steps",
                FlattenLayer{},
                ops::Reals({1, 2, 2}, {1, 2, 3, 4}),
                {},
                ops::Reals({1, 4}, {1, 2, 3, 4})});
}

}  // namespace seqgraph
