#include "data/csv_records.h"

#include <algorithm>
#include <cstring>

#include "absl/memory/memory.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace seqgraph::data {
namespace {

constexpr absl::string_view kByteOrderMark = "\xEF\xBB\xBF";

// Eight bytes at a time: a loop over bytes would take as long as reading the file.
int64_t CountLines(absl::string_view bytes) {
  constexpr uint64_t kEach = 0x0101010101010101, kLow = 0x7F * kEach;
  constexpr size_t kMostWords = 255;  // One more may overflow the count of a byte's place.
  int64_t lines = 0;
  while (bytes.size() >= sizeof(uint64_t)) {
    const size_t words = std::min(bytes.size() / sizeof(uint64_t), kMostWords);
    uint64_t counts = 0;
    for (size_t i = 0; i < words; ++i) {
      uint64_t word;
      std::memcpy(&word, bytes.data() + i * sizeof(word), sizeof(word));
      word ^= '\n' * kEach;
      counts += ~(((word & kLow) + kLow) | word | kLow) >> 7;  // 1 for each byte that is 0 now
    }
    constexpr uint64_t kPairs = 0x00FF00FF00FF00FF;
    const uint64_t pairs = (counts & kPairs) + ((counts >> 8) & kPairs);
    lines += static_cast<int64_t>((pairs * 0x0001000100010001) >> 48);
    bytes.remove_prefix(words * sizeof(uint64_t));
  }
  return lines + std::count(bytes.begin(), bytes.end(), '\n');
}

}  // namespace

absl::StatusOr<std::unique_ptr<CsvBlocks>> CsvBlocks::Open(const std::string& path,
                                                           const CsvOptions& options) {
  const unsigned char separator = static_cast<unsigned char>(options.separator);
  if (separator == 0 || separator >= 0x80 ||
      absl::string_view("\"\r\n").find(options.separator) != absl::string_view::npos) {
    return InvalidArgument(
        "a separator must be one ASCII character, neither a quote nor an end of a line");
  }
  SEQ_ASSIGN_OR_RETURN(std::unique_ptr<CompressedFile> file, CompressedFile::Open(path));
  return absl::WrapUnique(new CsvBlocks(path, options, std::move(file)));
}

// Reads until there are so many bytes, or the file ends.
absl::Status CsvBlocks::Fill(size_t bytes) {
  while (rest_.size() < bytes && !at_end_) {
    SEQ_ASSIGN_OR_RETURN(absl::string_view next, file_->Next());
    at_end_ = next.empty();
    const bool first = bytes_ < 0;
    if (first) bytes_ = 0;
    bytes_ += static_cast<int64_t>(next.size());
    if (bytes_ > options_.max_bytes) {
      return ResourceExhausted("'", path_, "' holds more than ", options_.max_bytes, " bytes");
    }
    if (first && absl::StartsWith(next, kByteOrderMark)) next.remove_prefix(kByteOrderMark.size());
    rest_.append(next.data(), next.size());
  }
  return absl::OkStatus();
}

// Behind the last line end outside of quotes. A quote opens a field only where one begins.
size_t CsvBlocks::EndOfRecords(absl::string_view bytes) const {
  if (!options_.quotes) return bytes.rfind('\n') + 1;
  size_t end = 0, outside = 0;  // where what lies outside of quotes begins
  bool inside = false;
  for (size_t quote = bytes.find('"'); !inside || quote != bytes.npos;
       quote = bytes.find('"', quote + 1)) {
    const size_t to = std::min(quote, bytes.size());
    if (!inside) {
      const size_t line_end = bytes.substr(outside, to - outside).rfind('\n');
      if (line_end != bytes.npos) end = outside + line_end + 1;
      if (quote == bytes.npos) break;
      const char before = quote == 0 ? '\n' : bytes[quote - 1];
      inside = before == options_.separator || before == '\n' || before == '"';
    } else {
      inside = false;
    }
    outside = quote + 1;
  }
  return end;
}

absl::StatusOr<bool> CsvBlocks::Next(CsvBlock* block) {
  size_t end = 0;
  const auto block_bytes = static_cast<size_t>(options_.block_bytes);
  const size_t limit = 2 * static_cast<size_t>(options_.max_record_bytes) + block_bytes;
  for (size_t wanted = block_bytes;; wanted *= 2) {
    SEQ_RETURN_IF_ERROR(Fill(wanted));
    const bool all = at_end_ && rest_.size() <= wanted;
    end = all ? rest_.size() : EndOfRecords(absl::string_view(rest_).substr(0, wanted));
    if (end > 0 || all) break;
    if (rest_.size() > limit) {  // Quotes double its bytes at most.
      return ResourceExhausted("'", path_, "', line ", line_, ": a record of more than ",
                               options_.max_record_bytes, " bytes");
    }
  }
  if (end == 0) return false;
  std::string tail(rest_, end);
  rest_.resize(end);
  if (rest_.back() != '\n' && rest_.back() != '\r') rest_.push_back('\n');
  std::swap(block->bytes, rest_);
  std::swap(rest_, tail);
  block->line = line_;
  line_ += CountLines(block->bytes);
  return true;
}

bool CsvRecord::Fail(const char* at, std::string what) {
  problem_ = {.line = lines_, .column = at - line_begin_ + 1, .what = std::move(what)};
  return false;
}

// Behind the opening quote.
bool CsvRecord::TakeQuoted(char** at, char* end) {
  char* p = *at;
  const char* const begin = p;
  char* out = p;
  const int64_t line = lines_, column = p - line_begin_;
  while (true) {
    if (p == end) {
      *at = p;
      problem_ = {.line = line,
                  .column = column,
                  .what = "nothing closes the quote that opens here",
                  .to_the_end = true};
      return false;
    }
    if (*p == '"' && *++p != '"') break;
    if (*p == '\n') {
      ++lines_;
      line_begin_ = p + 1;
    }
    *out++ = *p++;
  }
  fields_.emplace_back(begin, static_cast<size_t>(out - begin));
  *at = p;
  return true;
}

bool CsvRecord::Split(char** at, char* end, const CsvOptions& options) {
  fields_.clear();
  quoted_ = false;
  lines_ = 0;
  line_begin_ = *at;
  const char separator = options.separator, quote = options.quotes ? '"' : separator;
  char* p = *at;
  const auto take = [&]() -> bool {
    int64_t bytes = 0;
    while (true) {
      if (static_cast<int>(fields_.size()) >= options.max_fields) {
        Fail(p, absl::StrCat("more than ", options.max_fields, " fields; is the separator right?"));
        problem_.beyond_limit = true;
        return false;
      }
      if (p < end && *p == '"' && options.quotes) {
        quoted_ = true;
        ++p;
        if (!TakeQuoted(&p, end)) return false;
      } else {
        const char* const begin = p;
        while (p < end && *p != separator && *p != '\n' && *p != '\r' && *p != quote) ++p;
        fields_.emplace_back(begin, static_cast<size_t>(p - begin));
        if (p < end && *p == '"' && options.quotes) {
          return Fail(p,
                      "a quote inside a field that does not begin with one; expected the whole "
                      "field in quotes, and two quotes for each inside");
        }
      }
      bytes += static_cast<int64_t>(fields_.back().size());
      if (bytes > options.max_record_bytes) {
        Fail(p, absl::StrCat("a record of more than ", options.max_record_bytes, " bytes"));
        problem_.beyond_limit = true;
        return false;
      }
      if (p == end) return true;
      if (*p != separator) break;
      ++p;
    }
    if (*p == '\r') {
      if (++p == end || *p != '\n') {
        return Fail(p, "a carriage return without a line feed behind it, outside of quotes");
      }
    } else if (*p != '\n') {
      return Fail(p, "expected a separator or the end of the line behind the closing quote");
    }
    ++p;
    ++lines_;
    return true;
  };
  const bool good = take();
  if (!good && p < end) {
    char* const line_end = static_cast<char*>(std::memchr(p, '\n', static_cast<size_t>(end - p)));
    p = line_end == nullptr ? end : line_end + 1;
    lines_ += line_end != nullptr;
  }
  *at = p;
  return good;
}

}  // namespace seqgraph::data
