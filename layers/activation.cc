#include "layers/activation.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "layers/layer_context.h"
#include "layers/stack_recognizer.h"
#include "ops/activations.h"
#include "ops/binary.h"
#include "ops/elementwise.h"
#include "ops/elu.h"
#include "ops/examples.h"
#include "ops/softmax.h"
#include "ops/unary.h"

namespace seqgraph {
namespace {

Value HardSigmoid(FunctionBuilder& g, Value x, const std::string& name) {
  const Value shifted = ops::Relu(g, ops::Add(g, x, ops::FillLike(g, x, 3, name), name), name);
  return ops::Scale(g, ops::Binary(g, "Minimum", shifted, ops::FillLike(g, x, 6, name), name),
                    1.0 / 6, name);
}

// x / 2 (1 + erf(x / sqrt(2))).
Value Gelu(FunctionBuilder& g, Value x, const std::string& name) {
  const Value erf = ops::Unary(g, "Erf", ops::Scale(g, x, std::sqrt(0.5), name), name);
  return ops::Multiply(g, ops::Scale(g, x, 0.5, name),
                       ops::Add(g, erf, ops::FillLike(g, x, 1, name), name), name);
}

Value Softsign(FunctionBuilder& g, Value x, const std::string& name) {
  const Value size = ops::Unary(g, "Abs", x, name);
  return ops::Binary(g, "Divide", x, ops::Add(g, size, ops::FillLike(g, x, 1, name), name), name);
}

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
    {"exponential",
     [](auto& g, Value x, const auto& name) { return ops::Unary(g, "Exp", x, name); }},
    {"softplus",
     [](auto& g, Value x, const auto& name) { return ops::Unary(g, "Softplus", x, name); }},
    {"softsign", Softsign},
    {"elu", [](auto& g, Value x, const auto& name) { return ops::Elu(g, x, 1, name); }},
    {"silu", [](auto& g, Value x,
                const auto& name) { return ops::Multiply(g, x, ops::Sigmoid(g, x, name), name); }},
    {"gelu", Gelu},
    {"hard_sigmoid", HardSigmoid},
};

LayerFlow Emit(LayerContext& c, const ActivationLayer& layer) {
  return c.Pass(EmitActivation(c.g(), layer.activation, c.x(), c.name()));
}

absl::StatusOr<std::optional<RecognizedLayer>> Recognize(StackRecognizer& r) {
  for (const auto& [op, activation] : {std::pair{"Sigmoid", "sigmoid"},
                                       {"Tanh", "tanh"},
                                       {"Relu", "relu"},
                                       {"Softmax", "softmax"},
                                       {"Exp", "exponential"},
                                       {"Softplus", "softplus"},
                                       {"Elu", "elu"}}) {
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
      // -1 / 2, 3 / 4; -3 ends in 0, 3 in 1, 0 lies in the middle.
      .Example({"softsign",
                ActivationLayer{"softsign"},
                ops::Reals({1, 2}, {-1, 3}),
                {},
                ops::Reals({1, 2}, {-0.5, 0.75})})
      .Example({"hard_sigmoid",
                ActivationLayer{"hard_sigmoid"},
                ops::Reals({1, 3}, {-4, 0, 5}),
                {},
                ops::Reals({1, 3}, {0, 0.5, 1})})
      .Example({"silu",
                ActivationLayer{"silu"},
                ops::Reals({1, 2}, {0, 1}),
                {},
                ops::Reals({1, 2}, {0, 0.7310585786300049})})
      // Phi(1) = 0.8413447460685429.
      .Example({"gelu",
                ActivationLayer{"gelu"},
                ops::Reals({1, 2}, {0, 1}),
                {},
                ops::Reals({1, 2}, {0, 0.8413447460685429})})
      .Example({"softmax",
                ActivationLayer{"softmax"},
                ops::Reals({1, 2}, {7, 7}),
                {},
                ops::Reals({1, 2}, {0.5, 0.5})});
}

template void FillLayerKind(const ActivationLayer&, LayerKind&);

}  // namespace seqgraph
