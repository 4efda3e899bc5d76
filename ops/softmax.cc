#include "ops/softmax.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "graph/bound_rules.h"
#include "graph/gradient.h"
#include "ops/examples.h"
#include "ops/operand_shapes.h"
#include "ops/row_softmax.h"
#include "ops/step_rules.h"

namespace seqgraph::ops {
namespace {

// Reference computation. Rows are widened to double.

template <typename T>
absl::Status ComputeSoftmax(const ReferenceContext& c) {
  const auto x = c.input<T>(0);
  const auto y = c.output<T>(0);
  if (!y) return absl::OkStatus();
  const int64_t width = x.shape.back().size(), size = x.size();
  std::vector<double> p;
  for (int64_t row = 0; row < size; row += width) {
    RowSoftmax(x.data + row, width, p);
    for (int64_t k = 0; k < width; ++k) y[row + k] = static_cast<T>(p[k]);
  }
  return absl::OkStatus();
}

template <typename T>
absl::Status ComputeSoftmaxGrad(const ReferenceContext& c) {
  const auto y = c.input<T>(0), dy = c.input<T>(1);
  const auto dx = c.output<T>(0);
  if (!dx) return absl::OkStatus();
  const int64_t width = y.shape.back().size(), size = y.size();
  for (int64_t row = 0; row < size; row += width) {
    double sum = 0;
    for (int64_t k = row; k < row + width; ++k) sum += static_cast<double>(y[k]) * dy[k];
    for (int64_t k = row; k < row + width; ++k) dx[k] = static_cast<T>(y[k] * (dy[k] - sum));
  }
  return absl::OkStatus();
}

// Error bound of SoftmaxGrad, y (dy - s) with s = the sum of y dy over the row: a sum of k + 1
// terms, of the largest |y| (|dy| + sum of |y dy|).

absl::StatusOr<ErrorBound> SoftmaxGradBound(const BoundContext& c, int) {
  const auto y = c.input(0).Elements<double>(), dy = c.input(1).Elements<double>();
  const int64_t width = c.shape(0).back().size(), size = c.input(0).num_elements();
  double scale = 0;
  for (int64_t row = 0; row < size; row += width) {
    double sum = 0, y_largest = 0, dy_largest = 0;
    for (int64_t k = row; k < row + width; ++k) {
      if (!std::isfinite(y[k] * dy[k])) continue;
      sum += std::abs(y[k] * dy[k]);
      y_largest = std::max(y_largest, std::abs(y[k]));
      dy_largest = std::max(dy_largest, std::abs(dy[k]));
    }
    scale = std::max(scale, y_largest * (dy_largest + sum));
  }
  return SumOfTerms(width + 1, scale);
}

}  // namespace

// Definitions.

OpDef SoftmaxOp() {
  return OpDef("Softmax", 1)
      .Doc(
          "y_k = exp(x_k - m) / sum of exp(x_j - m) along the last axis, where m is the largest "
          "x_j. Computed in double.")
      .Input({.name = "x", .doc = "[..., classes]"})
      .Output({.name = "y", .doc = "the shape of x"})
      .With(ShapesByDoc({{"C1", {"x"}, "classes"}}))
      .Reference(ComputeSoftmax<float>, ComputeSoftmax<double>)
      .Bound(OutputBound([](const BoundContext& c, int) {  // exponentials, and their sum
        return kElementaryRoundings + SumRoundings(c.shape(0).back().size());
      }))
      .Gradient(GradientOp("SoftmaxGrad"))
      .Steps(RowSteps())
      .Cost("FLOPs: 5 for each element.",
            [](const CostContext& c) { return c.Moving(5 * c.output_size(0)); })
      .Example({"equal_and_by_log_2",  // exp(x) = 1, 2, 1
                {},
                {Reals({2, 3}, {5, 5, 5, 0, 0.6931471805599453, 0})},
                {Reals({2, 3}, {1.0 / 3, 1.0 / 3, 1.0 / 3, 0.25, 0.5, 0.25})}})
      .Example({"far_apart", {}, {Reals({2}, {-2000, 1000})}, {Reals({2}, {0, 1})}})
      .Samples([](SampleSource& source) {
        return OpSample{{}, {source.Reals(RandomShape(source, 1, 3), -3, 3)}};
      });
}

OpDef SoftmaxGradOp() {
  return OpDef("SoftmaxGrad", 1)
      .Doc(
          "dx_k = y_k (dy_k - sum of y_j dy_j) along the last axis: the gradient of Softmax, from "
          "its output. Computed in double.")
      .Input({.name = "y", .doc = "[..., classes]: the output of Softmax"})
      .Input({.name = "dy", .doc = "the shape of y: its gradient"})
      .Output({.name = "dx", .doc = "the shape of y"})
      .With(ShapesByDoc({{"C1", {"y"}, "classes"}, {"C2", {"dy"}}}))
      .Reference(ComputeSoftmaxGrad<float>, ComputeSoftmaxGrad<double>)
      .Bound(SoftmaxGradBound)
      .Cost("FLOPs: 4 for each element.",
            [](const CostContext& c) { return c.Moving(4 * c.output_size(0)); })
      .Example({"quarters",  // the sum is 1 + 4 - 1 = 4
                {},
                {Reals({1, 3}, {0.25, 0.5, 0.25}), Reals({1, 3}, {4, 8, -4})},
                {Reals({1, 3}, {0, 2, -2})}})
      .Samples([](SampleSource& source) {
        const Shape shape = RandomShape(source, 1, 3);
        return OpSample{{}, {source.Reals(shape, 0, 1), source.Reals(shape)}};
      });
}

Value Softmax(FunctionBuilder& g, Value x, std::string name) {
  return g.AddNode("Softmax", {x}, {}, std::move(name))[0];
}

}  // namespace seqgraph::ops
