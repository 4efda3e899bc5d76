#include "tools/output_path.h"

#include <sys/stat.h>

#include <cerrno>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "base/atomic_file.h"
#include "base/status_macros.h"
#include "base/temporary_file.h"

namespace seqgraph::tools {
namespace {

absl::Status CheckFolder(const std::string& folder, const std::string& where) {
  struct stat info;
  if (::stat(folder.c_str(), &info) != 0) {
    if (errno != ENOENT) return absl::ErrnoToStatus(errno, absl::StrCat(where, ": ", folder));
    return NotFound(where, ": there is no folder ", folder, "; make it first");
  }
  if (!S_ISDIR(info.st_mode)) {
    return InvalidArgument(where, ": expected a folder, found a file or device at ", folder);
  }
  return absl::OkStatus();
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
  SEQ_RETURN_IF_ERROR(CheckFolder(FolderOf(path), where));
  // Permission bits do not tell (root, read-only file systems), so it is tried, where a link leads
  // to. One byte is written because a full disk still makes empty files.
  absl::StatusOr<std::unique_ptr<AtomicFile>> file = AtomicFile::Create(path);
  return Annotate(file.ok() ? (*file)->Write("x") : file.status(), where);
}

absl::Status CheckOutputFolder(const std::string& flag, const std::string& path) {
  const std::string where = absl::StrCat(flag, "=", path);
  struct stat info;
  const std::string folder = ::lstat(path.c_str(), &info) == 0 ? path : FolderOf(path);
  SEQ_RETURN_IF_ERROR(CheckFolder(folder, where));
  absl::StatusOr<TemporaryFile> file = TemporaryFile::Create(folder);
  if (!file.ok()) return Annotate(file.status(), where);
  const int error = file->Write("x");
  return error == 0 ? absl::OkStatus()
                    : Annotate(SystemError(error, "cannot write a file in folder", folder), where);
}

std::string WholePath(const std::string& path) {
  return std::filesystem::absolute(path).lexically_normal().string();
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
