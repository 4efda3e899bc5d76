#include "training/tensorboard/event_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/crc32c.h"
#include "base/status_macros.h"
#include "base/temporary_file.h"

namespace seqgraph {
namespace {

constexpr uint32_t kMaskDelta = 0xA282EAD8;
constexpr absl::string_view kMarkOfEventFiles = ".tfevents.";

template <typename T>
void AppendLittleEndian(T number, std::string& out) {
  for (size_t byte = 0; byte < sizeof(T); ++byte) {
    out += static_cast<char>(number >> (8 * byte) & 0xFF);
  }
}

uint32_t Masked(uint32_t crc) { return (crc >> 15 | crc << 17) + kMaskDelta; }

void AppendRecord(absl::string_view data, std::string& out) {
  const size_t begin = out.size();
  AppendLittleEndian(uint64_t{data.size()}, out);
  AppendLittleEndian(Masked(Crc32c(absl::string_view(out).substr(begin))), out);
  out.append(data.data(), data.size());
  AppendLittleEndian(Masked(Crc32c(data)), out);
}

// As a part of a file's name.
std::string HostName() {
  char name[256] = "";
  if (::gethostname(name, sizeof(name) - 1) != 0) return "host";
  std::string host;
  for (const char c : absl::string_view(name)) host += absl::ascii_isalnum(c) || c == '-' ? c : '_';
  return host.empty() ? "host" : host;
}

}  // namespace

std::string EventRecord(absl::string_view data) {
  std::string record;
  AppendRecord(data, record);
  return record;
}

absl::StatusOr<EventFile> EventFile::Create(const std::string& folder, double seconds) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return SystemError(error.value(), "cannot make the folder", folder);
  for (int n = 0;; ++n) {
    const std::string name =
        absl::StrFormat("events.out.tfevents.%010d.%s.%d.%d.v2", static_cast<int64_t>(seconds),
                        HostName(), ::getpid(), n);
    const std::string path = absl::StrCat(folder, "/", name);
    FileDescriptor file(
        ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666));
    if (file.get() >= 0) return EventFile(path, name, std::move(file), 0);
    if (errno != EEXIST) return SystemError(errno, "cannot make", path);
  }
}

absl::StatusOr<EventFile> EventFile::GoOn(const std::string& folder, const std::string& name,
                                          int64_t size, std::string waiting) {
  // A name from a state must not lead out of the folder.
  if (name.empty() || absl::StrContains(name, '/')) {
    return DataLoss("'", name, "' is no name of an event file");
  }
  const std::string path = absl::StrCat(folder, "/", name);
  FileDescriptor file(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  struct stat info;
  if (file.get() < 0 || ::fstat(file.get(), &info) != 0) {
    return Annotate(SystemError(errno, "cannot open", path), "the curves so far");
  }
  if (info.st_size < size) {
    return DataLoss(path, " has ", info.st_size, " bytes, and had ", size,
                    " when the run's state was saved");
  }
  if (::ftruncate(file.get(), size) != 0) return SystemError(errno, "cannot cut", path);
  EventFile events(path, name, std::move(file), size);
  events.waiting_ = std::move(waiting);
  return events;
}

void EventFile::Append(absl::string_view event) {
  if (waiting_.size() + event.size() > kMaxWaiting) {
    ++lost_;
    return;
  }
  AppendRecord(event, waiting_);
}

absl::Status EventFile::Flush() {
  if (waiting_.empty()) return absl::OkStatus();
  const int error = WriteAll(file_.get(), waiting_);
  if (error == 0) {
    size_ += static_cast<int64_t>(waiting_.size());
    waiting_.clear();
    return absl::OkStatus();
  }
  // A part of a record would end all reading there.
  if (::ftruncate(file_.get(), size_) != 0) return SystemError(errno, "cannot cut", path_);
  return SystemError(error, "cannot write to", path_);
}

std::vector<std::string> EventFilesIn(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    std::string name = it->path().filename().string();
    if (absl::StrContains(name, kMarkOfEventFiles)) names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace seqgraph
