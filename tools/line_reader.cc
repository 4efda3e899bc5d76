#include "tools/line_reader.h"

#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace seqgraph::tools {
namespace {

constexpr size_t kBlockBytes = size_t{64} << 10;

}  // namespace

absl::Status LineReader::CheckLength(size_t bytes) const {
  if (bytes <= max_line_bytes_) return absl::OkStatus();
  return ResourceExhausted(name_, ": line ", lines_given_ + 1, " is longer than ", max_line_bytes_,
                           " bytes; expected one review a line");
}

bool LineReader::Interrupted() const { return interrupt_ != nullptr && interrupt_->load(); }

absl::Status LineReader::Fill() {
  buffer_.erase(0, position_);
  searched_ -= position_;
  position_ = 0;
  const size_t old_size = buffer_.size();
  buffer_.resize(old_size + kBlockBytes);
  ssize_t got;
  do {
    if (Interrupted()) {
      got = 0;
      break;
    }
    got = ::read(fd_, &buffer_[old_size], kBlockBytes);
  } while (got < 0 && errno == EINTR);
  const int error = errno;
  buffer_.resize(old_size + (got > 0 ? static_cast<size_t>(got) : 0));
  if (got < 0) return absl::ErrnoToStatus(error, absl::StrCat("cannot read ", name_));
  at_end_ = got == 0;
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> LineReader::Next(size_t max) {
  std::vector<std::string> lines;
  first_line_ = lines_given_ + 1;
  while (lines.size() < max) {
    size_t end = buffer_.find('\n', searched_);
    size_t next = end + 1;
    if (end == std::string::npos) {
      searched_ = buffer_.size();
      SEQ_RETURN_IF_ERROR(CheckLength(searched_ - position_));
      if (!lines.empty()) break;  // What follows has to be waited for.
      if (!at_end_) {
        SEQ_RETURN_IF_ERROR(Fill());
        continue;
      }
      if (position_ == buffer_.size()) break;
      end = next = buffer_.size();
    }
    SEQ_RETURN_IF_ERROR(CheckLength(end - position_));
    std::string line = buffer_.substr(position_, end - position_);
    if (!line.empty() && line.back() == '\r') line.pop_back();
    lines.push_back(std::move(line));
    ++lines_given_;
    position_ = searched_ = next;
  }
  return lines;
}

}  // namespace seqgraph::tools
