#include "tools/output_path.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace seqgraph::tools {
namespace {

std::string FolderOf(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// Permission bits do not tell (root, read-only file systems), so it is tried. One byte is written
// because a full disk still makes empty files.
absl::Status TryToWrite(const std::string& folder) {
  const std::string probe = absl::StrCat(folder, "/.seqgraph-", ::getpid(), "-probe.tmp");
  const int fd = ::open(probe.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot create a file in folder ", folder));
  }
  int error = ::write(fd, "", 1) == 1 ? 0 : errno;
  if (::close(fd) != 0 && error == 0) error = errno;
  ::unlink(probe.c_str());
  if (error == 0) return absl::OkStatus();
  return absl::ErrnoToStatus(error, absl::StrCat("cannot write a file in folder ", folder));
}

absl::Status CheckFolder(const std::string& folder, const std::string& where) {
  struct stat info;
  if (::stat(folder.c_str(), &info) != 0) {
    if (errno != ENOENT) return absl::ErrnoToStatus(errno, absl::StrCat(where, ": ", folder));
    return NotFound(where, ": there is no folder ", folder, "; make it first");
  }
  if (!S_ISDIR(info.st_mode)) {
    return InvalidArgument(where, ": expected a folder, found a file or device at ", folder);
  }
  return Annotate(TryToWrite(folder), where);
}

}  // namespace

absl::Status CheckOutputFile(const std::string& flag, const std::string& path) {
  const std::string where = absl::StrCat(flag, "=", path);
  if (path.empty() || path.back() == '/') {
    return InvalidArgument(where, ": expected a file, found a folder");
  }
  struct stat info;
  if (::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode)) {
    return InvalidArgument(where, ": expected a file to write, found a ",
                           S_ISDIR(info.st_mode) ? "folder; name a file in it" : "device or pipe");
  }
  return CheckFolder(FolderOf(path), where);
}

absl::Status CheckOutputFolder(const std::string& flag, const std::string& path) {
  const std::string where = absl::StrCat(flag, "=", path);
  struct stat info;
  return CheckFolder(::lstat(path.c_str(), &info) == 0 ? path : FolderOf(path), where);
}

std::string FreeNameBeside(const std::string& path, const std::string& word) {
  const std::filesystem::path given = path;
  const std::string ending = given.extension();
  for (int number = 1;; ++number) {
    std::filesystem::path name = given;
    name.replace_extension(
        absl::StrCat(".", word, number == 1 ? "" : absl::StrCat("-", number), ending));
    struct stat info;
    if (::lstat(name.c_str(), &info) != 0) return name;
  }
}

absl::Status MakeOutputFolder(const std::string& flag, const std::string& path) {
  if (::mkdir(path.c_str(), 0777) == 0 || errno == EEXIST) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, absl::StrCat(flag, "=", path, ": cannot make the folder"));
}

}  // namespace seqgraph::tools
