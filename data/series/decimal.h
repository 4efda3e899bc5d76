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
#include <cstring>

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

inline constexpr uint64_t kWholePowers[] = {1,      10,      100,      1000,     10000,
                                            100000, 1000000, 10000000, 100000000};

inline bool IsDigit(char c) { return static_cast<unsigned char>(c - '0') < 10; }

// The number of eight digits, each a byte from 0 to 9, the first in the lowest one.
inline uint64_t EightDigits(uint64_t digits) {
  constexpr uint64_t kPair = 0x000000FF000000FF;
  digits = digits * 10 + (digits >> 8);  // pairs, in every other byte
  return ((digits & kPair) * 0x000F424000000064 + ((digits >> 16) & kPair) * 0x0000271000000001) >>
         32;
}

// Takes the digits at s into the mantissa, which wraps around behind the 19th. Eight at a time, and
// how many of them there are without a branch: that differs from one number to the next.
inline const char* TakeDigits(const char* s, const char* end, uint64_t* mantissa) {
  constexpr uint64_t kEach = 0x0101010101010101;
  while (end - s >= 8) {
    uint64_t word;
    std::memcpy(&word, s, sizeof(word));
    word ^= '0' * kEach;
    // The high bit of each byte that is above 9, up to the first such byte.
    const uint64_t others = ((word + (0x7F - 9) * kEach) | word) & (0x80 * kEach);
    const int digits = others == 0 ? 8 : std::countr_zero(others) / 8;
    // What is no digit falls off, and zeros come before the digits.
    word = digits == 0 ? 0 : word << (8 * (8 - digits));
    *mantissa = *mantissa * kWholePowers[digits] + EightDigits(word);
    s += digits;
    if (digits < 8) return s;
  }
  while (IsDigit(*s)) *mantissa = *mantissa * 10 + static_cast<uint64_t>(*s++ - '0');
  return s;
}

// Whether one float is the nearest to all that rounds to d.
inline bool RoundsOnce(double d) {
  constexpr uint64_t kLeast = 0x3810000000000000, kMost = 0x47EFFFFFE0000000;  // FLT_MIN, FLT_MAX
  const uint64_t bits = std::bit_cast<uint64_t>(d), magnitude = bits << 1 >> 1;
  return (bits & 0x1FFFFFFF) != 0x10000000 &&
         (magnitude - kLeast <= kMost - kLeast || magnitude == 0);
}

}  // namespace decimal_internal

/// Reads [-]digits[.digits][e[+-]digits] at *p, which a byte that is none of it ends before `end`,
/// and moves *p behind it. False, with *p as it was, for all that is not plain or not certain:
/// ReadNumber() is for those.
inline bool ReadPlainDecimal(const char** p, const char* end, double* value) {
  using decimal_internal::IsDigit;
  const char* s = *p;
  const bool negative = *s == '-';
  s += negative;
  uint64_t mantissa = 0;
  const char* const digits = s;
  s = decimal_internal::TakeDigits(s, end, &mantissa);
  int64_t count = s - digits;
  int64_t exponent = 0;
  if (*s == '.') {
    const char* const fraction = ++s;
    s = decimal_internal::TakeDigits(s, end, &mantissa);
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
  // Not by a branch: half of them would be guessed wrong.
  *value = std::bit_cast<double>(std::bit_cast<uint64_t>(magnitude) | uint64_t{negative} << 63);
  *p = s;
  return true;
}

/// The same, to the nearest float.
inline bool ReadPlainDecimal(const char** p, const char* end, float* value) {
  const char* s = *p;
  double wide;
  if (!ReadPlainDecimal(&s, end, &wide) || !decimal_internal::RoundsOnce(wide)) return false;
  *value = static_cast<float>(wide);
  *p = s;
  return true;
}

}  // namespace seqgraph::data
