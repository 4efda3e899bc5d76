#pragma once

// Sums and losses, all summed in double in an order that depends on the sizes and the target alone,
// and the largest of many.

#include <cstdint>

namespace seqgraph::kernels {

/// The sum of n floats.
double SumLoop(const float* x, int64_t n);

/// y[c] = sum over r of x[r, c], x being [rows, columns].
void SumRowsLoop(const float* x, int64_t rows, int64_t columns, float* y);

/// The largest |x|; NaN if there is one, 0 for n = 0.
float MaxAbsLoop(const float* x, int64_t n);

/// Mean of max(z, 0) - z y + log(1 + e^-|z|). NaN for n = 0.
float BceOnLogitsLoop(const float* z, const float* y, int64_t n);
/// dz = scale (sigmoid(z) - y) / n.
void BceOnLogitsGradLoop(const float* z, const float* y, float scale, int64_t n, float* dz);

}  // namespace seqgraph::kernels
