#include "backends/onednn/math_loops.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "backends/onednn/multiversion.h"

namespace seqgraph::onednn {
namespace {

constexpr int64_t kLanes = 16;

// Neither branch overflows; NaN takes the second.
template <typename T>
T SigmoidOf(T x) {
  if (x >= T{0}) return T{1} / (T{1} + std::exp(-x));
  const T e = std::exp(x);
  return e / (T{1} + e);
}

// Sixteen partial sums whatever the vector width, so every instruction set gives the same bits.
SEQ_ALWAYS_INLINE float Dot(const float* a, const float* b, int64_t n) {
  float lanes[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int64_t j = 0; j < kLanes; ++j) lanes[j] += a[i + j] * b[i + j];
  }
  for (int64_t j = 0; i < n; ++i, ++j) lanes[j] += a[i] * b[i];
  for (int64_t width = kLanes / 2; width > 0; width /= 2) {
    for (int64_t j = 0; j < width; ++j) lanes[j] += lanes[j + width];
  }
  return lanes[0];
}

}  // namespace

void Tanh(const float* x, int64_t n, float* y) {
  SEQ_INDEPENDENT
  for (int64_t i = 0; i < n; ++i) y[i] = std::tanh(x[i]);
}

SEQ_MULTIVERSION
void Relu(const float* x, int64_t n, float* y) {
  SEQ_INDEPENDENT
  for (int64_t i = 0; i < n; ++i) y[i] = x[i] < 0.0f ? 0.0f : x[i];
}

void Sigmoid(const float* x, int64_t n, float* y) {
  SEQ_INDEPENDENT
  for (int64_t i = 0; i < n; ++i) y[i] = SigmoidOf(x[i]);
}

SEQ_MULTIVERSION
void TanhGrad(const float* y, const float* dy, int64_t n, float* dx) {
  SEQ_INDEPENDENT
  for (int64_t i = 0; i < n; ++i) dx[i] = dy[i] * (1.0f - y[i] * y[i]);
}

SEQ_MULTIVERSION
void ReluGrad(const float* y, const float* dy, int64_t n, float* dx) {
  SEQ_INDEPENDENT
  for (int64_t i = 0; i < n; ++i) dx[i] = y[i] > 0.0f ? dy[i] : 0.0f;
}

SEQ_MULTIVERSION
void SigmoidGrad(const float* y, const float* dy, int64_t n, float* dx) {
  SEQ_INDEPENDENT
  for (int64_t i = 0; i < n; ++i) dx[i] = dy[i] * (y[i] * (1.0f - y[i]));
}

SEQ_MULTIVERSION
void Add(const float* a, const float* b, int64_t n, float* y) {
  SEQ_INDEPENDENT
  for (int64_t i = 0; i < n; ++i) y[i] = a[i] + b[i];
}

SEQ_MULTIVERSION
void Subtract(const float* a, const float* b, int64_t n, float* y) {
  SEQ_INDEPENDENT
  for (int64_t i = 0; i < n; ++i) y[i] = a[i] - b[i];
}

SEQ_MULTIVERSION
void Multiply(const float* a, const float* b, int64_t n, float* y) {
  SEQ_INDEPENDENT
  for (int64_t i = 0; i < n; ++i) y[i] = a[i] * b[i];
}

SEQ_MULTIVERSION
void Divide(const float* a, const float* b, int64_t n, float* y) {
  SEQ_INDEPENDENT
  for (int64_t i = 0; i < n; ++i) y[i] = a[i] / b[i];
}

SEQ_MULTIVERSION
void Maximum(const float* a, const float* b, int64_t n, float* y) {
  SEQ_INDEPENDENT
  for (int64_t i = 0; i < n; ++i) y[i] = a[i] != a[i] || a[i] >= b[i] ? a[i] : b[i];
}

SEQ_MULTIVERSION
void Abs(const float* x, int64_t n, float* y) {
  SEQ_INDEPENDENT
  for (int64_t i = 0; i < n; ++i) y[i] = std::fabs(x[i]);
}

SEQ_MULTIVERSION
void Sqrt(const float* x, int64_t n, float* y) {
  SEQ_INDEPENDENT
  for (int64_t i = 0; i < n; ++i) y[i] = std::sqrt(x[i]);
}

SEQ_MULTIVERSION
void Scale(const float* x, float factor, int64_t n, float* y) {
  SEQ_INDEPENDENT
  for (int64_t i = 0; i < n; ++i) y[i] = factor * x[i];
}

SEQ_MULTIVERSION
void AddRowVector(const float* x, const float* b, int64_t rows, int64_t cols, float* y) {
  for (int64_t r = 0; r < rows; ++r, x += cols, y += cols) {
    for (int64_t c = 0; c < cols; ++c) y[c] = x[c] + b[c];
  }
}

SEQ_MULTIVERSION
void SumRows(const float* x, int64_t rows, int64_t cols, float* y) {
  constexpr int64_t kBlock = 64;  // columns whose sums stay in registers or the first cache
  double sums[kBlock];
  for (int64_t c0 = 0; c0 < cols; c0 += kBlock) {
    const int64_t width = std::min(kBlock, cols - c0);
    std::fill(sums, sums + width, 0.0);
    for (int64_t r = 0; r < rows; ++r) {
      const float* row = x + r * cols + c0;
      for (int64_t c = 0; c < width; ++c) sums[c] += row[c];
    }
    for (int64_t c = 0; c < width; ++c) y[c0 + c] = static_cast<float>(sums[c]);
  }
}

SEQ_MULTIVERSION
double Sum(const float* x, int64_t n) {
  double lanes[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int64_t j = 0; j < kLanes; ++j) lanes[j] += x[i + j];
  }
  for (int64_t j = 0; i < n; ++i, ++j) lanes[j] += x[i];
  double sum = 0.0;
  for (double lane : lanes) sum += lane;
  return sum;
}

// As integers the magnitudes of floats keep their order, with NaN above Inf.
SEQ_MULTIVERSION
float MaxAbs(const float* x, int64_t n) {
  uint32_t largest = 0;
  for (int64_t i = 0; i < n; ++i) {
    uint32_t bits;
    std::memcpy(&bits, x + i, sizeof(bits));
    bits &= 0x7fffffffu;
    largest = largest < bits ? bits : largest;
  }
  float result;
  std::memcpy(&result, &largest, sizeof(result));
  return result;
}

SEQ_MULTIVERSION
void DenseOneUnit(const float* x, const float* w, const float* b, int64_t rows, int64_t cols,
                  float* y) {
  const float bias = b == nullptr ? 0.0f : *b;
  for (int64_t r = 0; r < rows; ++r) y[r] = Dot(x + r * cols, w, cols) + bias;
}

SEQ_MULTIVERSION
void DenseOneUnitGrad(const float* x, const float* w, const float* dy, int64_t rows, int64_t cols,
                      float* dx, float* dw, float* db) {
  if (dw != nullptr) std::memset(dw, 0, cols * sizeof(float));
  for (int64_t r = 0; r < rows; ++r) {
    const float g = dy[r];
    if (dx != nullptr) {
      float* __restrict row = dx + r * cols;
      for (int64_t c = 0; c < cols; ++c) row[c] = g * w[c];
    }
    if (dw != nullptr) {
      const float* row = x + r * cols;
      float* __restrict sums = dw;
      for (int64_t c = 0; c < cols; ++c) sums[c] += g * row[c];
    }
  }
  if (db != nullptr) *db = static_cast<float>(Sum(dy, rows));
}

float BceOnLogits(const float* z, const float* y, int64_t n) {
  double sum = 0.0;
  for (int64_t i = 0; i < n; ++i) {
    const double zi = z[i];
    // Not std::max: a NaN logit must reach the loss.
    const double positive = zi < 0.0 ? 0.0 : zi;
    sum += positive - zi * y[i] + std::log1p(std::exp(-std::abs(zi)));
  }
  return static_cast<float>(sum / static_cast<double>(n));
}

void BceOnLogitsGrad(const float* z, const float* y, float scale, int64_t n, float* dz) {
  const double factor = static_cast<double>(scale) / static_cast<double>(n);
  for (int64_t i = 0; i < n; ++i) {
    dz[i] = static_cast<float>(factor * (SigmoidOf<double>(z[i]) - y[i]));
  }
}

// In double, for in float 1 - 1e-7 would be 1 - 1.2e-7.
float BceOnProbabilities(const float* p, const float* y, double epsilon, int64_t n) {
  double sum = 0.0;
  for (int64_t i = 0; i < n; ++i) {
    const double q = std::clamp<double>(p[i], epsilon, 1.0 - epsilon);
    sum -= y[i] * std::log(q) + (1.0 - y[i]) * std::log(1.0 - q);
  }
  return static_cast<float>(sum / static_cast<double>(n));
}

void BceOnProbabilitiesGrad(const float* p, const float* y, double epsilon, float scale, int64_t n,
                            float* dp) {
  const double factor = static_cast<double>(scale) / static_cast<double>(n);
  for (int64_t i = 0; i < n; ++i) {
    const double q = p[i];
    const bool clipped = q < epsilon || q > 1.0 - epsilon;
    dp[i] = clipped ? 0.0f : static_cast<float>(factor * (q - y[i]) / (q * (1.0 - q)));
  }
}

// The coefficients are rounded to float once, 1 - rho as a whole, as numpy and Keras round them.
SEQ_MULTIVERSION
void RmsPropUpdate(const float* w, const float* g, const float* v, float learning_rate, double rho,
                   double epsilon, int64_t n, float* new_w, float* new_v) {
  const float decay = static_cast<float>(rho);
  const float rest = static_cast<float>(1.0 - rho);
  const float small = static_cast<float>(epsilon);
  SEQ_INDEPENDENT
  for (int64_t i = 0; i < n; ++i) {
    const float square = decay * v[i] + rest * (g[i] * g[i]);
    const float step = learning_rate * g[i] / std::sqrt(square + small);
    new_v[i] = square;
    new_w[i] = w[i] - step;
  }
}

void RmsPropGeneralUpdate(const float* w, const float* g, const float* v, const float* m,
                          const float* a, float learning_rate, double rho, double momentum,
                          double epsilon, int64_t n, float* new_w, float* new_v, float* new_m,
                          float* new_a) {
  const float decay = static_cast<float>(rho);
  const float rest = static_cast<float>(1.0 - rho);
  const float inertia = static_cast<float>(momentum);
  const float small = static_cast<float>(epsilon);
  for (int64_t i = 0; i < n; ++i) {
    const float gradient = g[i];
    const float square = decay * v[i] + rest * (gradient * gradient);
    float variance = square;
    if (a != nullptr) {
      const float average = decay * a[i] + rest * gradient;
      variance = square - average * average;
      new_a[i] = average;
    }
    float step = learning_rate * gradient / std::sqrt(variance + small);
    if (m != nullptr) {
      step = inertia * m[i] + step;
      new_m[i] = step;
    }
    new_v[i] = square;
    new_w[i] = w[i] - step;
  }
}

SEQ_MULTIVERSION
void SgdUpdate(const float* w, const float* g, float learning_rate, int64_t n, float* new_w) {
  SEQ_INDEPENDENT
  for (int64_t i = 0; i < n; ++i) new_w[i] = w[i] - learning_rate * g[i];
}

SEQ_MULTIVERSION
void SgdMomentumUpdate(const float* w, const float* g, const float* m, float learning_rate,
                       double momentum, bool nesterov, int64_t n, float* new_w, float* new_m) {
  const float inertia = static_cast<float>(momentum);
  if (nesterov) {
    SEQ_INDEPENDENT
    for (int64_t i = 0; i < n; ++i) {
      const float step = learning_rate * g[i];
      const float velocity = inertia * m[i] - step;
      new_m[i] = velocity;
      new_w[i] = w[i] + (inertia * velocity - step);
    }
    return;
  }
  SEQ_INDEPENDENT
  for (int64_t i = 0; i < n; ++i) {
    const float velocity = inertia * m[i] - learning_rate * g[i];
    new_m[i] = velocity;
    new_w[i] = w[i] + velocity;
  }
}

SEQ_MULTIVERSION
void AdamUpdate(const float* w, const float* g, const float* m, const float* v, float alpha,
                double beta1, double beta2, double epsilon, int64_t n, float* new_w, float* new_m,
                float* new_v) {
  const float rest1 = static_cast<float>(1.0 - beta1);
  const float rest2 = static_cast<float>(1.0 - beta2);
  const float small = static_cast<float>(epsilon);
  SEQ_INDEPENDENT
  for (int64_t i = 0; i < n; ++i) {
    const float mean = m[i] + rest1 * (g[i] - m[i]);
    const float square = v[i] + rest2 * (g[i] * g[i] - v[i]);
    new_m[i] = mean;
    new_v[i] = square;
    new_w[i] = w[i] - alpha * mean / (std::sqrt(square) + small);
  }
}

}  // namespace seqgraph::onednn
