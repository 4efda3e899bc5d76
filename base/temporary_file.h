#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/file_descriptor.h"

namespace seqgraph {

/// "WHAT PATH: No space left on device", with the code that fits the errno: NotFound,
/// PermissionDenied, ResourceExhausted (disk full, quota, file size limit, memory), InvalidArgument
/// (name too long, a folder, links in a circle), else Internal.
absl::Status SystemError(int error, absl::string_view what, const std::string& path);

/// Waits until all of a file or folder is on the disk, however often that is interrupted. 0, or the
/// errno.
int Sync(int fd);

/// Writes all of it, however often that is interrupted or less is taken. 0, or the errno.
int WriteAll(int fd, absl::string_view bytes);
/// The same from that byte of the file on.
int WriteAllAt(int fd, absl::string_view bytes, int64_t offset);

/// Removes a file, however often that is interrupted. 0, or the errno.
int Remove(const std::string& path);

/// Gives a file another name, replacing what has it, however often that is interrupted. 0, or the
/// errno.
int Rename(const std::string& from, const std::string& to);

/// Waits until the names in a folder are on the disk: a file that is synced has none before that,
/// if the power fails. 0 also where that cannot be done: on a file system that syncs no folders, in
/// a folder that may be written but not read. Or the errno.
int SyncFolder(const std::string& folder);

/// Makes a folder, if it is not there, and those above it (MakeFolders), so that they outlive a
/// power cut. 0, or the errno; ENOTDIR: there is something else.
int MakeFolder(const std::string& path, int mode = 0777);
int MakeFolders(const std::string& path, int mode = 0777);

/// The folder that a path lies in: "/a/" of "/a/b", "." of "b".
std::string FolderOf(std::string path);

/// A new file under a name that nobody has, ".seqgraph-*.tmp", which goes with its owner unless it
/// gets another name. A process that is killed leaves one: whoever makes the next in that folder
/// removes it, which a lock on the file of each living owner allows, in containers that share a
/// folder too.
class TemporaryFile {
 public:
  /// Errors: those of SystemError.
  static absl::StatusOr<TemporaryFile> Create(const std::string& folder);
  TemporaryFile(TemporaryFile&& other) noexcept;
  TemporaryFile& operator=(TemporaryFile&& other) = delete;
  ~TemporaryFile();

  int fd() const { return fd_.get(); }
  /// Behind what is there. 0, or the errno.
  int Write(absl::string_view bytes);
  /// Waits until all is on the disk, and gives the file its name, in the same folder, replacing
  /// what has it. To be called once. 0, or the errno; the file is then removed.
  int SyncAndRename(const std::string& path);

 private:
  TemporaryFile(FileDescriptor fd, std::string path);

  FileDescriptor fd_;
  std::string path_;  // empty: it has been moved or renamed
};

}  // namespace seqgraph
