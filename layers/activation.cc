#include "layers/activation.h"

#include <cmath>
#include <utility>

#include "base/status_macros.h"
#include "graph/activation.h"
#include "graph/op_def.h"
#include "layers/layer_context.h"
#include "layers/stack_recognizer.h"
#include "ops/activations.h"
#include "ops/all_ops.h"
#include "ops/examples.h"
#include "ops/formula.h"

namespace seqgraph {
namespace {

using ops::Expr;

constexpr char kSoftmax[] = "Softmax";

Expr Min(Expr x, double limit) { return Binary("Minimum", x, Constant(limit, x)); }
// x limited to [0, 1].
Expr UnitStep(Expr x) { return Min(Unary("Relu", x), 1); }
Expr Elu(double alpha, Expr x) { return {x.g, ops::Elu(*x.g, x.value, alpha)}; }
Expr NormalBelow(Expr x) { return 0.5 * (Unary("Erf", std::sqrt(0.5) * x) + 1); }

// The formulas of ActivationTable.
Expr Apply(const ActivationFunction& f, Expr x) {
  const double a = f.alpha, b = f.beta;
  switch (f.kind) {
    case Activation::kNone:
      return x;
    case Activation::kTanh:
      return Unary("Tanh", x);
    case Activation::kRelu:
      return Unary("Relu", x);
    case Activation::kSigmoid:
      return Unary("Sigmoid", x);
    case Activation::kRelu6:
      return Min(Unary("Relu", x), 6);
    case Activation::kHardSigmoid:
      return UnitStep(a * x + b);
    case Activation::kHardTanh:
      return Binary("Maximum", Min(x, 1), Constant(-1, x));
    case Activation::kElu:
      return Elu(a, x);
    case Activation::kCelu:
      return a * Elu(1, 1 / a * x);
    case Activation::kSelu:
      return 1.0507009873554805 * Elu(1.6732632423543772, x);
    case Activation::kSoftplus:
      return Unary("Softplus", x);
    case Activation::kSoftsign:
      return x / (Abs(x) + 1);
    case Activation::kSilu:
      return x * Unary("Sigmoid", x);
    case Activation::kHardSilu:
      return x * UnitStep(1.0 / 6 * x + 0.5);
    case Activation::kGelu:
      return x * NormalBelow(x);
    case Activation::kGeluTanh:
      return 0.5 * x * (Unary("Tanh", std::sqrt(2 / M_PI) * (x + 0.044715 * (x * x * x))) + 1);
    case Activation::kMish:
      return x * Unary("Tanh", Unary("Softplus", x));
    case Activation::kLogSigmoid:
      return -Unary("Softplus", -x);
    case Activation::kExponential:
      return Unary("Exp", x);
    case Activation::kLeakyRelu:
      return Unary("Relu", x) - a * Unary("Relu", -x);
    case Activation::kAffine:
      return a * x + b;
    case Activation::kScaledTanh:
      return a * Unary("Tanh", b * x);
    case Activation::kThresholdedRelu:
      return Where(Less(Constant(a, x), x), x, Constant(0, x));
    case Activation::kTanhShrink:
      return x - Unary("Tanh", x);
    case Activation::kSoftShrink:
      return Unary("Relu", x - a) - Unary("Relu", -x - a);
    case Activation::kHardShrink:
      return Where(Less(Constant(a, x), Abs(x)), x, Constant(0, x));
    case Activation::kSquareplus:
      return 0.5 * (x + Sqrt(Square(x) + a));
    case Activation::kSparsePlus:
      return Square(UnitStep(0.5 * x + 0.5)) + Unary("Relu", x - 1);
    case Activation::kSparseSigmoid:
      return UnitStep(0.5 * x + 0.5);
  }
  return x;
}

LayerFlow EmitNamedActivation(LayerContext& c, const ActivationLayer& layer) {
  return c.Pass(EmitActivation(c.g(), layer.activation, c.x(), c.name()));
}

// Whether b of f is computed from x as a of `formula` is from its input.
bool IsSame(const Function& formula, Value a, const Function& f, Value b, Value x) {
  if (!a.present() || !b.present()) return a.present() == b.present();
  const Node *from = formula.producer(a), *to = f.producer(b);
  if (from == nullptr) return b == x;
  if (to == nullptr || to->op->name() != from->op->name() || to->attributes != from->attributes ||
      to->inputs.size() != from->inputs.size()) {
    return false;
  }
  for (size_t i = 0; i < from->inputs.size(); ++i) {
    if (!IsSame(formula, from->inputs[i], f, to->inputs[i], x)) return false;
  }
  return true;
}

absl::StatusOr<std::optional<RecognizedLayer>> RecognizeActivation(StackRecognizer& r) {
  if (r.readers().empty()) return std::nullopt;
  std::optional<ActivationOfValue> found =
      FindActivationOf(r.function(), r.readers()[0]->inputs[0]);
  const Node* elu = r.Reader("Elu");
  if (!found.has_value() && elu != nullptr) {
    const double alpha = elu->attributes.GetFloat("alpha");
    found = {ActivationText({Activation::kElu, alpha}), elu->outputs[0]};
  }
  if (!found.has_value()) return std::nullopt;
  return RecognizedLayer{{.name = r.Name({}, "activation"), .kind = ActivationLayer{found->name}},
                         found->output};
}

}  // namespace

std::vector<std::string> CellActivationNames() {
  std::vector<std::string> names;
  for (const ActivationRow& row : ActivationTable()) {
    if (&RowOf(row.kind) == &row) names.push_back(row.name);  // no aliases
  }
  return names;
}

std::vector<std::string> ActivationNames() {
  std::vector<std::string> names = CellActivationNames();
  names.push_back("softmax");
  return names;
}

Value EmitActivation(FunctionBuilder& g, const std::string& activation, Value x,
                     const std::string& name) {
  const ScopedDefaultName scope(g, name);
  if (activation == "softmax") return ops::Unary(kSoftmax, Expr{&g, x}).value;
  const std::optional<ActivationFunction> function = FindActivation(activation);
  if (function.has_value()) return Apply(*function, {&g, x}).value;
  g.Fail(InvalidArgument("unknown activation ", activation));
  return {};
}

std::optional<ActivationOfValue> FindActivationOf(const Function& f, Value x) {
  std::optional<ActivationOfValue> found;
  size_t most = 0;  // nodes: relu6 begins with relu
  for (const std::string& name : ActivationNames()) {
    FunctionBuilder g("formula", AllOps());
    g.Result("y", EmitActivation(g, name, g.Input("x", f.type(x)), name));
    const absl::StatusOr<Function> formula = std::move(g).Build();
    if (!formula.ok() || formula->nodes().size() <= most) continue;
    for (const Node& node : f.nodes()) {
      if (!IsSame(*formula, formula->results()[0].value, f, node.outputs[0], x)) continue;
      found = {name, node.outputs[0]};
      most = formula->nodes().size();
      break;
    }
  }
  return found;
}

LayerDef ActivationDef() {
  return DefineLayer<ActivationLayer>()
      .Doc("Any shape -> the same: an activation, element by element; softmax over the last axis.")
      .RowWise()
      .Keras({.unset = {"activity_regularizer"}})
      .Emit(EmitNamedActivation)
      .LastActivation([](const ActivationLayer& layer) -> std::optional<std::string> {
        if (layer.activation == "linear") return std::nullopt;
        return layer.activation;
      })
      .Recognize(RecognizeActivation)
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
