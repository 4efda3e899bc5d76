#ifndef SEQGRAPH_RUNTIME_NODE_ORACLE_H_
#define SEQGRAPH_RUNTIME_NODE_ORACLE_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "graph/function.h"
#include "graph/tensor.h"
#include "runtime/numeric_bounds.h"

namespace seqgraph {

/// One tensor for each input or output of a node; absent: not given, or not looked at.
using Operands = std::vector<std::optional<Tensor>>;

/// With the reals in double, exactly.
Operands InDouble(const Operands& operands);

/// What the node must compute from `inputs` (reals in double): its op's own computation in double.
/// Only the outputs that are `wanted`. An error is that of the op: an index out of range.
absl::StatusOr<Operands> EvaluateInDouble(const Node& node, const Operands& inputs,
                                          const std::vector<bool>& wanted);

/// How a recurrence h_t = act(.. + h_{t-1} u) passes on small errors.
struct RecurrenceGrowth {
  /// Largest singular value of u: the most that one step can multiply an error by.
  double spectral_norm = 0;
  /// At least 1: over all rows and times t, sqrt(max_j E_t[j, j] / t), where E_t = J_t E_{t-1} J_tT
  /// + I is the covariance of the error if each step adds independent errors of variance 1, and J_t
  /// = diag(act') uT is the step's Jacobian at the actual state. 1 if u is orthogonal and act' = 1.
  double amplification = 1;
};

/// Of a node RNNCell or RNNCellGrad, from its inputs in double. `sequence` [batch, time, units] are
/// the states.
RecurrenceGrowth GrowthOf(const Node& node, const Operands& inputs, const Tensor& sequence);

/// NodeErrorBounds (runtime/numeric_bounds.h) for operands as above. Those of a recurrence are for
/// weights that do not amplify: here they are multiplied by the amplification of this node.
absl::StatusOr<std::vector<ErrorBound>> NodeBounds(const Node& node, const Operands& inputs,
                                                   const Operands& outputs);

/// A value with how far a backend may be from it.
struct BoundedValue {
  Tensor exact;      ///< reals in double
  ErrorBound bound;  ///< of all nodes that it came through
};

/// Evaluates the nodes (ascending) of `function` (static shapes), one after the other, from the
/// values in `given`, which count as exact. Gives all values that they compute and somebody uses,
/// by index. To a node's own bound those of its inputs are added, relative to the largest element:
/// first order, for nodes that do not amplify.
absl::StatusOr<std::map<int, BoundedValue>> EvaluateNodesInDouble(
    const Function& function, absl::Span<const int> nodes, const std::map<int, Tensor>& given);

/// How two tensors of one type compare.
struct Comparison {
  double measured = 0;  ///< largest |actual - exact|; infinite where one alone is not finite
  int64_t element = 0;  ///< where that is, row-major
  double actual = 0;    ///< there
  double exact = 0;
};

/// `actual` of any type, `exact` with the reals in double. NaN and infinities agree with
/// themselves only.
Comparison Compare(const Tensor& actual, const Tensor& exact);

/// "[1, 0, 2]".
std::string IndexText(int64_t element, const Shape& shape);

}  // namespace seqgraph

#endif  // SEQGRAPH_RUNTIME_NODE_ORACLE_H_
