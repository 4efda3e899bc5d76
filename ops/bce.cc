#include "ops/bce.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "graph/activation.h"
#include "graph/bound_rules.h"
#include "graph/gradient.h"
#include "ops/examples.h"
#include "ops/loss_rules.h"

namespace seqgraph::ops {
namespace {

// Attributes: epsilon, of BCE and BCEGrad. Inputs: predictions, labels, then dloss of gradients,
// then weights.
// Reference computation. Elements are widened to double, so that 1 - p and the clipping bounds are
// what the formula says in float too (in float 1 - 1e-7 would be 1 - 1.2e-7).

template <typename T>
absl::Status ComputeBCE(const ReferenceContext& c) {
  const double epsilon = c.attributes().GetFloat("epsilon");
  return ComputeElementLoss<T>(c, [epsilon](double weight, double p, double y) {
    // 1 - p is clipped on its own: 1 - (1 - epsilon) would lose half of epsilon's digits.
    const double q = std::clamp(p, epsilon, 1 - epsilon);
    const double r = std::clamp(1 - p, epsilon, 1 - epsilon);
    return -weight * (y * std::log(q) + (1 - y) * std::log(r));
  });
}

template <typename T>
absl::Status ComputeBCEGrad(const ReferenceContext& c) {
  const double epsilon = c.attributes().GetFloat("epsilon");
  return ComputeElementLossGrad<T>(c, [epsilon](double scale, double p, double y) {
    const bool clipped = p < epsilon || p > 1 - epsilon;
    return clipped ? 0 : scale * (p - y) / (p * (1 - p));
  });
}

template <typename T>
absl::Status ComputeBCEWithLogits(const ReferenceContext& c) {
  return ComputeElementLoss<T>(c, [](double weight, double z, double y) {
    return weight * (Activate(Activation::kRelu, z) - z * y + std::log1p(std::exp(-std::abs(z))));
  });
}

template <typename T>
absl::Status ComputeBCEWithLogitsGrad(const ReferenceContext& c) {
  return ComputeElementLossGrad<T>(
      c, [](double scale, double z, double y) { return scale * (StableSigmoid(z) - y); });
}

// Costs: n elements, and one division by n.

CostRule PerElement(double flops, int weights) {
  return [flops, weights](const CostContext& c) {
    return c.Moving((flops + c.has_input(weights)) * c.input_size(0) + 1);
  };
}

std::string PerElementText(int flops) {
  return absl::StrCat("FLOPs: ", flops, " for each element, ", flops + 1,
                      " with weights, 1 for the division by n.");
}

// Error bound of BCEWithLogitsGrad: dz = dloss weight / n (sigmoid(z) - y) may cancel.

absl::StatusOr<ErrorBound> BCELogitsGradBound(const BoundContext& c, int o) {
  const double weight = c.has_input(kGradWeights) ? c.Largest(kGradWeights) : 1;
  const double each = c.Largest(2) / static_cast<double>(c.input(0).num_elements());
  return Roundings(kElementaryRoundings, std::max(c.LargestOutput(o), each * weight),
                   "of output and dloss / n");
}

// Definitions: what several ops have.

OpDef BCELoss(std::string name, std::string doc, std::string input, std::string input_doc,
              bool gradient) {
  return OpDef(std::move(name), 2)
      .CompatibleFrom(1)
      .Doc(std::move(doc))
      .With(LossShapes({.name = std::move(input),
                        .doc = std::move(input_doc),
                        .labels_doc = "; in [0, 1]",
                        .weights_since = 2},
                       gradient));
}

// Half of the samples clip: epsilon is large then, and p stays away from both bounds, where the
// loss has kinks.
OpSample BCESample(SampleSource& source, bool gradient) {
  const double epsilon = source.Coin() ? 0.2 : 1e-7;
  const Shape shape = RandomShape(source, 0, 3);
  Tensor p = source.Reals(shape, 0.05, 0.95);
  for (double& element : p.Elements<double>()) {
    for (double bound : {0.2, 0.8}) {
      if (std::abs(element - bound) < 0.01) element = bound + 0.02;
    }
  }
  OpSample sample{{{"epsilon", epsilon}}, {std::move(p), source.Reals(shape, 0, 1)}};
  AddLossInputs(source, gradient, sample);
  return sample;
}

OpSample LogitsSample(SampleSource& source, bool gradient) {
  const Shape shape = RandomShape(source, 0, 3);
  const Tensor z = source.Reals(shape, -6, 6);
  OpSample sample{{}, {z, source.Reals(shape, 0, 1)}};
  AddLossInputs(source, gradient, sample);
  return sample;
}

Sampler SamplesOf(OpSample (*sample)(SampleSource&, bool), bool gradient) {
  return [sample, gradient](SampleSource& source) { return sample(source, gradient); };
}

}  // namespace

OpDef BCEOp() {
  OpDef op =
      BCELoss("BCE",
              "Binary cross-entropy: loss = the mean over all elements of -weight (y log q + (1 - "
              "y) log(1 - q)), where y is the label, q = min(max(p, epsilon), 1 - epsilon) and the "
              "weight is that of the element's row. Each term and the sum are computed in double.",
              "p", "probabilities, any shape", /*gradient=*/false);
  AddEpsilon(op, "p");
  return op.Reference(ComputeBCE<float>, ComputeBCE<double>)
      .Bound(ElementaryBound())
      .Gradient(GradientOp("BCEGrad"))
      .Cost(PerElementText(12), PerElement(12, kWeights))
      .Example({"two",
                {},
                {Reals({2, 1}, {0.9, 0.2}), Reals({2, 1}, {1, 0})},
                {RealScalar(0.164252033486018)}})
      .Example({"weighted",
                {},
                {Reals({2, 1}, {0.9, 0.2}), Reals({2, 1}, {1, 0}), Reals({2}, {2, 0.5})},
                {RealScalar(0.1611464034863787)}})
      .Example({"clipped", {}, {Reals({1}, {0}), Reals({1}, {1})}, {RealScalar(16.11809565095832)}})
      .Example({"clipped_above",
                {},
                {Reals({1}, {1}), Reals({1}, {0})},
                {RealScalar(16.11809565095832)}})
      .Example(
          {"soft_label", {}, {RealScalar(0.25), RealScalar(0.5)}, {RealScalar(0.8369882167858358)}})
      .Samples(SamplesOf(BCESample, /*gradient=*/false));
}

OpDef BCEGradOp() {
  OpDef op =
      BCELoss("BCEGrad",
              "dp = dloss weight / n (p - y) / (p (1 - p)), where n is the number of elements; 0 "
              "where p is clipped. The gradient of BCE.",
              "p", "probabilities, any shape", /*gradient=*/true);
  AddEpsilon(op, "p");
  return op.InPlace({0, 0})
      .Reference(ComputeBCEGrad<float>, ComputeBCEGrad<double>)
      .Bound(ElementaryBound())
      .Cost(PerElementText(7), PerElement(7, kGradWeights))
      .Example({"two",
                {},
                {Reals({2}, {0.9, 0.2}), Reals({2}, {1, 0}), RealScalar(3)},
                {Reals({2}, {-1.6666666666666667, 1.875})}})
      .Example(
          {"weighted",
           {},
           {Reals({2, 1}, {0.9, 0.2}), Reals({2, 1}, {1, 0}), RealScalar(3), Reals({2}, {2, 4})},
           {Reals({2, 1}, {-3.3333333333333335, 7.5})}})
      .Example({"zero_where_clipped",
                {},
                {Reals({3}, {0, 0.5, 1}), Reals({3}, {1, 1, 0}), RealScalar(3)},
                {Reals({3}, {0, -2, 0})}})
      .Samples(SamplesOf(BCESample, /*gradient=*/true));
}

OpDef BCEWithLogitsOp() {
  return BCELoss("BCEWithLogits",
                 "Binary cross-entropy of sigmoid(z): loss = the mean over all elements of weight "
                 "(max(z, 0) - z y + log(1 + exp(-|z|))), where y is the label and the weight that "
                 "of the element's row. Nothing overflows and nothing is clipped. Each term and "
                 "the sum are computed in double.",
                 "z", "logits, any shape", /*gradient=*/false)
      .Reference(ComputeBCEWithLogits<float>, ComputeBCEWithLogits<double>)
      .Bound(ElementaryBound())
      .Gradient(GradientOp("BCEWithLogitsGrad"))
      .Cost(PerElementText(7), PerElement(7, kWeights))
      .Example(
          {"two", {}, {Reals({2}, {2, -3}), Reals({2}, {1, 0})}, {RealScalar(0.08775768130835727)}})
      .Example({"weighted",
                {},
                {Reals({2, 1}, {2, -3}), Reals({2, 1}, {1, 0}), Reals({2}, {2, 4})},
                {RealScalar(0.22410271419045663)}})
      .Example(
          {"saturated", {}, {Reals({2}, {1000, -3000}), Reals({2}, {0, 1})}, {RealScalar(2000)}})
      .Samples(SamplesOf(LogitsSample, /*gradient=*/false));
}

OpDef BCEWithLogitsGradOp() {
  return BCELoss("BCEWithLogitsGrad",
                 "dz = dloss weight / n (sigmoid(z) - y), where n is the number of elements. The "
                 "gradient of BCEWithLogits.",
                 "z", "logits, any shape", /*gradient=*/true)
      .InPlace({0, 0})
      .Reference(ComputeBCEWithLogitsGrad<float>, ComputeBCEWithLogitsGrad<double>)
      .Bound(BCELogitsGradBound)
      .Cost(PerElementText(3), PerElement(3, kGradWeights))
      .Example({"two",
                {},
                {Reals({2}, {2, -3}), Reals({2}, {1, 0}), RealScalar(6)},
                {Reals({2}, {-0.35760876606635306, 0.14227761953270035})}})
      .Example({"weighted",
                {},
                {Reals({2, 1}, {2, -3}), Reals({2, 1}, {1, 0}), RealScalar(6), Reals({2}, {2, 4})},
                {Reals({2, 1}, {-0.7152175321327061, 0.5691104781308014})}})
      .Samples(SamplesOf(LogitsSample, /*gradient=*/true));
}

Value BCE(FunctionBuilder& g, Value p, Value labels, const BCEOptions& options) {
  return g.AddNode("BCE", {p, labels, options.weights}, {{"epsilon", options.epsilon}},
                   options.name)[0];
}

Value BCEWithLogits(FunctionBuilder& g, Value z, Value labels,
                    const BCEWithLogitsOptions& options) {
  return g.AddNode("BCEWithLogits", {z, labels, options.weights}, {}, options.name)[0];
}

}  // namespace seqgraph::ops
