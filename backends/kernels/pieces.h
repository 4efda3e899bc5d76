#pragma once

#include <cstdint>

namespace seqgraph::kernels {

/// The next multiple of it.
inline int64_t RoundUp(int64_t n, int64_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

/// Cuts memory into arrays that begin at a multiple of 64 bytes; with null it only adds up.
class Pieces {
 public:
  explicit Pieces(void* memory) : base_(static_cast<char*>(memory)) {}
  template <typename T = float>
  T* Take(int64_t count) {
    char* piece = base_ == nullptr ? nullptr : base_ + used_;
    used_ += RoundUp(count * static_cast<int64_t>(sizeof(T)), 64);
    return reinterpret_cast<T*>(piece);
  }
  int64_t bytes() const { return used_; }

 private:
  char* const base_;
  int64_t used_ = 0;
};

}  // namespace seqgraph::kernels
