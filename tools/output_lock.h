#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "base/file_descriptor.h"

namespace seqgraph::tools {

/// Held by who saves to a file for as long as a training lasts, so that no second one does: each
/// would replace what is the other's best. A locked file beside it, ".seqgraph-*.tmp", which goes
/// with its owner; one that a killed process leaves is held by nobody, and is swept away as others
/// of that name are (base/temporary_file.h).
class OutputLock {
 public:
  /// FailedPrecondition, with the process's number, where another has it. Where no such file can be
  /// made or locked (a folder without permission, a file system without locks) nothing is held.
  static absl::StatusOr<OutputLock> Take(const std::string& flag, const std::string& path);
  OutputLock(OutputLock&& other) noexcept;
  OutputLock& operator=(OutputLock&& other) noexcept;
  ~OutputLock();

 private:
  OutputLock() = default;

  FileDescriptor fd_{-1};
  std::string path_;  // of the lock; empty: nothing is held
};

}  // namespace seqgraph::tools
