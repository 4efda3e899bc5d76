#pragma once

// What the losses share: rows are all axes but the last; a loss is the mean over rows of weight
// times the loss of the row, as in Keras: divided by the number of rows, not by the sum of weights.

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>

#include "graph/op_def.h"

namespace seqgraph::ops {

/// Which input of a loss, and of the gradient of one, holds the weights.
inline constexpr int kWeights = 2, kGradWeights = 3;

/// The operands in which losses differ.
struct LossOperands {
  std::string name;  ///< of the predictions
  std::string doc;
  std::string labels = "labels";
  std::string labels_doc;  ///< behind "the shape of " and the name
  bool classes = false;    ///< the last axis is not the batch
  int weights_since = 1;   ///< the version of the op that brought weights
};

/// Gives a loss, or the gradient of one, its operands (predictions, labels, dloss of a gradient,
/// weights; loss or the gradient of the predictions), its shapes and the constraints C1 to C4.
std::function<void(OpDef&)> LossShapes(LossOperands operands, bool gradient);

/// The attribute epsilon of a loss of probabilities, which are clipped to [epsilon, 1 - epsilon],
/// with its constraint C5; `what` is clipped.
void AddEpsilon(OpDef& op, absl::string_view what);

/// Appends to a sample of predictions and labels dloss, of a gradient, and now and then weights.
void AddLossInputs(SampleSource& source, bool gradient, OpSample& sample);

/// Elements of a row; 1 for a scalar.
inline int64_t RowWidth(const Shape& shape) { return shape.rank() == 0 ? 1 : shape.back().size(); }

/// 1 where there are no weights.
template <typename T>
double RowWeight(TensorView<const T> weights, int64_t row) {
  return weights ? static_cast<double>(weights[row]) : 1.0;
}

/// loss = the mean over all elements of term(weight, x, y), with y of the labels, in double.
template <typename T, typename F>
absl::Status ComputeElementLoss(const ReferenceContext& c, F term) {
  const auto x = c.input<T>(0), labels = c.input<T>(1), weights = c.input<T>(2);
  const auto loss = c.output<T>(0);
  if (!loss) return absl::OkStatus();
  const int64_t n = x.size(), width = RowWidth(x.shape);
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += term(RowWeight(weights, i / width), x[i], labels[i]);
  loss[0] = static_cast<T>(sum / n);
  return absl::OkStatus();
}

/// dx = slope(dloss / n times weight, x, y), likewise.
template <typename T, typename F>
absl::Status ComputeElementLossGrad(const ReferenceContext& c, F slope) {
  const auto x = c.input<T>(0), labels = c.input<T>(1);
  const auto dloss = c.input<T>(2), weights = c.input<T>(3);
  const auto dx = c.output<T>(0);
  if (!dx) return absl::OkStatus();
  const int64_t n = x.size(), width = RowWidth(x.shape);
  const double scale = static_cast<double>(dloss[0]) / n;
  for (int64_t i = 0; i < n; ++i) {
    dx[i] = static_cast<T>(slope(scale * RowWeight(weights, i / width), x[i], labels[i]));
  }
  return absl::OkStatus();
}

/// For error bounds: the mean over rows of |weight| magnitude(row), what the terms of a loss add up
/// to before they cancel. Rows that are not finite do not count.
template <typename F>
double MeanOverRows(const BoundContext& c, int weights, F magnitude) {
  const int64_t rows = c.input(0).num_elements() / std::max<int64_t>(RowWidth(c.shape(0)), 1);
  double sum = 0;
  for (int64_t row = 0; row < rows; ++row) {
    const double weight = c.has_input(weights) ? c.reals(weights)[row] : 1;
    const double term = std::abs(weight) * magnitude(row);
    if (std::isfinite(term)) sum += term;
  }
  return sum / static_cast<double>(std::max<int64_t>(rows, 1));
}

}  // namespace seqgraph::ops
