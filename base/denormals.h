#pragma once

#include <xmmintrin.h>

namespace seqgraph {

/// Flushes denormal results (FTZ) and operands (DAZ) to zero in this thread while it lives, and
/// restores what was set before. Vanishing gradients end in denormals, which cost some processors
/// more than a hundred cycles each. Every thread that computes needs one of its own.
class FlushDenormals {
 public:
  FlushDenormals() : saved_(_mm_getcsr()) {
    if (!flushed()) _mm_setcsr(saved_ | kBoth);
  }
  ~FlushDenormals() {
    if (!flushed()) _mm_setcsr(saved_);
  }
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

  static constexpr unsigned kFlushToZero = 0x8000;
  static constexpr unsigned kDenormalsAreZero = 0x0040;

 private:
  static constexpr unsigned kBoth = kFlushToZero | kDenormalsAreZero;
  // Writing the register waits for all arithmetic before it: threads for sound flush always.
  bool flushed() const { return (saved_ & kBoth) == kBoth; }

  const unsigned saved_;
};

}  // namespace seqgraph
