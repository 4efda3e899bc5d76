#include "base/temporary_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace seqgraph {
namespace {

constexpr char kPrefix[] = ".seqgraph-", kEnding[] = ".tmp";

uint64_t RandomNumber() {
  uint64_t number = 0;
  Uninterrupted([&] { return ::getrandom(&number, sizeof(number), 0); });
  return number;
}

// True if the file behind fd is ours alone: nobody has begun to sweep it away.
bool Own(int fd) {
  struct stat info;
  // File systems without locks have no sweeping either.
  const int locked = Uninterrupted([&] { return ::flock(fd, LOCK_EX | LOCK_NB); });
  if (locked != 0 && errno == EWOULDBLOCK) return false;
  return ::fstat(fd, &info) == 0 && info.st_nlink > 0;
}

// If it is a file of this user that no living process holds.
void RemoveIfLeft(const std::string& path) {
  constexpr int kHow = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
  const FileDescriptor fd(Uninterrupted([&] { return ::open(path.c_str(), kHow); }));
  struct stat info;
  if (fd.get() >= 0 && ::fstat(fd.get(), &info) == 0 && S_ISREG(info.st_mode) &&
      info.st_uid == ::geteuid() &&
      Uninterrupted([&] { return ::flock(fd.get(), LOCK_EX | LOCK_NB); }) == 0) {
    Remove(path);
  }
}

void Sweep(const std::string& folder) {
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(::opendir(folder.c_str()), &::closedir);
  if (entries == nullptr) return;
  while (const struct dirent* entry = ::readdir(entries.get())) {
    const absl::string_view name = entry->d_name;
    if (!absl::StartsWith(name, kPrefix) || !absl::EndsWith(name, kEnding)) continue;
    RemoveIfLeft(absl::StrCat(folder, "/", name));
  }
}

// Once a folder: a process that is killed while this one lives leaves its file to the next.
void SweepOnce(const std::string& folder) {
  static std::mutex mutex;
  static auto& swept = *new std::set<std::string>;
  {
    const std::lock_guard<std::mutex> lock(mutex);
    if (!swept.insert(folder).second) return;
  }
  Sweep(folder);
}

}  // namespace

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

int Sync(int fd) {
  return Uninterrupted([&] { return ::fsync(fd); }) == 0 ? 0 : errno;
}

namespace {

// `write` gives how many of the bytes it took, or -1.
template <typename WriteSome>
int WriteAllBy(absl::string_view bytes, WriteSome write) {
  while (!bytes.empty()) {
    // Linux writes at most 2 GiB at once.
    const absl::string_view part = bytes.substr(0, size_t{1} << 30);
    const ssize_t written = Uninterrupted([&] { return write(part); });
    if (written < 0) return errno;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return 0;
}

}  // namespace

int WriteAll(int fd, absl::string_view bytes) {
  return WriteAllBy(bytes,
                    [fd](absl::string_view part) { return ::write(fd, part.data(), part.size()); });
}

int WriteAllAt(int fd, absl::string_view bytes, int64_t offset) {
  return WriteAllBy(bytes, [&](absl::string_view part) {
    const ssize_t written = ::pwrite(fd, part.data(), part.size(), offset);
    offset += std::max<ssize_t>(written, 0);
    return written;
  });
}

int Remove(const std::string& path) {
  return Uninterrupted([&] { return ::unlink(path.c_str()); }) == 0 ? 0 : errno;
}

int Rename(const std::string& from, const std::string& to) {
  return Uninterrupted([&] { return ::rename(from.c_str(), to.c_str()); }) == 0 ? 0 : errno;
}

int SyncFolder(const std::string& folder) {
  constexpr int kHow = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
  const FileDescriptor fd(Uninterrupted([&] { return ::open(folder.c_str(), kHow); }));
  const int error = fd.get() < 0 ? 0 : Sync(fd.get());
  return error == EINVAL || error == ENOTSUP ? 0 : error;
}

int MakeFolder(const std::string& path, int mode) {
  const auto make = [&] { return ::mkdir(path.c_str(), static_cast<mode_t>(mode)); };
  if (Uninterrupted(make) == 0) return SyncFolder(FolderOf(path));
  if (errno != EEXIST) return errno;
  struct stat info;
  if (::stat(path.c_str(), &info) != 0) return errno;
  if (!S_ISDIR(info.st_mode)) return ENOTDIR;
  // Whoever made it may have been killed before it was on the disk. It is there, whatever that
  // says.
  SyncFolder(FolderOf(path));
  return 0;
}

int MakeFolders(const std::string& path, int mode) {
  const int error = MakeFolder(path, mode);
  const std::string above = FolderOf(path);
  if (error != ENOENT || above == path || path.empty()) return error;
  const int error_above = MakeFolders(above, mode);
  return error_above == 0 ? MakeFolder(path, mode) : error_above;
}

std::string FolderOf(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

TemporaryFile::TemporaryFile(FileDescriptor fd, std::string path)
    : fd_(std::move(fd)), path_(std::move(path)) {}

TemporaryFile::TemporaryFile(TemporaryFile&& other) noexcept
    : fd_(std::move(other.fd_)), path_(std::exchange(other.path_, "")) {}

TemporaryFile::~TemporaryFile() {
  if (!path_.empty()) Remove(path_);
}

// Not mkstemp: its files are readable by the owner alone, and the umask should decide that.
absl::StatusOr<TemporaryFile> TemporaryFile::Create(const std::string& folder) {
  SweepOnce(folder);
  for (int attempt = 0; attempt < 100; ++attempt) {
    std::string path =
        absl::StrCat(folder, "/", kPrefix, absl::Hex(RandomNumber(), absl::kZeroPad16), kEnding);
    constexpr int kHow = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
    FileDescriptor fd(Uninterrupted([&] { return ::open(path.c_str(), kHow, 0666); }));
    if (fd.get() >= 0) {
      TemporaryFile file(std::move(fd), std::move(path));
      if (Own(file.fd())) return file;
    } else if (errno != EEXIST) {
      return SystemError(errno, "cannot create a file in folder", folder);
    }
  }
  return absl::UnavailableError(
      absl::StrCat("cannot create a file of one's own in folder ", folder));
}

int TemporaryFile::Write(absl::string_view bytes) { return WriteAll(fd(), bytes); }

int TemporaryFile::SyncAndRename(const std::string& path) {
  int error = Sync(fd());
  // Some file systems find out only at the close, but the lock must hold until the file has its
  // name. An interrupted close has closed, and all was on the disk before it.
  const FileDescriptor lock(Uninterrupted([&] { return ::fcntl(fd(), F_DUPFD_CLOEXEC, 0); }));
  const int close_error = fd_.Close();
  if (error == 0 && close_error != EINTR) error = close_error;
  if (error == 0) error = Rename(path_, path);
  if (error == 0) path_.clear();
  return error;
}

}  // namespace seqgraph
