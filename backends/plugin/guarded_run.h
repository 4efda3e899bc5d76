#ifndef SEQGRAPH_BACKENDS_PLUGIN_GUARDED_RUN_H_
#define SEQGRAPH_BACKENDS_PLUGIN_GUARDED_RUN_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "backends/plugin/plugin_program.h"

namespace seqgraph {

/// Zeroed memory that ends (but for the alignment of 64 bytes) where the process may not write:
/// whoever writes past it crashes. What lies before it and behind it in its pages bears a pattern.
class GuardedBuffer {
 public:
  explicit GuardedBuffer(int64_t bytes);
  ~GuardedBuffer();
  GuardedBuffer(const GuardedBuffer&) = delete;
  GuardedBuffer& operator=(const GuardedBuffer&) = delete;

  /// Null if there is no memory.
  std::byte* data() const { return data_; }
  /// False if somebody wrote outside.
  bool Intact() const;

 private:
  std::byte* pages_ = nullptr;
  int64_t writable_ = 0;  // bytes of `pages_` before the forbidden one
  std::byte* data_ = nullptr;
  int64_t bytes_ = 0;
};

/// Runs the nodes of a program in order, each on operands of zeros of its own. OutOfRange for a
/// write outside a buffer, Internal for a write to an input; otherwise what the plugin says, except
/// that InvalidArgument, OutOfRange and FailedPrecondition count as OK: zeros may be refused.
absl::Status RunGuarded(PluginProgram& program, absl::Span<const int> nodes);

}  // namespace seqgraph

#endif  // SEQGRAPH_BACKENDS_PLUGIN_GUARDED_RUN_H_
