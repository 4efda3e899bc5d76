#include "ops/clip.h"

#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "graph/bound_rules.h"
#include "ops/elementwise_loops.h"
#include "ops/examples.h"
#include "ops/operand_shapes.h"
#include "ops/shape_rules.h"
#include "ops/step_rules.h"

namespace seqgraph::ops {
namespace {

// Attribute: limit.

enum { kClipX, kSquaredNorm };

// C1.
void ConstrainLimit(OpDef& op) {
  op.Require("C1", "limit is finite and above 0", [](const ShapeContext& c) -> std::string {
    const double limit = c.attributes().GetFloat("limit");
    if (limit > 0 && std::isfinite(limit)) return "";
    return absl::StrCat("attribute limit must be finite and above 0, got ", limit);
  });
}

// Reference computation.

template <typename T>
absl::Status ComputeClip(const ReferenceContext& c) {
  const T limit = static_cast<T>(c.attributes().GetFloat("limit"));
  // The comparisons leave NaN as it is.
  return MapUnary<T>(c, [limit](T x) { return x > limit ? limit : x < -limit ? -limit : x; });
}

template <typename T>
absl::Status ComputeClipByNorm(const ReferenceContext& c) {
  const T limit = static_cast<T>(c.attributes().GetFloat("limit"));
  const T norm = std::sqrt(c.input<T>(kSquaredNorm)[0]);
  // As limit < norm is false for NaN, a norm that is NaN must be asked for.
  const T factor = limit < norm || std::isnan(norm) ? limit / norm : T{1};
  return MapUnary<T>(c, [factor](T x) { return factor * x; });
}

// Gradient rules: none. They clip gradients.

}  // namespace

// Definitions.

OpDef ClipOp() {
  return OpDef("Clip", 1)
      .Doc("y = min(max(x, -limit), limit), element by element. NaN stays NaN.")
      .Input({.name = "x", .doc = "any shape", .differentiable = false})
      .Output({.name = "y", .doc = "the shape of x"})
      .Attribute("limit", AttributeKind::kFloat, "the largest magnitude that stays")
      .Shapes(SameAsInput(kClipX))
      .With(ConstrainLimit)
      .Reject({"C1", {{"limit", 0.0}}, {RealType({2})}})
      .Reject({"C1", {{"limit", -1.0}}, {RealType({2})}})
      .InPlace({0, 0})
      .Reference(ComputeClip<float>, ComputeClip<double>)
      .Bound(OutputBound(1))  // the limit is rounded
      .Steps(ElementwiseSteps())
      .Cost("FLOPs: 2 for each element.",
            [](const CostContext& c) { return c.Moving(2 * c.input_size(kClipX)); })
      .Example({"both_sides",
                {{"limit", 0.5}},
                {Reals({4}, {-3, -0.5, 0.25, 0.75})},
                {Reals({4}, {-0.5, -0.5, 0.25, 0.5})}})
      .Samples([](SampleSource& source) {
        const double limit = source.Real(0.1, 1.5);
        return OpSample{{{"limit", limit}}, {source.Reals(RandomShape(source, 0, 3))}};
      });
}

OpDef ClipByNormOp() {
  return OpDef("ClipByNorm", 1)
      .Doc(
          "y = x limit / max(sqrt(squared_norm), limit): x as it is while the norm is within the "
          "limit, else shortened to it. Where the norm is that of several tensors together, they "
          "keep their ratio. Keras's clipnorm and global_clipnorm.")
      .Input({.name = "x", .doc = "any shape", .differentiable = false})
      .Input({.name = "squared_norm",
              .doc = "a scalar: the sum of the squares of all that is clipped together",
              .differentiable = false})
      .Output({.name = "y", .doc = "the shape of x"})
      .Attribute("limit", AttributeKind::kFloat, "the largest norm that stays")
      .With(ConstrainLimit)
      .With(ShapesByDoc({{"C2", {"squared_norm"}}}))
      .Reject({"C1", {{"limit", 0.0}}, {RealType({2}), RealType({})}})
      .InPlace({0, 0})
      .Reference(ComputeClipByNorm<float>, ComputeClipByNorm<double>)
      .Bound(OutputBound(4))
      .Cost("FLOPs: 1 for each element, 2 for the factor.",
            [](const CostContext& c) { return c.Moving(c.input_size(kClipX) + 2); })
      .Example({"shortened",
                {{"limit", 1.0}},
                {Reals({2}, {3, -4}), RealScalar(25)},
                {Reals({2}, {0.6, -0.8})}})
      .Example({"within",
                {{"limit", 5.0}},
                {Reals({2}, {3, -4}), RealScalar(25)},
                {Reals({2}, {3, -4})}})
      .Example(
          {"zero", {{"limit", 1.0}}, {Reals({2}, {0, 0}), RealScalar(0)}, {Reals({2}, {0, 0})}})
      .Samples([](SampleSource& source) {
        const double limit = source.Real(0.1, 1.5);
        const Tensor x = source.Reals(RandomShape(source, 0, 3));
        return OpSample{{{"limit", limit}}, {x, source.Reals({}, 0, 4)}};
      });
}

Value Clip(FunctionBuilder& g, Value x, double limit, std::string name) {
  return g.AddNode("Clip", {x}, {{"limit", limit}}, std::move(name))[0];
}

Value ClipByNorm(FunctionBuilder& g, Value x, Value squared_norm, double limit, std::string name) {
  return g.AddNode("ClipByNorm", {x, squared_norm}, {{"limit", limit}}, std::move(name))[0];
}

}  // namespace seqgraph::ops
