#pragma once

// For tests: a recurrence with random data, its results and gradients computed in double straight
// from the formulas, and the bound within which float results must agree with them.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "backends/onednn/rnn_primitive.h"

namespace seqgraph::onednn {

using Floats = std::vector<float>;
using Doubles = std::vector<double>;

/// x, y and their gradients are [time, batch, .], dense and unpadded here.
struct RnnData {
  Floats x, h0, w, u, b, dy, dh_last;
};

struct RnnResults {
  Doubles y, h_last, dx, dh0, dw, du, db;
};

/// Weights scaled by 1 / sqrt(fan-in), so that rounding differences fade instead of growing.
inline RnnData RandomRnnData(const RnnConfig& c, uint32_t seed) {
  std::mt19937 rng(seed);
  const auto fill = [&rng](int64_t n, double scale) {
    std::uniform_real_distribution<float> values(-0.5f, 0.5f);
    Floats result(n);
    for (float& v : result) v = static_cast<float>(scale) * values(rng);
    return result;
  };
  const int64_t rows = c.time * c.batch;
  RnnData d;
  d.x = fill(rows * c.features, 2.0);
  d.h0 = fill(c.batch * c.units, 1.0);
  d.w = fill(c.features * c.units, 2.0 / std::sqrt(static_cast<double>(c.features)));
  d.u = fill(c.units * c.units, 2.0 / std::sqrt(static_cast<double>(c.units)));
  d.b = fill(c.units, 0.4);
  d.dy = fill(rows * c.units, 1.0);
  d.dh_last = fill(c.batch * c.units, 2.0);
  return d;
}

inline double ActivationOf(Activation activation, double z) {
  if (activation == Activation::kTanh) return std::tanh(z);
  if (activation == Activation::kRelu) return z < 0 ? 0.0 : z;
  return 1.0 / (1.0 + std::exp(-z));
}

inline double DerivativeOf(Activation activation, double h) {
  if (activation == Activation::kTanh) return 1.0 - h * h;
  if (activation == Activation::kRelu) return h > 0 ? 1.0 : 0.0;
  return h * (1.0 - h);
}

/// Back-propagation through time, written out. Empty members of `d` count as zeros.
inline RnnResults RnnOracle(const RnnConfig& c, const RnnData& d) {
  const int64_t n = c.units;
  const int64_t f = c.features;
  RnnResults r;
  r.y.assign(c.time * c.batch * n, 0.0);
  r.h_last.assign(c.batch * n, 0.0);
  r.dx.assign(c.time * c.batch * f, 0.0);
  r.dh0.assign(c.batch * n, 0.0);
  r.dw.assign(f * n, 0.0);
  r.du.assign(n * n, 0.0);
  r.db.assign(n, 0.0);
  const auto at = [](const Floats& v, int64_t i) { return v.empty() ? 0.0 : double{v[i]}; };
  const auto state = [&](int64_t t, int64_t b, int64_t k) {
    return t < 0 ? at(d.h0, b * n + k) : r.y[(t * c.batch + b) * n + k];
  };
  for (int64_t t = 0; t < c.time; ++t) {
    for (int64_t b = 0; b < c.batch; ++b) {
      for (int64_t j = 0; j < n; ++j) {
        const int64_t row = t * c.batch + b;
        double z = at(d.b, j);
        if (c.projected) z += d.x[row * n + j];
        for (int64_t i = 0; i < f && !c.projected; ++i) {
          z += double{d.x[row * f + i]} * d.w[i * n + j];
        }
        for (int64_t k = 0; k < n; ++k) z += state(t - 1, b, k) * d.u[k * n + j];
        r.y[row * n + j] = ActivationOf(c.activation, z);
        if (t == c.time - 1) r.h_last[b * n + j] = r.y[row * n + j];
      }
    }
  }
  for (int64_t b = 0; b < c.batch; ++b) {
    Doubles dh(n);
    for (int64_t j = 0; j < n; ++j) dh[j] = at(d.dh_last, b * n + j);
    for (int64_t t = c.time - 1; t >= 0; --t) {
      const int64_t row = t * c.batch + b;
      Doubles dz(n);
      for (int64_t j = 0; j < n; ++j) {
        dz[j] = (dh[j] + at(d.dy, row * n + j)) * DerivativeOf(c.activation, r.y[row * n + j]);
        r.db[j] += dz[j];
        for (int64_t k = 0; k < n; ++k) r.du[k * n + j] += state(t - 1, b, k) * dz[j];
        if (c.projected) r.dx[row * n + j] = dz[j];
        for (int64_t i = 0; i < f && !c.projected; ++i) {
          r.dw[i * n + j] += d.x[row * f + i] * dz[j];
          r.dx[row * f + i] += d.w[i * n + j] * dz[j];
        }
      }
      for (int64_t k = 0; k < n; ++k) {
        dh[k] = 0.0;
        for (int64_t j = 0; j < n; ++j) dh[k] += d.u[k * n + j] * dz[j];
      }
    }
    for (int64_t k = 0; k < n; ++k) r.dh0[b * n + k] = dh[k];
  }
  return r;
}

/// Largest difference as a share of the largest magnitude of the tensor; infinity for a NaN.
inline double RelativeError(const Floats& got, const Doubles& want) {
  double difference = 0.0;
  double magnitude = 0.0;
  for (size_t i = 0; i < want.size(); ++i) {
    const double d = std::abs(got[i] - want[i]);
    difference = d >= 0 ? std::max(difference, d) : INFINITY;
    magnitude = std::max(magnitude, std::abs(want[i]));
  }
  if (difference == 0.0) return 0.0;
  return magnitude == 0.0 ? INFINITY : difference / magnitude;
}

/// oneDNN's own test policy for relative norms: 4 eps log2(length of the longest sum) forward,
/// twice that backward; and 4 for safety because this is the largest element, not a norm.
inline double RnnBound(const RnnConfig& c, bool backward) {
  constexpr double kEpsilon = 1.1920928955078125e-7;
  const double sum = static_cast<double>((c.features + c.units + 1) * c.time *
                                         (backward ? std::max(c.units, c.batch) : 1));
  return 4.0 * 4.0 * (backward ? 2.0 : 1.0) * std::ceil(std::log2(sum)) * kEpsilon;
}

/// Float results to hold against the oracle's; an empty one was not asked for.
struct RnnFloats {
  Floats y, h_last, dx, dh0, dw, du, db;
};

/// "" if all of `got` lies within the bounds of `want`; otherwise the tensors that do not, each
/// with measured / allowed.
inline std::string Compare(const RnnConfig& c, const RnnFloats& got, const RnnResults& want) {
  std::string faults;
  const auto check = [&](const char* name, const Floats& g, const Doubles& w, bool backward) {
    if (g.empty()) return;
    const double error = RelativeError(g, w);
    const double bound = RnnBound(c, backward);
    if (!(error <= bound)) absl::StrAppend(&faults, name, ": ", error, " / ", bound, "; ");
  };
  check("y", got.y, want.y, false);
  check("h_last", got.h_last, want.h_last, false);
  check("dx", got.dx, want.dx, true);
  check("dh0", got.dh0, want.dh0, true);
  check("dw", got.dw, want.dw, true);
  check("du", got.du, want.du, true);
  check("db", got.db, want.db, true);
  return faults;
}

}  // namespace seqgraph::onednn
