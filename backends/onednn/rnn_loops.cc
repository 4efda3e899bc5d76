#include "backends/onednn/rnn_loops.h"

#include <cmath>
#include <cstring>
#include <vector>

#include "backends/kernels/elementwise_loops.h"

namespace seqgraph::onednn {
namespace {

// out[j] += sum over i of a[i] m[i, j]; m is [rows, cols].
void AddVectorMatrix(const float* a, const float* m, int64_t rows, int64_t cols, float* out) {
  for (int64_t i = 0; i < rows; ++i, m += cols) {
    const float factor = a[i];
    for (int64_t j = 0; j < cols; ++j) out[j] += factor * m[j];
  }
}

// m[i, j] += a[i] b[j]; m is [rows, cols].
void AddOuterProduct(const float* a, const float* b, int64_t rows, int64_t cols, float* m) {
  for (int64_t i = 0; i < rows; ++i, m += cols) {
    const float factor = a[i];
    for (int64_t j = 0; j < cols; ++j) m[j] += factor * b[j];
  }
}

void Activate(Activation activation, int64_t n, float* h) {
  switch (activation) {
    case Activation::kTanh:
      return kernels::TanhLoop(h, n, h);
    case Activation::kRelu:
      return kernels::ReluLoop(h, n, h);
    case Activation::kSigmoid:
      return kernels::SigmoidLoop(h, n, h);
    default:
      return;
  }
}

void ActivationGrad(Activation activation, const float* h, int64_t n, float* d) {
  switch (activation) {
    case Activation::kTanh:
      return kernels::TanhGradLoop(h, d, n, d);
    case Activation::kRelu:
      // A product, as in the definition: NaN times zero stays NaN.
      for (int64_t i = 0; i < n; ++i) d[i] *= h[i] > 0.0f ? 1.0f : 0.0f;
      return;
    case Activation::kSigmoid:
      return kernels::SigmoidGradLoop(h, d, n, d);
    default:
      return;
  }
}

void Clear(float* values, int64_t n) {
  if (values != nullptr) std::memset(values, 0, n * sizeof(float));
}

}  // namespace

void RnnForwardLoops(const RnnConfig& c, int64_t y_width, const RnnForwardArgs& a) {
  const int64_t n = c.units;
  // Without h0 the state before the first step is zeros, times u as any other: zero times infinity
  // is NaN.
  const std::vector<float> zeros(n);
  for (int64_t t = 0; t < c.time; ++t) {
    for (int64_t b = 0; b < c.batch; ++b) {
      const float* x = a.x + (t * c.batch + b) * c.x_width;
      float* h = a.y + (t * c.batch + b) * y_width;
      for (int64_t j = 0; j < n; ++j) h[j] = a.b == nullptr ? 0.0f : a.b[j];
      if (c.projected) {
        kernels::AddLoop(h, x, n, h);
      } else {
        AddVectorMatrix(x, a.w, c.features, n, h);
      }
      const float* before = t > 0 ? h - c.batch * y_width : zeros.data();
      if (t == 0 && a.h0 != nullptr) before = a.h0 + b * n;
      AddVectorMatrix(before, a.u, n, n, h);
      Activate(c.activation, n, h);
    }
  }
}

// The transposed weights (each row one input's) and one row of gradient.
size_t RnnBackwardLoopsScratch(const RnnConfig& c) {
  return (c.features * c.units + c.units * c.units + 2 * c.units) * sizeof(float);
}

void RnnBackwardLoops(const RnnConfig& c, const RnnBackwardArgs& a) {
  const int64_t n = c.units;
  const int64_t features = c.features;
  float* w_transposed = static_cast<float*>(a.scratch);
  float* u_transposed = w_transposed + features * n;
  float* dz = u_transposed + n * n;
  float* dh = dz + n;
  for (int64_t j = 0; j < n; ++j) {
    if (!c.projected) {
      for (int64_t i = 0; i < features; ++i) w_transposed[j * features + i] = a.w[i * n + j];
    }
    for (int64_t i = 0; i < n; ++i) u_transposed[j * n + i] = a.u[i * n + j];
  }
  Clear(a.dw, c.projected ? 0 : features * n);
  Clear(a.du, n * n);
  Clear(a.db, n);
  Clear(a.dx, c.batch * c.time * features);
  for (int64_t b = 0; b < c.batch; ++b) {
    Clear(dh, n);
    if (a.dh_last != nullptr) std::memcpy(dh, a.dh_last + b * n, n * sizeof(float));
    for (int64_t t = c.time - 1; t >= 0; --t) {
      const int64_t row = b * c.time + t;
      const float* h = a.y + row * n;
      std::memcpy(dz, dh, n * sizeof(float));
      if (a.dy != nullptr) kernels::AddLoop(dz, a.dy + row * n, n, dz);
      ActivationGrad(c.activation, h, n, dz);
      const float* before = t > 0 ? h - n : a.h0 == nullptr ? nullptr : a.h0 + b * n;
      if (a.du != nullptr && before != nullptr) AddOuterProduct(before, dz, n, n, a.du);
      if (a.db != nullptr) kernels::AddLoop(a.db, dz, n, a.db);
      if (a.dx != nullptr && c.projected) std::memcpy(a.dx + row * n, dz, n * sizeof(float));
      if (a.dx != nullptr && !c.projected) {
        AddVectorMatrix(dz, w_transposed, n, features, a.dx + row * features);
      }
      if (a.dw != nullptr && !c.projected) {
        AddOuterProduct(a.x + row * features, dz, features, n, a.dw);
      }
      Clear(dh, n);
      AddVectorMatrix(dz, u_transposed, n, n, dh);
    }
    if (a.dh0 != nullptr) std::memcpy(a.dh0 + b * n, dh, n * sizeof(float));
  }
}

}  // namespace seqgraph::onednn
