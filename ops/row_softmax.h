#pragma once

// The softmax of one row, in double, for the reference computations of Softmax and of the
// cross-entropies.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace seqgraph::ops {

/// log(sum of exp(x)) of a row, without overflow: m + log(sum of exp(x - m)), m = max x.
template <typename T>
double LogSumExp(const T* x, int64_t n) {
  double largest = x[0], sum = 0;
  for (int64_t k = 1; k < n; ++k) largest = std::max(largest, static_cast<double>(x[k]));
  for (int64_t k = 0; k < n; ++k) sum += std::exp(x[k] - largest);
  return largest + std::log(sum);
}

/// p = softmax(x) of a row.
template <typename T>
void RowSoftmax(const T* x, int64_t n, std::vector<double>& p) {
  double largest = x[0], sum = 0;
  for (int64_t k = 1; k < n; ++k) largest = std::max(largest, static_cast<double>(x[k]));
  p.resize(n);
  for (int64_t k = 0; k < n; ++k) sum += p[k] = std::exp(x[k] - largest);
  for (double& q : p) q /= sum;
}

}  // namespace seqgraph::ops
