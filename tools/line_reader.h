#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace seqgraph::tools {

/// Lines from a file descriptor as they arrive: from a pipe or terminal each is handed out at once,
/// from a file many together, and never more than a block and a line are in memory.
class LineReader {
 public:
  /// `fd` stays the caller's; `name` is for messages.
  LineReader(int fd, std::string name, size_t max_line_bytes = size_t{4} << 20)
      : fd_(fd), name_(std::move(name)), max_line_bytes_(max_line_bytes) {}

  /// Once it is true, and a signal has ended the wait for more, the input counts as ended.
  void set_interrupt(const std::atomic<bool>* interrupt) { interrupt_ = interrupt; }

  /// The next lines without their ends ("\n" or "\r\n"), at least one and at most `max`: waits only
  /// if there is none yet. None at the end of the input. A last line without an end counts if it is
  /// not empty. ResourceExhausted for a line that is too long, or the system's error.
  absl::StatusOr<std::vector<std::string>> Next(size_t max);

  /// The number, from 1, of the first line that Next() gave last.
  int64_t first_line() const { return first_line_; }
  const std::string& name() const { return name_; }

 private:
  absl::Status CheckLength(size_t bytes) const;
  bool Interrupted() const;
  absl::Status Fill();

  int fd_;
  std::string name_;
  size_t max_line_bytes_;
  std::string buffer_;
  size_t position_ = 0;  // Of what has not been given yet.
  size_t searched_ = 0;  // No line ends between position_ and here.
  bool at_end_ = false;
  const std::atomic<bool>* interrupt_ = nullptr;
  int64_t first_line_ = 0;
  int64_t lines_given_ = 0;
};

}  // namespace seqgraph::tools
