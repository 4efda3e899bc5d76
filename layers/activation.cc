#include "layers/activation.h"

#include "layers/layer_context.h"
#include "layers/stack_recognizer.h"
#include "ops/activations.h"
#include "ops/examples.h"
#include "ops/softmax.h"

namespace seqgraph {
namespace {

LayerFlow Emit(LayerContext& c, const ActivationLayer& layer) {
  if (layer.activation == "linear") return c.Pass(c.x());
  if (layer.activation == "softmax") return c.Pass(ops::Softmax(c.g(), c.x(), c.name()));
  return c.Pass(ops::ApplyActivation(c.g(), layer.activation, c.x(), c.name()));
}

absl::StatusOr<std::optional<RecognizedLayer>> Recognize(StackRecognizer& r) {
  for (const auto& [op, activation] : {std::pair{"Sigmoid", "sigmoid"},
                                       {"Tanh", "tanh"},
                                       {"Relu", "relu"},
                                       {"Softmax", "softmax"}}) {
    const Node* node = r.Reader(op);
    if (node == nullptr) continue;
    return RecognizedLayer{{.name = r.Name({}, "activation"), .kind = ActivationLayer{activation}},
                           node->outputs[0]};
  }
  return std::nullopt;
}

}  // namespace

LayerDef ActivationDef() {
  return DefineLayer<ActivationLayer>()
      .Doc("Any shape -> the same: an activation, element by element; softmax over the last axis.")
      .Keras({.unset = {"activity_regularizer"}})
      .Emit(Emit)
      .LastActivation([](const ActivationLayer& layer) -> std::optional<std::string> {
        if (layer.activation == "linear") return std::nullopt;
        return layer.activation;
      })
      .Recognize(Recognize)
      .Example({"relu",
                ActivationLayer{"relu"},
                ops::Reals({1, 3}, {-1, 0, 2}),
                {},
                ops::Reals({1, 3}, {0, 0, 2})})
      .Example({"softmax",
                ActivationLayer{"softmax"},
                ops::Reals({1, 2}, {7, 7}),
                {},
                ops::Reals({1, 2}, {0.5, 0.5})});
}

}  // namespace seqgraph
