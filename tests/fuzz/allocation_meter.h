#pragma once

#include <cstdint>

namespace seqgraph {

/// Measures the memory that the process holds through malloc (operator new and aligned_alloc
/// included), beyond what it held when the meter was made. One meter at a time, one thread.
class AllocationMeter {
 public:
  AllocationMeter();
  ~AllocationMeter();

  /// The most that was held at one time, in bytes.
  int64_t peak() const;
  /// False under AddressSanitizer and ThreadSanitizer, whose allocators cannot be replaced: peak()
  /// is then 0.
  static bool available();
};

}  // namespace seqgraph
