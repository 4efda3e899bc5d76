#pragma once

#include <array>
#include <cstdint>

#include "base/philox.h"

namespace seqgraph {

/// The random numbers of one dropout mask: 32 bits for each element, a function of seed, step,
/// stream and the element's place. The step's key is the first half of the block (step, stream)
/// under the seed; block (place / 4, stream) under that key has the numbers of four elements.
class DropoutBits {
 public:
  DropoutBits(int64_t seed, int64_t step, int64_t stream) : stream_(PhiloxWords(stream)) {
    const std::array<uint32_t, 2> at = PhiloxWords(step);
    const PhiloxCounter block =
        PhiloxBlock({at[0], at[1], stream_[0], stream_[1]}, PhiloxWords(seed));
    key_ = {block[0], block[1]};
  }

  /// The numbers of elements 4 index .. 4 index + 3.
  PhiloxCounter Block(int64_t index) const {
    const std::array<uint32_t, 2> at = PhiloxWords(index);
    return PhiloxBlock({at[0], at[1], stream_[0], stream_[1]}, key_);
  }

 private:
  std::array<uint32_t, 2> stream_;
  PhiloxKey key_;
};

/// An element is dropped where its number is below this: rate 2^32, rounded down.
inline uint64_t DropoutThreshold(double rate) { return static_cast<uint64_t>(rate * 0x1p32); }

}  // namespace seqgraph
