#include "ops/elu.h"

#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "graph/bound_rules.h"
#include "graph/gradient.h"
#include "ops/binary.h"
#include "ops/elementwise.h"
#include "ops/elementwise_loops.h"
#include "ops/examples.h"
#include "ops/shape_rules.h"

namespace seqgraph::ops {
namespace {

// Attribute: alpha.

// Shape rule.

Types EluShape(const ShapeContext& c) {
  const double alpha = c.attributes().GetFloat("alpha");
  if (!std::isfinite(alpha)) return Violation("C1", "attribute alpha must be finite, got ", alpha);
  return std::vector<TensorType>{c.type(0)};
}

// Reference computation.

template <typename T>
absl::Status ComputeElu(const ReferenceContext& c) {
  const T alpha = static_cast<T>(c.attributes().GetFloat("alpha"));
  return MapUnary<T>(c, [alpha](T x) { return x > 0 ? x : alpha * std::expm1(x); });
}

// Gradient rule: dx = dy where x > 0, dy (y + alpha) elsewhere.

absl::Status EluGradient(GradientContext& c) {
  FunctionBuilder& g = c.builder();
  const Value x = c.input(0), y = c.output(0);
  const Value above = Binary(g, "Less", FillLike(g, x, 0), x);
  const Value below = Add(g, y, FillLike(g, y, c.attributes().GetFloat("alpha")));
  const Value slope = Where(g, above, FillLike(g, y, 1), below);
  c.SetInputGradient(0, Multiply(g, c.output_gradient(0), slope));
  return absl::OkStatus();
}

}  // namespace

// Definition.

OpDef EluOp() {
  return OpDef("Elu", 1)
      .Doc("y = x where x > 0, alpha (exp(x) - 1) elsewhere, element by element.")
      .Input({.name = "x", .doc = "any shape"})
      .Output({.name = "y", .doc = "the shape of x"})
      .Attribute({.name = "alpha",
                  .kind = AttributeKind::kFloat,
                  .default_value = 1.0,
                  .doc = "-alpha is the limit for x far below 0"})
      .Constrain("C1", "alpha is finite")
      .Shapes(EluShape)
      .Reject({"C1", {{"alpha", std::numeric_limits<double>::infinity()}}, {RealType({2})}})
      .InPlace({0, 0})
      .Reference(ComputeElu<float>, ComputeElu<double>)
      .Bound(OutputBound(kElementaryRoundings + 2))  // alpha is rounded too
      .Gradient(EluGradient)
      .Example({"both_signs",
                {{"alpha", 0.5}},
                {Reals({4}, {-1000, -1, -0.25, 3})},
                {Reals({4}, {-0.5, -0.31606027941427883, -0.11059960846429748, 3})}})
      .Samples([](SampleSource& source) {  // away from the kink
        const double alpha = source.Real(0.2, 2);
        return OpSample{{{"alpha", alpha}}, {source.RealsAwayFromZero(RandomShape(source, 0, 3))}};
      });
}

Value Elu(FunctionBuilder& g, Value x, double alpha, std::string name) {
  return g.AddNode("Elu", {x}, {{"alpha", alpha}}, std::move(name))[0];
}

}  // namespace seqgraph::ops
