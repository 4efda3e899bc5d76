#pragma once

// Categorical cross-entropy; rows are all axes but the last, which are classes.
// SoftmaxCrossEntropyWithLogits: loss = mean over rows of w sum_k -y_k (z_k - log sum_j exp(z_j)).
//   Grad: dz_k = dloss w / rows (softmax(z)_k sum_j y_j - y_k).
// CategoricalCrossEntropy: loss = mean over rows of w sum_k -y_k log clip(p_k / s), s = sum_k p_k,
//   clip(q) = min(max(q, epsilon), 1 - epsilon).
//   Grad: dp_k = dloss w / rows (Y / s - y_k / p_k), where p_k is not clipped, else
//   dloss w / rows Y / s; Y = the sum of the y_j that are not clipped.

#include <string>

#include "graph/function_builder.h"

namespace seqgraph::ops {

struct CrossEntropyOptions {
  /// The shape of the predictions without their last axis: multiplies the loss of each row. The
  /// mean still divides by the number of rows (as in Keras). Absent: ones.
  Value weights;
  std::string name;
};

/// Of probabilities, which are clipped.
struct CategoricalCrossEntropyOptions {
  Value weights;          ///< as for CrossEntropyOptions
  double epsilon = 1e-7;  ///< in (0, 0.5); Keras's default
  std::string name;
};

/// Cross-entropy of softmax(z): z and labels [..., classes] -> the mean over rows, a scalar. Labels
/// are probabilities: one-hot or soft. Exact for logits of any size. Each row is computed in
/// double.
Value SoftmaxCrossEntropyWithLogits(FunctionBuilder& g, Value z, Value labels,
                                    const CrossEntropyOptions& options = {});

/// The same for labels that are class indices: int32, the shape of z without its last axis (or
/// with extent 1 there, as Keras has them). An index out of range fails the run.
Value SparseSoftmaxCrossEntropyWithLogits(FunctionBuilder& g, Value z, Value ids,
                                          const CrossEntropyOptions& options = {});

/// Cross-entropy of probabilities p [..., classes], which are divided by their sum and clipped, as
/// in Keras.
Value CategoricalCrossEntropy(FunctionBuilder& g, Value p, Value labels,
                              const CategoricalCrossEntropyOptions& options = {});

/// The same for labels that are class indices.
Value SparseCategoricalCrossEntropy(FunctionBuilder& g, Value p, Value ids,
                                    const CategoricalCrossEntropyOptions& options = {});

}  // namespace seqgraph::ops
