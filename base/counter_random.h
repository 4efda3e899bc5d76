#pragma once

// Random numbers that are a function of (seed, stream, index): nothing is carried along, so a
// run that is resumed, or work that is divided among threads, draws the same numbers. Everything
// here is integers, + - * / and square roots in double: the same bits on every machine.

#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace seqgraph {

/// The stream of a name: FNV-1a, 64 bits (Fowler, Noll, Vo).
uint64_t StreamOf(absl::string_view name);

/// One stream of random numbers. Counter: index of the block (low half) and stream (high half);
/// key: seed, of Philox4x32-10 (base/philox.h). Draws taken with Next...() come from index 0 on.
class CounterRandom {
 public:
  CounterRandom(uint64_t seed, uint64_t stream) : seed_(seed), stream_(stream) {}
  CounterRandom(uint64_t seed, absl::string_view stream) : CounterRandom(seed, StreamOf(stream)) {}

  /// The 64-bit draw at `index`, whatever was drawn before.
  uint64_t At(uint64_t index) const;

  uint64_t Next() { return At(next_++); }
  /// Uniform in [0, 1): a multiple of 2^-53.
  double NextUniform();
  /// Uniform in [0, bound); bound >= 1. Source: Lemire, "Fast random integer generation in an
  /// interval", ACM TOMACS 29 (2019).
  uint64_t NextBelow(uint64_t bound);
  /// Standard normal, by Marsaglia's polar method. Source: Marsaglia & Bray, SIAM Review 6 (1964).
  double NextNormal();

 private:
  uint64_t seed_;
  uint64_t stream_;
  uint64_t next_ = 0;
  double spare_normal_ = 0;
  bool has_spare_ = false;
};

/// ln(x) for a finite x > 0 within a few units in the last place, by + - * / only: the C library's
/// own differs between machines and versions.
double PortableLog(double x);

/// Writes 0 .. order.size()-1 to `order`, shuffled (Fisher-Yates from the last element down).
void Shuffle(uint64_t seed, absl::string_view stream, absl::Span<int64_t> order);

}  // namespace seqgraph
