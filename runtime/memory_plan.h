#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"

namespace seqgraph {

/// A buffer that is needed from step `first` to step `last`, both included.
struct Lifetime {
  int64_t bytes = 0;
  int first = 0;
  int last = 0;
};

struct MemoryPlan {
  std::vector<int64_t> offsets;  ///< one for each buffer, multiples of kBufferAlignment
  int64_t bytes = 0;             ///< end of the last buffer
  int64_t live_bound = 0;        ///< largest sum of buffers alive at one step
};

inline constexpr int64_t kBufferAlignment = 64;

/// The next multiple of kBufferAlignment that is not below `bytes`.
constexpr int64_t AlignedBytes(int64_t bytes) {
  return (bytes + kBufferAlignment - 1) / kBufferAlignment * kBufferAlignment;
}

/// Places buffers in one arena so that those alive at the same step do not overlap: largest first,
/// each into the lowest gap that holds it. Where that takes more than the buffers that live at one
/// time, other orders are tried, and the buffer that stands out is placed earlier; the best of all
/// is taken. Of more than 3,000 buffers each is placed when it begins to live, into the smallest
/// gap that holds it. The same buffers give the same plan. Source: greedy by size for offset
/// calculation, Pisarchyk & Lee, Efficient Memory Management for Deep Neural Net Inference, 2020
/// (arXiv 2001.03288).
MemoryPlan PlanMemory(absl::Span<const Lifetime> buffers);

/// What a compiled function takes, in bytes.
struct MemoryUse {
  int64_t values = 0;      ///< arena of intermediate values, inputs and results
  int64_t live_bound = 0;  ///< largest sum of values alive at one time: no plan takes less
  int64_t scratch = 0;     ///< shared by all nodes: the largest that is reported
  int64_t persistent = 0;
  int unreported = 0;  ///< nodes whose backend does not report its scratch

  /// All of it: the peak, for it is allocated once and kept.
  int64_t total() const { return values + scratch + persistent; }
};

/// Zeroed memory from the system, page aligned. Large regions ask for huge pages, which spares a
/// training step most of its address translation.
class MemoryRegion {
 public:
  MemoryRegion() = default;
  ~MemoryRegion();
  MemoryRegion(MemoryRegion&& other) noexcept;
  MemoryRegion& operator=(MemoryRegion&& other) noexcept;

  /// False if there is no memory for it. Zero bytes give an empty region.
  bool Allocate(int64_t bytes);
  std::byte* data() const { return data_; }
  int64_t bytes() const { return bytes_; }

 private:
  void Release();
  std::byte* data_ = nullptr;
  int64_t bytes_ = 0;
};

}  // namespace seqgraph
