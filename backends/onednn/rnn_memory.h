#pragma once

// How the recurrence lays out weights and scratch.

#include <cstddef>
#include <cstdint>

#include "backends/onednn/dnnl_compat.h"

namespace seqgraph::onednn {

inline constexpr size_t kFloat = sizeof(float);

inline size_t RoundUp(size_t bytes, size_t alignment) {
  return (bytes + alignment - 1) / alignment * alignment;
}

inline dnnl::memory::desc Desc(const dnnl::memory::dims& dims, dnnl::memory::format_tag tag) {
  return dnnl::memory::desc(dims, dnnl::memory::data_type::f32, tag);
}

/// Row stride in floats of a weight matrix with rows of `cols`: rows a multiple of 1 KB apart would
/// compete for the same cache sets, so one more cache line goes between them.
inline int64_t RowStride(int64_t cols) { return cols % 256 == 0 ? cols + 16 : cols; }

/// [out, in] weights of one layer and gate, which oneDNN calls ldgoi, rows RowStride(in) apart.
inline dnnl::memory::desc TransposedWeights(int64_t in, int64_t out) {
  const int64_t stride = RowStride(in);
  const int64_t all = out * stride;
  return dnnl::memory::desc({1, 1, in, 1, out}, dnnl::memory::data_type::f32,
                            dnnl::memory::dims{all, all, 1, all, stride});
}

/// Lays out consecutive pieces of a region.
class RegionLayout {
 public:
  size_t Take(size_t bytes, size_t alignment = 64) {
    const size_t offset = RoundUp(used_, alignment);
    used_ = offset + bytes;
    return offset;
  }
  size_t used() const { return used_; }

 private:
  size_t used_ = 0;
};

inline float* At(void* base, size_t offset) {
  return reinterpret_cast<float*>(static_cast<std::byte*>(base) + offset);
}

}  // namespace seqgraph::onednn
