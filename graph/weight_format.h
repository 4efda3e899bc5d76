#pragma once

// How a matrix of weights is held for inference: what the op RoundWeights rounds to, and what
// kernels pack weights in.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "absl/strings/string_view.h"
#include "base/status_macros.h"

namespace seqgraph {

enum class WeightFormat { kFloat32, kBf16, kInt8 };

/// So many weights stay in the nearest cache as floats: fewer bits would only have to be widened,
/// and take accuracy away from a small recurrence.
inline constexpr int64_t kFewWeights = 4096;

/// Of a name that has been checked: "float32", "bf16" or "int8".
inline WeightFormat ParseWeightFormat(absl::string_view name) {
  if (name == "bf16") return WeightFormat::kBf16;
  if (name == "int8") return WeightFormat::kInt8;
  SEQ_CHECK(name == "float32");
  return WeightFormat::kFloat32;
}
inline const char* WeightFormatName(WeightFormat format) {
  return format == WeightFormat::kBf16   ? "bf16"
         : format == WeightFormat::kInt8 ? "int8"
                                         : "float32";
}

/// The nearest number of 8 significant bits (of two that are as near, the even one), which is that
/// bf16 unless it is below the normal floats. Infinity beyond the largest.
inline double RoundToBf16(double x) {
  if (!std::isfinite(x)) return x;
  int exponent = 0;
  const double mantissa = std::frexp(x, &exponent);
  const double rounded = std::ldexp(std::nearbyint(mantissa * 256), exponent - 8);
  constexpr double kLargest = 0x1.fep127;
  return std::abs(rounded) <= kLargest ? rounded
                                       : std::copysign(std::numeric_limits<double>::infinity(), x);
}

/// The scale of a row of int8 whose largest magnitude is that: 1/127 of it, rounded up to 16
/// significant bits, so that its products with [-127, 127] are exact in float32, and the largest
/// element is +-127 of it. 0 for rows that would have no normal float for a scale; NaN for a
/// magnitude that is not finite.
inline double Int8Scale(double largest) {
  if (!std::isfinite(largest)) return std::numeric_limits<double>::quiet_NaN();
  int exponent = 0;
  const double mantissa = std::frexp(largest / 127, &exponent);
  const double scale = std::ldexp(std::ceil(mantissa * 65536), exponent - 16);
  return scale >= std::numeric_limits<float>::min() ? scale : 0;
}

/// The nearest multiple of a scale that is not 0.
inline double RoundToInt8(double x, double scale) { return scale * std::nearbyint(x / scale); }

}  // namespace seqgraph
