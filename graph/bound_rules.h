#pragma once

// Error bounds that many ops share, for OpDef::Bound. First order in the unit roundoff.

#include <cstdint>
#include <functional>

#include "graph/error_bound.h"

namespace seqgraph {

/// A sum of k terms, or of k products, in eps of the sum of their magnitudes (eps is twice the unit
/// roundoff u): k / 2, which no order of summation exceeds, but not more than that of 8192 terms,
/// because a bound of k u lets any result pass once k is large enough; and at least 4 sqrt(k),
/// which independent roundings exceed with a probability below 2 k exp(-32) = 3e-14 k. Sources:
/// Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 4.2; Higham and Mary, A
/// New Approach to Probabilistic Rounding Error Analysis, SIAM J. Sci. Comput. 41 (2019),
/// theorem 2.4 with lambda = 8.
double SumRoundings(int64_t k);
/// That as a bound: "28 eps for 49 terms, of the sum of magnitudes".
ErrorBound SumOfTerms(int64_t k, double sum_of_magnitudes);

/// `count` roundings, of the largest output.
BoundRule OutputBound(double count);
/// An elementary function, correct to kElementaryRoundings.
BoundRule ElementaryBound();
/// `count` roundings, of the largest output or input: where a difference may cancel.
BoundRule OperandBound(double count);
/// `count` roundings, of the larger of old and new content: an update in place.
BoundRule UpdateBound(double count);

/// A recurrence of `time` steps with `gates` gates (1 for RNNCell, 4 for LSTMCell, 3 for GRUCell,
/// whose time counts once for each feature), forward or backward, relative to its operands:
/// 4 (1 + backward) ceil(log2(k time)) eps with k = (2 gates + 1) forward and
/// (2 gates + 1) max(gates units, batch) backward. For weights that do not amplify (spectral radius
/// of u at most about 1).
/// Source: the thresholds of oneDNN's benchdnn for RNN primitives.
double RecurrenceBound(int64_t gates, int64_t units, int64_t batch, int64_t time, bool backward);

/// A count of terms, or of roundings, that depends on the use.
using BoundCount = std::function<double(const BoundContext&, int output)>;

/// As OutputBound.
BoundRule OutputBound(BoundCount count);

/// SumRoundings(terms), of the op's own formula over the magnitudes of its inputs, without an
/// activation (whose slope is at most 1): what the terms add up to before they cancel.
BoundRule SumBound(BoundCount terms);

/// So many terms as there are elements of input `input` for each element of the output, and one.
BoundRule ReductionBound(int input = 0);

/// "3 eps of the largest output" as a bound.
ErrorBound Roundings(double count, double scale, absl::string_view of);

/// The op's own formula over the magnitudes of its inputs: the largest element of output `o`.
absl::StatusOr<double> SumOfMagnitudes(const BoundContext& c, int o);

/// How often the most frequent of the indices occurs: the terms of a scatter-add.
int64_t MostRepeats(absl::Span<const int32_t> indices);

}  // namespace seqgraph
