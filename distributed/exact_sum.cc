#include "distributed/exact_sum.h"

#include <cmath>
#include <cstring>
#include <limits>

namespace seqgraph {
namespace {

constexpr int kDigitBits = 32, kSignificandBits = 53;
constexpr uint64_t kDigitMask = (uint64_t{1} << kDigitBits) - 1;

}  // namespace

void ExactSum::Add(double x) {
  if (!std::isfinite(x)) {
    ++state_.not_finite;
    return;
  }
  if (x == 0) return;
  // |x| = whole * 2^exponent, with a whole number of 53 bits.
  int exponent = 0;
  const double fraction = std::frexp(std::abs(x), &exponent);
  const uint64_t whole = static_cast<uint64_t>(std::ldexp(fraction, kSignificandBits));
  const int place = exponent - kSignificandBits - kLowest;
  const int digit = place / kDigitBits, shift = place % kDigitBits;
  const int64_t sign = x < 0 ? -1 : 1;
  const uint64_t low = whole << shift, high = shift == 0 ? 0 : whole >> (64 - shift);
  state_.digits[digit] += sign * static_cast<int64_t>(low & kDigitMask);
  state_.digits[digit + 1] += sign * static_cast<int64_t>(low >> kDigitBits);
  state_.digits[digit + 2] += sign * static_cast<int64_t>(high);
}

void ExactSum::Merge(const ExactSum& other) {
  for (int i = 0; i < kDigits; ++i) state_.digits[i] += other.state_.digits[i];
  state_.not_finite += other.state_.not_finite;
}

double ExactSum::value() const {
  if (state_.not_finite != 0) return std::numeric_limits<double>::quiet_NaN();
  // Each digit into [0, 2^32), but for the last, which has the sign: one form for one number.
  std::array<int64_t, kDigits> digits = state_.digits;
  for (int i = 0; i + 1 < kDigits; ++i) {
    const int64_t carry = digits[i] >> kDigitBits;  // rounds down, as the remainder is from 0 on
    digits[i] -= carry * (int64_t{1} << kDigitBits);
    digits[i + 1] += carry;
  }
  double sum = 0;
  for (int i = kDigits - 1; i >= 0; --i) {
    sum += std::ldexp(static_cast<double>(digits[i]), kLowest + i * kDigitBits);
  }
  return sum;
}

std::string ExactSum::Bytes() const {
  return std::string(reinterpret_cast<const char*>(&state_), sizeof(state_));
}

bool ExactSum::FromBytes(absl::string_view bytes) {
  if (bytes.size() != sizeof(state_)) return false;
  std::memcpy(&state_, bytes.data(), sizeof(state_));
  return true;
}

}  // namespace seqgraph
