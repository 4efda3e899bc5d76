#pragma once

#include <xmmintrin.h>

namespace seqgraph {

/// Flushes denormal results (FTZ) and operands (DAZ) to zero in this thread while it lives, and
/// restores what was set before. Vanishing gradients end in denormals, which cost some processors
/// more than a hundred cycles each. Every thread that computes needs one of its own.
class FlushDenormals {
 public:
  FlushDenormals() : saved_(_mm_getcsr()) { _mm_setcsr(saved_ | kFlushToZero | kDenormalsAreZero); }
  ~FlushDenormals() { _mm_setcsr(saved_); }
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

  static constexpr unsigned kFlushToZero = 0x8000;
  static constexpr unsigned kDenormalsAreZero = 0x0040;

 private:
  const unsigned saved_;
};

}  // namespace seqgraph
