#include "data/text_folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace seqgraph::data {
namespace {

bool IsFolder(const std::string& path) {
  struct stat info;
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

struct ClassFolder {
  Split split;
  std::string path;   // With a slash behind it.
  std::string place;  // The same from the root of the data set.
  std::string class_name;
};

// The names in a folder, sorted by their bytes; none if there is no folder.
absl::StatusOr<std::vector<std::string>> List(
    const std::string& folder, int64_t limit,
    absl::FunctionRef<bool(absl::string_view name, bool is_folder)> wanted) {
  std::vector<std::string> names;
  std::unique_ptr<DIR, int (*)(DIR*)> listing(::opendir(folder.c_str()), ::closedir);
  if (listing == nullptr) {
    if (errno == ENOENT || errno == ENOTDIR) return names;
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot list the folder '", folder, "'"));
  }
  errno = 0;
  while (const dirent* entry = ::readdir(listing.get())) {
    const absl::string_view name = entry->d_name;
    // Links are followed, and some file systems do not tell.
    const bool is_folder =
        entry->d_type == DT_DIR || ((entry->d_type == DT_UNKNOWN || entry->d_type == DT_LNK) &&
                                    IsFolder(absl::StrCat(folder, "/", name)));
    if (!absl::StartsWith(name, ".") && wanted(name, is_folder)) names.emplace_back(name);
    if (static_cast<int64_t>(names.size()) > limit) {
      return ResourceExhausted("'", folder, "' holds more than ", limit, " reviews");
    }
    errno = 0;
  }
  if (errno != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("listing the folder '", folder, "'"));
  }
  std::sort(names.begin(), names.end());
  return names;
}

// Adds the folders of classes in root/place, the last one first, as in file order.
absl::Status AddClasses(const std::string& root, const std::string& place, Split split,
                        std::vector<ClassFolder>& classes) {
  const std::string folder = absl::StrCat(root, "/", place);
  SEQ_ASSIGN_OR_RETURN(std::vector<std::string> names,
                       List(folder, kMaxClasses, [](absl::string_view name, bool is_folder) {
                         return is_folder && !ClassOfFolder(name).empty();
                       }));
  std::reverse(names.begin(), names.end());
  for (const std::string& name : names) {
    classes.push_back({split, absl::StrCat(folder, name, "/"), absl::StrCat(place, name, "/"),
                       std::string(ClassOfFolder(name))});
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<ClassFolder>> FindClasses(const std::string& path, Split unsplit) {
  std::vector<ClassFolder> classes;
  for (const std::string& root : {path, absl::StrCat(path, "/aclImdb")}) {
    for (Split split : {Split::kTrain, Split::kTest}) {
      SEQ_RETURN_IF_ERROR(AddClasses(root, absl::StrCat(SplitName(split), "/"), split, classes));
    }
    if (!classes.empty()) return classes;
  }
  SEQ_RETURN_IF_ERROR(AddClasses(path, "", unsplit, classes));
  if (!classes.empty()) return classes;
  return NotFound(
      "'", path, "' is not the unpacked archive of reviews: expected the folders train/pos, ",
      "train/neg, test/pos, test/neg (or some of them) in it or in its subfolder aclImdb; nor has ",
      "it other folders, one a class, in it or in its subfolders train and test");
}

// The names of the reviews in a folder of a class.
absl::StatusOr<std::vector<std::string>> ListReviews(const ClassFolder& folder,
                                                     const TextSourceOptions& options) {
  std::string other;  // A file that is none.
  absl::StatusOr<std::vector<std::string>> names =
      List(folder.path, options.max_texts, [&](absl::string_view name, bool is_folder) {
        const bool taken = !is_folder && absl::EndsWith(name, options.suffix);
        if (!is_folder && !taken) other = std::string(name);
        return taken;
      });
  if (names.ok() && names->empty() && !other.empty()) {
    return InvalidArgument("'", folder.path, "' holds files such as ", other,
                           ", but none that ends in ", options.suffix,
                           "; --text_files says how texts are named");
  }
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
    return InvalidArgument("'", path,
                           "' is not a regular file; put a copy of what it stands for there");
  }
  if (info.st_size > limit) {
    return ResourceExhausted("'", path, "' has ", info.st_size, " bytes, more than the limit of ",
                             limit, "; is it a text to learn from? Leave it out, or cut it");
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
    return DataLoss("'", path, "': expected ", size, " bytes, found ", filled);
  }
  return absl::string_view(buffer->data(), size);
}

}  // namespace

absl::Status ReadTextFolder(const std::string& path, const TextSourceOptions& options,
                            TextSink sink, ClassTable& classes) {
  SEQ_ASSIGN_OR_RETURN(const std::vector<ClassFolder> folders,
                       FindClasses(path, options.only.value_or(Split::kTrain)));
  std::vector<char> buffer;
  for (const ClassFolder& folder : folders) {
    if (options.only.has_value() && *options.only != folder.split) continue;
    SEQ_ASSIGN_OR_RETURN(const std::vector<std::string> names, ListReviews(folder, options));
    for (const std::string& name : names) {
      SEQ_ASSIGN_OR_RETURN(const int label, classes.Number(folder.class_name, folder.place, name));
      SEQ_ASSIGN_OR_RETURN(
          const absl::string_view text,
          ReadReview(absl::StrCat(folder.path, name), options.max_text_bytes, &buffer));
      SEQ_RETURN_IF_ERROR(sink(LabelledText{folder.split, label, name, text, folder.place}));
    }
  }
  return absl::OkStatus();
}

}  // namespace seqgraph::data
