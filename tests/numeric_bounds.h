#ifndef SEQGRAPH_TESTS_NUMERIC_BOUNDS_H_
#define SEQGRAPH_TESTS_NUMERIC_BOUNDS_H_

// How far a float32 backend may be from the float64 reference: bounds derived from sizes and
// machine epsilon, none picked by hand. Relative errors here are norm-wise: the largest difference
// over the largest magnitude in the tensor.

#include <cmath>
#include <cstdint>
#include <limits>

namespace seqgraph {

inline constexpr double kFloatEpsilon = std::numeric_limits<float>::epsilon();

/// A dot product of k terms, relative to the product of the norms: 4 k eps.
/// Source: Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 3.1 (gamma_k);
/// the factor 4 as in XNNPACK's tests, for the activation behind it and an order of its own.
inline double DotBound(int64_t k) { return 4.0 * static_cast<double>(k) * kFloatEpsilon; }

/// A recurrence of `time` steps with `gates` gates (1 for RNNCell), forward or backward:
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

}  // namespace seqgraph

#endif  // SEQGRAPH_TESTS_NUMERIC_BOUNDS_H_
