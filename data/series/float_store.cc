#include "data/series/float_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "base/temporary_file.h"

namespace seqgraph::data {
namespace {

// A file that nobody else finds, and that goes with its last user.
absl::StatusOr<FileDescriptor> TemporaryFile(const std::string& folder) {
  constexpr int kHow = O_TMPFILE | O_RDWR | O_CLOEXEC;
  FileDescriptor file(Uninterrupted([&] { return ::open(folder.c_str(), kHow, 0600); }));
  if (file.get() >= 0) return file;
  // File systems without O_TMPFILE.
  const std::string pattern = folder + "/.seqgraph-XXXXXX";
  std::string name;
  file = FileDescriptor(Uninterrupted([&] {
    name = pattern;
    return ::mkostemp(name.data(), O_CLOEXEC);
  }));
  if (file.get() < 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot make a temporary file in '", folder,
                                                   "' (TMPDIR names another folder)"));
  }
  Remove(name);
  return file;
}

}  // namespace

absl::Status FloatStore::Write(absl::Span<const float> numbers) {
  const int error = WriteAll(
      file_.get(), {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(float)});
  if (error != 0) {
    return absl::ErrnoToStatus(error, absl::StrCat("writing a temporary file in '", folder_,
                                                   "' (TMPDIR names another folder)"));
  }
  written_ += static_cast<int64_t>(numbers.size());
  return absl::OkStatus();
}

absl::Status FloatStore::Append(absl::Span<const float> numbers) {
  const int64_t bytes = static_cast<int64_t>(numbers.size() * sizeof(float));
  if (file_.get() < 0 && bytes_in_memory() + bytes <= max_bytes_) {
    floats_.insert(floats_.end(), numbers.begin(), numbers.end());
    return absl::OkStatus();
  }
  if (file_.get() < 0) {
    const char* folder = ::secure_getenv("TMPDIR");
    folder_ = folder != nullptr && folder[0] != '\0' ? folder : "/var/tmp";
    SEQ_ASSIGN_OR_RETURN(file_, TemporaryFile(folder_));
    SEQ_RETURN_IF_ERROR(Write(floats_));
    floats_ = std::vector<float>();
  }
  return Write(numbers);
}

absl::StatusOr<StoredFloats> FloatStore::Finish() {
  if (file_.get() < 0) {
    auto owner = std::make_shared<std::vector<float>>(std::move(floats_));
    floats_ = std::vector<float>();
    return StoredFloats{owner->data(), static_cast<int64_t>(owner->size()), owner};
  }
  const size_t bytes = static_cast<size_t>(written_) * sizeof(float);
  void* const mapped = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file_.get(), 0);
  if (mapped == MAP_FAILED) {
    return absl::ErrnoToStatus(errno, absl::StrCat("mapping ", bytes, " bytes of a file"));
  }
  const StoredFloats stored{
      static_cast<float*>(mapped), std::exchange(written_, 0),
      std::shared_ptr<const void>(mapped, [bytes](void* at) { ::munmap(at, bytes); })};
  file_ = FileDescriptor(-1);
  return stored;
}

}  // namespace seqgraph::data
