#include "base/memory_limit.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/file_descriptor.h"
#include "base/status_macros.h"

namespace seqgraph {
namespace {

std::atomic<int64_t> limit{-1};  // -1: nobody has asked yet

// Of a small file of the system's; empty if there is none. Without the library's streams, which
// would be half a megabyte in a program that has no other use for them.
std::string TextOf(const std::string& path) {
  const FileDescriptor file(
      Uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); }));
  std::string text;
  char block[4096];
  for (ssize_t got = 1; file.get() >= 0 && got > 0;) {
    got = Uninterrupted([&] { return ::read(file.get(), block, sizeof(block)); });
    if (got > 0) text.append(block, static_cast<size_t>(got));
  }
  return text;
}

// Of a file of a control group; "max", and no file, are no limit.
int64_t LimitIn(const std::string& path) {
  int64_t bytes = 0;
  return absl::SimpleAtoi(TextOf(path), &bytes) && bytes >= 0 ? bytes : kNoMemoryLimit;
}

int64_t LimitOfProcess(decltype(RLIMIT_AS) resource) {
  struct rlimit bounds = {};
  if (::getrlimit(resource, &bounds) != 0) return kNoMemoryLimit;
  return bounds.rlim_cur > static_cast<rlim_t>(kNoMemoryLimit)
             ? kNoMemoryLimit
             : static_cast<int64_t>(bounds.rlim_cur);
}

// What RLIMIT_DATA counts, as of now.
int64_t DataInUse() {
  constexpr size_t kDataPages = 5;  // proc(5): size, resident, shared, text, lib, data
  const std::string text = TextOf("/proc/self/statm");
  const std::vector<absl::string_view> pages = absl::StrSplit(text, ' ');
  int64_t data = 0;
  if (pages.size() <= kDataPages || !absl::SimpleAtoi(pages[kDataPages], &data)) return 0;
  return data * ::sysconf(_SC_PAGESIZE);
}

}  // namespace

int64_t ControlGroupLimit(absl::string_view list, const std::string& root) {
  int64_t least = kNoMemoryLimit;
  for (const absl::string_view line : absl::StrSplit(list, '\n', absl::SkipEmpty())) {
    // "0::/a/b" of version 2, "5:cpu,memory:/a/b" of version 1.
    const std::vector<std::string> parts = absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (parts.size() != 3) continue;
    const std::vector<absl::string_view> controllers = absl::StrSplit(parts[1], ',');
    const bool second = parts[1].empty();
    if (!second &&
        std::find(controllers.begin(), controllers.end(), "memory") == controllers.end()) {
      continue;
    }
    const std::string base = absl::StrCat(root, second ? "" : "/memory");
    const char* file = second ? "/memory.max" : "/memory.limit_in_bytes";
    for (std::string group = parts[2];; group.resize(group.rfind('/'))) {
      least = std::min(least, LimitIn(absl::StrCat(base, group, file)));
      if (group.find('/') == std::string::npos) break;
    }
  }
  return least;
}

int64_t AvailableMemory() {
  const int64_t pages = ::sysconf(_SC_PHYS_PAGES), page = ::sysconf(_SC_PAGESIZE);
  return std::min({pages > 0 ? pages * page : kNoMemoryLimit,
                   ControlGroupLimit(TextOf("/proc/self/cgroup"), "/sys/fs/cgroup"),
                   LimitOfProcess(RLIMIT_AS), LimitOfProcess(RLIMIT_DATA)});
}

int64_t MemoryLimit() {
  int64_t bytes = limit.load(std::memory_order_relaxed);
  if (bytes < 0) {
    bytes = AvailableMemory() / 4 * 3;
    limit.store(bytes, std::memory_order_relaxed);
  }
  return bytes;
}

void SetMemoryLimit(int64_t bytes) { limit.store(bytes, std::memory_order_relaxed); }

absl::Status CheckMemory(int64_t bytes, absl::string_view what) {
  if (bytes <= MemoryLimit()) return absl::OkStatus();
  return ResourceExhausted(what, " takes ", bytes, " bytes, more than the limit of ", MemoryLimit(),
                           " bytes; allow more (--max_memory) or give less");
}

void EnforceMemoryLimit() {
  const int64_t own = DataInUse() + kProgramMemory;
  if (MemoryLimit() > kNoMemoryLimit - own) return;
  struct rlimit bounds = {};
  if (::getrlimit(RLIMIT_DATA, &bounds) != 0) return;
  // Where it cannot be set, what is counted stays bounded.
  bounds.rlim_cur = std::min(bounds.rlim_cur, static_cast<rlim_t>(MemoryLimit() + own));
  (void)::setrlimit(RLIMIT_DATA, &bounds);
}

}  // namespace seqgraph
