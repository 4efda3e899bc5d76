#include "serialization/onnx/external_data.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"

namespace seqgraph::onnx {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

struct Range {
  std::string location;
  int64_t offset = 0;
  int64_t length = -1;  // absent
};

absl::StatusOr<Range> RangeOf(const onnx_proto::TensorProto& proto) {
  Range range;
  for (const auto& entry : proto.external_data()) {
    int64_t* number = entry.key() == "offset"   ? &range.offset
                      : entry.key() == "length" ? &range.length
                                                : nullptr;
    if (entry.key() == "location") range.location = entry.value();
    if (number != nullptr && (!absl::SimpleAtoi(entry.value(), number) || *number < 0)) {
      return absl::InvalidArgumentError(
          absl::StrCat("its external data has ", entry.key(), " \"", entry.value(), "\""));
    }
  }
  return range;
}

// The file, opened step by step from the folder, so that no link is followed, not even one that is
// put there meanwhile.
absl::StatusOr<Descriptor> OpenBelow(const std::string& folder, const std::string& location) {
  const auto refuse = [&](absl::string_view why) {
    return absl::InvalidArgumentError(
        absl::StrCat("its external data lies in \"", location, "\": ", why));
  };
  if (location.empty() || location[0] == '/' || location.find('\0') != std::string::npos) {
    return refuse("it must be a path relative to the model's folder");
  }
  Descriptor at(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const std::vector<std::string> parts = absl::StrSplit(location, '/');
  for (size_t i = 0; i < parts.size(); ++i) {
    if (at.get() < 0) return refuse(std::strerror(errno));
    if (parts[i].empty() || parts[i] == "." || parts[i] == "..") {
      return refuse("it must not leave the model's folder: no \"..\", no \".\"");
    }
    const bool last = i + 1 == parts.size();
    at = Descriptor(openat(at.get(), parts[i].c_str(),
                           O_RDONLY | O_NOFOLLOW | O_CLOEXEC | (last ? O_NONBLOCK : O_DIRECTORY)));
  }
  if (at.get() < 0) {
    return refuse(errno == ELOOP ? "links are not followed" : std::strerror(errno));
  }
  return at;
}

}  // namespace

absl::StatusOr<std::string> ReadExternalData(const onnx_proto::TensorProto& proto, int64_t size,
                                             ExternalData* external) {
  if (external == nullptr || external->folder.empty()) {
    return absl::InvalidArgumentError("its elements are in another file, which has no place here");
  }
  SEQ_ASSIGN_OR_RETURN(const Range range, RangeOf(proto));
  if (external->before) {
    SEQ_RETURN_IF_ERROR(external->before(absl::StrCat(external->folder, "/", range.location)));
  }
  SEQ_ASSIGN_OR_RETURN(const Descriptor file, OpenBelow(external->folder, range.location));
  struct stat info;
  if (fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return absl::InvalidArgumentError(
        absl::StrCat("its external data \"", range.location, "\" is no regular file"));
  }
  if (range.length >= 0 && range.length != size) {
    return absl::InvalidArgumentError(absl::StrCat("its external data has ", range.length,
                                                   " bytes, but its extents make ", size));
  }
  if (range.offset > info.st_size || size > info.st_size - range.offset) {
    return absl::InvalidArgumentError(
        absl::StrCat("its external data, ", size, " bytes from byte ", range.offset,
                     " on, goes beyond the ", info.st_size, " bytes of \"", range.location, "\""));
  }
  if (size > external->budget) {
    return absl::ResourceExhaustedError("external data is larger than what may be read");
  }
  external->budget -= size;
  std::string bytes(size, '\0');
  for (int64_t done = 0; done < size;) {
    const ssize_t got = pread(file.get(), bytes.data() + done, size - done, range.offset + done);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("cannot read external data \"", range.location, "\""));
    }
    done += got;
  }
  return bytes;
}

}  // namespace seqgraph::onnx
