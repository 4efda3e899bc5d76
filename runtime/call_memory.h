#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "graph/function.h"
#include "graph/model.h"
#include "runtime/backend.h"
#include "runtime/buffer_guards.h"
#include "runtime/memory_plan.h"
#include "runtime/storage_plan.h"

namespace seqgraph {

/// The memory that calls of a compiled function run in: values in an arena, scratch that all nodes
/// share, persistent memory of each backend's program; guards around each of them if asked for. The
/// function and its variables must outlive it.
class CallMemory {
 public:
  /// `variables` are those of function.variables(); `guard_bytes` as CompileOptions has them.
  CallMemory(const Function& function, const std::vector<const Variable*>& variables,
             int64_t guard_bytes)
      : function_(function), variables_(variables), guard_bytes_(AlignedBytes(guard_bytes)) {}

  /// `constant` as in PlanStorage; `scratch`: what each node takes, -1 where that is not reported;
  /// `persistent`: what each program takes.
  void Plan(absl::Span<const OpaqueLayout> opaque_layouts, const std::vector<bool>& constant,
            std::vector<int64_t> scratch, std::vector<int64_t> persistent);
  const MemoryUse& use() const { return use_; }
  const std::vector<ArenaBuffer>& buffers() const { return storage_.buffers; }
  /// False if there is not as much. From here on addresses are known, and stay.
  bool Allocate();

  bool has_guards() const { return guard_bytes_ > 0; }
  /// Null for a value that nobody uses.
  void* value(Value value) const { return Address(storage_.values[value.index]); }
  void* result(int i) const { return Address(storage_.results[i]); }
  /// Null if no node, or the program, asks for any.
  void* scratch() const { return use_.scratch > 0 ? scratch_.data() + guard_bytes_ : nullptr; }
  void* persistent(int program) const;
  /// What only one call may use at a time, without guards: the arena, and scratch.
  absl::Span<std::byte> arena() const {
    return {arena_.data(), static_cast<size_t>(AlignedBytes(storage_.arena_bytes))};
  }
  absl::Span<std::byte> all_scratch() const {
    return {scratch_.data(), static_cast<size_t>(AlignedBytes(use_.scratch))};
  }

  /// With guards, before a call: looks at what was written since the last one, and takes the
  /// variables' contents.
  absl::Status Load();
  /// With guards, around a node: writes those of what begins to live, and looks at all that live.
  void FillGuards(int node) const { guards_.Fill(node); }
  absl::Status CheckGuards(int node, const KernelArgs& args);
  /// What the last call damaged.
  const std::optional<GuardDamage>& damage() const { return damage_; }
  /// When all nodes have run: into the variables.
  void StoreUpdates() const;

 private:
  void MakeGuards();
  // In front of persistent memory a whole number of pages, behind which it begins.
  int64_t persistent_offset() const;
  void* Address(const Storage& storage) const;
  // Of a variable, which may be written by a call only: whoever runs it counts that.
  void* Content(int variable) const {
    return const_cast<void*>(variables_[variable]->value.data());
  }

  const Function& function_;
  const std::vector<const Variable*>& variables_;
  const int64_t guard_bytes_;
  StoragePlan storage_;
  std::vector<int64_t> scratch_bytes_, persistent_bytes_;
  MemoryUse use_;
  MemoryRegion arena_, kept_, scratch_;
  std::vector<MemoryRegion> persistent_;  // one for each program
  BufferGuards guards_;
  std::optional<GuardDamage> damage_;
};

}  // namespace seqgraph
