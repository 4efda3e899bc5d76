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
  const int steps = 1 + c.outer_axes();
  Shape flat(shape.dims().subspan(0, steps));
  flat.Append(Shape(shape.dims().subspan(steps)).num_elements());
  return c.Drop(ops::Reshape(c.g(), c.x(), flat, c.name()));
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
      .AllSteps(StepsAtOnce::kAlways)
      .Emit(EmitFlatten)
      .Recognize(RecognizeFlatten)
      .Example({"steps",
                FlattenLayer{},
                ops::Reals({1, 2, 2}, {1, 2, 3, 4}),
                {},
                ops::Reals({1, 4}, {1, 2, 3, 4})});
}

}  // namespace seqgraph
