#include "ops/mse.h"

#include <utility>

#include "graph/bound_rules.h"
#include "graph/gradient.h"
#include "ops/examples.h"
#include "ops/loss_rules.h"

namespace seqgraph::ops {
namespace {

// Inputs: x, targets, then dloss of the gradient, then weights.
// Reference computation, in double.

template <typename T>
absl::Status ComputeMSE(const ReferenceContext& c) {
  return ComputeElementLoss<T>(
      c, [](double weight, double x, double y) { return weight * (x - y) * (x - y); });
}

template <typename T>
absl::Status ComputeMSEGrad(const ReferenceContext& c) {
  return ComputeElementLossGrad<T>(
      c, [](double scale, double x, double y) { return 2 * scale * (x - y); });
}

// Error bound of MSE: three roundings a term, and a sum of terms of one sign.

absl::StatusOr<ErrorBound> MSEBound(const BoundContext& c, int) {
  const double magnitudes = MeanOverRows(c, kWeights, [&](int64_t row) {
    double sum = 0;
    const int64_t width = RowWidth(c.shape(0));
    for (int64_t i = row * width; i < (row + 1) * width; ++i) {
      const double error = c.reals(0)[i] - c.reals(1)[i];
      sum += error * error;
    }
    return sum / static_cast<double>(width);
  });
  return Roundings(4 + SumRoundings(c.input(0).num_elements()), magnitudes, "loss");
}

// Definitions: what both ops have.

OpDef MSEDef(std::string name, std::string doc, bool gradient) {
  return OpDef(std::move(name), 1)
      .Doc(std::move(doc))
      .With(
          LossShapes({.name = "x", .doc = "predictions, any shape", .labels = "targets"}, gradient))
      .Samples([gradient](SampleSource& source) {
        const Shape shape = RandomShape(source, 0, 3);
        OpSample sample{{}, {source.Reals(shape), source.Reals(shape)}};
        AddLossInputs(source, gradient, sample);
        return sample;
      });
}

}  // namespace

OpDef MSEOp() {
  return MSEDef("MSE",
                "Mean squared error: loss = the mean over all elements of weight (x - y)^2, "
                "where y are the targets and the weight is that of the element's row. "
                "Computed in double.",
                /*gradient=*/false)
      .Reference(ComputeMSE<float>, ComputeMSE<double>)
      .Bound(MSEBound)
      .Gradient(GradientOp("MSEGrad"))
      .Cost("FLOPs: 3 for each element, 4 with weights, 1 for the division by n.",
            [](const CostContext& c) {
              return c.Moving((3 + c.has_input(kWeights)) * c.input_size(0) + 1);
            })
      .Example({"four",
                {},
                {Reals({2, 2}, {1, 2, 3, 4}), Reals({2, 2}, {1, 0, 6, 3})},
                {RealScalar(3.5)}})
      .Example({"weighted",
                {},
                {Reals({2, 2}, {1, 2, 3, 4}), Reals({2, 2}, {1, 0, 6, 3}), Reals({2}, {3, 0.5})},
                {RealScalar(4.25)}})
      .Example({"scalar", {}, {RealScalar(3), RealScalar(5)}, {RealScalar(4)}});
}

OpDef MSEGradOp() {
  return MSEDef("MSEGrad",
                "dx = 2 dloss weight / n (x - y), where n is the number of elements. The "
                "gradient of MSE.",
                /*gradient=*/true)
      .Reference(ComputeMSEGrad<float>, ComputeMSEGrad<double>)
      .Bound(OutputBound(6))  // x - y, the scale from 2, dloss and n, the weight
      .Cost("FLOPs: 2 for each element, 3 with weights, 2 for the scale.",
            [](const CostContext& c) {
              return c.Moving((2 + c.has_input(kGradWeights)) * c.input_size(0) + 2);
            })
      .Example({"weighted",
                {},
                {Reals({2, 2}, {1, 2, 3, 4}), Reals({2, 2}, {1, 0, 6, 3}), RealScalar(10),
                 Reals({2}, {3, 0.5})},
                {Reals({2, 2}, {0, 30, -7.5, 2.5})}});
}

Value MSE(FunctionBuilder& g, Value x, Value targets, const MSEOptions& options) {
  return g.AddNode("MSE", {x, targets, options.weights}, {}, options.name)[0];
}

}  // namespace seqgraph::ops
