#pragma once

// The oracle for nodes of a function: what their definitions give in float64, and how far a float32
// backend may be from that, weights that amplify and what nodes pass on to each other included.

#include <map>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "graph/error_bound.h"
#include "graph/function.h"
#include "graph/tensor.h"

namespace seqgraph {

/// What the node must compute from `inputs` (reals in double). Only the outputs that are `wanted`.
/// An error is that of the op: an index out of range.
absl::StatusOr<OptionalTensors> EvaluateInDouble(const Node& node, const OptionalTensors& inputs,
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

/// Of a node that runs a simple recurrent cell or its gradient, from its inputs in double; nullopt
/// for any other.
absl::StatusOr<std::optional<RecurrenceGrowth>> GrowthOf(const Node& node,
                                                         const OptionalTensors& inputs);

/// The bounds that the node's op states (OpDef::BoundsOf) for operands in double; those of a
/// recurrence, which are for weights that do not amplify, times the amplification of this node.
absl::StatusOr<std::vector<ErrorBound>> NodeBounds(const Node& node, const OptionalTensors& inputs,
                                                   const OptionalTensors& outputs);

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

/// How far any element of what `function` (static shapes) computes may be from its exact value when
/// real values have type `real`: n u s, where
///   u  is the unit roundoff, half of machine epsilon;
///   n  is the number of roundings that can lie on the way to one element: for each node at most
///      the elements of its operands, and kElementaryRoundings for an elementary function;
///   s  is `scale`, what an intermediate value may reach in a graph that does not amplify.
/// First order in u. Source: Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed.,
/// section 3.1.
double GraphErrorBound(const Function& function, double scale, DType real);

}  // namespace seqgraph
