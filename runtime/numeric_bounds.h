#ifndef SEQGRAPH_RUNTIME_NUMERIC_BOUNDS_H_
#define SEQGRAPH_RUNTIME_NUMERIC_BOUNDS_H_

// How far a float32 backend may be from the float64 reference: bounds derived from op, sizes and
// machine epsilon, none picked by hand. The one place for them: tests, the conformance kit, `diff`
// and self-tests all ask here. Relative errors are norm-wise: the largest difference over the
// largest magnitude in the tensor.

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "graph/attributes.h"
#include "graph/function.h"
#include "graph/op_def.h"
#include "graph/tensor.h"

namespace seqgraph {

inline constexpr double kFloatEpsilon = std::numeric_limits<float>::epsilon();

/// Roundings that stand for one elementary function (exp, tanh, log), which no library rounds
/// correctly.
inline constexpr double kElementaryRoundings = 8;

/// A dot product of k terms, relative to the product of the norms: 4 k eps.
/// Source: Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 3.1 (gamma_k);
/// the factor 4 as in XNNPACK's tests, for the activation behind it and an order of its own.
inline double DotBound(int64_t k) { return 4.0 * static_cast<double>(k) * kFloatEpsilon; }

/// A recurrence of `time` steps with `gates` gates (1 for RNNCell, 4 for LSTMCell, 3 for GRUCell,
/// whose time counts once for each feature), forward or backward:
/// 4 (1 + backward) ceil(log2(k time)) eps with k = (2 gates + 1) forward and
/// (2 gates + 1) max(gates units, batch) backward. For weights that do not amplify (spectral radius
/// of u at most about 1).
/// Source: the thresholds of oneDNN's benchdnn for RNN primitives.
inline double RecurrenceBound(int64_t gates, int64_t units, int64_t batch, int64_t time,
                              bool backward) {
  const int64_t widest = gates * units > batch ? gates * units : batch;
  const int64_t k = (2 * gates + 1) * (backward ? widest : 1);
  return 4.0 * (backward ? 2 : 1) * std::ceil(std::log2(static_cast<double>(k * time))) *
         kFloatEpsilon;
}

/// What one output of one node may be off by: `epsilons` eps times `scale`, and the smallest normal
/// float besides, because denormals are flushed.
struct ErrorBound {
  double epsilons = 0;  ///< 0: every bit must be right
  double scale = 0;     ///< a magnitude in the output's own unit
  std::string formula;  ///< for people: "4 k eps, k = 65 terms, of the sum of magnitudes"

  double absolute() const {
    return epsilons * kFloatEpsilon * scale + std::numeric_limits<float>::min();
  }
};

/// The bounds of a node's outputs, one each, from its operands in float64: `inputs` as the node
/// reads them (null: absent) and `exact`, what its definition computes from them in float64
/// (null: not wanted; its bound is empty). `attributes` must be complete. Rules by op:
///
///   moves, compares, counts   0: exact
///   element by element        one eps for each rounding, of the largest operand
///   elementary functions      kElementaryRoundings eps, of the largest output
///   sums, products            DotBound(k), of the same sum over magnitudes (so that terms that
///                             cancel in the result count in full)
///   recurrences               RecurrenceBound, of the largest output, x, b or h0 forward and of
///                             the largest output or incoming gradient backward; sums of
///                             looked-up rows' gradients add theirs
///   fused element by element  the roundings of each instruction, through the slopes of those after
///                             it, at the element where that is most
///   optimizer updates         one eps for each rounding, of the larger of old and new content
///
/// An op without a rule of its own gets as many roundings as its operands have elements (each
/// operation reads or writes one), of the largest operand. Elements that are not finite do not
/// count for a scale.
absl::StatusOr<std::vector<ErrorBound>> NodeErrorBounds(const OpDef& op,
                                                        const Attributes& attributes,
                                                        absl::Span<const Tensor* const> inputs,
                                                        absl::Span<const Tensor* const> exact);

/// How far any element of what `function` (static shapes) computes may be from its exact value when
/// real values have type `real`: n u s, where
///   u  is the unit roundoff, half of machine epsilon;
///   n  is the number of roundings that can lie on the way to one element: for each node at most
///      the elements of its operands, and kElementaryRoundings for an elementary function;
///   s  is `scale`, what an intermediate value may reach in a graph that does not amplify.
/// First order in u. Source: Higham, as above.
double GraphErrorBound(const Function& function, double scale, DType real);

/// The largest finite |x|; 0 for a tensor without one.
double LargestFiniteMagnitude(const Tensor& tensor);

}  // namespace seqgraph

#endif  // SEQGRAPH_RUNTIME_NUMERIC_BOUNDS_H_
