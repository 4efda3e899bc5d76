#pragma once

// Draws for made-up texts, in integers: the same on every machine.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace seqgraph::data::internal {

/// SplitMix64 (Steele, Lea, Flood 2014): a counter with a mixing function behind it, integers only.
class Random {
 public:
  explicit Random(uint64_t state) : state_(state) {}

  /// A stream of its own for each seed and parts.
  static Random Of(uint64_t seed, std::initializer_list<uint64_t> parts) {
    uint64_t state = Mix(seed + 0x9e3779b97f4a7c15u);
    for (uint64_t part : parts) state = Mix(state ^ (part + 0x9e3779b97f4a7c15u));
    return Random(state);
  }

  uint64_t Next() { return Mix(state_ += 0x9e3779b97f4a7c15u); }

  /// Uniform in [0, n), 0 < n <= 2^32, up to a bias of n / 2^32.
  uint64_t Below(uint64_t n) { return ((Next() >> 32) * n) >> 32; }

  bool Percent(uint64_t share) { return Below(100) < share; }

  static uint64_t Mix(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }

 private:
  uint64_t state_;
};

/// Draws rank r of n with a weight of 1 / (r + flatness), Zipf's law as Mandelbrot bent it, in
/// integers.
class ZipfTable {
 public:
  ZipfTable(size_t n, uint64_t flatness) {
    uint64_t sum = 0;
    for (size_t r = 1; r <= n; ++r) {
      sum += (uint64_t{1} << 20) / (r + flatness);
      cumulative_.push_back(sum);
    }
  }

  size_t Draw(Random* random) const {
    const uint64_t value = random->Below(cumulative_.back());
    return static_cast<size_t>(std::upper_bound(cumulative_.begin(), cumulative_.end(), value) -
                               cumulative_.begin());
  }

 private:
  std::vector<uint64_t> cumulative_;
};

/// Appends a pattern; fill(slot) appends what stands for "{S}", where S is the slot.
template <typename F>
void FillPattern(absl::string_view pattern, std::string& text, F fill) {
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '{') {
      fill(pattern[i + 1]);
      i += 2;
    } else {
      text.push_back(pattern[i]);
    }
  }
}

}  // namespace seqgraph::data::internal
