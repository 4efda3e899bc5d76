#pragma once

// Counts every call of the malloc family and of operator new in a program that links this, by the
// shared object of the immediate caller.

#include <cstdint>

namespace seqgraph {

struct AllocationCounts {
  int64_t ours = 0;     ///< called from anywhere but the libraries below: our code, the standard
                        ///< library and Abseil on our behalf
  int64_t library = 0;  ///< called from oneDNN or the OpenMP runtime
};

/// Since the program began; of all threads.
AllocationCounts CountAllocations();

/// False where the allocator cannot be replaced (under a sanitizer): counts stay zero.
bool AllocationsAreCounted();

}  // namespace seqgraph
