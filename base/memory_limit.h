#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace seqgraph {

inline constexpr int64_t kNoMemoryLimit = std::numeric_limits<int64_t>::max();

/// Bytes of memory that this process can have: the machine's, or the least of what its control
/// groups and `ulimit -v` and `-d` leave it.
int64_t AvailableMemory();

/// Bytes that data and models of this process may take: three quarters of AvailableMemory(), as it
/// was when first asked for, or what SetMemoryLimit() said. Readers ask before they take memory
/// that a file asks for, compiled functions before they allocate.
int64_t MemoryLimit();
/// At least 0; kNoMemoryLimit: none. To be called before threads are started.
void SetMemoryLimit(int64_t bytes);

/// OK if `bytes` are within MemoryLimit(); otherwise ResourceExhausted: "WHAT takes N bytes, more
/// than the limit of M bytes; allow more (--max_memory) ...".
absl::Status CheckMemory(int64_t bytes, absl::string_view what);

/// What a program may take itself, beside data and models: code that libraries make, stacks of
/// threads, buffers of readers.
inline constexpr int64_t kProgramMemory = int64_t{128} << 20;

/// From now on the system refuses this process and its children memory beyond what they have now,
/// kProgramMemory and MemoryLimit(): also what nobody counts ends in std::bad_alloc then, and never
/// takes what others need. For main(), before threads are started.
void EnforceMemoryLimit();

/// The least limit of the control groups in `list` (the text of /proc/self/cgroup, versions 1 and
/// 2) and of those around them, as `root` (/sys/fs/cgroup) holds them; kNoMemoryLimit: none.
int64_t ControlGroupLimit(absl::string_view list, const std::string& root);

}  // namespace seqgraph
