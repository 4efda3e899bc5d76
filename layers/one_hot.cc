#include "layers/one_hot.h"

#include "layers/layer_context.h"
#include "layers/stack_recognizer.h"
#include "ops/examples.h"
#include "ops/one_hot.h"

namespace seqgraph {
namespace {

LayerFlow EmitOneHot(LayerContext& c, const OneHotLayer& layer) {
  return c.Pass(ops::OneHot(c.g(), c.x(), layer.depth, {.dtype = c.real(), .name = c.name()}));
}

absl::StatusOr<std::optional<RecognizedLayer>> RecognizeOneHot(StackRecognizer& r) {
  const Node* node = r.Reader("OneHot");
  if (node == nullptr) return std::nullopt;
  return RecognizedLayer{{.name = r.Name({}, "one_hot"),
                          .kind = OneHotLayer{.depth = node->attributes.GetInt("depth")}},
                         node->outputs[0]};
}

}  // namespace

LayerDef OneHotDef() {
  return DefineLayer<OneHotLayer>()
      .Doc(
          "int32 [batch, time] -> [batch, time, depth]: 1 at the token, 0 elsewhere. Keras has no "
          "such layer: there one-hot words are the model's input.")
      .Takes(LayerTakes::kTokens)
      .Keras({.exists = false})
      .Emit(EmitOneHot)
      .Recognize(RecognizeOneHot)
      .Example({"rows",
                OneHotLayer{.depth = 3},
                ops::Ids({1, 2}, {2, 0}),
                {},
                ops::Reals({1, 2, 3}, {0, 0, 1, 1, 0, 0})});
}

template void FillLayerKind(const OneHotLayer&, LayerKind&);

}  // namespace seqgraph
