#include "backends/onednn/aligned_buffer.h"

#include <sys/mman.h>

#include <cstdint>

namespace seqgraph::onednn {
namespace {

constexpr size_t kPage = 4096;
constexpr size_t kHugePage = size_t{2} << 20;

}  // namespace

void AlignedBuffer::Unmap::operator()(std::byte* data) const { munmap(data, bytes); }

AlignedBuffer::AlignedBuffer(size_t bytes) {
  if (bytes == 0 || bytes > SIZE_MAX - 2 * kHugePage) return;
  const bool huge = bytes >= kHugePage;
  const size_t mapped = (bytes + kPage - 1) / kPage * kPage + (huge ? kHugePage : 0);
  void* memory = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return;
  std::byte* begin = static_cast<std::byte*>(memory);
  size_t length = mapped;
  if (huge) {
    // Give back what lies before the first huge-page boundary. A refused hint costs only speed.
    const size_t skip = (kHugePage - reinterpret_cast<uintptr_t>(begin) % kHugePage) % kHugePage;
    if (skip > 0) munmap(begin, skip);
    begin += skip;
    length -= skip;
    madvise(begin, length, MADV_HUGEPAGE);
  }
  data_ = std::unique_ptr<std::byte[], Unmap>(begin, Unmap(length));
  size_ = bytes;
}

}  // namespace seqgraph::onednn
