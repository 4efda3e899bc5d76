#pragma once

// Optimizer updates, with the operations of the reference in their order, each rounded by itself:
// the same bits on every target. `n` counts floats; an output may be the very array of the input it
// replaces. Coefficients are rounded to float once, 1 - rho as a whole, as Keras rounds them.

#include <cstdint>

namespace seqgraph::kernels {

/// m = momentum m - lr g;  w = w + m, or w + (momentum m - lr g) with Nesterov's look-ahead. With a
/// null m: w = w - lr g.
void SgdLoop(const float* w, const float* g, const float* m, float lr, double momentum,
             bool nesterov, int64_t n, float* new_w, float* new_m);

/// v = rho v + (1 - rho) g^2;  a = rho a + (1 - rho) g;  d = v - a^2 + epsilon;
/// m = momentum m + lr g / sqrt(d);  w = w - m. A null m or a leaves out momentum or centring.
void RmsPropLoop(const float* w, const float* g, const float* v, const float* m, const float* a,
                 float lr, double rho, double momentum, double epsilon, int64_t n, float* new_w,
                 float* new_v, float* new_m, float* new_a);

/// m = m + (g - m)(1 - beta1);  v = v + (g^2 - v)(1 - beta2);  w = w - m alpha / (sqrt(v) +
/// epsilon).
void AdamLoop(const float* w, const float* g, const float* m, const float* v, float alpha,
              double beta1, double beta2, double epsilon, int64_t n, float* new_w, float* new_m,
              float* new_v);

}  // namespace seqgraph::kernels
