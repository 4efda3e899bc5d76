#include "ops/softplus.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "graph/bound_rules.h"
#include "graph/gradient.h"
#include "ops/activations.h"
#include "ops/elementwise.h"
#include "ops/elementwise_loops.h"
#include "ops/examples.h"
#include "ops/shape_rules.h"

namespace seqgraph::ops {
namespace {

// Shape rule: SameAsInput(0).

// Reference computation: max(x, 0) + log(1 + exp(-|x|)), which does not overflow.

template <typename T>
absl::Status ComputeSoftplus(const ReferenceContext& c) {
  return MapUnary<T>(c, [](T x) { return std::max(x, T{0}) + std::log1p(std::exp(-std::abs(x))); });
}

// Gradient rule: dx = dy sigmoid(x).

absl::Status SoftplusGradient(GradientContext& c) {
  FunctionBuilder& g = c.builder();
  c.SetInputGradient(0, Multiply(g, c.output_gradient(0), Sigmoid(g, c.input(0))));
  return absl::OkStatus();
}

}  // namespace

// Definition.

OpDef SoftplusOp() {
  return OpDef("Softplus", 1)
      .Doc("y = log(1 + exp(x)), element by element; no overflow.")
      .Input({.name = "x", .doc = "any shape"})
      .Output({.name = "y", .doc = "the shape of x"})
      .Shapes(SameAsInput(0))
      .InPlace({0, 0})
      .Reference(ComputeSoftplus<float>, ComputeSoftplus<double>)
      .Bound(ElementaryBound())
      .Gradient(SoftplusGradient)
      .Example(
          {"both_signs",
           {},
           {Reals({5}, {-1000, -1, 0, 2, 1000})},
           {Reals({5}, {0, 0.31326168751822286, 0.6931471805599453, 2.1269280110429727, 1000})}})
      .Samples([](SampleSource& source) {
        return OpSample{{}, {source.Reals(RandomShape(source, 0, 3), -4, 4)}};
      });
}

Value Softplus(FunctionBuilder& g, Value x, std::string name) {
  return g.AddNode("Softplus", {x}, {}, std::move(name))[0];
}

}  // namespace seqgraph::ops
