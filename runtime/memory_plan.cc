#include "runtime/memory_plan.h"

#include <sanitizer/asan_interface.h>
#include <sys/mman.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <numeric>
#include <set>
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
    gap = std::max(gap, offsets[other] + AlignedBytes(buffers[other].bytes));
  }
  return gap;
}

// Pairs of buffers that are looked at in one order: some 20 ms.
constexpr int64_t kMaxWork = 10'000'000;

struct Placement {
  std::vector<int64_t> offsets;
  int64_t bytes = 0;
  int highest = -1;  // a buffer that ends at `bytes`
};

// Each buffer in turn into the lowest gap that holds it.
Placement PlaceInOrder(absl::Span<const Lifetime> buffers, const std::vector<int>& order) {
  Placement placement;
  std::vector<int64_t>& offsets = placement.offsets;
  offsets.assign(buffers.size(), 0);
  std::vector<int> placed;
  for (int i : order) {
    const int64_t size = AlignedBytes(buffers[i].bytes);
    offsets[i] = LowestGap(buffers, offsets, placed, i, size);
    if (placement.highest < 0 || offsets[i] + size > placement.bytes) {
      placement.bytes = offsets[i] + size;
      placement.highest = i;
    }
    const auto position = std::upper_bound(placed.begin(), placed.end(), i,
                                           [&](int a, int b) { return offsets[a] < offsets[b]; });
    placed.insert(position, i);
  }
  return placement;
}

// The orders that are tried: by falling size, by falling size times length of life, by begin of
// life, and by end of life backwards. Equal ones stay in the caller's order.
std::vector<std::vector<int>> Orders(absl::Span<const Lifetime> buffers) {
  const auto volume = [&](int i) {
    return static_cast<double>(buffers[i].bytes) * (buffers[i].last - buffers[i].first + 1.0);
  };
  std::vector<int> order(buffers.size());
  std::iota(order.begin(), order.end(), 0);
  std::vector<std::vector<int>> orders(4, order);
  const auto sort = [&](int o, auto before) {
    std::stable_sort(orders[o].begin(), orders[o].end(), before);
  };
  sort(0, [&](int a, int b) { return buffers[a].bytes > buffers[b].bytes; });
  sort(1, [&](int a, int b) { return volume(a) > volume(b); });
  sort(2, [&](int a, int b) { return buffers[a].first < buffers[b].first; });
  sort(3, [&](int a, int b) { return buffers[a].last > buffers[b].last; });
  return orders;
}

// Places in this order; then moves the buffer that makes the arena as large as it is to the front
// of the order, again and again. Keeps the best placement; none is better than `bound`.
void Search(absl::Span<const Lifetime> buffers, int64_t bound, std::vector<int> order,
            Placement& best) {
  const int64_t pairs = std::max<int64_t>(1, static_cast<int64_t>(buffers.size() * buffers.size()));
  const int64_t rounds = std::min<int64_t>(100, kMaxWork / pairs);
  for (int64_t round = 0; round <= rounds; ++round) {
    Placement next = PlaceInOrder(buffers, order);
    const int highest = next.highest;
    if (best.offsets.empty() || next.bytes < best.bytes) best = std::move(next);
    if (best.bytes <= bound) return;
    const auto at = std::find(order.begin(), order.end(), highest);
    std::rotate(order.begin(), at, at + 1);
  }
}

// What happens to buffers in the order of time: each begins with its node, and ends behind it.
struct Event {
  int at;
  bool ends;
  int buffer;
};

std::vector<Event> Events(absl::Span<const Lifetime> buffers) {
  std::vector<Event> events;
  for (size_t i = 0; i < buffers.size(); ++i) {
    if (buffers[i].last < buffers[i].first) continue;
    events.push_back({buffers[i].first, false, static_cast<int>(i)});
    events.push_back({buffers[i].last + 1, true, static_cast<int>(i)});
  }
  std::stable_sort(events.begin(), events.end(), [](const Event& a, const Event& b) {
    return a.at != b.at ? a.at < b.at : a.ends > b.ends;
  });
  return events;
}

// Of the buffers as they are, or rounded up to the alignment.
int64_t LiveBound(absl::Span<const Lifetime> buffers, bool aligned) {
  int64_t bound = 0, live = 0;
  for (const Event& event : Events(buffers)) {
    const int64_t bytes = buffers[event.buffer].bytes;
    live += (event.ends ? -1 : 1) * (aligned ? AlignedBytes(bytes) : bytes);
    bound = std::max(bound, live);
  }
  return bound;
}

// Each buffer, as time goes on, into the smallest gap that holds it, or else behind all: for very
// many buffers, as it looks at few of them each time.
class PlacerInTime {
 public:
  explicit PlacerInTime(absl::Span<const Lifetime> buffers) : buffers_(buffers) {}

  Placement Place() && {
    placement_.offsets.assign(buffers_.size(), 0);
    for (const Event& event : Events(buffers_)) {
      const int64_t size = AlignedBytes(buffers_[event.buffer].bytes);
      if (size == 0) continue;
      int64_t& offset = placement_.offsets[event.buffer];
      if (event.ends) {
        Free(offset, size);
      } else {
        offset = Take(size);
      }
    }
    return std::move(placement_);
  }

 private:
  int64_t Take(int64_t size) {
    const auto gap = by_size_.lower_bound({size, 0});
    if (gap != by_size_.end()) {
      const auto [length, offset] = *gap;
      Remove(offset, length);
      if (length > size) Add(offset + size, length - size);
      return offset;
    }
    // The last gap grows.
    int64_t offset = placement_.bytes;
    if (!gaps_.empty()) {
      const auto [begin, length] = *gaps_.rbegin();
      if (begin + length == placement_.bytes) {
        Remove(begin, length);
        offset = begin;
      }
    }
    placement_.bytes = offset + size;
    return offset;
  }

  void Free(int64_t offset, int64_t size) {
    auto next = gaps_.lower_bound(offset);
    if (next != gaps_.end() && next->first == offset + size) {
      const int64_t length = next->second;
      Remove(offset + size, length);
      size += length;
    }
    next = gaps_.lower_bound(offset);
    if (next != gaps_.begin()) {
      const auto [begin, length] = *std::prev(next);
      if (begin + length == offset) {
        Remove(begin, length);
        offset = begin;
        size += length;
      }
    }
    Add(offset, size);
  }

  void Add(int64_t offset, int64_t length) {
    gaps_[offset] = length;
    by_size_.insert({length, offset});
  }
  void Remove(int64_t offset, int64_t length) {
    gaps_.erase(offset);
    by_size_.erase({length, offset});
  }

  const absl::Span<const Lifetime> buffers_;
  Placement placement_;
  std::map<int64_t, int64_t> gaps_;                // offset -> length; none touches another
  std::set<std::pair<int64_t, int64_t>> by_size_;  // length, offset
};

}  // namespace

MemoryPlan PlanMemory(absl::Span<const Lifetime> buffers) {
  MemoryPlan plan;
  plan.live_bound = LiveBound(buffers, /*aligned=*/false);
  const int64_t bound = LiveBound(buffers, /*aligned=*/true);
  const int64_t pairs = static_cast<int64_t>(buffers.size() * buffers.size());
  Placement best;
  if (pairs > kMaxWork) {
    best = PlacerInTime(buffers).Place();
  } else {
    for (std::vector<int>& order : Orders(buffers)) {
      Search(buffers, bound, std::move(order), best);
      if (best.bytes <= bound) break;
    }
  }
  plan.offsets = std::move(best.offsets);
  plan.bytes = best.bytes;
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
  if (data_ != nullptr) {
    ASAN_UNPOISON_MEMORY_REGION(data_, bytes_);
    munmap(data_, bytes_);
  }
  data_ = nullptr;
  bytes_ = 0;
}

bool MemoryRegion::Allocate(int64_t bytes) {
  constexpr int64_t kPage = 4096, kHugePage = 2 << 20;
  Release();
  if (bytes == 0) return true;
  const int64_t asked = bytes;
  bytes = RoundUp(bytes, bytes >= kHugePage ? kHugePage : kPage);
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return false;
  // A wish: without huge pages everything works as well, only slower.
  if (bytes >= kHugePage) madvise(memory, bytes, MADV_HUGEPAGE);
  data_ = static_cast<std::byte*>(memory);
  bytes_ = bytes;
  // For AddressSanitizer, which knows only malloc's memory; else nothing.
  ASAN_POISON_MEMORY_REGION(data_ + asked, bytes - asked);
  return true;
}

}  // namespace seqgraph
