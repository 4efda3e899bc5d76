#include "layers/repeat_vector.h"

#include "graph/function_builder.h"
#include "layers/layer_context.h"
#include "layers/stack_recognizer.h"
#include "ops/broadcast_to.h"
#include "ops/examples.h"
#include "ops/reshape.h"

namespace seqgraph {
namespace {

LayerFlow EmitRepeatVector(LayerContext& c, const RepeatVectorLayer& layer) {
  const Dim batch = c.type().shape[0];
  const Value step = ops::Reshape(c.g(), c.x(), {batch, 1, c.features()}, c.Part("step"));
  return c.Drop(ops::BroadcastTo(c.g(), step, {batch, layer.n, c.features()}, c.name()));
}

// A vector made a sequence of one step, which is repeated.
absl::StatusOr<std::optional<RecognizedLayer>> RecognizeRepeatVector(StackRecognizer& r) {
  const Node* step = r.Reader("Reshape");
  if (step == nullptr) return std::nullopt;
  const Node* repeat = r.OnlyReader(step->outputs[0]);
  if (repeat == nullptr || repeat->op->name() != "BroadcastTo") return std::nullopt;
  const Shape& from = r.function().type(step->inputs[0]).shape;
  const Shape& to = r.function().type(repeat->outputs[0]).shape;
  if (from.rank() != 2 || to.rank() != 3) return std::nullopt;
  return RecognizedLayer{
      {.name = r.Name({}, "repeat_vector"), .kind = RepeatVectorLayer{.n = to[1].size()}},
      repeat->outputs[0]};
}

}  // namespace

LayerDef RepeatVectorDef() {
  return DefineLayer<RepeatVectorLayer>()
      .Doc("[batch, features] -> [batch, n, features]: the same vector n times.")
      .Takes(LayerTakes::kVector)
      .Emit(EmitRepeatVector)
      .Recognize(RecognizeRepeatVector)
      .Example({"twice",
                RepeatVectorLayer{.n = 2},
                ops::Reals({2, 2}, {1, 2, 3, 4}),
                {},
                ops::Reals({2, 2, 2}, {1, 2, 1, 2, 3, 4, 3, 4})});
}

}  // namespace seqgraph
