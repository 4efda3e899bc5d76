#include "ops/activations.h"

#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "graph/activation.h"
#include "graph/bound_rules.h"
#include "graph/gradient.h"
#include "ops/binary.h"
#include "ops/elementwise.h"
#include "ops/elementwise_loops.h"
#include "ops/examples.h"
#include "ops/operand_shapes.h"
#include "ops/unary.h"

namespace seqgraph::ops {
namespace {

// Reference computation.

template <typename T, Activation kActivation>
absl::Status ComputeActivationGrad(const ReferenceContext& c) {
  return MapBinary<T>(c, [](T y, T dy) { return dy * SlopeFromOutput(kActivation, y); });
}

// 0 rather than dy * 0, which is NaN for an infinite dy.
template <typename T>
absl::Status ComputeReluGrad(const ReferenceContext& c) {
  return MapBinary<T>(c, [](T y, T dy) { return y > 0 ? dy : T{0}; });
}

// Cost of dy y (1 - y) and dy (1 - y^2); all others take one FLOP for each element.

constexpr char kThreeEachText[] = "FLOPs: 3 for each element.";

OpCost ThreeEach(const CostContext& c) { return c.Moving(3 * c.output_size(0)); }

// Gradient rules.

// dx = dy (y - y^2): d/dy = g dy (1 - 2 y), d/d(dy) = g (y - y^2).
absl::Status SigmoidGradGradient(GradientContext& c) {
  FunctionBuilder& g = c.builder();
  const Value y = c.input(0), dy = c.input(1), d = c.output_gradient(0);
  if (c.wanted(0)) {
    const Value product = Multiply(g, d, dy);
    const Value twice = Scale(g, Multiply(g, product, y), 2);
    c.SetInputGradient(0, Subtract(g, product, twice));
  }
  if (c.wanted(1)) c.SetInputGradient(1, Binary(g, "SigmoidGrad", y, d));
  return absl::OkStatus();
}

// dx = dy (1 - y^2): d/dy = -2 g dy y, d/d(dy) = g (1 - y^2).
absl::Status TanhGradGradient(GradientContext& c) {
  FunctionBuilder& g = c.builder();
  const Value y = c.input(0), dy = c.input(1), d = c.output_gradient(0);
  if (c.wanted(0)) {
    const Value product = Multiply(g, Multiply(g, d, dy), y);
    c.SetInputGradient(0, Scale(g, product, -2));
  }
  if (c.wanted(1)) c.SetInputGradient(1, Binary(g, "TanhGrad", y, d));
  return absl::OkStatus();
}

// dx = dy where y > 0: no dependence on y, and g where y > 0.
absl::Status ReluGradGradient(GradientContext& c) {
  if (c.wanted(1)) {
    c.SetInputGradient(1, Binary(c.builder(), "ReluGrad", c.input(0), c.output_gradient(0)));
  }
  return absl::OkStatus();
}

// Definitions.

// `draw` gives a sample of the activation's output.
OpDef ActivationGradDef(std::string name, std::string doc,
                        std::function<Tensor(SampleSource&, const Shape&)> draw) {
  return OpDef(std::move(name), 1)
      .Doc(std::move(doc))
      .Input({.name = "y", .doc = "any shape: the activation's output"})
      .Input({.name = "dy", .doc = "the shape of y: its gradient"})
      .Output({.name = "dx", .doc = "the shape of y: the gradient of the activation's input"})
      .With(ShapesByDoc({{"C1", {"dy"}}}))
      .InPlace({0, 0})
      .InPlace({0, 1})
      .Samples([draw = std::move(draw)](SampleSource& source) {
        const Shape shape = RandomShape(source, 0, 3);
        const Tensor y = draw(source, shape);
        return OpSample{{}, {y, source.Reals(shape)}};
      });
}

}  // namespace

OpDef SigmoidGradOp() {
  return ActivationGradDef(
             "SigmoidGrad", "dx = dy y (1 - y), element by element.",
             [](SampleSource& source, const Shape& shape) { return source.Reals(shape, 0, 1); })
      .Reference(ComputeActivationGrad<float, Activation::kSigmoid>,
                 ComputeActivationGrad<double, Activation::kSigmoid>)
      .Bound(OperandBound(3))
      .Fusable(ElementwiseOp::kSigmoidGrad)
      .Gradient(SigmoidGradGradient)
      .Cost(kThreeEachText, ThreeEach)
      .Example({"quarter",
                {},
                {Reals({3}, {0.25, 0.5, 1}), Reals({3}, {2, -4, 5})},
                {Reals({3}, {0.375, -1, 0})}});
}

OpDef TanhGradOp() {
  return ActivationGradDef(
             "TanhGrad", "dx = dy (1 - y^2), element by element.",
             [](SampleSource& source, const Shape& shape) { return source.Reals(shape); })
      .Reference(ComputeActivationGrad<float, Activation::kTanh>,
                 ComputeActivationGrad<double, Activation::kTanh>)
      .Bound(OperandBound(3))
      .Fusable(ElementwiseOp::kTanhGrad)
      .Gradient(TanhGradGradient)
      .Cost(kThreeEachText, ThreeEach)
      .Example({"half",
                {},
                {Reals({3}, {0.5, -0.5, 0}), Reals({3}, {2, 4, -3})},
                {Reals({3}, {1.5, 3, -3})}});
}

OpDef ReluGradOp() {
  return ActivationGradDef("ReluGrad", "dx = dy where y > 0, else 0, element by element.",
                           [](SampleSource& source, const Shape& shape) {
                             return source.RealsAwayFromZero(shape);
                           })
      .Reference(ComputeReluGrad<float>, ComputeReluGrad<double>)
      .Bound(ExactBound())
      .Fusable(ElementwiseOp::kReluGrad)
      .Gradient(ReluGradGradient)
      .Example({"dead_and_alive",
                {},
                {Reals({3}, {0, 2, 0.5}), Reals({3}, {7, 8, -9})},
                {Reals({3}, {0, 8, -9})}});
}

Value Sigmoid(FunctionBuilder& g, Value x, std::string name) {
  return Unary(g, "Sigmoid", x, std::move(name));
}

Value Tanh(FunctionBuilder& g, Value x, std::string name) {
  return Unary(g, "Tanh", x, std::move(name));
}

Value Relu(FunctionBuilder& g, Value x, std::string name) {
  return Unary(g, "Relu", x, std::move(name));
}

namespace {

// The node of the activation's op, or of its gradient ("Grad").
Value ActivationNode(FunctionBuilder& g, const std::string& activation, absl::string_view suffix,
                     absl::Span<const Value> inputs, std::string name) {
  for (const char* op : {"Sigmoid", "Tanh", "Relu"}) {
    if (activation != SnakeCase(op)) continue;
    return g.AddNode(absl::StrCat(op, suffix), inputs, {}, std::move(name))[0];
  }
  g.Fail(absl::InvalidArgumentError(
      absl::StrCat("activation must be none, tanh, relu or sigmoid; got \"", activation, "\"")));
  return {};
}

}  // namespace

Value ApplyActivation(FunctionBuilder& g, const std::string& activation, Value z,
                      std::string name) {
  return activation == "none" ? z : ActivationNode(g, activation, "", {z}, std::move(name));
}

Value ActivationGrad(FunctionBuilder& g, const std::string& activation, Value y, Value dy) {
  return activation == "none" ? dy : ActivationNode(g, activation, "Grad", {y, dy}, "");
}

}  // namespace seqgraph::ops
