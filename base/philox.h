#pragma once

// Philox4x32-10: 128 random bits as a function of a 128-bit counter and a 64-bit key. Integers
// only: the same bits on every machine and every backend. Source: Salmon, Moraes, Dror, Shaw,
// "Parallel random numbers: as easy as 1, 2, 3", SC 2011.

#include <array>
#include <cstdint>

namespace seqgraph {

using PhiloxCounter = std::array<uint32_t, 4>;
using PhiloxKey = std::array<uint32_t, 2>;

/// The two halves of 64 bits, low half first: half a counter, or a key.
inline std::array<uint32_t, 2> PhiloxWords(uint64_t bits) {
  return {static_cast<uint32_t>(bits), static_cast<uint32_t>(bits >> 32)};
}

inline PhiloxCounter PhiloxBlock(PhiloxCounter c, PhiloxKey key) {
  constexpr uint64_t kMultiplier0 = 0xD2511F53, kMultiplier1 = 0xCD9E8D57;
  // The steps of the key: golden ratio and sqrt 3 - 1, as fractions of 2^32.
  constexpr uint32_t kKeyStep0 = 0x9E3779B9, kKeyStep1 = 0xBB67AE85;
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = kMultiplier0 * c[0], p1 = kMultiplier1 * c[2];
    c = {static_cast<uint32_t>(p1 >> 32) ^ c[1] ^ key[0], static_cast<uint32_t>(p1),
         static_cast<uint32_t>(p0 >> 32) ^ c[3] ^ key[1], static_cast<uint32_t>(p0)};
    key[0] += kKeyStep0;
    key[1] += kKeyStep1;
  }
  return c;
}

}  // namespace seqgraph
