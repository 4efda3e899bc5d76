#pragma once

// A folder of what was computed from files, found again by what the files hold and not by how they
// are called or dated.
//
//   HASH.data           an entry: a header with version, byte order, key, size and check sum, then
//                       bytes; replaced as a whole or not at all
//   INODE.stat          what a file held (its hash) when it had that device, inode, size and times
//   .seqgraph-*.tmp     being written, or left by somebody who was killed
//
// Any number of processes may use one folder at once, and may be killed at any time.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/content_hash.h"

namespace seqgraph {

/// What the system says of a file. Two equal states of one path mean unchanged content, but for
/// changes so soon after one another that the times do not show them; see IsSettled().
struct FileState {
  uint64_t device = 0;
  uint64_t inode = 0;
  int64_t size = 0;
  int64_t modified_ns = 0;  ///< Since the epoch.
  int64_t changed_ns = 0;   ///< Of the inode: no program can set it.
  int64_t seen_ns = 0;      ///< When this was asked; no part of the state.

  /// Whether the last change is so long ago that a later one has another time: two seconds, more
  /// than any file system's clock ticks.
  bool IsSettled() const;

  friend bool operator==(const FileState& a, const FileState& b) {
    return a.device == b.device && a.inode == b.inode && a.size == b.size &&
           a.modified_ns == b.modified_ns && a.changed_ns == b.changed_ns;
  }
};

/// Of a regular file. NotFound or another errno's code; InvalidArgument if it is not regular.
absl::StatusOr<FileState> StateOfFile(const std::string& path);

class DataCache {
 public:
  /// The folder is made when something is first stored. Entries that were not used for the longest
  /// time go when all together take more than `max_bytes`.
  explicit DataCache(std::string folder, int64_t max_bytes = int64_t{1} << 30)
      : folder_(std::move(folder)), max_bytes_(max_bytes) {}

  /// $XDG_CACHE_HOME/seqgraph, ~/.cache/seqgraph where that variable is not set (or no absolute
  /// path), empty where HOME is not set either.
  static std::string DefaultFolder();

  /// The bytes that were stored under `key`. NotFound if there are none; DataLoss, saying what is
  /// wrong, for an entry that is damaged, cut off, of another key, version or byte order; otherwise
  /// what prevents reading.
  absl::StatusOr<std::string> Find(const ContentHash& key) const;

  /// Replaces what is stored under `key`, then removes old entries, and temporary files that have
  /// been there for an hour. An error leaves what was there.
  absl::Status Store(const ContentHash& key, absl::string_view bytes) const;

  /// The hash of the content of the file in that state, if it was remembered.
  absl::StatusOr<ContentHash> FindHash(const FileState& state) const;
  /// To be called with a settled state that was the same before and after hashing.
  absl::Status RememberHash(const FileState& state, const ContentHash& hash) const;

  /// Whether a file of such a folder, which its name tells, is whole. Errors as Find() and
  /// FindHash() give them; InvalidArgument for a name that no file of a cache has.
  static absl::Status CheckFile(const std::string& path);
  /// Whether a file of that name, without its folder, is one of a cache.
  static bool IsNameOfFile(absl::string_view name);

  const std::string& folder() const { return folder_; }
  /// How the files that it makes are called: one of each kind.
  static std::vector<std::string> ExampleNames();

 private:
  std::string EntryPath(const ContentHash& key) const;
  std::string StatePath(const FileState& state) const;
  absl::Status Write(const std::string& path, absl::string_view bytes) const;
  void RemoveOld(const std::string& kept) const;

  std::string folder_;
  int64_t max_bytes_;
};

}  // namespace seqgraph
