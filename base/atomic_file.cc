#include "base/atomic_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/file_descriptor.h"
#include "base/status_macros.h"

namespace seqgraph {
namespace {

// "write of /a/b: No space left on device", with the code that fits the errno.
absl::Status SystemError(int error, absl::string_view what, const std::string& path) {
  const std::string message = absl::StrCat(what, " ", path, ": ", std::strerror(error));
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return NotFound(message);
    case EACCES:
    case EPERM:
    case EROFS:
      return absl::PermissionDeniedError(message);
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case ENOMEM:
      return ResourceExhausted(message);
    case ENAMETOOLONG:
    case EISDIR:
    case ELOOP:
      return InvalidArgument(message);
    default:
      return Internal(message);
  }
}

// A temporary file's path, removed again unless it has been renamed.
class TemporaryPath {
 public:
  explicit TemporaryPath(std::string path) : path_(std::move(path)) {}
  ~TemporaryPath() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }
  TemporaryPath(const TemporaryPath&) = delete;
  TemporaryPath& operator=(const TemporaryPath&) = delete;

  const std::string& get() const { return path_; }
  void Release() { path_.clear(); }

 private:
  std::string path_;
};

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// Creates a new file in `folder` under a name that nobody has. Not mkstemp: its files are readable
// by the owner alone, and the umask should decide that.
absl::StatusOr<std::pair<int, std::string>> CreateTemporary(const std::string& folder) {
  static std::atomic<uint64_t> counter{0};
  for (int attempt = 0; attempt < 1000; ++attempt) {
    std::string path =
        absl::StrCat(folder, "/.seqgraph-", ::getpid(), "-", counter.fetch_add(1), ".tmp");
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (fd >= 0) return std::make_pair(fd, std::move(path));
    if (errno != EEXIST && errno != EINTR) {
      return SystemError(errno, "cannot create a file in folder", folder);
    }
  }
  return absl::AlreadyExistsError(
      absl::StrCat("too many left-over files named .seqgraph-*.tmp in folder ", folder));
}

int WriteAll(int fd, absl::string_view bytes) {
  while (!bytes.empty()) {
    // Linux writes at most 2 GiB at once.
    const size_t part = std::min<size_t>(bytes.size(), size_t{1} << 30);
    const ssize_t written = ::write(fd, bytes.data(), part);
    if (written < 0) {
      if (errno == EINTR) continue;
      return errno;
    }
    bytes.remove_prefix(written);
  }
  return 0;
}

absl::Status SyncFolder(const std::string& folder) {
  FileDescriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // The content is in place: a folder that may be written but not read cannot be synced, and some
  // file systems sync no folders at all. Neither makes the write a failure.
  if (fd.get() < 0) return absl::OkStatus();
  if (::fsync(fd.get()) != 0 && errno != EINVAL && errno != ENOTSUP) {
    return SystemError(errno, "cannot sync folder", folder);
  }
  return absl::OkStatus();
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
  int mode = -1;       // Of the file that is replaced; -1: there is none.
  FileDescriptor fd;
  TemporaryPath temporary;
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
  SEQ_ASSIGN_OR_RETURN(auto created, CreateTemporary(FolderOf(target)));
  const int mode = exists ? static_cast<int>(previous.st_mode & 07777) : -1;
  return std::unique_ptr<AtomicFile>(new AtomicFile(
      std::unique_ptr<State>(new State{path, std::move(target), mode, FileDescriptor(created.first),
                                       TemporaryPath(std::move(created.second))})));
}

absl::Status AtomicFile::Write(absl::string_view bytes) {
  const int error = WriteAll(state_->fd.get(), bytes);
  return error == 0 ? absl::OkStatus() : SystemError(error, "cannot write", state_->path);
}

absl::Status AtomicFile::Commit() {
  State& state = *state_;
  int error = 0;
  if (state.mode >= 0 && ::fchmod(state.fd.get(), static_cast<mode_t>(state.mode)) != 0) {
    error = errno;
  }
  if (error == 0 && ::fsync(state.fd.get()) != 0) error = errno;
  const int close_error = state.fd.Close();
  if (error == 0) error = close_error;
  if (error == 0 && ::rename(state.temporary.get().c_str(), state.target.c_str()) != 0) {
    error = errno;
  }
  if (error != 0) return SystemError(error, "cannot write", state.path);
  state.temporary.Release();
  return SyncFolder(FolderOf(state.target));
}

absl::Status AtomicWriteFile(const std::string& path, absl::string_view bytes) {
  SEQ_ASSIGN_OR_RETURN(const std::unique_ptr<AtomicFile> file, AtomicFile::Create(path));
  SEQ_RETURN_IF_ERROR(file->Write(bytes));
  return file->Commit();
}

namespace {

absl::StatusOr<std::string> Read(const std::string& path, int64_t max_bytes, bool start_only) {
  // O_NONBLOCK: opening a pipe that nobody writes would wait for ever.
  FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
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
  std::string bytes(std::min<int64_t>(info.st_size, max_bytes), '\0');
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
