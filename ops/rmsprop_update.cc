#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "graph/bound_rules.h"
#include "graph/evaluate.h"
#include "ops/examples.h"
#include "ops/operand_shapes.h"
#include "ops/optimizer_rules.h"

namespace seqgraph::ops {
namespace {

// Attributes: rho, momentum, epsilon, centered.

enum Input { kW, kG, kLr, kV, kM, kA };
enum Output { kNewW, kNewV, kNewM, kNewA };

// Constraint on attributes.

std::string AttributeViolation(const ShapeContext& c) {
  const double rho = c.attributes().GetFloat("rho"), epsilon = c.attributes().GetFloat("epsilon");
  const double momentum = c.attributes().GetFloat("momentum");
  if (rho >= 0 && rho <= 1 && momentum >= 0 && momentum <= 1 && epsilon >= 0) return "";
  return absl::StrCat("attributes rho and momentum must be in [0, 1] and epsilon at least 0, got ",
                      rho, ", ", momentum, ", ", epsilon);
}

// Reference computation, with the operations of the formula in T.
// Source: keras/src/optimizers/rmsprop.py (Keras 3).

template <typename T>
absl::Status ComputeRMSProp(const ReferenceContext& c) {
  const auto w = c.input<T>(kW), g = c.input<T>(kG), v = c.input<T>(kV);
  const auto m = c.input<T>(kM), a = c.input<T>(kA);
  const auto new_w = c.output<T>(kNewW), new_v = c.output<T>(kNewV);
  const auto new_m = c.output<T>(kNewM), new_a = c.output<T>(kNewA);
  const double rho_exact = c.attributes().GetFloat("rho");
  const T lr = c.input<T>(kLr)[0], rho = static_cast<T>(rho_exact);
  const T one_minus_rho = static_cast<T>(1 - rho_exact);
  const T mu = static_cast<T>(c.attributes().GetFloat("momentum"));
  const T epsilon = static_cast<T>(c.attributes().GetFloat("epsilon"));
  const bool centered = c.attributes().GetBool("centered");
  const int64_t n = w.size();
  for (int64_t i = 0; i < n; ++i) {
    const T square = rho * v[i] + one_minus_rho * (g[i] * g[i]);
    T denominator = square;
    if (centered) {
      const T mean = rho * a[i] + one_minus_rho * g[i];
      denominator = square - mean * mean;
      Store(new_a, i, mean);
    }
    T step = lr * g[i] / std::sqrt(denominator + epsilon);
    if (mu > 0) {
      step = mu * m[i] + step;
      Store(new_m, i, step);
    }
    Store(new_w, i, w[i] - step);
    Store(new_v, i, square);
  }
  if (!centered) KeepSlot(a, new_a);
  if (!(mu > 0)) KeepSlot(m, new_m);
  return absl::OkStatus();
}

// Cost.

OpCost RMSPropCost(const CostContext& c) {
  const bool momentum = c.attributes().GetFloat("momentum") > 0;
  const bool centered = c.attributes().GetBool("centered");
  const bool new_w = c.uses_output(kNewW), new_m = c.uses_output(kNewM);
  const bool step = new_w || (momentum && new_m);
  const bool square = step || c.uses_output(kNewV);
  const bool mean = centered && (step || c.uses_output(kNewA));
  const double each = (square ? 4 : 0) + (mean ? 3 : 0) + (centered && step ? 2 : 0) +
                      (step ? 4 : 0) + (momentum && step ? 2 : 0) + new_w;
  OpCost cost = c.Moving(each * c.input_size(kW), {});
  if (new_w) cost.bytes_read += c.input_bytes(kW);
  if (square || mean) cost.bytes_read += c.input_bytes(kG);
  if (step) cost.bytes_read += c.input_bytes(kLr);
  if (square) cost.bytes_read += c.input_bytes(kV);
  if (momentum ? step : new_m) cost.bytes_read += c.input_bytes(kM);
  if (centered ? mean : c.uses_output(kNewA)) cost.bytes_read += c.input_bytes(kA);
  return cost;
}

// Gradient rule: none.

OpSample RMSPropSample(SampleSource& source) {
  const Shape shape = RandomShape(source, 0, 3);
  const bool has_m = source.Coin(), has_a = source.Coin();
  const double momentum = has_m && source.Coin() ? source.Real(0.1, 1) : 0;
  const bool centered = has_a && source.Coin();
  const Tensor w = source.Reals(shape), g = source.Reals(shape);
  const Tensor lr = source.Reals({}, 0.001, 0.1);
  // The mean square is never below the square of the mean; well above it, the root is tame.
  const Tensor v = source.Reals(shape, 0.5, 2);
  std::optional<Tensor> m, a;
  if (has_m) m = source.Reals(shape);
  if (has_a) a = source.Reals(shape, -0.5, 0.5);
  return {{{"momentum", momentum}, {"centered", centered}}, {w, g, lr, v, m, a}};
}

}  // namespace

// Error bound. Centered, the root is taken of d = v' - a'^2 + epsilon, whose relative error is
// v' / d times that of v': the step of each element is off by as much more.

absl::StatusOr<ErrorBound> RMSPropBound(const BoundContext& c, int o) {
  constexpr double kRoundings = 12;
  SEQ_ASSIGN_OR_RETURN(ErrorBound bound, UpdateBound(kRoundings)(c, o));
  const bool steps = o == kNewW || o == kNewM;
  if (!steps || !c.attributes().GetBool("centered") || bound.scale == 0) return bound;
  SEQ_ASSIGN_OR_RETURN(const OptionalTensors all, Evaluate(c.op(), c.attributes(), c.inputs()));
  const auto w = c.input(kW).Elements<double>(), new_w = all[kNewW]->Elements<double>();
  const auto v = all[kNewV]->Elements<double>(), a = all[kNewA]->Elements<double>();
  double largest = 0;
  for (size_t i = 0; i < v.size(); ++i) {
    const double d = v[i] - a[i] * a[i] + c.attributes().GetFloat("epsilon");
    const double step = d > 0 ? std::abs(new_w[i] - w[i]) * v[i] / d : 0;
    if (std::isfinite(step)) largest = std::max(largest, step);
  }
  bound.epsilons += kRoundings * largest / bound.scale;
  absl::StrAppend(&bound.formula, ", and ", kRoundings, " of the largest step times v' / d");
  return bound;
}

// Definition.

OpDef RMSPropUpdateOp() {
  const TensorType w = RealType({2}), lr = RealType({});
  return OpDef("RMSPropUpdate", 1)
      .Doc(
          "One step of RMSprop: v' = rho v + (1 - rho) g^2, d = v' + epsilon, w' = w - lr g / "
          "sqrt(d). Centered: a' = rho a + (1 - rho) g, d = v' - a'^2 + epsilon. With momentum mu "
          "> 0: m' = mu m + lr g / sqrt(d), w' = w - m'. Keras's formulas: epsilon is inside the "
          "root.")
      .Input(UpdateInput("w", "any shape: the variable"))
      .Input(UpdateInput("g", "the shape of w: its gradient"))
      .Input(UpdateInput("lr", "a scalar: the learning rate"))
      .Input(UpdateInput("v", "the shape of w: the mean square of the gradient"))
      .Input(UpdateInput("m", "the shape of w: the momentum", /*optional=*/true))
      .Input(UpdateInput("a", "the shape of w: the mean gradient", /*optional=*/true))
      .Output({.name = "new_w", .doc = "the shape of w"})
      .Output({.name = "new_v", .doc = "the shape of w"})
      .Output({.name = "new_m", .doc = "the shape of w; with momentum 0 it is m, or zeros"})
      .Output({.name = "new_a", .doc = "the shape of w; not centered it is a, or zeros"})
      .Attribute("rho", 0.9, "decay of the means")
      .Attribute("momentum", 0.0, "mu")
      .Attribute("epsilon", 1e-7, "added to d")
      .Attribute("centered", false, "divide by the standard deviation")
      .With(ShapesByDoc({{"C1", {"g"}}, {"C2", {"lr"}}, {"C3", {"v", "m", "a"}}}))
      .Require("C4", "rho and momentum are in [0, 1], epsilon is at least 0", AttributeViolation)
      .With(MomentumNeedsSlot(kM))
      .Require("C6", "centered needs a",
               [](const ShapeContext& c) {
                 return c.attributes().GetBool("centered") && !c.has_input(kA) ? "centered needs a"
                                                                               : "";
               })
      .Reject({"C4", {{"rho", 1.5}}, {w, w, lr, w, {}, {}}})
      .Reject({"C4", {{"momentum", -0.5}}, {w, w, lr, w, w, {}}})
      .Reject({"C4", {{"epsilon", -1e-7}}, {w, w, lr, w, {}, {}}})
      .Reject({"C5", {{"momentum", 0.9}}, {w, w, lr, w, {}, w}})
      .Reject({"C6", {{"centered", true}}, {w, w, lr, w, w, {}}})
      .InPlace({kNewW, kW})
      .InPlace({kNewV, kV})
      .InPlace({kNewM, kM})
      .InPlace({kNewA, kA})
      .Reference(ComputeRMSProp<float>, ComputeRMSProp<double>)
      .Bound(RMSPropBound)
      .Cost(
          "FLOPs: for each element of w 4 for v', 4 for the step, 1 for w'; centered 3 for a' and "
          "2 "
          "for d; with momentum 2 for m'. Slots that the attributes do not use are read only to be "
          "copied.",
          RMSPropCost)
      .Example({"plain",
                {},
                {Reals({2}, {1, -2}),
                 Reals({2}, {0.5, -3}),
                 RealScalar(0.1),
                 Reals({2}, {0.04, 0}),
                 {},
                 {}},
                {Reals({2}, {0.7975560833928396, -1.6837722515513698}), Reals({2}, {0.061, 0.9}),
                 Reals({2}, {0, 0}), Reals({2}, {0, 0})}})
      .Example({"centered_with_momentum",
                {{"rho", 0.5}, {"momentum", 0.75}, {"centered", true}},
                {Reals({2}, {1, -2}), Reals({2}, {0.5, -3}), RealScalar(0.1), Reals({2}, {0.5, 5}),
                 Reals({2}, {0.2, -0.4}), Reals({2}, {0.25, -1})},
                {Reals({2}, {0.7467204661341004, -1.5267949221298633}), Reals({2}, {0.375, 7}),
                 Reals({2}, {0.25327953386589963, -0.47320507787013655}), Reals({2}, {0.375, -2})}})
      .Samples(RMSPropSample);
}

}  // namespace seqgraph::ops
