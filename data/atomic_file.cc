#include "data/atomic_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>

#include "absl/strings/str_cat.h"

namespace seqgraph::data {
namespace {

absl::Status Failed(absl::string_view step, const std::string& path, int error) {
  return absl::ErrnoToStatus(error, absl::StrCat("writing '", path, "': ", step, " failed"));
}

absl::Status WriteAll(int fd, absl::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return Failed("write", path, errno);
    }
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

// The rename is only durable once the folder that holds the name is synced too. Some file systems
// refuse to sync a folder; the data are safe by then, so that is not an error.
void SyncFolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  (void)::fsync(fd);
  ::close(fd);
}

}  // namespace

absl::Status WriteFileAtomically(const std::string& path,
                                 absl::Span<const absl::string_view> pieces) {
  static std::atomic<unsigned> counter{0};  // Two threads may write the same path.
  const std::string temporary = absl::StrCat(path, ".tmp.", ::getpid(), ".", counter++);
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd < 0) return Failed(absl::StrCat("creating '", temporary, "'"), path, errno);
  absl::Status status;
  for (absl::string_view piece : pieces) {
    status = WriteAll(fd, piece, path);
    if (!status.ok()) break;
  }
  if (status.ok() && ::fsync(fd) != 0) status = Failed("sync", path, errno);
  if (::close(fd) != 0 && status.ok()) status = Failed("close", path, errno);
  if (status.ok() && std::rename(temporary.c_str(), path.c_str()) != 0) {
    status = Failed("renaming the temporary file", path, errno);
  }
  if (!status.ok()) {
    ::unlink(temporary.c_str());
    return status;
  }
  SyncFolderOf(path);
  return absl::OkStatus();
}

}  // namespace seqgraph::data
