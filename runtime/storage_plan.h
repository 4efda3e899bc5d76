#pragma once

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "graph/function.h"
#include "runtime/backend.h"
#include "runtime/memory_plan.h"

namespace seqgraph {

/// Where the elements of a value lie.
struct Storage {
  enum class Place {
    kNone,      ///< nobody uses the value
    kArena,     ///< at `offset` in the arena
    kKept,      ///< at `offset` in what is kept between calls
    kVariable,  ///< in the memory of variable `variable` (an index into Function::variables())
  };
  Place place = Place::kNone;
  int64_t offset = 0;
  int variable = -1;
};

/// An update that has to be copied when all nodes have run.
struct UpdateCopy {
  int variable = -1;  ///< index into Function::variables()
  Storage source;
};

/// The content of a variable as the call found it, kept in the arena because a result or another
/// variable's update asks for it: taken when all nodes have run, before any update is copied.
struct Snapshot {
  int variable = -1;
  int64_t offset = 0;
};

/// A buffer of the arena, without its guards.
struct ArenaBuffer {
  int value = -1;  ///< that it holds first; -1: a snapshot
  int64_t offset = 0;
  int64_t bytes = 0;
  /// Nodes; -1: before the first, their number: after the last.
  int first = 0;
  int last = 0;
};

struct StoragePlan {
  std::vector<Storage> values;   ///< one for each value
  std::vector<Storage> results;  ///< one for each result, never in a variable
  std::vector<Snapshot> snapshots;
  std::vector<UpdateCopy> copies;
  std::vector<int> in_place;         ///< variables (indices) whose update is written in place
  std::vector<ArenaBuffer> buffers;  ///< all that is in the arena
  /// With guards: for each variable where in the arena its content lies while a call runs. The
  /// values of Place::kVariable are there instead of in the variable's own memory, behind and
  /// before which nothing can be known.
  std::vector<int64_t> variable_offsets;
  int64_t arena_bytes = 0;
  int64_t kept_bytes = 0;
  int64_t live_bound = 0;
};

/// Plans the storage of all values of a function with static shapes. Inputs and results keep
/// theirs until the call ends. Outputs declared in-place share the memory of an input of their own
/// type where nobody needs the old content any more; so optimizer updates happen in the variables
/// themselves. `opaque_layouts` gives values whose size and layout are a backend's own.
/// `guard_bytes`, a multiple of kBufferAlignment, are kept free before and behind each buffer for
/// its lifetime. Nodes of `constant` (one for each node; empty: none) need not run in every call:
/// what others read of their outputs lies apart from the arena, and is kept between calls.
StoragePlan PlanStorage(const Function& function, absl::Span<const OpaqueLayout> opaque_layouts,
                        int64_t guard_bytes = 0, const std::vector<bool>& constant = {});

}  // namespace seqgraph
