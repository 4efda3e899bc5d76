#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace seqgraph {

/// Replaces the content of a file in one step: a reader, and whoever looks after a crash or a power
/// cut, finds either the old content or all of the new one. The bytes go to a temporary file in the
/// same folder, which is synced and renamed; the folder is synced too. On any error the temporary
/// file is removed and the previous file is as it was.
///
/// A symbolic link is followed; an existing file keeps its permissions. Errors name the path:
/// NotFound (no such folder), PermissionDenied, ResourceExhausted (disk full, quota, file size
/// limit), InvalidArgument (empty path, a folder or device), Internal with the system's text.
absl::Status AtomicWriteFile(const std::string& path, absl::string_view bytes);
/// The same with bytes that lie in several places, one behind the other.
absl::Status AtomicWriteFile(const std::string& path, absl::Span<const absl::string_view> pieces);

/// The content of a regular file of at most `max_bytes`. Errors name the path: NotFound,
/// PermissionDenied, InvalidArgument for a folder or device, ResourceExhausted for a larger file.
absl::StatusOr<std::string> ReadFile(const std::string& path, int64_t max_bytes);
/// The same of a file of any size, but only its first bytes.
absl::StatusOr<std::string> ReadFileStart(const std::string& path, int64_t max_bytes);

}  // namespace seqgraph
