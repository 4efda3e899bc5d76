#pragma once

#include <cstddef>
#include <memory>

namespace seqgraph::onednn {

/// Owned, zero-filled bytes, page aligned; large ones ask for huge pages, which saves a large
/// recurrent layer some percent of TLB misses. data() is null when the size is 0 or memory is
/// short.
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(size_t bytes);

  std::byte* data() const { return data_.get(); }
  float* floats() const { return reinterpret_cast<float*>(data_.get()); }
  size_t size() const { return size_; }

 private:
  struct Unmap {
    Unmap() : bytes(0) {}
    explicit Unmap(size_t b) : bytes(b) {}
    size_t bytes;
    void operator()(std::byte* data) const;
  };
  std::unique_ptr<std::byte[], Unmap> data_;
  size_t size_ = 0;
};

}  // namespace seqgraph::onednn
