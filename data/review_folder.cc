#include "data/review_folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace seqgraph::data {
namespace {

bool IsFolder(const std::string& path) {
  struct stat info;
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

bool HasLayout(const std::string& root) {
  for (absl::string_view half : {"train", "test"}) {
    for (absl::string_view label : {"pos", "neg"}) {
      if (IsFolder(absl::StrCat(root, "/", half, "/", label))) return true;
    }
  }
  return false;
}

absl::StatusOr<std::string> FindRoot(const std::string& path) {
  for (const std::string& root : {path, absl::StrCat(path, "/aclImdb")}) {
    if (HasLayout(root)) return root;
  }
  return absl::NotFoundError(absl::StrCat(
      "'", path, "' is not the unpacked archive of reviews: expected the folders train/pos, ",
      "train/neg, test/pos, test/neg (or some of them) in it or in its subfolder aclImdb"));
}

// The names of the reviews in a folder, sorted by their bytes.
absl::StatusOr<std::vector<std::string>> ListReviews(const std::string& folder, int64_t limit) {
  std::vector<std::string> names;
  std::unique_ptr<DIR, int (*)(DIR*)> listing(::opendir(folder.c_str()), ::closedir);
  if (listing == nullptr) {
    if (errno == ENOENT) return names;
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot list the folder '", folder, "'"));
  }
  errno = 0;
  while (const dirent* entry = ::readdir(listing.get())) {
    const absl::string_view name = entry->d_name;
    if (absl::EndsWith(name, ".txt") && !absl::StartsWith(name, ".") && entry->d_type != DT_DIR) {
      names.emplace_back(name);
    }
    if (static_cast<int64_t>(names.size()) > limit) {
      return absl::ResourceExhaustedError(
          absl::StrCat("'", folder, "' holds more than ", limit, " reviews"));
    }
    errno = 0;
  }
  if (errno != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("listing the folder '", folder, "'"));
  }
  std::sort(names.begin(), names.end());
  return names;
}

// An open file that closes itself.
class File {
 public:
  explicit File(const std::string& path)
      : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}  // Not to hang on a pipe.
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

// Reads a whole review into `buffer`, which only grows.
absl::StatusOr<absl::string_view> ReadReview(const std::string& path, int64_t limit,
                                             std::vector<char>* buffer) {
  const File file(path);
  struct stat info;
  if (file.fd() < 0 || ::fstat(file.fd(), &info) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot open '", path, "'"));
  }
  if (!S_ISREG(info.st_mode)) {
    return absl::InvalidArgumentError(absl::StrCat("'", path, "' is not a regular file"));
  }
  if (info.st_size > limit) {
    return absl::ResourceExhaustedError(
        absl::StrCat("'", path, "' has ", info.st_size, " bytes, more than the limit of ", limit));
  }
  const size_t size = static_cast<size_t>(info.st_size);
  if (buffer->size() < size) buffer->resize(size);
  size_t filled = 0;
  while (filled < size) {
    const ssize_t got = ::read(file.fd(), buffer->data() + filled, size - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return absl::ErrnoToStatus(errno, absl::StrCat("reading '", path, "'"));
    if (got == 0) break;  // It shrank under our hands.
    filled += static_cast<size_t>(got);
  }
  if (filled != size) {
    return absl::DataLossError(
        absl::StrCat("'", path, "': expected ", size, " bytes, found ", filled));
  }
  return absl::string_view(buffer->data(), size);
}

}  // namespace

absl::Status ReadReviewFolder(const std::string& path, const ReviewSourceOptions& options,
                              ReviewSink sink) {
  const absl::StatusOr<std::string> root = FindRoot(path);
  if (!root.ok()) return root.status();
  std::vector<char> buffer;
  for (Half half : {Half::kTrain, Half::kTest}) {
    if (options.only.has_value() && *options.only != half) continue;
    for (int label : {1, 0}) {
      const std::string folder =
          absl::StrCat(*root, "/", HalfName(half), label == 1 ? "/pos" : "/neg");
      const absl::StatusOr<std::vector<std::string>> names =
          ListReviews(folder, options.max_reviews);
      if (!names.ok()) return names.status();
      for (const std::string& name : *names) {
        const absl::StatusOr<absl::string_view> text =
            ReadReview(absl::StrCat(folder, "/", name), options.max_review_bytes, &buffer);
        if (!text.ok()) return text.status();
        const absl::Status status = sink(Review{half, label, name, *text});
        if (!status.ok()) return status;
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace seqgraph::data
