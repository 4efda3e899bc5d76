#include "data/text_csv.h"

#include <algorithm>
#include <memory>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"
#include "data/csv.h"

namespace seqgraph::data {
namespace {

using Fields = absl::Span<const absl::string_view>;

constexpr absl::string_view kPlace = "line ";

// Nothing for the name of a column.
std::optional<int64_t> ColumnNumber(const std::string& column) {
  int64_t number = 0;
  if (!absl::SimpleAtoi(column, &number)) return std::nullopt;
  return number;
}

// The index of a column in records that have as many fields as `first`.
absl::StatusOr<size_t> FindColumn(const std::string& path, absl::string_view flag,
                                  const std::string& column, Fields first) {
  const std::optional<int64_t> number = ColumnNumber(column);
  if (number.has_value()) {
    if (*number >= 1 && *number <= static_cast<int64_t>(first.size())) {
      return static_cast<size_t>(*number - 1);
    }
    return InvalidArgument("'", path, "' has ", first.size(), " columns; there is no column ",
                           *number);
  }
  constexpr size_t kListed = 10;
  const auto found = std::find(first.begin(), first.end(), column);
  if (found == first.end()) {
    return InvalidArgument(
        "'", path, "': its first record names no column '", column, "', but: ",
        absl::StrJoin(first.subspan(0, kListed), ", ",
                      [](std::string* out, absl::string_view name) { *out += Shown(name); }),
        first.size() > kListed ? ", ..." : "", "; ", flag,
        " gives the name, or for a file without names the number, from 1, of each column");
  }
  if (std::find(found + 1, first.end(), column) != first.end()) {
    return InvalidArgument("'", path, "': two columns have the name '", column, "'");
  }
  return static_cast<size_t>(found - first.begin());
}

}  // namespace

std::optional<char> SeparatorByName(const std::string& path) {
  const std::string lower = absl::AsciiStrToLower(path);
  const absl::string_view name = absl::StripSuffix(lower, ".gz");
  if (absl::EndsWith(name, ".csv")) return ',';
  if (absl::EndsWith(name, ".tsv")) return '\t';
  return std::nullopt;
}

absl::Status ReadTextCsv(const std::string& path, const TextSourceOptions& options, TextSink sink,
                         ClassTable& classes) {
  const CsvLayout& layout = options.csv;
  const char separator =
      layout.separator != 0 ? layout.separator : SeparatorByName(path).value_or(',');
  SEQ_ASSIGN_OR_RETURN(const std::unique_ptr<CsvReader> reader,
                       CsvReader::Open(path, {.separator = separator, .quotes = layout.quotes}));
  absl::StatusOr<Fields> fields = reader->Next();
  if (!fields.ok()) return fields.status();
  if (fields->empty()) return absl::OkStatus();
  SEQ_ASSIGN_OR_RETURN(const size_t text,
                       FindColumn(path, "--text_column", layout.text_column, *fields));
  SEQ_ASSIGN_OR_RETURN(const size_t label,
                       FindColumn(path, "--label_column", layout.label_column, *fields));
  if (text == label) {
    return InvalidArgument("'", path, "': text and label are the same column, ", text + 1);
  }
  const bool header = layout.header || !ColumnNumber(layout.text_column).has_value() ||
                      !ColumnNumber(layout.label_column).has_value();
  if (header) fields = reader->Next();
  for (; fields.ok() && !fields->empty(); fields = reader->Next()) {
    const std::string line = absl::StrCat(reader->line());
    if (static_cast<int64_t>((*fields)[text].size()) > options.max_text_bytes) {
      return ResourceExhausted("'", path, "', line ", line, ": a text of ", (*fields)[text].size(),
                               " bytes, more than the limit of ", options.max_text_bytes);
    }
    const absl::StatusOr<int> number = classes.Number((*fields)[label], kPlace, line);
    if (!number.ok()) {
      return absl::Status(number.status().code(),
                          absl::StrCat("'", path, "', ", number.status().message()));
    }
    SEQ_RETURN_IF_ERROR(sink(LabelledText{.split = options.only.value_or(Split::kTrain),
                                          .label = *number,
                                          .name = line,
                                          .text = (*fields)[text],
                                          .folder = kPlace}));
  }
  return fields.status();
}

}  // namespace seqgraph::data
