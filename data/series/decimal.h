#pragma once

// Numbers as text, at the speed of memory: the float (or double) nearest to the decimal, exactly as
// std::from_chars has it.
//
// m 10^e with m < 2^53 and |e| <= 22 is one operation on exact doubles, so the double d is the
// nearest (Clinger, "How to read floating point numbers accurately", PLDI 1990). The float nearest
// to d is the nearest to the decimal too, unless d lies in the middle between two floats: rounding
// is monotone, so nothing else can go wrong. Those d, and all other texts, go to std::from_chars.

#include <bit>
#include <cstdint>

#include "absl/strings/string_view.h"

namespace seqgraph::data {

/// What a field holds. kHuge: a number beyond the range of the type.
enum class NumberText { kNumber, kMissing, kNone, kInfinite, kHuge };

/// Any text, spaces around it left out: a number as std::from_chars reads it ("-1.5e3"; also with a
/// '+'), or one of the words for a missing value: none at all, NaN, NA, N/A, null, None, in any
/// case of letters. `value` is NaN for those, and set for numbers alone otherwise.
NumberText ReadNumber(absl::string_view text, float* value);
NumberText ReadNumber(absl::string_view text, double* value);

namespace decimal_internal {

inline constexpr double kPowers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                     1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                     1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

inline bool IsDigit(char c) { return static_cast<unsigned char>(c - '0') < 10; }

// Whether one float is the nearest to all that rounds to d.
inline bool RoundsOnce(double d) {
  constexpr double kLeast = 1.1754943508222875e-38, kMost = 3.4028234663852886e38;
  const uint64_t bits = std::bit_cast<uint64_t>(d);
  const double magnitude = d < 0 ? -d : d;
  return (bits & 0x1FFFFFFF) != 0x10000000 &&
         (magnitude == 0 || (magnitude >= kLeast && magnitude <= kMost));
}

}  // namespace decimal_internal

/// Reads [-]digits[.digits][e[+-]digits] at *p, which a byte that is none of it ends before the
/// buffer does, and moves *p behind it. False, with *p as it was, for all that is not plain or not
/// certain: ReadNumber() is for those.
inline bool ReadPlainDecimal(const char** p, double* value) {
  using decimal_internal::IsDigit;
  const char* s = *p;
  const bool negative = *s == '-';
  s += negative;
  uint64_t mantissa = 0;
  const char* const digits = s;
  while (IsDigit(*s)) mantissa = mantissa * 10 + static_cast<uint64_t>(*s++ - '0');
  int64_t count = s - digits;
  int64_t exponent = 0;
  if (*s == '.') {
    const char* const fraction = ++s;
    while (IsDigit(*s)) mantissa = mantissa * 10 + static_cast<uint64_t>(*s++ - '0');
    exponent = fraction - s;
    count -= exponent;
  }
  if (count == 0 || count > 19) return false;  // 19 digits fit 64 bits.
  if (*s == 'e' || *s == 'E') {
    ++s;
    const bool down = *s == '-';
    s += down || *s == '+';
    if (!IsDigit(*s)) return false;
    int64_t written = 0;
    while (IsDigit(*s) && written < 1000) written = written * 10 + (*s++ - '0');
    exponent += down ? -written : written;
  }
  if (mantissa > uint64_t{1} << 53 || exponent < -22 || exponent > 22) return false;
  const double magnitude =
      exponent < 0 ? static_cast<double>(mantissa) / decimal_internal::kPowers[-exponent]
                   : static_cast<double>(mantissa) * decimal_internal::kPowers[exponent];
  *value = negative ? -magnitude : magnitude;
  *p = s;
  return true;
}

/// The same, to the nearest float.
inline bool ReadPlainDecimal(const char** p, float* value) {
  const char* s = *p;
  double wide;
  if (!ReadPlainDecimal(&s, &wide) || !decimal_internal::RoundsOnce(wide)) return false;
  *value = static_cast<float>(wide);
  *p = s;
  return true;
}

}  // namespace seqgraph::data
