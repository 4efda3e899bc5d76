#include "backends/onednn/cell_loops.h"

#include <cstring>

#include "backends/onednn/multiversion.h"
#include "backends/onednn/vector_math.h"

namespace seqgraph::onednn {
namespace {

template <Activation activation>
SEQ_ALWAYS_INLINE float Activate(float x) {
  if (activation == Activation::kRelu) return x < 0.0f ? 0.0f : x;  // NaN stays NaN
  if (activation == Activation::kSigmoid) return FastSigmoid(x);
  return FastTanh(x);
}

// The slope at the place where the activation is y.
template <Activation activation>
SEQ_ALWAYS_INLINE float Slope(float y) {
  if (activation == Activation::kRelu) return y > 0.0f ? 1.0f : 0.0f;
  if (activation == Activation::kSigmoid) return y * (1.0f - y);
  return 1.0f - y * y;
}

// Calls f<activation>(): inlined into each of the callers' versions.
#define SEQ_FOR_ACTIVATION(activation, f, ...) \
  switch (activation) {                        \
    case Activation::kTanh:                    \
      f<Activation::kTanh>(__VA_ARGS__);       \
      break;                                   \
    case Activation::kRelu:                    \
      f<Activation::kRelu>(__VA_ARGS__);       \
      break;                                   \
    case Activation::kSigmoid:                 \
      f<Activation::kSigmoid>(__VA_ARGS__);    \
      break;                                   \
    case Activation::kNone:                    \
      break;                                   \
  }

SEQ_ALWAYS_INLINE void CopyRow(const float* from, int64_t n, float* to) {
  std::memcpy(to, from, n * sizeof(float));
}
SEQ_ALWAYS_INLINE void ClearRow(int64_t n, float* row) { std::memset(row, 0, n * sizeof(float)); }

template <Activation act>
SEQ_ALWAYS_INLINE void SimpleForwardRows(const CellStep& s, const float* b, const float* gates,
                                         const float* h_before, float* h) {
  const int64_t n = s.units;
  for (int64_t r = 0; r < s.rows; ++r, gates += n, h_before += n, h += n) {
    if (!s.Counts(r)) {
      CopyRow(h_before, n, h);
      continue;
    }
    SEQ_INDEPENDENT
    for (int64_t j = 0; j < n; ++j) h[j] = Activate<act>(gates[j] + b[j]);
  }
}

template <Activation act>
SEQ_ALWAYS_INLINE void SimpleBackwardRows(const CellStep& s, const float* h, float* gates,
                                          float* dh) {
  const int64_t n = s.units;
  for (int64_t r = 0; r < s.rows; ++r, gates += n, h += n, dh += n) {
    if (!s.Counts(r)) {
      ClearRow(n, gates);
      continue;
    }
    SEQ_INDEPENDENT
    for (int64_t j = 0; j < n; ++j) {
      gates[j] = dh[j] * Slope<act>(h[j]);
      dh[j] = 0.0f;
    }
  }
}

template <Activation act>
SEQ_ALWAYS_INLINE void LstmForwardRows(const CellStep& s, const float* b, float* gates,
                                       const float* h_before, const float* c_before, float* h,
                                       float* c) {
  const int64_t n = s.units;
  for (int64_t r = 0; r < s.rows; ++r, h_before += n, c_before += n, h += n, c += n) {
    float* i = gates + r * 4 * n;
    float *f = i + n, *g = f + n, *o = g + n;
    if (!s.Counts(r)) {
      CopyRow(h_before, n, h);
      CopyRow(c_before, n, c);
      continue;
    }
    SEQ_INDEPENDENT
    for (int64_t j = 0; j < n; ++j) {
      i[j] = FastSigmoid(i[j] + b[j]);
      f[j] = FastSigmoid(f[j] + b[n + j]);
      g[j] = Activate<act>(g[j] + b[2 * n + j]);
      o[j] = FastSigmoid(o[j] + b[3 * n + j]);
      c[j] = f[j] * c_before[j] + i[j] * g[j];
      h[j] = o[j] * Activate<act>(c[j]);
    }
  }
}

template <Activation act>
SEQ_ALWAYS_INLINE void LstmBackwardRows(const CellStep& s, const float* c_before, const float* c,
                                        float* gates, float* dh, float* dc) {
  const int64_t n = s.units;
  for (int64_t r = 0; r < s.rows; ++r, c_before += n, c += n, dh += n, dc += n) {
    float* i = gates + r * 4 * n;
    float *f = i + n, *g = f + n, *o = g + n;
    if (!s.Counts(r)) {
      ClearRow(4 * n, i);
      continue;
    }
    SEQ_INDEPENDENT
    for (int64_t j = 0; j < n; ++j) {
      const float a = Activate<act>(c[j]);
      const float d = dc[j] + dh[j] * o[j] * Slope<act>(a);
      const float open = i[j];
      dc[j] = d * f[j];
      i[j] = d * g[j] * (open * (1.0f - open));
      f[j] = d * c_before[j] * (f[j] * (1.0f - f[j]));
      g[j] = d * open * Slope<act>(g[j]);
      o[j] = dh[j] * a * (o[j] * (1.0f - o[j]));
      dh[j] = 0.0f;
    }
  }
}

template <Activation act>
SEQ_ALWAYS_INLINE void GruAfterForwardRows(const CellStep& s, const float* b, float* gates,
                                           float* product, const float* h_before, float* h) {
  const int64_t n = s.units;
  for (int64_t row = 0; row < s.rows; ++row, product += n, h_before += n, h += n) {
    float* z = gates + row * 3 * n;
    float *r = z + n, *candidate = r + n;
    if (!s.Counts(row)) {
      CopyRow(h_before, n, h);
      continue;
    }
    SEQ_INDEPENDENT
    for (int64_t j = 0; j < n; ++j) {
      z[j] = FastSigmoid(z[j] + (b[j] + b[3 * n + j]));
      r[j] = FastSigmoid(r[j] + (b[n + j] + b[4 * n + j]));
      product[j] += b[5 * n + j];
      candidate[j] = Activate<act>(candidate[j] + b[2 * n + j] + r[j] * product[j]);
      h[j] = z[j] * h_before[j] + (1.0f - z[j]) * candidate[j];
    }
  }
}

template <Activation act>
SEQ_ALWAYS_INLINE void GruAfterBackwardRows(const CellStep& s, const float* h_before, float* gates,
                                            float* product, float* dh) {
  const int64_t n = s.units;
  for (int64_t row = 0; row < s.rows; ++row, product += n, h_before += n, dh += n) {
    float* z = gates + row * 3 * n;
    float *r = z + n, *candidate = r + n;
    if (!s.Counts(row)) {
      ClearRow(3 * n, z);
      ClearRow(n, product);
      continue;
    }
    SEQ_INDEPENDENT
    for (int64_t j = 0; j < n; ++j) {
      const float d = dh[j] * (1.0f - z[j]) * Slope<act>(candidate[j]);
      const float dz = dh[j] * (h_before[j] - candidate[j]) * (z[j] * (1.0f - z[j]));
      const float dr = d * product[j] * (r[j] * (1.0f - r[j]));
      dh[j] *= z[j];
      product[j] = d * r[j];
      candidate[j] = d;
      z[j] = dz;
      r[j] = dr;
    }
  }
}

template <Activation act>
SEQ_ALWAYS_INLINE void GruBeforeForwardStateRows(const CellStep& s, const float* b, float* gates,
                                                 const float* h_before, float* h) {
  const int64_t n = s.units;
  for (int64_t row = 0; row < s.rows; ++row, h_before += n, h += n) {
    const float* z = gates + row * 3 * n;
    float* candidate = gates + row * 3 * n + 2 * n;
    if (!s.Counts(row)) {
      CopyRow(h_before, n, h);
      continue;
    }
    SEQ_INDEPENDENT
    for (int64_t j = 0; j < n; ++j) {
      candidate[j] = Activate<act>(candidate[j] + b[2 * n + j]);
      h[j] = z[j] * h_before[j] + (1.0f - z[j]) * candidate[j];
    }
  }
}

template <Activation act>
SEQ_ALWAYS_INLINE void GruBeforeBackwardStateRows(const CellStep& s, const float* h_before,
                                                  float* gates, float* dh) {
  const int64_t n = s.units;
  for (int64_t row = 0; row < s.rows; ++row, h_before += n, dh += n) {
    float* z = gates + row * 3 * n;
    float* candidate = z + 2 * n;
    if (!s.Counts(row)) {
      ClearRow(n, z);
      ClearRow(n, candidate);
      continue;
    }
    SEQ_INDEPENDENT
    for (int64_t j = 0; j < n; ++j) {
      const float d = dh[j] * (1.0f - z[j]) * Slope<act>(candidate[j]);
      const float dz = dh[j] * (h_before[j] - candidate[j]) * (z[j] * (1.0f - z[j]));
      dh[j] *= z[j];
      candidate[j] = d;
      z[j] = dz;
    }
  }
}

}  // namespace

SEQ_MULTIVERSION
void SimpleForward(const CellStep& s, const float* b, const float* gates, const float* h_before,
                   float* h){
    SEQ_FOR_ACTIVATION(s.activation, SimpleForwardRows, s, b, gates, h_before, h)}

SEQ_MULTIVERSION void SimpleBackward(const CellStep& s, const float* h, float* gates, float* dh){
    SEQ_FOR_ACTIVATION(s.activation, SimpleBackwardRows, s, h, gates, dh)}

SEQ_MULTIVERSION void LstmForward(const CellStep& s, const float* b, float* gates,
                                  const float* h_before, const float* c_before, float* h, float* c){
    SEQ_FOR_ACTIVATION(s.activation, LstmForwardRows, s, b, gates, h_before, c_before, h, c)}

SEQ_MULTIVERSION void LstmBackward(const CellStep& s, const float* c_before, const float* c,
                                   float* gates, float* dh, float* dc){
    SEQ_FOR_ACTIVATION(s.activation, LstmBackwardRows, s, c_before, c, gates, dh, dc)}

SEQ_MULTIVERSION void GruAfterForward(const CellStep& s, const float* b, float* gates,
                                      float* product, const float* h_before, float* h){
    SEQ_FOR_ACTIVATION(s.activation, GruAfterForwardRows, s, b, gates, product, h_before, h)}

SEQ_MULTIVERSION void GruAfterBackward(const CellStep& s, const float* h_before, float* gates,
                                       float* product, float* dh){
    SEQ_FOR_ACTIVATION(s.activation, GruAfterBackwardRows, s, h_before, gates, product, dh)}

SEQ_MULTIVERSION void GruBeforeForwardReset(const CellStep& s, const float* b, float* gates,
                                            float* reset, const float* h_before) {
  const int64_t n = s.units;
  for (int64_t row = 0; row < s.rows; ++row, reset += n, h_before += n) {
    float* z = gates + row * 3 * n;
    float* r = z + n;
    if (!s.Counts(row)) {
      ClearRow(n, reset);
      continue;
    }
    SEQ_INDEPENDENT
    for (int64_t j = 0; j < n; ++j) {
      z[j] = FastSigmoid(z[j] + b[j]);
      r[j] = FastSigmoid(r[j] + b[n + j]);
      reset[j] = r[j] * h_before[j];
    }
  }
}

SEQ_MULTIVERSION
void GruBeforeForwardState(const CellStep& s, const float* b, float* gates, const float* h_before,
                           float* h){
    SEQ_FOR_ACTIVATION(s.activation, GruBeforeForwardStateRows, s, b, gates, h_before, h)}

SEQ_MULTIVERSION
    void GruBeforeBackwardState(const CellStep& s, const float* h_before, float* gates, float* dh){
        SEQ_FOR_ACTIVATION(s.activation, GruBeforeBackwardStateRows, s, h_before, gates, dh)}

SEQ_MULTIVERSION void GruBeforeBackwardReset(const CellStep& s, const float* h_before,
                                             const float* d_reset, float* gates, float* dh) {
  const int64_t n = s.units;
  for (int64_t row = 0; row < s.rows; ++row, h_before += n, d_reset += n, dh += n) {
    float* r = gates + row * 3 * n + n;
    if (!s.Counts(row)) {
      ClearRow(n, r);
      continue;
    }
    SEQ_INDEPENDENT
    for (int64_t j = 0; j < n; ++j) {
      const float open = r[j];
      dh[j] += d_reset[j] * open;
      r[j] = d_reset[j] * h_before[j] * (open * (1.0f - open));
    }
  }
}

}  // namespace seqgraph::onednn
