#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "base/file_descriptor.h"

namespace seqgraph::data {

/// Bytes of numbers that are kept in memory at most, where there is room for as many.
inline constexpr int64_t kMostInMemory = int64_t{64} << 20;

/// Numbers that stay at one place, to be changed there, as long as `owner` lives.
struct StoredFloats {
  float* data = nullptr;
  int64_t size = 0;
  std::shared_ptr<const void> owner;
};

/// A long row of numbers that is written from the front: in memory while it is short, otherwise in
/// a temporary file without a name (in TMPDIR, else /var/tmp), of which the system keeps in memory
/// what it has room for.
class FloatStore {
 public:
  explicit FloatStore(int64_t max_bytes_in_memory) : max_bytes_(max_bytes_in_memory) {}

  /// An errno's code, naming the folder, where the file cannot be made or the disk is full.
  absl::Status Append(absl::Span<const float> numbers);
  /// The store is then empty.
  absl::StatusOr<StoredFloats> Finish();

  int64_t bytes_in_memory() const { return static_cast<int64_t>(floats_.size() * sizeof(float)); }

 private:
  absl::Status Write(absl::Span<const float> numbers);

  const int64_t max_bytes_;
  std::vector<float> floats_;
  FileDescriptor file_{-1};
  std::string folder_;
  int64_t written_ = 0;  // Numbers in the file.
};

}  // namespace seqgraph::data
