#ifndef SEQGRAPH_BACKENDS_ONEDNN_MATH_LOOPS_H_
#define SEQGRAPH_BACKENDS_ONEDNN_MATH_LOOPS_H_

// Arithmetic where oneDNN has no primitive or calling one costs more than the work: activations and
// their gradients, the dense layer with one unit, losses, optimizer updates, sums. `n` counts
// floats; an output may be the very array of an input of the same length, never a part of one.
// Sums have one fixed order.

#include <cstdint>

namespace seqgraph::onednn {

void Tanh(const float* x, int64_t n, float* y);
void Relu(const float* x, int64_t n, float* y);     ///< NaN stays NaN
void Sigmoid(const float* x, int64_t n, float* y);  ///< 1 / (1 + e^-x), no overflow

/// dx = dy * f'(x), from the output y = f(x).
void TanhGrad(const float* y, const float* dy, int64_t n, float* dx);
void ReluGrad(const float* y, const float* dy, int64_t n, float* dx);
void SigmoidGrad(const float* y, const float* dy, int64_t n, float* dx);

void Add(const float* a, const float* b, int64_t n, float* y);
void Subtract(const float* a, const float* b, int64_t n, float* y);
void Multiply(const float* a, const float* b, int64_t n, float* y);
void Divide(const float* a, const float* b, int64_t n, float* y);
void Maximum(const float* a, const float* b, int64_t n, float* y);  ///< NaN where one is
void Abs(const float* x, int64_t n, float* y);
void Sqrt(const float* x, int64_t n, float* y);
void Scale(const float* x, float factor, int64_t n, float* y);

/// y[r, c] = x[r, c] + b[c].
void AddRowVector(const float* x, const float* b, int64_t rows, int64_t cols, float* y);

/// y[c] = sum over r of x[r, c], each column summed in double.
void SumRows(const float* x, int64_t rows, int64_t cols, float* y);

/// Sum of n floats in double: 16 lanes, then the lanes in order.
double Sum(const float* x, int64_t n);

/// Largest |x|; NaN if there is one. 0 for n = 0.
float MaxAbs(const float* x, int64_t n);

/// y[r] = x[r, :] . w + b, b null for 0. x is [rows, cols].
void DenseOneUnit(const float* x, const float* w, const float* b, int64_t rows, int64_t cols,
                  float* y);
/// dx[r, c] = dy[r] w[c]; dw[c] = sum over r of x[r, c] dy[r]; db = sum of dy. Null: not wanted.
void DenseOneUnitGrad(const float* x, const float* w, const float* dy, int64_t rows, int64_t cols,
                      float* dx, float* dw, float* db);

/// Mean of max(z, 0) - z y + log(1 + e^-|z|), summed in double.
float BceOnLogits(const float* z, const float* y, int64_t n);
/// dz = scale (sigmoid(z) - y) / n.
void BceOnLogitsGrad(const float* z, const float* y, float scale, int64_t n, float* dz);

/// Mean of -(y log p + (1 - y) log(1 - p)), p clipped to [epsilon, 1 - epsilon], summed in double.
float BceOnProbabilities(const float* p, const float* y, double epsilon, int64_t n);
/// dp = scale (p - y) / (p (1 - p)) / n inside the clip, 0 outside.
void BceOnProbabilitiesGrad(const float* p, const float* y, double epsilon, float scale, int64_t n,
                            float* dp);

/// v = rho v + (1 - rho) g^2;  w = w - lr g / sqrt(v + epsilon).
void RmsPropUpdate(const float* w, const float* g, const float* v, float learning_rate, double rho,
                   double epsilon, int64_t n, float* new_w, float* new_v);
/// With momentum and centring, each left out by a null m or a:
/// a = rho a + (1 - rho) g;  d = v - a^2 + epsilon;  m = momentum m + lr g / sqrt(d);  w = w - m.
void RmsPropGeneralUpdate(const float* w, const float* g, const float* v, const float* m,
                          const float* a, float learning_rate, double rho, double momentum,
                          double epsilon, int64_t n, float* new_w, float* new_v, float* new_m,
                          float* new_a);
/// w = w - lr g.
void SgdUpdate(const float* w, const float* g, float learning_rate, int64_t n, float* new_w);
/// m = momentum m - lr g;  w = w + m, or w + momentum m - lr g with Nesterov's look-ahead.
void SgdMomentumUpdate(const float* w, const float* g, const float* m, float learning_rate,
                       double momentum, bool nesterov, int64_t n, float* new_w, float* new_m);
/// m = m + (1 - beta1)(g - m);  v = v + (1 - beta2)(g^2 - v);
/// w = w - alpha m / (sqrt(v) + epsilon) with alpha = lr sqrt(1 - beta2^t) / (1 - beta1^t).
void AdamUpdate(const float* w, const float* g, const float* m, const float* v, float alpha,
                double beta1, double beta2, double epsilon, int64_t n, float* new_w, float* new_m,
                float* new_v);

}  // namespace seqgraph::onednn

#endif  // SEQGRAPH_BACKENDS_ONEDNN_MATH_LOOPS_H_
