#pragma once

#include <cstdint>
#include <map>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/status_macros.h"

namespace seqgraph::hdf5 {

/// A file's bytes, with how much work may still be done on them: each structure that is visited
/// costs one step, each byte that is copied one byte. A good file visits and copies nothing twice.
class Budget {
 public:
  explicit Budget(uint64_t file_bytes)
      : steps_(file_bytes / 8 + 1000),
        bytes_(2 * file_bytes + (1 << 16)),
        expanded_(64 * file_bytes + (1 << 24)) {}

  absl::Status Step() { return Spend(steps_, 1); }
  absl::Status Copy(uint64_t bytes) { return Spend(bytes_, bytes); }
  /// Bytes that compressed ones unfold to. Weights hardly compress; those that are all alike do.
  absl::Status Expand(uint64_t bytes) { return Spend(expanded_, bytes); }

 private:
  static absl::Status Spend(uint64_t& left, uint64_t amount) {
    if (amount > left) {
      return ResourceExhausted("the file refers to the same bytes over and over: it is damaged");
    }
    left -= amount;
    return absl::OkStatus();
  }
  uint64_t steps_;
  uint64_t bytes_;
  uint64_t expanded_;
};

/// The texts of variable length, which lie in collections apart from what refers to them.
class GlobalHeap {
 public:
  GlobalHeap(absl::string_view file, Budget* budget) : file_(file), budget_(budget) {}

  /// Object `index` of the collection at `address`.
  absl::StatusOr<absl::string_view> Object(uint64_t address, uint32_t index);

 private:
  using Collection = std::map<uint32_t, absl::string_view>;
  absl::StatusOr<Collection> ReadCollection(uint64_t address);

  absl::string_view file_;
  Budget* budget_;
  std::map<uint64_t, Collection> collections_;
};

}  // namespace seqgraph::hdf5
