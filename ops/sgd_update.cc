
#include "absl/strings/str_cat.h"
#include "graph/bound_rules.h"
#include "ops/examples.h"
#include "ops/operand_shapes.h"
#include "ops/optimizer_rules.h"

namespace seqgraph::ops {
namespace {

// Attributes: momentum, nesterov.

enum Input { kW, kG, kLr, kM };
enum Output { kNewW, kNewM };

// Reference computation, with the operations of the formula in T.
// Source: keras/src/optimizers/sgd.py (Keras 3).

template <typename T>
absl::Status ComputeSGD(const ReferenceContext& c) {
  const auto w = c.input<T>(kW), g = c.input<T>(kG), m = c.input<T>(kM);
  const auto new_w = c.output<T>(kNewW), new_m = c.output<T>(kNewM);
  const T lr = c.input<T>(kLr)[0];
  const T mu = static_cast<T>(c.attributes().GetFloat("momentum"));
  const bool nesterov = c.attributes().GetBool("nesterov");
  const int64_t n = w.size();
  if (mu == 0) {
    for (int64_t i = 0; i < n; ++i) Store(new_w, i, w[i] - lr * g[i]);
    KeepSlot(m, new_m);
    return absl::OkStatus();
  }
  for (int64_t i = 0; i < n; ++i) {
    const T step = lr * g[i];
    const T velocity = mu * m[i] - step;
    Store(new_w, i, nesterov ? w[i] + (mu * velocity - step) : w[i] + velocity);
    Store(new_m, i, velocity);
  }
  return absl::OkStatus();
}

// Cost.

OpCost SGDCost(const CostContext& c) {
  const bool momentum = c.attributes().GetFloat("momentum") > 0;
  const bool new_w = c.uses_output(kNewW), new_m = c.uses_output(kNewM);
  double each = 0;
  if (!momentum) {
    each = new_w ? 2 : 0;
  } else {
    each = 3 + (!new_w ? 0 : c.attributes().GetBool("nesterov") ? 3 : 1);
  }
  OpCost cost = c.Moving(each * c.input_size(kW), {});
  if (new_w) cost.bytes_read += c.input_bytes(kW);
  if (new_w || momentum) cost.bytes_read += c.input_bytes(kG) + c.input_bytes(kLr);
  if (new_m || momentum) cost.bytes_read += c.input_bytes(kM);
  return cost;
}

// Gradient rule: none.

OpSample SGDSample(SampleSource& source) {
  const Shape shape = RandomShape(source, 0, 3);
  const bool has_m = source.Coin(), nesterov = source.Coin();
  const double momentum = has_m && source.Coin() ? source.Real(0.1, 1) : 0;
  const Tensor w = source.Reals(shape), g = source.Reals(shape);
  const Tensor lr = source.Reals({}, 0.001, 0.1);
  std::optional<Tensor> m;
  if (has_m) m = source.Reals(shape);
  return {{{"momentum", momentum}, {"nesterov", nesterov}}, {w, g, lr, m}};
}

}  // namespace

// Definition.

OpDef SGDUpdateOp() {
  const TensorType w = RealType({2}), lr = RealType({});
  return OpDef("SGDUpdate", 1)
      .Doc(
          "One step of stochastic gradient descent: w' = w - lr g. With momentum mu > 0: m' = mu m "
          "- lr g, w' = w + m', and with nesterov w' = w + mu m' - lr g. Keras's formulas.")
      .Input(UpdateInput("w", "any shape: the variable"))
      .Input(UpdateInput("g", "the shape of w: its gradient"))
      .Input(UpdateInput("lr", "a scalar: the learning rate"))
      .Input(UpdateInput("m", "the shape of w: the momentum", /*optional=*/true))
      .Output({.name = "new_w", .doc = "the shape of w"})
      .Output({.name = "new_m", .doc = "the shape of w; with momentum 0 it is m, or zeros"})
      .Attribute("momentum", 0.0, "mu")
      .Attribute("nesterov", false,
                 "look ahead by one more step of the momentum; nothing with momentum 0")
      .With(ShapesByDoc({{"C1", {"g"}}, {"C2", {"lr"}}, {"C3", {"m"}}}))
      .Require("C4", "momentum is in [0, 1]",
               [](const ShapeContext& c) -> std::string {
                 const double momentum = c.attributes().GetFloat("momentum");
                 if (momentum >= 0 && momentum <= 1) return "";
                 return absl::StrCat("attribute momentum must be in [0, 1], got ", momentum);
               })
      .With(MomentumNeedsSlot(kM))
      .Reject({"C4", {{"momentum", -0.1}}, {w, w, lr, w}})
      .Reject({"C4", {{"momentum", 1.5}}, {w, w, lr, w}})
      .Reject({"C5", {{"momentum", 0.9}}, {w, w, lr, {}}})
      .InPlace({kNewW, kW})
      .InPlace({kNewM, kM})
      .Reference(ComputeSGD<float>, ComputeSGD<double>)
      .Bound(UpdateBound(4))
      .Cost(
          "FLOPs: for each element of w 2; with momentum 3 for m' and 1 for w' (3 with nesterov). "
          "Without momentum m is read for new_m only.",
          SGDCost)
      .Example({"plain",
                {},
                {Reals({2}, {1, -2}), Reals({2}, {0.5, 4}), RealScalar(0.25), {}},
                {Reals({2}, {0.875, -3}), Reals({2}, {0, 0})}})
      .Example({"momentum",
                {{"momentum", 0.5}},
                {Reals({2}, {1, -2}), Reals({2}, {0.5, 4}), RealScalar(0.25), Reals({2}, {1, -3})},
                {Reals({2}, {1.375, -4.5}), Reals({2}, {0.375, -2.5})}})
      .Example({"nesterov",
                {{"momentum", 0.5}, {"nesterov", true}},
                {Reals({2}, {1, -2}), Reals({2}, {0.5, 4}), RealScalar(0.25), Reals({2}, {1, -3})},
                {Reals({2}, {1.0625, -4.25}), Reals({2}, {0.375, -2.5})}})
      .Samples(SGDSample);
}

}  // namespace seqgraph::ops
