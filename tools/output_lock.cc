#include "tools/output_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/atomic_file.h"
#include "base/content_hash.h"
#include "base/status_macros.h"
#include "base/temporary_file.h"

namespace seqgraph::tools {
namespace {

// Beside the file itself, whatever links lead to it; a name is not too long.
std::string LockPathOf(const std::string& path) {
  std::error_code error;
  const std::filesystem::path whole = std::filesystem::weakly_canonical(path, error);
  if (error || !whole.has_filename()) return "";
  const std::string name = HashBytes(whole.filename().string()).Hex().substr(0, 16);
  return whole.parent_path() / absl::StrCat(".seqgraph-saves-", name, ".tmp");
}

// Whether the locked file is still the one of that name: nobody has swept it away meanwhile.
bool HasName(int fd, const std::string& path) {
  struct stat held, named;
  return ::fstat(fd, &held) == 0 && ::stat(path.c_str(), &named) == 0 &&
         held.st_ino == named.st_ino && held.st_dev == named.st_dev;
}

}  // namespace

absl::StatusOr<OutputLock> OutputLock::Take(const std::string& flag, const std::string& path) {
  OutputLock lock;
  const std::string file = LockPathOf(path);
  if (file.empty()) return lock;
  // Who sweeps holds it for a moment.
  constexpr int kTries = 50, kMicroseconds = 2000;
  for (int i = 0; i < kTries; ++i) {
    constexpr int kHow = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
    FileDescriptor fd(Uninterrupted([&] { return ::open(file.c_str(), kHow, 0666); }));
    if (fd.get() < 0) return lock;
    if (Uninterrupted([&] { return ::flock(fd.get(), LOCK_EX | LOCK_NB); }) != 0) {
      if (errno != EWOULDBLOCK) return lock;
      ::usleep(kMicroseconds);
      continue;
    }
    if (!HasName(fd.get(), file)) continue;
    lock.fd_ = std::move(fd);
    lock.path_ = file;
    const std::string process = absl::StrCat(::getpid(), "\n");
    // For people: without it the lock holds as well.
    WriteAllAt(lock.fd_.get(), process, 0);
    return lock;
  }
  const absl::StatusOr<std::string> holder = ReadFileStart(file, 32);
  int64_t process = 0;
  const bool named = holder.ok() && absl::SimpleAtoi(*holder, &process);
  return FailedPrecondition(flag, "=", path, ": another process",
                            named ? absl::StrCat(", number ", process, ",") : "",
                            " trains and saves there: wait for it, or name another file");
}

OutputLock::OutputLock(OutputLock&& other) noexcept
    : fd_(std::move(other.fd_)), path_(std::exchange(other.path_, "")) {}

OutputLock& OutputLock::operator=(OutputLock&& other) noexcept {
  std::swap(fd_, other.fd_);
  path_.swap(other.path_);
  return *this;
}

OutputLock::~OutputLock() {
  if (path_.empty()) return;
  Remove(path_);
  // An ended training leaves nothing, also where the power fails right behind it.
  SyncFolder(FolderOf(path_));
}

}  // namespace seqgraph::tools
