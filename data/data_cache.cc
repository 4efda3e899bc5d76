#include "data/data_cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/atomic_file.h"
#include "base/crc32c.h"
#include "base/status_macros.h"
#include "base/temporary_file.h"

namespace seqgraph {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kSettledAfter = 2 * kSecond;
constexpr absl::string_view kEntryEnding = ".data";
constexpr absl::string_view kStateEnding = ".stat";
constexpr uint32_t kByteOrder = 0x01020304;

// Of what Find reads: no limit but what an index can be.
constexpr int64_t kMaxEntryBytes = int64_t{1} << 40;

struct EntryHeader {
  char magic[8] = {'S', 'E', 'Q', 'C', 'A', 'C', 'H', 'E'};
  uint32_t version = 1;
  uint32_t byte_order = kByteOrder;
  std::array<uint8_t, 32> key{};
  uint64_t size = 0;             // Of the bytes behind this.
  uint32_t checksum = 0;         // CRC-32C of these bytes.
  uint32_t header_checksum = 0;  // CRC-32C of what is above.
};
static_assert(sizeof(EntryHeader) == 64, "no padding: it is written as it is");
constexpr size_t kHeaderChecked = offsetof(EntryHeader, header_checksum);

struct StateRecord {
  char magic[8] = {'S', 'E', 'Q', 'S', 'T', 'A', 'T', 'E'};
  uint32_t version = 1;
  uint32_t byte_order = kByteOrder;
  uint64_t device = 0;
  uint64_t inode = 0;
  int64_t size = 0;
  int64_t modified_ns = 0;
  int64_t changed_ns = 0;
  std::array<uint8_t, 32> hash{};
  uint32_t unused = 0;
  uint32_t checksum = 0;  // CRC-32C of what is above.
};
static_assert(sizeof(StateRecord) == 96, "no padding");
constexpr size_t kStateChecked = offsetof(StateRecord, checksum);

template <typename T>
absl::string_view BytesOf(const T& value, size_t size = sizeof(T)) {
  return {reinterpret_cast<const char*>(&value), size};
}

int64_t Nanoseconds(const timespec& time) { return time.tv_sec * kSecond + time.tv_nsec; }

int64_t Now() {
  timespec now;
  ::clock_gettime(CLOCK_REALTIME, &now);
  return Nanoseconds(now);
}

// Makes the folder and those above it, for the user alone where they are new.
absl::Status MakeCacheFolder(const std::string& path) {
  const int error = MakeFolders(path, 0700);
  if (error == 0) return absl::OkStatus();
  return absl::ErrnoToStatus(error, absl::StrCat("cannot make the folder ", path));
}

absl::Status Damaged(const std::string& path, absl::string_view what) {
  return DataLoss(path, ": ", what);
}

// What the entry of that key at `path` holds.
absl::StatusOr<std::string> EntryAt(const std::string& path, absl::string_view key) {
  SEQ_ASSIGN_OR_RETURN(std::string file, ReadFile(path, kMaxEntryBytes));
  EntryHeader header;
  if (file.size() < sizeof(header)) return Damaged(path, "shorter than its header");
  std::memcpy(&header, file.data(), sizeof(header));
  const EntryHeader expected;
  if (std::memcmp(header.magic, expected.magic, sizeof(header.magic)) != 0) {
    return Damaged(path, "no entry of this cache");
  }
  if (header.version != expected.version || header.byte_order != kByteOrder) {
    return Damaged(path, "an entry of another version or machine");
  }
  if (header.header_checksum != Crc32c(BytesOf(header, kHeaderChecked))) {
    return Damaged(path, "the header's check sum is wrong");
  }
  if (ContentHash{header.key}.Hex() != key) return Damaged(path, "the entry of another key");
  if (header.size != file.size() - sizeof(header)) {
    return Damaged(path, absl::StrCat("expected ", header.size, " bytes behind the header, found ",
                                      file.size() - sizeof(header)));
  }
  file.erase(0, sizeof(header));
  if (header.checksum != Crc32c(file)) return Damaged(path, "the check sum is wrong");
  return file;
}

absl::StatusOr<StateRecord> RecordAt(const std::string& path) {
  SEQ_ASSIGN_OR_RETURN(const std::string file, ReadFile(path, sizeof(StateRecord)));
  StateRecord record;
  const StateRecord expected;
  if (file.size() != sizeof(record)) return Damaged(path, "of another size");
  std::memcpy(&record, file.data(), sizeof(record));
  if (std::memcmp(&record, &expected, offsetof(StateRecord, device)) != 0 ||
      record.checksum != Crc32c(BytesOf(record, kStateChecked))) {
    return Damaged(path, "not what this cache writes");
  }
  return record;
}

// A file of the cache, and when it was last used.
struct Used {
  int64_t time;
  int64_t size;
  std::string path;
};

}  // namespace

bool FileState::IsSettled() const {
  return std::max(modified_ns, changed_ns) <= seen_ns - kSettledAfter;
}

absl::StatusOr<FileState> StateOfFile(const std::string& path) {
  FileState state;
  state.seen_ns = Now();
  struct stat info;
  if (::stat(path.c_str(), &info) != 0) return absl::ErrnoToStatus(errno, path);
  if (!S_ISREG(info.st_mode)) {
    return InvalidArgument(path, " is not a regular file");
  }
  state.device = info.st_dev;
  state.inode = info.st_ino;
  state.size = info.st_size;
  state.modified_ns = Nanoseconds(info.st_mtim);
  state.changed_ns = Nanoseconds(info.st_ctim);
  return state;
}

std::string DataCache::DefaultFolder() {
  const char* cache = ::secure_getenv("XDG_CACHE_HOME");
  if (cache != nullptr && cache[0] == '/') return absl::StrCat(cache, "/seqgraph");
  const char* home = ::secure_getenv("HOME");
  if (home != nullptr && home[0] == '/') return absl::StrCat(home, "/.cache/seqgraph");
  return "";
}

std::string DataCache::EntryPath(const ContentHash& key) const {
  return absl::StrCat(folder_, "/", key.Hex(), kEntryEnding);
}

std::string DataCache::StatePath(const FileState& state) const {
  const uint64_t inode[2] = {state.device, state.inode};
  return absl::StrCat(folder_, "/", HashBytes(BytesOf(inode)).Hex(), kStateEnding);
}

absl::StatusOr<std::string> DataCache::Find(const ContentHash& key) const {
  const std::string path = EntryPath(key);
  SEQ_ASSIGN_OR_RETURN(std::string file, EntryAt(path, key.Hex()));
  // The time says when it was last used. Where that cannot be set it goes earlier: no matter.
  ::utimensat(AT_FDCWD, path.c_str(), nullptr, 0);
  return file;
}

absl::Status DataCache::Write(const std::string& path, absl::string_view bytes) const {
  SEQ_RETURN_IF_ERROR(MakeCacheFolder(folder_));
  return AtomicWriteFile(path, bytes);
}

absl::Status DataCache::Store(const ContentHash& key, absl::string_view bytes) const {
  EntryHeader header;
  if (static_cast<int64_t>(bytes.size() + sizeof(header)) > max_bytes_) {
    return ResourceExhausted(bytes.size(), " bytes are more than the cache may take together, ",
                             max_bytes_);
  }
  header.key = key.bytes;
  header.size = bytes.size();
  header.checksum = Crc32c(bytes);
  header.header_checksum = Crc32c(BytesOf(header, kHeaderChecked));
  const std::string path = EntryPath(key);
  SEQ_RETURN_IF_ERROR(Write(path, absl::StrCat(BytesOf(header), bytes)));
  RemoveOld(path);
  return absl::OkStatus();
}

absl::StatusOr<ContentHash> DataCache::FindHash(const FileState& state) const {
  const std::string path = StatePath(state);
  SEQ_ASSIGN_OR_RETURN(const StateRecord record, RecordAt(path));
  const FileState recorded{.device = record.device,
                           .inode = record.inode,
                           .size = record.size,
                           .modified_ns = record.modified_ns,
                           .changed_ns = record.changed_ns};
  if (!(recorded == state)) return NotFound("the file has changed since");
  return ContentHash{record.hash};
}

absl::Status DataCache::RememberHash(const FileState& state, const ContentHash& hash) const {
  StateRecord record;
  record.device = state.device;
  record.inode = state.inode;
  record.size = state.size;
  record.modified_ns = state.modified_ns;
  record.changed_ns = state.changed_ns;
  record.hash = hash.bytes;
  record.checksum = Crc32c(BytesOf(record, kStateChecked));
  return Write(StatePath(state), BytesOf(record));
}

std::vector<std::string> DataCache::ExampleNames() {
  const std::string hash(64, '0');
  return {absl::StrCat(hash, kEntryEnding), absl::StrCat(hash, kStateEnding)};
}

bool DataCache::IsNameOfFile(absl::string_view name) {
  if (!absl::ConsumeSuffix(&name, kEntryEnding) && !absl::ConsumeSuffix(&name, kStateEnding)) {
    return false;
  }
  return name.size() == 64 && std::all_of(name.begin(), name.end(), [](char c) {
           return absl::ascii_isxdigit(static_cast<unsigned char>(c));
         });
}

absl::Status DataCache::CheckFile(const std::string& path) {
  absl::string_view name = path;
  name.remove_prefix(name.find_last_of('/') + 1);
  if (!IsNameOfFile(name)) return InvalidArgument(path, " is no name of a cache's file");
  if (absl::ConsumeSuffix(&name, kEntryEnding)) return EntryAt(path, name).status();
  return RecordAt(path).status();
}

void DataCache::RemoveOld(const std::string& kept) const {
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(::opendir(folder_.c_str()), ::closedir);
  if (listing == nullptr) return;
  std::vector<Used> files;
  int64_t total = 0;
  while (const dirent* entry = ::readdir(listing.get())) {
    // Nothing but what this class writes, in case the folder holds more.
    if (!IsNameOfFile(entry->d_name)) continue;
    const std::string path = absl::StrCat(folder_, "/", entry->d_name);
    struct stat info;
    if (::lstat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
    const int64_t time = Nanoseconds(info.st_mtim);
    total += info.st_size;
    if (path != kept) files.push_back({time, info.st_size, path});
  }
  if (total <= max_bytes_) return;
  std::sort(files.begin(), files.end(), [](const Used& a, const Used& b) {
    return a.time != b.time ? a.time < b.time : a.path < b.path;
  });
  for (const Used& file : files) {
    if (total <= max_bytes_) break;
    // Whoever reads it has it open, and keeps it.
    if (Remove(file.path) == 0) total -= file.size;
  }
}

}  // namespace seqgraph
