#include "runtime/call_memory.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace seqgraph {
namespace {

constexpr int64_t kPersistentAlignment = 4096;

}  // namespace

void CallMemory::Plan(absl::Span<const OpaqueLayout> opaque_layouts,
                      const std::vector<bool>& constant, std::vector<int64_t> scratch,
                      std::vector<int64_t> persistent) {
  storage_ = PlanStorage(function_, opaque_layouts, guard_bytes_, constant);
  scratch_bytes_ = std::move(scratch);
  persistent_bytes_ = std::move(persistent);
  use_.values = storage_.arena_bytes + storage_.kept_bytes;
  use_.live_bound = storage_.live_bound;
  for (const int64_t bytes : scratch_bytes_) {
    use_.scratch = std::max(use_.scratch, bytes);
    use_.unreported += bytes < 0;
  }
  if (use_.scratch > 0) use_.scratch += 2 * guard_bytes_;
  for (const int64_t bytes : persistent_bytes_) {
    if (bytes != 0) use_.persistent += persistent_offset() + bytes + guard_bytes_;
  }
}

int64_t CallMemory::persistent_offset() const {
  return (guard_bytes_ + kPersistentAlignment - 1) / kPersistentAlignment * kPersistentAlignment;
}

bool CallMemory::Allocate() {
  // Never empty: values without elements have an address too, because null means absent.
  bool enough = arena_.Allocate(std::max(storage_.arena_bytes, kBufferAlignment)) &&
                kept_.Allocate(storage_.kept_bytes) && scratch_.Allocate(use_.scratch);
  for (const int64_t bytes : persistent_bytes_) {
    persistent_.emplace_back();
    if (bytes == 0) continue;
    enough = enough && persistent_.back().Allocate(persistent_offset() + bytes + guard_bytes_);
  }
  if (enough && has_guards()) MakeGuards();
  return enough;
}

void* CallMemory::persistent(int program) const {
  const MemoryRegion& own = persistent_[program];
  return own.bytes() > 0 ? own.data() + persistent_offset() : nullptr;
}

void* CallMemory::Address(const Storage& storage) const {
  switch (storage.place) {
    case Storage::Place::kNone:
      return nullptr;
    case Storage::Place::kArena:
      return arena_.data() + storage.offset;
    case Storage::Place::kKept:
      return kept_.data() + storage.offset;
    case Storage::Place::kVariable:
      return has_guards() ? arena_.data() + storage_.variable_offsets[storage.variable]
                          : Content(storage.variable);
  }
  return nullptr;
}

// Of each node the scratch is a range of its own, though all share the memory.
void CallMemory::MakeGuards() {
  const int end = static_cast<int>(function_.nodes().size());
  for (const ArenaBuffer& buffer : storage_.buffers) {
    guards_.Add({.data = arena_.data() + buffer.offset,
                 .bytes = buffer.bytes,
                 .before = guard_bytes_,
                 .behind = AlignedBytes(buffer.bytes) - buffer.bytes + guard_bytes_,
                 .first = buffer.first,
                 .last = buffer.last,
                 .name = buffer.value < 0 ? "a snapshot of a variable"
                                          : function_.values()[buffer.value].name});
  }
  for (int n = 0; n < end && use_.scratch > 0; ++n) {
    const int64_t bytes = std::max<int64_t>(scratch_bytes_[n], 0);
    guards_.Add({.data = scratch_.data() + guard_bytes_,
                 .bytes = bytes,
                 .before = guard_bytes_,
                 .behind = use_.scratch - guard_bytes_ - bytes,
                 .first = n,
                 .last = n,
                 .name = "scratch"});
  }
  for (size_t p = 0; p < persistent_.size(); ++p) {
    if (persistent_[p].bytes() == 0) continue;
    guards_.Add({.data = persistent_[p].data() + persistent_offset(),
                 .bytes = persistent_bytes_[p],
                 .before = persistent_offset(),
                 .behind = guard_bytes_,
                 .first = -1,
                 .last = end,
                 .name = "persistent memory"});
  }
  guards_.Fill(/*node=*/-1);
}

absl::Status CallMemory::Load() {
  const absl::Status status = CheckGuards(/*node=*/-1, {});
  guards_.Fill(/*node=*/-1);
  if (!status.ok()) return Annotate(status, absl::StrCat("between calls of ", function_.name()));
  for (size_t v = 0; v < variables_.size(); ++v) {
    const Tensor& value = variables_[v]->value;
    std::memcpy(arena_.data() + storage_.variable_offsets[v], value.data(), value.num_bytes());
  }
  return absl::OkStatus();
}

absl::Status CallMemory::CheckGuards(int node, const KernelArgs& args) {
  damage_ = guards_.Find(function_, node, args);
  return damage_.has_value() ? DataLoss(damage_->ToString()) : absl::OkStatus();
}

void CallMemory::StoreUpdates() const {
  for (const Snapshot& snapshot : storage_.snapshots) {
    const Tensor& value = variables_[snapshot.variable]->value;
    std::memcpy(arena_.data() + snapshot.offset, value.data(), value.num_bytes());
  }
  for (const UpdateCopy& copy : storage_.copies) {
    std::memcpy(Content(copy.variable), Address(copy.source),
                variables_[copy.variable]->value.num_bytes());
  }
  if (!has_guards()) return;
  for (int variable : storage_.in_place) {
    std::memcpy(Content(variable), arena_.data() + storage_.variable_offsets[variable],
                variables_[variable]->value.num_bytes());
  }
}

}  // namespace seqgraph
