#ifndef SEQGRAPH_GRAPH_PHILOX_H_
#define SEQGRAPH_GRAPH_PHILOX_H_

// Philox4x32-10: 128 random bits as a function of a 128-bit counter and a 64-bit key. Integers
// only: the same bits on every machine and every backend. Source: Salmon, Moraes, Dror, Shaw,
// "Parallel random numbers: as easy as 1, 2, 3", SC 2011.

#include <array>
#include <cstdint>

namespace seqgraph {

using PhiloxCounter = std::array<uint32_t, 4>;
using PhiloxKey = std::array<uint32_t, 2>;

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

/// The random numbers of one dropout mask: 32 bits for each element, a function of seed, step,
/// stream and the element's place. The step's key is the first half of the block (step, stream)
/// under the seed; block (place / 4, stream) under that key has the numbers of four elements.
class DropoutBits {
 public:
  DropoutBits(int64_t seed, int64_t step, int64_t stream) : stream_(Words(stream)) {
    const std::array<uint32_t, 2> at = Words(step);
    const PhiloxCounter block = PhiloxBlock({at[0], at[1], stream_[0], stream_[1]}, Words(seed));
    key_ = {block[0], block[1]};
  }

  /// The numbers of elements 4 index .. 4 index + 3.
  PhiloxCounter Block(int64_t index) const {
    const std::array<uint32_t, 2> at = Words(index);
    return PhiloxBlock({at[0], at[1], stream_[0], stream_[1]}, key_);
  }

 private:
  static std::array<uint32_t, 2> Words(int64_t x) {
    const auto bits = static_cast<uint64_t>(x);
    return {static_cast<uint32_t>(bits), static_cast<uint32_t>(bits >> 32)};
  }
  std::array<uint32_t, 2> stream_;
  PhiloxKey key_;
};

/// An element is dropped where its number is below this: rate 2^32, rounded down.
inline uint64_t DropoutThreshold(double rate) { return static_cast<uint64_t>(rate * 0x1p32); }

}  // namespace seqgraph

#endif  // SEQGRAPH_GRAPH_PHILOX_H_
