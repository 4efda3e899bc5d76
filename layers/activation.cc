#include "layers/activation.h"

#include <cmath>

#include "base/status_macros.h"
#include "layers/layer_context.h"
#include "layers/stack_recognizer.h"
#include "ops/examples.h"
#include "ops/formula.h"

namespace seqgraph {
namespace {

using ops::Expr;

struct Activation {
  const char* name;
  Expr (*of)(Expr x);
};

const Activation kActivations[] = {
    {"linear", [](Expr x) { return x; }},
    {"tanh", [](Expr x) { return Unary("Tanh", x); }},
    {"relu", [](Expr x) { return Unary("Relu", x); }},
    {"sigmoid", [](Expr x) { return Unary("Sigmoid", x); }},
    {"softmax", [](Expr x) { return Unary("Softmax", x); }},
    {"exponential", [](Expr x) { return Unary("Exp", x); }},
    {"softplus", [](Expr x) { return Unary("Softplus", x); }},
    {"softsign", [](Expr x) { return x / (Abs(x) + 1); }},
    {"elu", [](Expr x) { return Unary("Elu", x); }},
    {"silu", [](Expr x) { return x * Unary("Sigmoid", x); }},
    {"gelu", [](Expr x) { return 0.5 * x * (Unary("Erf", std::sqrt(0.5) * x) + 1); }},
    {"hard_sigmoid",
     [](Expr x) { return 1.0 / 6 * Binary("Minimum", Unary("Relu", x + 3), Constant(6, x)); }},
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
    if (activation != row.name) continue;
    const ScopedDefaultName scope(g, name);
    return row.of({&g, x}).value;
  }
  g.Fail(InvalidArgument("unknown activation ", activation));
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
