#include "base/atomic_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/file_descriptor.h"
#include "base/memory_limit.h"
#include "base/status_macros.h"
#include "base/temporary_file.h"

namespace seqgraph {
namespace {

// The permissions of a file that replaces another: the same, but what runs as its owner may not run
// as another, and what anybody could write was another's to say.
int ModeLike(const struct stat& previous) {
  const mode_t mode = previous.st_mode & 0777;
  return static_cast<int>(previous.st_uid == ::geteuid() ? mode : mode & ~mode_t{022});
}

// Where the bytes belong: `path` itself, or what it links to.
absl::StatusOr<std::string> ResolveLink(const std::string& path) {
  struct stat info;
  if (::lstat(path.c_str(), &info) != 0 || !S_ISLNK(info.st_mode)) return path;
  std::unique_ptr<char, decltype(&std::free)> resolved(::realpath(path.c_str(), nullptr),
                                                       &std::free);
  if (resolved == nullptr) return SystemError(errno, "cannot follow the link", path);
  return std::string(resolved.get());
}

}  // namespace

struct AtomicFile::State {
  std::string path;    // As it was given,
  std::string target;  // and what it links to.
  int mode = -1;       // for the new file; -1: as the umask has it
  TemporaryFile temporary;
};

AtomicFile::AtomicFile(std::unique_ptr<State> state) : state_(std::move(state)) {}
AtomicFile::~AtomicFile() = default;

absl::StatusOr<std::unique_ptr<AtomicFile>> AtomicFile::Create(const std::string& path) {
  if (path.empty()) return InvalidArgument("cannot write a file with an empty path");
  SEQ_ASSIGN_OR_RETURN(std::string target, ResolveLink(path));
  struct stat previous;
  const bool exists = ::stat(target.c_str(), &previous) == 0;
  if (exists && !S_ISREG(previous.st_mode)) {
    return InvalidArgument("cannot write ", path, ": it exists and is not a regular file");
  }
  SEQ_ASSIGN_OR_RETURN(TemporaryFile temporary, TemporaryFile::Create(FolderOf(target)));
  const int mode = exists ? ModeLike(previous) : -1;
  return std::unique_ptr<AtomicFile>(new AtomicFile(
      std::unique_ptr<State>(new State{path, std::move(target), mode, std::move(temporary)})));
}

absl::Status AtomicFile::Write(absl::string_view bytes) {
  const int error = state_->temporary.Write(bytes);
  return error == 0 ? absl::OkStatus() : SystemError(error, "cannot write", state_->path);
}

absl::Status AtomicFile::Rewrite(int64_t offset, absl::string_view bytes) {
  const int error = WriteAllAt(state_->temporary.fd(), bytes, offset);
  return error == 0 ? absl::OkStatus() : SystemError(error, "cannot write", state_->path);
}

absl::Status AtomicFile::Sync() {
  const int error = seqgraph::Sync(state_->temporary.fd());
  return error == 0 ? absl::OkStatus() : SystemError(error, "cannot write", state_->path);
}

absl::Status AtomicFile::CommitInUnsyncedFolder() {
  State& state = *state_;
  int error = 0;
  const auto change_mode = [&] {
    return ::fchmod(state.temporary.fd(), static_cast<mode_t>(state.mode));
  };
  if (state.mode >= 0 && Uninterrupted(change_mode) != 0) error = errno;
  if (error == 0) error = state.temporary.SyncAndRename(state.target);
  return error == 0 ? absl::OkStatus() : SystemError(error, "cannot write", state.path);
}

absl::Status AtomicFile::Commit() {
  SEQ_RETURN_IF_ERROR(CommitInUnsyncedFolder());
  const std::string folder = FolderOf(state_->target);
  const int error = SyncFolder(folder);
  return error == 0 ? absl::OkStatus() : SystemError(error, "cannot sync folder", folder);
}

absl::Status AtomicWriteFile(const std::string& path, absl::string_view bytes) {
  SEQ_ASSIGN_OR_RETURN(const std::unique_ptr<AtomicFile> file, AtomicFile::Create(path));
  SEQ_RETURN_IF_ERROR(file->Write(bytes));
  return file->Commit();
}

absl::Status AtomicWriteFileInUnsyncedFolder(const std::string& path, absl::string_view bytes) {
  SEQ_ASSIGN_OR_RETURN(const std::unique_ptr<AtomicFile> file, AtomicFile::Create(path));
  SEQ_RETURN_IF_ERROR(file->Write(bytes));
  return file->CommitInUnsyncedFolder();
}

namespace {

absl::Status CopyFile(int from, const std::string& name, const std::string& path) {
  SEQ_ASSIGN_OR_RETURN(const std::unique_ptr<AtomicFile> file, AtomicFile::Create(path));
  std::string bytes(size_t{1} << 20, '\0');
  while (true) {
    const ssize_t got = Uninterrupted([&] { return ::read(from, bytes.data(), bytes.size()); });
    if (got < 0) return SystemError(errno, "cannot read", name);
    if (got == 0) break;
    SEQ_RETURN_IF_ERROR(file->Write(absl::string_view(bytes.data(), static_cast<size_t>(got))));
  }
  SEQ_RETURN_IF_ERROR(file->Commit());
  Remove(name);
  return absl::OkStatus();
}

}  // namespace

absl::Status AtomicMoveFile(const std::string& from, const std::string& path) {
  SEQ_ASSIGN_OR_RETURN(const std::string target, ResolveLink(path));
  const FileDescriptor file(
      Uninterrupted([&] { return ::open(from.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW); }));
  if (file.get() < 0) return SystemError(errno, "cannot open", from);
  struct stat previous;
  int error = 0;
  if (::stat(target.c_str(), &previous) == 0) {
    if (!S_ISREG(previous.st_mode)) {
      return InvalidArgument("cannot write ", path, ": it exists and is not a regular file");
    }
    const auto mode = static_cast<mode_t>(ModeLike(previous));
    if (Uninterrupted([&] { return ::fchmod(file.get(), mode); }) != 0) error = errno;
  }
  if (error == 0) error = Sync(file.get());
  if (error == 0) error = Rename(from, target);
  if (error == EXDEV) return CopyFile(file.get(), from, path);
  if (error == 0) error = SyncFolder(FolderOf(target));
  return error == 0 ? absl::OkStatus() : SystemError(error, "cannot write", path);
}

namespace {

absl::StatusOr<std::string> Read(const std::string& path, int64_t max_bytes, bool start_only) {
  // O_NONBLOCK: opening a pipe that nobody writes would wait for ever.
  constexpr int kHow = O_RDONLY | O_CLOEXEC | O_NONBLOCK;
  const FileDescriptor fd(Uninterrupted([&] { return ::open(path.c_str(), kHow); }));
  if (fd.get() < 0) return SystemError(errno, "cannot open", path);
  struct stat info;
  if (::fstat(fd.get(), &info) != 0) return SystemError(errno, "cannot read", path);
  if (!S_ISREG(info.st_mode)) {
    return InvalidArgument("cannot read ", path, ": not a regular file");
  }
  if (info.st_size > max_bytes && !start_only) {
    return ResourceExhausted("cannot read ", path, ": it has ", info.st_size, " bytes; at most ",
                             max_bytes);
  }
  const int64_t size = std::min<int64_t>(info.st_size, max_bytes);
  SEQ_RETURN_IF_ERROR(CheckMemory(size, path));
  std::string bytes(size, '\0');
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t got = ::read(fd.get(), bytes.data() + done, bytes.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return SystemError(errno, "cannot read", path);
    if (got == 0) break;  // cut short by somebody while we read: what is missing will be noticed
    done += got;
  }
  bytes.resize(done);
  return bytes;
}

}  // namespace

absl::StatusOr<std::string> ReadFile(const std::string& path, int64_t max_bytes) {
  return Read(path, max_bytes, /*start_only=*/false);
}

absl::StatusOr<std::string> ReadFileStart(const std::string& path, int64_t max_bytes) {
  return Read(path, max_bytes, /*start_only=*/true);
}

}  // namespace seqgraph
