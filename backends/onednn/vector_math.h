#ifndef SEQGRAPH_BACKENDS_ONEDNN_VECTOR_MATH_H_
#define SEQGRAPH_BACKENDS_ONEDNN_VECTOR_MATH_H_

// Elementary functions without branches or calls, for loops that the compiler is to vectorize
// (multiversion.h). NaN gives NaN: it fails every comparison and stays what it is.

#include <cmath>
#include <cstdint>
#include <cstring>

#include "backends/kernels/approximations.h"
#include "backends/onednn/multiversion.h"

namespace seqgraph::onednn {

SEQ_ALWAYS_INLINE int32_t BitsOf(float x) {
  int32_t bits;
  std::memcpy(&bits, &x, sizeof(bits));
  return bits;
}

/// e^x for x <= 0, within 1 eps, relative; 0 below -87.
SEQ_ALWAYS_INLINE float ExpOfNegative(float x) {
  // Adding 1.5 * 2^23 rounds to an integer and leaves it in the low bits.
  constexpr float kShift = 12582912.0f;
  const bool vanishes = x < -87.0f;
  x = vanishes ? -87.0f : x;
  const float shifted = x * 1.44269504088896341f + kShift;
  const float n = shifted - kShift;
  const float r = (x - n * kernels::kLn2High) - n * kernels::kLn2Low;
  float p = kernels::kExp[5];
  p = p * r + kernels::kExp[4];
  p = p * r + kernels::kExp[3];
  p = p * r + kernels::kExp[2];
  p = p * r + kernels::kExp[1];
  p = p * r + kernels::kExp[0];
  p = p * (r * r) + r + 1.0f;
  const int32_t bits = (BitsOf(shifted) - BitsOf(kShift) + 127) << 23;
  float scale;
  std::memcpy(&scale, &bits, sizeof(scale));
  return vanishes ? 0.0f : p * scale;
}

/// 1 / (1 + e^-x) within 2 eps, relative, for x >= -87; 0 below. With e = e^-|x|: 1 / (1 + e) for x
/// >= 0, e / (1 + e) below.
SEQ_ALWAYS_INLINE float FastSigmoid(float x) {
  const float e = ExpOfNegative(-std::fabs(x));
  const float numerator = x < 0.0f ? e : 1.0f;
  return numerator / (1.0f + e);
}

/// tanh x within 3 eps, relative; exactly 1 beyond 9.1, so that a saturated slope is exactly 0.
SEQ_ALWAYS_INLINE float FastTanh(float x) {
  const bool saturated = std::fabs(x) > 9.1f;
  const float sign = x < 0.0f ? -1.0f : 1.0f;
  x = x > kernels::kTanhLimit ? kernels::kTanhLimit : x;
  x = x < -kernels::kTanhLimit ? -kernels::kTanhLimit : x;
  const float z = x * x;
  float p = kernels::kTanhP[4], q = kernels::kTanhQ[4];
  p = p * z + kernels::kTanhP[3];
  q = q * z + kernels::kTanhQ[3];
  p = p * z + kernels::kTanhP[2];
  q = q * z + kernels::kTanhQ[2];
  p = p * z + kernels::kTanhP[1];
  q = q * z + kernels::kTanhQ[1];
  p = p * z + kernels::kTanhP[0];
  q = q * z + kernels::kTanhQ[0];
  return saturated ? sign : p * x / q;
}

}  // namespace seqgraph::onednn

#endif  // SEQGRAPH_BACKENDS_ONEDNN_VECTOR_MATH_H_
