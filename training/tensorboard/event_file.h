#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/file_descriptor.h"

namespace seqgraph {

/// `data` as a record of an event file (TFRecord): its length (8 bytes), the masked CRC-32C of
/// these, the data, their masked CRC-32C; numbers are little-endian. A sum c is masked as
/// rotate_right(c, 15) + 0xA282EAD8 (mod 2^32).
std::string EventRecord(absl::string_view data);

/// A file that TensorBoard reads while it grows. Records wait in memory until they are flushed, and
/// a flush writes all of them or none.
class EventFile {
 public:
  /// What waits is at most about so much: what comes beyond it while nothing can be written is
  /// lost.
  static constexpr size_t kMaxWaiting = size_t{64} << 20;

  /// Makes the folder, with its parents, and in it a new file of a name that no other has,
  /// "events.out.tfevents.SECONDS.HOST.PROCESS.N.v2". Errors: those of SystemError.
  static absl::StatusOr<EventFile> Create(const std::string& folder, double seconds);
  /// Goes on with a file of that name behind its first `size` bytes; what is behind them is cut
  /// off. DataLoss if it is shorter, or not there.
  static absl::StatusOr<EventFile> GoOn(const std::string& folder, const std::string& name,
                                        int64_t size, std::string waiting);

  void Append(absl::string_view event);
  /// What could not be written waits for the next flush.
  absl::Status Flush();

  const std::string& name() const { return name_; }
  int64_t size() const { return size_; }  ///< written so far
  const std::string& waiting() const { return waiting_; }
  int64_t lost() const { return lost_; }  ///< events

 private:
  EventFile(std::string path, std::string name, FileDescriptor file, int64_t size)
      : path_(std::move(path)), name_(std::move(name)), file_(std::move(file)), size_(size) {}

  std::string path_;
  std::string name_;
  FileDescriptor file_;
  int64_t size_ = 0;
  std::string waiting_;
  int64_t lost_ = 0;
};

/// Names of the event files of a folder, sorted; none where there is no such folder.
std::vector<std::string> EventFilesIn(const std::string& folder);

}  // namespace seqgraph
