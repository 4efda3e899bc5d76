#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "graph/function.h"
#include "runtime/backend.h"

namespace seqgraph {

/// What CompileOptions::guard_bytes may be at most.
inline constexpr int64_t kMaxGuardBytes = int64_t{1} << 20;
/// What tools use that look for writes past a buffer: a vector register and more.
inline constexpr int64_t kDefaultGuardBytes = 256;

/// A write outside of a buffer.
struct GuardDamage {
  /// Index of the node after which it was seen; -1: before the first one, so that the caller wrote.
  int node = -1;
  /// An output of the node whose guard it is; -1: another buffer.
  int output = -1;
  std::string buffer;  ///< "output y (dense)", "scratch", ...
  int64_t bytes = 0;   ///< size of the buffer
  /// Of the first damaged byte, from the begin of the buffer: negative, or at least `bytes`.
  int64_t offset = 0;

  /// "wrote outside of output y (dense), 96 bytes: byte 96 is damaged, 1 past its end".
  std::string ToString() const;
};

/// A buffer between known bytes, in the lifetime of [first, last] in nodes. In other times the
/// memory, guards included, may be that of others.
struct GuardedRange {
  std::byte* data = nullptr;
  int64_t bytes = 0;
  int64_t before = 0;  ///< guard bytes in front of `data`
  int64_t behind = 0;  ///< guard bytes from `data + bytes` on
  int first = 0;
  int last = 0;
  std::string name;  ///< for people, where it is no operand of the node
};

/// The guards of all buffers of a call. Their bytes are NaN as floats and no index as int32, so
/// that reading past a buffer shows in the results too.
class BufferGuards {
 public:
  void Add(GuardedRange range) { ranges_.push_back(std::move(range)); }
  /// Writes the guards of the buffers whose lifetime begins at `node`.
  void Fill(int node) const;
  /// The first damage to a buffer that is alive at `node`, which has run with `args`.
  std::optional<GuardDamage> Find(const Function& function, int node, const KernelArgs& args) const;

 private:
  std::vector<GuardedRange> ranges_;
};

}  // namespace seqgraph
