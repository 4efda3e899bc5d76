#include "tests/fuzz/allocation_meter.h"

#include <errno.h>
#include <malloc.h>
#include <stddef.h>

namespace {

thread_local bool metering = false;
thread_local int64_t held = 0;
thread_local int64_t most = 0;

}  // namespace

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

namespace {

void* Count(void* p) {
  if (metering && p != nullptr) {
    held += static_cast<int64_t>(malloc_usable_size(p));
    if (held > most) most = held;
  }
  return p;
}

void Uncount(void* p) {
  if (metering && p != nullptr) held -= static_cast<int64_t>(malloc_usable_size(p));
}

}  // namespace

// glibc's own allocator under the names that it keeps for this purpose.
extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);
void __libc_free(void*);

void* malloc(size_t size) { return Count(__libc_malloc(size)); }
void* calloc(size_t count, size_t size) { return Count(__libc_calloc(count, size)); }
void* realloc(void* p, size_t size) {
  Uncount(p);
  return Count(__libc_realloc(p, size));
}
void* memalign(size_t alignment, size_t size) { return Count(__libc_memalign(alignment, size)); }
void* aligned_alloc(size_t alignment, size_t size) {
  return Count(__libc_memalign(alignment, size));
}
int posix_memalign(void** p, size_t alignment, size_t size) {
  *p = Count(__libc_memalign(alignment, size));
  return *p == nullptr ? ENOMEM : 0;
}
void free(void* p) {
  Uncount(p);
  __libc_free(p);
}
}

bool seqgraph::AllocationMeter::available() { return true; }

#else

bool seqgraph::AllocationMeter::available() { return false; }

#endif

namespace seqgraph {

AllocationMeter::AllocationMeter() {
  held = most = 0;
  metering = true;
}

AllocationMeter::~AllocationMeter() { metering = false; }

int64_t AllocationMeter::peak() const { return most; }

}  // namespace seqgraph
