#pragma once

// RowLoss: loss = the mean over rows of w L(row), with w the weight of the row and L one of Keras's
// losses, by its name. RowLossGrad: dx = dloss w / rows dL/dx.
//
// Those with an op of their own are in ops/mse.h, ops/bce.h, ops/cross_entropy.h.

#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "graph/function_builder.h"

namespace seqgraph::ops {

/// One row: predictions x and labels y.
struct LossRow {
  int64_t width = 0;
  double delta = 1;
  absl::FunctionRef<double(int64_t k)> x, y;
};

/// What labels of a loss are.
enum class LossLabels {
  kNumbers,
  kShares,  ///< in [0, 1]
  kSigns,   ///< -1 and 1; if all labels are 0 or 1, the 0 mean -1
  kOneHot,
};

/// A loss of a row. A new one is a row of the table in row_loss.cc.
struct RowLossKind {
  const char* name;  ///< Keras's: "mean_absolute_error"; Keras has no "pinball"
  const char* formula;
  LossLabels labels;
  double (*loss)(const LossRow& row);
  /// Calls set(k, dL/dx_k) for each k in ascending order, after which x(k) is not read.
  void (*gradient)(const LossRow& row, absl::FunctionRef<void(int64_t k, double slope)> set);
  double delta = 1;  ///< where nobody says another
};

/// All of them.
absl::Span<const RowLossKind> RowLossKinds();
/// Null if there is none of that name.
const RowLossKind* FindRowLoss(absl::string_view name);

struct RowLossOptions {
  /// The shape of x without its last axis: multiplies the loss of each row. The mean still divides
  /// by the number of rows (as in Keras). Absent: ones.
  Value weights;
  double delta = 1;  ///< of "huber": above 0; of "pinball": the quantile
  std::string name;
};

/// x (predictions) and labels of one shape [..., width] -> a scalar, computed in double.
/// InvalidArgument (in the builder) for a kind that is not there, and for shapes that differ.
Value RowLoss(FunctionBuilder& g, const std::string& kind, Value x, Value labels,
              const RowLossOptions& options = {});

}  // namespace seqgraph::ops
