#include "base/counter_random.h"

#include <cmath>
#include <numeric>
#include <utility>

#include "base/philox.h"

namespace seqgraph {
uint64_t StreamOf(absl::string_view name) {
  uint64_t hash = 0xCBF29CE484222325;
  for (const char c : name) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001B3;
  }
  return hash;
}

uint64_t CounterRandom::At(uint64_t index) const {
  // A block of 128 bits holds two draws.
  const auto [block_low, block_high] = PhiloxWords(index / 2);
  const auto [stream_low, stream_high] = PhiloxWords(stream_);
  const PhiloxCounter bits =
      PhiloxBlock({block_low, block_high, stream_low, stream_high}, PhiloxWords(seed_));
  const int half = 2 * static_cast<int>(index % 2);
  return uint64_t{bits[half + 1]} << 32 | bits[half];
}

double CounterRandom::NextUniform() { return static_cast<double>(Next() >> 11) * 0x1p-53; }

uint64_t CounterRandom::NextBelow(uint64_t bound) {
  using Wide = unsigned __int128;
  Wide product = Wide{Next()} * bound;
  if (static_cast<uint64_t>(product) < bound) {
    const uint64_t threshold = -bound % bound;  // 2^64 mod bound: so many draws are too many.
    while (static_cast<uint64_t>(product) < threshold) product = Wide{Next()} * bound;
  }
  return static_cast<uint64_t>(product >> 64);
}

double CounterRandom::NextNormal() {
  if (has_spare_) {
    has_spare_ = false;
    return spare_normal_;
  }
  double u, v, s;
  do {  // A point in the unit disc, without its centre.
    u = 2 * NextUniform() - 1;
    v = 2 * NextUniform() - 1;
    s = u * u + v * v;
  } while (s >= 1 || s == 0);
  const double factor = std::sqrt(-2 * PortableLog(s) / s);
  spare_normal_ = v * factor;
  has_spare_ = true;
  return u * factor;
}

double PortableLog(double x) {
  int exponent;
  double m = std::frexp(x, &exponent);  // Exact: x = m 2^exponent, m in [1/2, 1).
  constexpr double kSqrtHalf = 0.70710678118654752440;
  if (m < kSqrtHalf) {
    m *= 2;
    --exponent;
  }
  // ln m = 2 atanh(s), s = (m - 1) / (m + 1), |s| < 0.1716: after 11 terms the rest is below 1e-18.
  const double s = (m - 1) / (m + 1);
  const double s2 = s * s;
  double series = 0;
  for (int k = 10; k >= 1; --k) series = (series + 1.0 / (2 * k + 1)) * s2;
  constexpr double kLn2 = 0.69314718055994530942;
  return exponent * kLn2 + 2 * (s + s * series);
}

void Shuffle(uint64_t seed, absl::string_view stream, absl::Span<int64_t> order) {
  std::iota(order.begin(), order.end(), int64_t{0});
  CounterRandom random(seed, stream);
  for (size_t i = order.size(); i-- > 1;) std::swap(order[i], order[random.NextBelow(i + 1)]);
}

}  // namespace seqgraph
