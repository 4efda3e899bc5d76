#ifndef SEQGRAPH_OPS_LOSS_RULES_H_
#define SEQGRAPH_OPS_LOSS_RULES_H_

// What the losses share: rows are all axes but the last; a loss is the mean over rows of weight
// times the loss of the row, as in Keras: divided by the number of rows, not by the sum of weights.

#include <algorithm>
#include <cmath>
#include <string>

#include "graph/op_def.h"
#include "ops/shape_rules.h"

namespace seqgraph::ops {

/// C1: labels (input 1) have the shape of input 0, called `name`. C2: there is an element and,
/// where there are `classes`, a last axis that is not the batch. C3: weights (input `weights`), if
/// they are there, have the shape of input 0 without its last axis.
absl::Status CheckLossOperands(const ShapeContext& c, absl::string_view name,
                               absl::string_view labels, int weights, bool classes);
/// C4, for a gradient op: dloss (input 2) is a scalar.
absl::Status CheckLossGradient(const ShapeContext& c);

/// The type of a loss: a scalar of the type of input 0.
Types LossType(const ShapeContext& c);

/// The attribute epsilon of a loss of probabilities, which are clipped to [epsilon, 1 - epsilon],
/// with its constraint C5; `what` is clipped.
void AddEpsilon(OpDef& op, absl::string_view what);
/// C5.
absl::Status CheckEpsilon(const ShapeContext& c);

/// The inputs of a loss, or, with dloss in between, of its gradient; and C1 to C3 or C4. Weights
/// came with the version `weights_since` of the op.
void AddLossInputs(OpDef& op, const std::string& name, const std::string& doc,
                   const std::string& labels, const std::string& labels_doc, bool gradient,
                   int weights_since = 1);
/// Rejections of these constraints.
void RejectLossOperands(OpDef& op, bool classes, bool gradient);

/// Elements of a row; 1 for a scalar.
inline int64_t RowWidth(const Shape& shape) { return shape.rank() == 0 ? 1 : shape.back().size(); }

/// 1 where there are no weights.
template <typename T>
double RowWeight(TensorView<const T> weights, int64_t row) {
  return weights ? static_cast<double>(weights[row]) : 1.0;
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

#endif  // SEQGRAPH_OPS_LOSS_RULES_H_
