#include "data/csv.h"

#include <algorithm>
#include <cstring>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"

namespace seqgraph::data {
namespace {

constexpr absl::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

absl::StatusOr<std::unique_ptr<CsvReader>> CsvReader::Open(const std::string& path,
                                                           const CsvOptions& options) {
  const unsigned char separator = static_cast<unsigned char>(options.separator);
  if (separator == 0 || separator >= 0x80 ||
      absl::string_view("\"\r\n").find(options.separator) != absl::string_view::npos) {
    return InvalidArgument(
        "a separator must be one ASCII character, neither a quote nor an end of a line");
  }
  SEQ_ASSIGN_OR_RETURN(std::unique_ptr<CompressedFile> file, CompressedFile::Open(path));
  auto reader = absl::WrapUnique(new CsvReader(path, options, std::move(file)));
  SEQ_RETURN_IF_ERROR(reader->SkipByteOrderMark());
  return reader;
}

absl::Status CsvReader::ErrorAt(int64_t line, int64_t column, absl::string_view what) const {
  return InvalidArgument("'", path_, "', line ", line, ", column ", column, ": ", what);
}

absl::Status CsvReader::Error(absl::string_view what) const {
  return ErrorAt(line_, bytes_ - line_begin_ + 1, what);
}

int CsvReader::Peek() {
  while (block_.empty() && !at_end_) {
    absl::StatusOr<absl::string_view> next = file_->Next();
    if (!next.ok()) status_ = next.status();
    at_end_ = !next.ok() || next->empty();
    if (!at_end_) block_ = *next;
    if (bytes_ > options_.max_bytes - static_cast<int64_t>(block_.size())) {
      status_ = ResourceExhausted("'", path_, "' holds more than ", options_.max_bytes, " bytes");
      block_ = absl::string_view();
      at_end_ = true;
    }
  }
  return block_.empty() ? kEnd : static_cast<unsigned char>(block_.front());
}

void CsvReader::Take() {
  const bool line_end = block_.front() == '\n';
  block_.remove_prefix(1);
  ++bytes_;
  if (line_end) {
    ++line_;
    line_begin_ = bytes_;
  }
}

absl::Status CsvReader::SkipByteOrderMark() {
  Peek();
  absl::ConsumePrefix(&block_, kByteOrderMark);
  return status_;
}

absl::Status CsvReader::Append(size_t bytes) {
  if (bytes > static_cast<size_t>(options_.max_record_bytes) - text_.size()) {
    return ResourceExhausted("'", path_, "': the record that begins on line ", record_line_,
                             " has more than ", options_.max_record_bytes, " bytes");
  }
  text_.append(block_.data(), bytes);
  block_.remove_prefix(bytes);
  bytes_ += static_cast<int64_t>(bytes);
  return absl::OkStatus();
}

absl::StatusOr<bool> CsvReader::ReadPlain() {
  const char separator = options_.separator;
  while (Peek() != kEnd) {
    const char* const stop = std::find_if(block_.begin(), block_.end(), [separator](char c) {
      return c == separator || c == '\n' || c == '\r' || c == '"';
    });
    SEQ_RETURN_IF_ERROR(Append(static_cast<size_t>(stop - block_.begin())));
    if (block_.empty()) continue;
    if (block_.front() != '"') return EndField(Peek());
    if (options_.quotes) {
      return Error(
          "a quote inside a field that does not begin with one; expected the whole field in "
          "quotes, and two quotes for each inside");
    }
    SEQ_RETURN_IF_ERROR(Append(1));
  }
  return EndField(kEnd);
}

absl::StatusOr<bool> CsvReader::ReadQuoted() {
  const int64_t line = line_;
  const int64_t column = bytes_ - line_begin_;  // Of the quote that opened it.
  while (Peek() != kEnd) {
    const size_t size = std::min(block_.find('"'), block_.size());
    const absl::string_view text = block_.substr(0, size);
    const size_t last = text.rfind('\n');
    if (last != absl::string_view::npos) {
      line_ += std::count(text.begin(), text.end(), '\n');
      line_begin_ = bytes_ + static_cast<int64_t>(last) + 1;
    }
    SEQ_RETURN_IF_ERROR(Append(size));
    if (block_.empty()) continue;
    Take();
    const int next = Peek();
    if (next != '"') return EndField(next);
    SEQ_RETURN_IF_ERROR(Append(1));
  }
  if (!status_.ok()) return status_;
  return ErrorAt(line, column, "nothing closes the quote that opens here");
}

// Behind a field's text.
absl::StatusOr<bool> CsvReader::EndField(int byte) {
  if (!status_.ok()) return status_;
  if (static_cast<int>(ends_.size()) >= options_.max_fields) {
    return ResourceExhausted("'", path_, "', line ", record_line_, ": more than ",
                             options_.max_fields, " fields; is the separator right?");
  }
  ends_.push_back(text_.size());
  if (byte == kEnd) return false;
  if (byte == options_.separator) {
    Take();
    return true;
  }
  if (byte == '\r') {
    Take();
    if (Peek() != '\n') {
      if (!status_.ok()) return status_;
      return Error("a carriage return without a line feed behind it, outside of quotes");
    }
  } else if (byte != '\n') {
    return Error("expected a separator or the end of the line behind the closing quote");
  }
  Take();
  return false;
}

absl::StatusOr<bool> CsvReader::ReadRecord() {
  text_.clear();
  ends_.clear();
  record_line_ = line_;
  bool any_quoted = false;
  for (bool more = true; more;) {
    const bool quoted = options_.quotes && Peek() == '"';
    any_quoted |= quoted;
    if (quoted) Take();
    SEQ_ASSIGN_OR_RETURN(bool goes_on, quoted ? ReadQuoted() : ReadPlain());
    more = goes_on;
  }
  return any_quoted || ends_.size() > 1 || !text_.empty();
}

absl::StatusOr<absl::Span<const absl::string_view>> CsvReader::Next() {
  fields_.clear();
  for (bool found = false; !found;) {
    if (Peek() == kEnd) {
      if (!status_.ok()) return status_;
      return absl::MakeConstSpan(fields_);
    }
    SEQ_ASSIGN_OR_RETURN(const bool record, ReadRecord());
    found = record;
  }
  if (num_fields_ == 0) num_fields_ = ends_.size();
  if (ends_.size() != num_fields_) {
    return ErrorAt(
        record_line_, 1,
        absl::StrCat("a record with ", ends_.size(), " fields; the first one has ", num_fields_));
  }
  size_t begin = 0;
  for (size_t end : ends_) {
    fields_.push_back(absl::string_view(text_).substr(begin, end - begin));
    begin = end;
  }
  return absl::MakeConstSpan(fields_);
}

}  // namespace seqgraph::data
