#include <cmath>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "graph/bound_rules.h"
#include "ops/examples.h"
#include "ops/operand_shapes.h"
#include "ops/optimizer_rules.h"

namespace seqgraph::ops {
namespace {

// Attributes: beta_1, beta_2, epsilon.

enum Input { kW, kG, kLr, kT, kM, kV };
enum Output { kNewW, kNewM, kNewV };

// Constraints on attributes.

std::string DecayViolation(const ShapeContext& c) {
  for (const char* name : {"beta_1", "beta_2"}) {
    const double beta = c.attributes().GetFloat(name);
    if (beta >= 0 && beta < 1) continue;
    return absl::StrCat("attribute ", name, " must be in [0, 1), got ", beta);
  }
  return "";
}

std::string EpsilonViolation(const ShapeContext& c) {
  const double epsilon = c.attributes().GetFloat("epsilon");
  if (epsilon >= 0) return "";
  return absl::StrCat("attribute epsilon must be at least 0, got ", epsilon);
}

// Reference computation, with the operations of the formula in T but for alpha.
// Source: keras/src/optimizers/adam.py (Keras 3).

template <typename T>
absl::Status ComputeAdam(const ReferenceContext& c) {
  const auto w = c.input<T>(kW), g = c.input<T>(kG), m = c.input<T>(kM), v = c.input<T>(kV);
  const auto new_w = c.output<T>(kNewW), new_m = c.output<T>(kNewM), new_v = c.output<T>(kNewV);
  const int64_t t = c.input<int64_t>(kT)[0];
  if (t < 0) {
    return InvalidArgument("t, the number of steps done before, is ", t, ", must be at least 0");
  }
  const double beta_1 = c.attributes().GetFloat("beta_1");
  const double beta_2 = c.attributes().GetFloat("beta_2"), step = static_cast<double>(t) + 1;
  const double lr = c.input<T>(kLr)[0];
  const T alpha =
      static_cast<T>(lr * std::sqrt(1 - std::pow(beta_2, step)) / (1 - std::pow(beta_1, step)));
  const T one_minus_beta_1 = static_cast<T>(1 - beta_1);
  const T one_minus_beta_2 = static_cast<T>(1 - beta_2);
  const T epsilon = static_cast<T>(c.attributes().GetFloat("epsilon"));
  const int64_t n = w.size();
  for (int64_t i = 0; i < n; ++i) {
    const T mean = m[i] + (g[i] - m[i]) * one_minus_beta_1;
    const T square = v[i] + (g[i] * g[i] - v[i]) * one_minus_beta_2;
    Store(new_w, i, w[i] - mean * alpha / (std::sqrt(square) + epsilon));
    Store(new_m, i, mean);
    Store(new_v, i, square);
  }
  return absl::OkStatus();
}

// Cost.

OpCost AdamCost(const CostContext& c) {
  const bool new_w = c.uses_output(kNewW);
  const bool mean = new_w || c.uses_output(kNewM), square = new_w || c.uses_output(kNewV);
  const double each = (mean ? 3 : 0) + (square ? 4 : 0) + (new_w ? 5 : 0);
  OpCost cost = c.Moving(each * c.input_size(kW), {kG});
  if (new_w) cost.bytes_read += c.input_bytes(kW) + c.input_bytes(kLr) + c.input_bytes(kT);
  if (mean) cost.bytes_read += c.input_bytes(kM);
  if (square) cost.bytes_read += c.input_bytes(kV);
  return cost;
}

// Gradient rule: none.

OpSample AdamSample(SampleSource& source) {
  const Shape shape = RandomShape(source, 0, 3);
  const Tensor w = source.Reals(shape), g = source.Reals(shape);
  const Tensor lr = source.Reals({}, 0.001, 0.1);
  const Tensor t = CounterScalar(source.Int(0, 1000));
  const Tensor m = source.Reals(shape);
  return {{}, {w, g, lr, t, m, source.Reals(shape, 0.1, 1)}};
}

}  // namespace

// Definition.

OpDef AdamUpdateOp() {
  const TensorType w = RealType({2}), lr = RealType({}), t = CounterType();
  return OpDef("AdamUpdate", 1)
      .Doc(
          "One step of Adam: m' = m + (g - m) (1 - beta_1), v' = v + (g^2 - v) (1 - beta_2), alpha "
          "= lr sqrt(1 - beta_2^k) / (1 - beta_1^k) with k = t + 1, w' = w - m' alpha / (sqrt(v') "
          "+ epsilon). Keras's formulas; alpha is computed in double. A negative t fails the run.")
      .Input(UpdateInput("w", "any shape: the variable"))
      .Input(UpdateInput("g", "the shape of w: its gradient"))
      .Input(UpdateInput("lr", "a scalar: the learning rate"))
      .Input({.name = "t",
              .type = TypeRule::kCounter,
              .doc = "a scalar: the number of steps done before",
              .differentiable = false})
      .Input(UpdateInput("m", "the shape of w: the mean gradient"))
      .Input(UpdateInput("v", "the shape of w: the mean square of the gradient"))
      .Output({.name = "new_w", .doc = "the shape of w"})
      .Output({.name = "new_m", .doc = "the shape of w"})
      .Output({.name = "new_v", .doc = "the shape of w"})
      .Attribute("beta_1", 0.9, "decay of the mean")
      .Attribute("beta_2", 0.999, "decay of the mean square")
      .Attribute("epsilon", 1e-7, "added to the root")
      .With(ShapesByDoc({{"C1", {"g"}}, {"C2", {"lr"}}, {"C3", {"m", "v"}}, {"C4", {"t"}}}))
      .Require("C5", "beta_1 and beta_2 are in [0, 1)", DecayViolation)
      .Require("C6", "epsilon is at least 0", EpsilonViolation)
      .Reject({"C5", {{"beta_1", 1.0}}, {w, w, lr, t, w, w}})
      .Reject({"C5", {{"beta_2", -0.1}}, {w, w, lr, t, w, w}})
      .Reject({"C6", {{"epsilon", -1.0}}, {w, w, lr, t, w, w}})
      .InPlace({kNewW, kW})
      .InPlace({kNewM, kM})
      .InPlace({kNewV, kV})
      .Reference(ComputeAdam<float>, ComputeAdam<double>)
      .Bound(UpdateBound(12))
      .Cost("FLOPs: for each element of w 3 for m', 4 for v', 5 for w'.", AdamCost)
      .Example({"first_step",
                {},
                {Reals({1}, {1}), Reals({1}, {0.5}), RealScalar(0.1), CounterScalar(0),
                 Reals({1}, {0}), Reals({1}, {0})},
                {Reals({1}, {0.900000632451532}), Reals({1}, {0.05}), Reals({1}, {0.00025})}})
      .Example({"third_step",
                {},
                {Reals({1}, {1}), Reals({1}, {0.5}), RealScalar(0.1), CounterScalar(2),
                 Reals({1}, {0.1}), Reals({1}, {0.01})},
                {Reals({1}, {0.972051932644924}), Reals({1}, {0.14}), Reals({1}, {0.01024})}})
      .Samples(AdamSample);
}

}  // namespace seqgraph::ops
