#pragma once

// The bytes of a file, gunzipped on the way where it is gzip, as a stream of blocks.
//
// libarchive has a gzip filter too, but that one skips the check sum and the length behind the
// data, so a damaged archive could give damaged reviews without a word. ISA-L checks both, and
// inflates almost three times as fast as zlib.

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

struct inflate_state;  // ISA-L's.

namespace seqgraph::data {

/// A forward-only reader. Memory: fixed buffers (about 0.6 MB), whatever the file holds.
class CompressedFile {
 public:
  /// Opens `path`. NotFound or another errno code, naming the path, if it cannot be read.
  static absl::StatusOr<std::unique_ptr<CompressedFile>> Open(const std::string& path);
  ~CompressedFile();
  CompressedFile(const CompressedFile&) = delete;
  CompressedFile& operator=(const CompressedFile&) = delete;

  /// The next block, empty at the end of the data; it holds until the next call. DataLoss, naming
  /// path and offset, for gzip data that are cut off, damaged (check sum and length included) or
  /// followed by something else. An error stays: later calls return it again.
  absl::StatusOr<absl::string_view> Next();

  /// The outcome of all calls so far.
  const absl::Status& status() const { return status_; }

  /// The first bytes of the file as it lies on disk (up to 4), to tell what it is.
  absl::string_view magic() const { return magic_; }

 private:
  CompressedFile(std::string path, int fd);

  absl::Status Fill();         // Reads more of the file into in_ if in_ is used up.
  absl::Status SkipPadding();  // What may follow a gzip member: another one, zeros, nothing.
  absl::StatusOr<absl::string_view> NextInflated();
  absl::Status InflateSome();
  void ReturnUnusedInput();
  absl::Status Damaged(absl::string_view what) const;

  const std::string path_;
  const int fd_;
  std::unique_ptr<char[]> in_;
  std::unique_ptr<char[]> out_;
  absl::string_view pending_;  // The unread part of in_.
  std::string magic_;
  int64_t file_offset_ = 0;  // Behind pending_.
  bool at_file_end_ = false;
  std::unique_ptr<inflate_state> inflater_;  // Null for a file that is not gzip.
  bool between_members_ = false;
  absl::Status status_;
};

}  // namespace seqgraph::data
