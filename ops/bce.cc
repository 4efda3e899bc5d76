#include "ops/bce.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "graph/gradient.h"
#include "graph/status_macros.h"
#include "ops/activation_math.h"
#include "ops/examples.h"
#include "ops/shape_rules.h"

namespace seqgraph::ops {
namespace {

// Attributes: epsilon, of BCE and BCEGrad.

// Shape rules.

// C1 and C2 of all four ops. `name` is that of input 0.
absl::Status CheckPredictions(const ShapeContext& c, absl::string_view name) {
  SEQ_RETURN_IF_ERROR(
      CheckShape("C1", "labels", c.shape(1), absl::StrCat("the shape of ", name), c.shape(0)));
  for (Dim dim : c.shape(0).dims()) {
    if (!dim.is_batch() && dim.size() == 0) {
      return Violation("C2", name, " must have at least one element, got ", c.shape(0).ToString());
    }
  }
  return absl::OkStatus();
}

absl::Status CheckEpsilon(const ShapeContext& c) {
  const double epsilon = c.attributes().GetFloat("epsilon");
  if (epsilon > 0 && epsilon < 0.5) return absl::OkStatus();
  return Violation("C3", "attribute epsilon must be in (0, 0.5), got ", epsilon);
}

Types Loss(const ShapeContext& c) { return std::vector<TensorType>{{c.type(0).dtype, Shape{}}}; }

Types BCEShape(const ShapeContext& c) {
  SEQ_RETURN_IF_ERROR(CheckPredictions(c, "p"));
  SEQ_RETURN_IF_ERROR(CheckEpsilon(c));
  return Loss(c);
}

Types BCEGradShape(const ShapeContext& c) {
  SEQ_RETURN_IF_ERROR(CheckPredictions(c, "p"));
  SEQ_RETURN_IF_ERROR(CheckEpsilon(c));
  SEQ_RETURN_IF_ERROR(CheckScalar("C4", "dloss", c.shape(2)));
  return std::vector<TensorType>{c.type(0)};
}

Types LogitsShape(const ShapeContext& c) {
  SEQ_RETURN_IF_ERROR(CheckPredictions(c, "z"));
  return Loss(c);
}

Types LogitsGradShape(const ShapeContext& c) {
  SEQ_RETURN_IF_ERROR(CheckPredictions(c, "z"));
  SEQ_RETURN_IF_ERROR(CheckScalar("C3", "dloss", c.shape(2)));
  return std::vector<TensorType>{c.type(0)};
}

// Reference computation. Elements are widened to double, so that 1 - p and the clipping bounds are
// what the formula says in float too (in float 1 - 1e-7 would be 1 - 1.2e-7).

template <typename T>
absl::Status ComputeBCE(const ReferenceContext& c) {
  const auto p = c.input<T>(0), labels = c.input<T>(1);
  const auto loss = c.output<T>(0);
  if (!loss) return absl::OkStatus();
  const double epsilon = c.attributes().GetFloat("epsilon");
  const int64_t n = p.size();
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) {
    const double y = labels[i];
    // 1 - p is clipped on its own: 1 - (1 - epsilon) would lose half of epsilon's digits.
    const double q = std::clamp<double>(p[i], epsilon, 1 - epsilon);
    const double r = std::clamp<double>(1 - static_cast<double>(p[i]), epsilon, 1 - epsilon);
    sum -= y * std::log(q) + (1 - y) * std::log(r);
  }
  loss[0] = static_cast<T>(sum / n);
  return absl::OkStatus();
}

template <typename T>
absl::Status ComputeBCEGrad(const ReferenceContext& c) {
  const auto p = c.input<T>(0), labels = c.input<T>(1), dloss = c.input<T>(2);
  const auto dp = c.output<T>(0);
  if (!dp) return absl::OkStatus();
  const double epsilon = c.attributes().GetFloat("epsilon");
  const int64_t n = p.size();
  const double scale = static_cast<double>(dloss[0]) / n;
  for (int64_t i = 0; i < n; ++i) {
    const double q = p[i], y = labels[i];
    const bool clipped = q < epsilon || q > 1 - epsilon;
    dp[i] = clipped ? T{0} : static_cast<T>(scale * (q - y) / (q * (1 - q)));
  }
  return absl::OkStatus();
}

template <typename T>
absl::Status ComputeBCEWithLogits(const ReferenceContext& c) {
  const auto z = c.input<T>(0), labels = c.input<T>(1);
  const auto loss = c.output<T>(0);
  if (!loss) return absl::OkStatus();
  const int64_t n = z.size();
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) {
    const double logit = z[i], y = labels[i];
    sum += Activate(Activation::kRelu, logit) - logit * y + std::log1p(std::exp(-std::abs(logit)));
  }
  loss[0] = static_cast<T>(sum / n);
  return absl::OkStatus();
}

template <typename T>
absl::Status ComputeBCEWithLogitsGrad(const ReferenceContext& c) {
  const auto z = c.input<T>(0), labels = c.input<T>(1), dloss = c.input<T>(2);
  const auto dz = c.output<T>(0);
  if (!dz) return absl::OkStatus();
  const int64_t n = z.size();
  const double scale = static_cast<double>(dloss[0]) / n;
  for (int64_t i = 0; i < n; ++i) {
    const double logit = z[i], y = labels[i];
    dz[i] = static_cast<T>(scale * (StableSigmoid(logit) - y));
  }
  return absl::OkStatus();
}

// Costs: n elements, and one division by n.

CostRule PerElement(double flops) {
  return [flops](const CostContext& c) { return c.Moving(flops * c.input_size(0) + 1); };
}

std::string PerElementText(int flops) {
  return absl::StrCat("FLOPs: ", flops, " for each element, 1 for the division by n.");
}

// Gradient rules. (The gradient ops have none.)

absl::Status BCEGradient(GradientContext& c) {
  c.SetInputGradient(0, BCEGrad(c.builder(), c.input(0), c.input(1), c.output_gradient(0),
                                {.epsilon = c.attributes().GetFloat("epsilon")}));
  return absl::OkStatus();
}

absl::Status BCEWithLogitsGradient(GradientContext& c) {
  c.SetInputGradient(0,
                     BCEWithLogitsGrad(c.builder(), c.input(0), c.input(1), c.output_gradient(0)));
  return absl::OkStatus();
}

// Definitions: what several ops have.

// Predictions, called `name`, and labels, in float.
OpDef LossDef(std::string op, std::string doc, std::string name, std::string input_doc) {
  return OpDef(std::move(op), 1)
      .Doc(std::move(doc))
      .Input({.name = name, .doc = std::move(input_doc)})
      .Input({.name = "labels",
              .doc = absl::StrCat("the shape of ", name, "; in [0, 1]"),
              .differentiable = false})
      .Constrain("C1", absl::StrCat("labels has the shape of ", name))
      .Constrain("C2", absl::StrCat(name, " has at least one element"));
}

AttributeDef EpsilonDef() {
  return {.name = "epsilon",
          .kind = AttributeKind::kFloat,
          .default_value = 1e-7,
          .doc = "p is clipped to [epsilon, 1 - epsilon]"};
}

// Half of the samples clip: epsilon is large then, and p stays away from both bounds, where the
// loss has kinks.
OpSample BCESample(SampleSource& source) {
  const double epsilon = source.Coin() ? 0.2 : 1e-7;
  const Shape shape = RandomShape(source, 0, 3);
  Tensor p = source.Reals(shape, 0.05, 0.95);
  for (double& element : p.Elements<double>()) {
    for (double bound : {0.2, 0.8}) {
      if (std::abs(element - bound) < 0.01) element = bound + 0.02;
    }
  }
  return {{{"epsilon", epsilon}}, {std::move(p), source.Reals(shape, 0, 1)}};
}

OpSample LogitsSample(SampleSource& source) {
  const Shape shape = RandomShape(source, 0, 3);
  const Tensor z = source.Reals(shape, -6, 6);
  return {{}, {z, source.Reals(shape, 0, 1)}};
}

// The same with a gradient of the loss.
Sampler WithLossGradient(Sampler sampler) {
  return [sampler = std::move(sampler)](SampleSource& source) {
    OpSample sample = sampler(source);
    sample.inputs.push_back(source.Reals({}));
    return sample;
  };
}

}  // namespace

OpDef BCEOp() {
  return LossDef(
             "BCE",
             "Binary cross-entropy: loss = the mean over all elements of -(y log q + (1 - y) "
             "log(1 - q)), where y is the label and q = min(max(p, epsilon), 1 - epsilon). Each "
             "term and the sum are computed in double.",
             "p", "probabilities, any shape")
      .Output({.name = "loss", .doc = "a scalar"})
      .Attribute(EpsilonDef())
      .Constrain("C3", "epsilon is in (0, 0.5)")
      .Shapes(BCEShape)
      .Reject({"C1", {}, {RealType({4, 1}), RealType({4})}})
      .Reject({"C2", {}, {RealType({0, 1}), RealType({0, 1})}})
      .Reject({"C3", {{"epsilon", 0.0}}, {RealType({4}), RealType({4})}})
      .Reject({"C3", {{"epsilon", 0.5}}, {RealType({4}), RealType({4})}})
      .Reference(ComputeBCE<float>, ComputeBCE<double>)
      .Gradient(BCEGradient)
      .Cost(PerElementText(12), PerElement(12))
      .Example({"two",
                {},
                {Reals({2, 1}, {0.9, 0.2}), Reals({2, 1}, {1, 0})},
                {RealScalar(0.164252033486018)}})
      .Example({"clipped", {}, {Reals({1}, {0}), Reals({1}, {1})}, {RealScalar(16.11809565095832)}})
      .Example({"clipped_above",
                {},
                {Reals({1}, {1}), Reals({1}, {0})},
                {RealScalar(16.11809565095832)}})
      .Example(
          {"soft_label", {}, {RealScalar(0.25), RealScalar(0.5)}, {RealScalar(0.8369882167858358)}})
      .Samples(BCESample);
}

OpDef BCEGradOp() {
  return LossDef("BCEGrad",
                 "dp = dloss / n (p - y) / (p (1 - p)), where n is the number of elements; 0 where "
                 "p is clipped. The gradient of BCE.",
                 "p", "probabilities, any shape")
      .Input({.name = "dloss", .doc = "the gradient of the loss, a scalar"})
      .Output({.name = "dp", .doc = "the shape of p"})
      .Attribute(EpsilonDef())
      .Constrain("C3", "epsilon is in (0, 0.5)")
      .Constrain("C4", "dloss is a scalar")
      .Shapes(BCEGradShape)
      .Reject({"C1", {}, {RealType({4, 1}), RealType({4}), RealType({})}})
      .Reject({"C2", {}, {RealType({0, 1}), RealType({0, 1}), RealType({})}})
      .Reject({"C3", {{"epsilon", 0.0}}, {RealType({4}), RealType({4}), RealType({})}})
      .Reject({"C4", {}, {RealType({4}), RealType({4}), RealType({4})}})
      .InPlace({0, 0})
      .Reference(ComputeBCEGrad<float>, ComputeBCEGrad<double>)
      .Cost(PerElementText(7), PerElement(7))
      .Example({"two",
                {},
                {Reals({2}, {0.9, 0.2}), Reals({2}, {1, 0}), RealScalar(3)},
                {Reals({2}, {-1.6666666666666667, 1.875})}})
      .Example({"zero_where_clipped",
                {},
                {Reals({3}, {0, 0.5, 1}), Reals({3}, {1, 1, 0}), RealScalar(3)},
                {Reals({3}, {0, -2, 0})}})
      .Samples(WithLossGradient(BCESample));
}

OpDef BCEWithLogitsOp() {
  return LossDef("BCEWithLogits",
                 "Binary cross-entropy of sigmoid(z): loss = the mean over all elements of max(z, "
                 "0) - z y + log(1 + exp(-|z|)), where y is the label. Nothing overflows and "
                 "nothing is clipped. Each term and the sum are computed in double.",
                 "z", "logits, any shape")
      .Output({.name = "loss", .doc = "a scalar"})
      .Shapes(LogitsShape)
      .Reject({"C1", {}, {RealType({4, 1}), RealType({4})}})
      .Reject({"C2", {}, {RealType({0, 1}), RealType({0, 1})}})
      .Reference(ComputeBCEWithLogits<float>, ComputeBCEWithLogits<double>)
      .Gradient(BCEWithLogitsGradient)
      .Cost(PerElementText(7), PerElement(7))
      .Example(
          {"two", {}, {Reals({2}, {2, -3}), Reals({2}, {1, 0})}, {RealScalar(0.08775768130835727)}})
      .Example(
          {"saturated", {}, {Reals({2}, {1000, -3000}), Reals({2}, {0, 1})}, {RealScalar(2000)}})
      .Samples(LogitsSample);
}

OpDef BCEWithLogitsGradOp() {
  return LossDef("BCEWithLogitsGrad",
                 "dz = dloss / n (sigmoid(z) - y), where n is the number of elements. The gradient "
                 "of BCEWithLogits.",
                 "z", "logits, any shape")
      .Input({.name = "dloss", .doc = "the gradient of the loss, a scalar"})
      .Output({.name = "dz", .doc = "the shape of z"})
      .Constrain("C3", "dloss is a scalar")
      .Shapes(LogitsGradShape)
      .Reject({"C1", {}, {RealType({4, 1}), RealType({4}), RealType({})}})
      .Reject({"C2", {}, {RealType({0, 1}), RealType({0, 1}), RealType({})}})
      .Reject({"C3", {}, {RealType({4}), RealType({4}), RealType({1})}})
      .InPlace({0, 0})
      .Reference(ComputeBCEWithLogitsGrad<float>, ComputeBCEWithLogitsGrad<double>)
      .Cost(PerElementText(3), PerElement(3))
      .Example({"two",
                {},
                {Reals({2}, {2, -3}), Reals({2}, {1, 0}), RealScalar(6)},
                {Reals({2}, {-0.35760876606635306, 0.14227761953270035})}})
      .Samples(WithLossGradient(LogitsSample));
}

Value BCE(FunctionBuilder& g, Value p, Value labels, const BCEOptions& options) {
  return g.AddNode("BCE", {p, labels}, {{"epsilon", options.epsilon}}, options.name)[0];
}

Value BCEGrad(FunctionBuilder& g, Value p, Value labels, Value dloss, const BCEOptions& options) {
  return g.AddNode("BCEGrad", {p, labels, dloss}, {{"epsilon", options.epsilon}}, options.name)[0];
}

Value BCEWithLogits(FunctionBuilder& g, Value z, Value labels, std::string name) {
  return g.AddNode("BCEWithLogits", {z, labels}, {}, std::move(name))[0];
}

Value BCEWithLogitsGrad(FunctionBuilder& g, Value z, Value labels, Value dloss, std::string name) {
  return g.AddNode("BCEWithLogitsGrad", {z, labels, dloss}, {}, std::move(name))[0];
}

}  // namespace seqgraph::ops
