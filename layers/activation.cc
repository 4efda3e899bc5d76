#include "layers/activation.h"

#include "absl/strings/str_cat.h"
#include "layers/layer_context.h"
#include "layers/stack_recognizer.h"
#include "ops/activations.h"
#include "ops/examples.h"
#include "ops/softmax.h"

namespace seqgraph {
namespace {

struct Activation {
  const char* name;
  Value (*emit)(FunctionBuilder& g, Value x, const std::string& name);
};

const Activation kActivations[] = {
    {"linear", [](FunctionBuilder&, Value x, const std::string&) { return x; }},
    {"tanh", [](auto& g, Value x, const auto& name) { return ops::Tanh(g, x, name); }},
    {"relu", [](auto& g, Value x, const auto& name) { return ops::Relu(g, x, name); }},
    {"sigmoid", [](auto& g, Value x, const auto& name) { return ops::Sigmoid(g, x, name); }},
    {"softmax", [](auto& g, Value x, const auto& name) { return ops::Softmax(g, x, name); }},
};

LayerFlow Emit(LayerContext& c, const ActivationLayer& layer) {
  return c.Pass(EmitActivation(c.g(), layer.activation, c.x(), c.name()));
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

std::vector<std::string> ActivationNames() {
  std::vector<std::string> names;
  for (const Activation& activation : kActivations) names.push_back(activation.name);
  return names;
}

Value EmitActivation(FunctionBuilder& g, const std::string& activation, Value x,
                     const std::string& name) {
  for (const Activation& row : kActivations) {
    if (activation == row.name) return row.emit(g, x, name);
  }
  g.Fail(absl::InvalidArgumentError(absl::StrCat("unknown activation ", activation)));
  return {};
}

LayerDef ActivationDef() {
  return DefineLayer<ActivationLayer>()
      .Doc("Any shape -> the same: an activation, element by element; softmax over the last axis.")
      .RowWise()
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
