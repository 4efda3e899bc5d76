#include "tests/allocations/allocation_counter.h"

#include <link.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <new>

namespace seqgraph {
namespace {

std::atomic<int64_t> ours{0}, library{0};

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

// The address ranges of oneDNN's and OpenMP's code, found once the program runs.
struct Range {
  uintptr_t begin = 0, end = 0;
};
constexpr int kMaxRanges = 32;
Range ranges[kMaxRanges];
std::atomic<int> num_ranges{0};

int CollectRanges(dl_phdr_info* info, size_t, void*) {
  if (std::strstr(info->dlpi_name, "libdnnl") == nullptr &&
      std::strstr(info->dlpi_name, "libgomp") == nullptr) {
    return 0;
  }
  for (int i = 0; i < info->dlpi_phnum && num_ranges < kMaxRanges; ++i) {
    const ElfW(Phdr)& segment = info->dlpi_phdr[i];
    if (segment.p_type != PT_LOAD) continue;
    const uintptr_t begin = info->dlpi_addr + segment.p_vaddr;
    ranges[num_ranges++] = {begin, begin + segment.p_memsz};
  }
  return 0;
}
const int collected = dl_iterate_phdr(CollectRanges, nullptr);

void Count(void* caller) {
  const uintptr_t address = reinterpret_cast<uintptr_t>(caller);
  for (int i = 0; i < num_ranges; ++i) {
    if (ranges[i].begin <= address && address < ranges[i].end) {
      library.fetch_add(1, std::memory_order_relaxed);
      return;
    }
  }
  ours.fetch_add(1, std::memory_order_relaxed);
}

#endif

}  // namespace

AllocationCounts CountAllocations() { return {ours, library}; }

}  // namespace seqgraph

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)

bool seqgraph::AllocationsAreCounted() { return false; }

#else

bool seqgraph::AllocationsAreCounted() { return true; }

// glibc's own allocator, behind the replacements below.
extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);

void* malloc(size_t size) {
  seqgraph::Count(__builtin_return_address(0));
  return __libc_malloc(size);
}
void* calloc(size_t count, size_t size) {
  seqgraph::Count(__builtin_return_address(0));
  return __libc_calloc(count, size);
}
void* realloc(void* memory, size_t size) {
  seqgraph::Count(__builtin_return_address(0));
  return __libc_realloc(memory, size);
}
void* memalign(size_t alignment, size_t size) {
  seqgraph::Count(__builtin_return_address(0));
  return __libc_memalign(alignment, size);
}
void* aligned_alloc(size_t alignment, size_t size) {
  seqgraph::Count(__builtin_return_address(0));
  return __libc_memalign(alignment, size);
}
int posix_memalign(void** memory, size_t alignment, size_t size) {
  seqgraph::Count(__builtin_return_address(0));
  *memory = __libc_memalign(alignment, size);
  return *memory == nullptr ? ENOMEM : 0;
}
}  // extern "C"

void* operator new(size_t size) {
  seqgraph::Count(__builtin_return_address(0));
  if (void* memory = __libc_malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
void* operator new[](size_t size) {
  seqgraph::Count(__builtin_return_address(0));
  if (void* memory = __libc_malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
void* operator new(size_t size, std::align_val_t alignment) {
  seqgraph::Count(__builtin_return_address(0));
  if (void* memory = __libc_memalign(static_cast<size_t>(alignment), size)) return memory;
  throw std::bad_alloc();
}
void* operator new(size_t size, const std::nothrow_t&) noexcept {
  seqgraph::Count(__builtin_return_address(0));
  return __libc_malloc(size == 0 ? 1 : size);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { std::free(memory); }

#endif
