#include "backends/memory_plan.h"

#include <sys/mman.h>

#include <algorithm>
#include <numeric>
#include <utility>

namespace seqgraph {
namespace {

int64_t RoundUp(int64_t bytes, int64_t unit) { return (bytes + unit - 1) / unit * unit; }

bool Overlap(const Lifetime& a, const Lifetime& b) {
  return a.first <= b.last && b.first <= a.last;
}

// The lowest offset at which `size` bytes lie clear of all placed buffers that are alive with `i`.
// `placed` is ordered by offset.
int64_t LowestGap(absl::Span<const Lifetime> buffers, const std::vector<int64_t>& offsets,
                  const std::vector<int>& placed, int i, int64_t size) {
  int64_t gap = 0;
  for (int other : placed) {
    if (!Overlap(buffers[i], buffers[other])) continue;
    if (gap + size <= offsets[other]) break;
    gap = std::max(gap, offsets[other] + RoundUp(buffers[other].bytes, kBufferAlignment));
  }
  return gap;
}

int64_t LiveBound(absl::Span<const Lifetime> buffers) {
  // The sum can only rise where some buffer begins.
  int64_t bound = 0;
  for (const Lifetime& at : buffers) {
    int64_t live = 0;
    for (const Lifetime& buffer : buffers) {
      if (buffer.first <= at.first && at.first <= buffer.last) live += buffer.bytes;
    }
    bound = std::max(bound, live);
  }
  return bound;
}

}  // namespace

MemoryPlan PlanMemory(absl::Span<const Lifetime> buffers) {
  MemoryPlan plan;
  plan.offsets.assign(buffers.size(), 0);
  std::vector<int> order(buffers.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int a, int b) { return buffers[a].bytes > buffers[b].bytes; });
  std::vector<int> placed;
  for (int i : order) {
    const int64_t size = RoundUp(buffers[i].bytes, kBufferAlignment);
    plan.offsets[i] = LowestGap(buffers, plan.offsets, placed, i, size);
    plan.bytes = std::max(plan.bytes, plan.offsets[i] + size);
    const auto position = std::upper_bound(placed.begin(), placed.end(), i, [&](int a, int b) {
      return plan.offsets[a] < plan.offsets[b];
    });
    placed.insert(position, i);
  }
  plan.live_bound = LiveBound(buffers);
  return plan;
}

MemoryRegion::~MemoryRegion() { Release(); }

MemoryRegion::MemoryRegion(MemoryRegion&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}

MemoryRegion& MemoryRegion::operator=(MemoryRegion&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

void MemoryRegion::Release() {
  if (data_ != nullptr) munmap(data_, bytes_);
  data_ = nullptr;
  bytes_ = 0;
}

bool MemoryRegion::Allocate(int64_t bytes) {
  constexpr int64_t kPage = 4096, kHugePage = 2 << 20;
  Release();
  if (bytes == 0) return true;
  bytes = RoundUp(bytes, bytes >= kHugePage ? kHugePage : kPage);
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return false;
  // A wish: without huge pages everything works as well, only slower.
  if (bytes >= kHugePage) madvise(memory, bytes, MADV_HUGEPAGE);
  data_ = static_cast<std::byte*>(memory);
  bytes_ = bytes;
  return true;
}

}  // namespace seqgraph
