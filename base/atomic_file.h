#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace seqgraph {

/// Replaces the content of a file in one step: a reader, and whoever looks after a crash or a power
/// cut, finds either the old content or all of the new one. The bytes go to a temporary file in the
/// same folder, which is synced and renamed; the folder is synced too. On any error the temporary
/// file is removed and the previous file is as it was.
///
/// A symbolic link is followed; an existing file keeps its permissions, but for set-user-ID, and
/// writing by others where it was another user's. Errors name the path:
/// NotFound (no such folder), PermissionDenied, ResourceExhausted (disk full, quota, file size
/// limit), InvalidArgument (empty path, a folder or device), Internal with the system's text.
absl::Status AtomicWriteFile(const std::string& path, absl::string_view bytes);
/// The same but for the folder: the caller syncs it (SyncFolder), once for several files. Until
/// then a power cut may leave the old content.
absl::Status AtomicWriteFileInUnsyncedFolder(const std::string& path, absl::string_view bytes);

/// The same for content that comes in parts.
class AtomicFile {
 public:
  /// Makes the temporary file.
  static absl::StatusOr<std::unique_ptr<AtomicFile>> Create(const std::string& path);
  /// Removes it again, unless Commit() succeeded.
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  absl::Status Write(absl::string_view bytes);
  /// Replaces bytes that were written: a head that tells how much has followed.
  absl::Status Rewrite(int64_t offset, absl::string_view bytes);
  /// Waits until all so far is on the disk: for files that are to get their places together, so
  /// that Commit() has little left that takes time or can fail.
  absl::Status Sync();
  /// To be called once, after all parts: puts the file in its place.
  absl::Status Commit();
  /// The same, as AtomicWriteFileInUnsyncedFolder does it.
  absl::Status CommitInUnsyncedFolder();

 private:
  struct State;
  explicit AtomicFile(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Puts a whole file that lies at `from` in the place of `path`, as AtomicFile::Commit() does:
/// synced, a link followed, with the permissions of the file that it replaces. To another file
/// system it is copied.
absl::Status AtomicMoveFile(const std::string& from, const std::string& path);

/// The content of a regular file of at most `max_bytes`. Errors name the path: NotFound,
/// PermissionDenied, InvalidArgument for a folder or device, ResourceExhausted for a larger file.
absl::StatusOr<std::string> ReadFile(const std::string& path, int64_t max_bytes);
/// The same of a file of any size, but only its first bytes.
absl::StatusOr<std::string> ReadFileStart(const std::string& path, int64_t max_bytes);

}  // namespace seqgraph
