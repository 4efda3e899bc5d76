#include "data/text_rows.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"
#include "data/csv.h"
#include "data/json_lines.h"

namespace seqgraph::data {
namespace {

using Fields = absl::Span<const absl::string_view>;

using Json = nlohmann::ordered_json;

constexpr absl::string_view kPlace = "line ";
constexpr int kMaxDepth = 64;  // Of what stands beside a text in an object.

// In lower case, without .gz.
std::string PlainName(const std::string& path) {
  const std::string lower = absl::AsciiStrToLower(path);
  return std::string(absl::StripSuffix(lower, ".gz"));
}

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
    return InvalidArgument("'", path, "': two columns have the name '", column,
                           "'; rename one, or give the column's number");
  }
  return static_cast<size_t>(found - first.begin());
}

// What is common to the rows of both kinds of files.
class RowReader {
 public:
  RowReader(const std::string& path, const TextSourceOptions& options, bool labelled,
            TextRowSink sink, Problems& problems)
      : path_(path), options_(options), labelled_(labelled), sink_(sink), problems_(problems) {}

  absl::Status ReadCsv();
  absl::Status ReadJsonLines();

 private:
  struct Columns {
    size_t text = 0, label = 0;
    std::vector<size_t> numbers;
    bool header = false;
  };
  enum class Part { kText, kLabel, kNumber };
  absl::StatusOr<Columns> FindColumns(Fields first) const;
  absl::StatusOr<std::string> Member(const Json& object, const std::string& name, Part part) const;
  struct ObjectParts {
    std::string text, label;
    std::vector<std::string> numbers, members;
  };
  absl::StatusOr<ObjectParts> PartsOf(absl::string_view line) const;
  absl::Status ReadNumbers(Fields texts);

  // To the sink, or to the problems. `numbers` are those of the row as the file has them.
  absl::Status Deliver(TextRow row, Fields numbers) {
    const int64_t size = static_cast<int64_t>(row.text.size());
    const std::string line = absl::StrCat(row.line);
    if (const absl::Status read = ReadNumbers(numbers); !read.ok()) {
      problems_.Add(absl::StrCat("'", path_, "', line ", line, ": ", read.message()));
      return absl::OkStatus();
    }
    row.numbers = numbers_;
    if (size > options_.max_text_bytes) {
      problems_.Add(absl::StrCat("'", path_, "', line ", line, ": a text of ", size,
                                 " bytes, more than the limit of ", options_.max_text_bytes));
      return absl::OkStatus();
    }
    if (options_.text_policy == TextPolicy::kRefuse) {
      const absl::Status text = CheckLabelledText(
          path_, {.name = line, .text = row.text, .folder = kPlace}, options_.tokens);
      if (!text.ok()) {
        problems_.Add(std::string(text.message()));
        return absl::OkStatus();
      }
    }
    return sink_(row);
  }

  const std::string& path_;
  const TextSourceOptions& options_;
  const bool labelled_;
  const TextRowSink sink_;
  Problems& problems_;
  std::vector<float> numbers_;  // Of the row.
};

absl::Status RowReader::ReadNumbers(Fields texts) {
  numbers_.resize(texts.size());
  for (size_t i = 0; i < texts.size(); ++i) {
    if (absl::SimpleAtof(texts[i], &numbers_[i]) && std::isfinite(numbers_[i])) continue;
    return InvalidArgument("expected a number as ", Shown(options_.csv.number_columns[i]),
                           ", found ", Shown(std::string(texts[i])));
  }
  return absl::OkStatus();
}

absl::StatusOr<RowReader::Columns> RowReader::FindColumns(Fields first) const {
  const CsvLayout& layout = options_.csv;
  Columns columns{.header = layout.header || !ColumnNumber(layout.text_column).has_value()};
  SEQ_ASSIGN_OR_RETURN(columns.text, FindColumn(path_, "--text_column", layout.text_column, first));
  for (const std::string& name : layout.number_columns) {
    SEQ_ASSIGN_OR_RETURN(columns.numbers.emplace_back(),
                         FindColumn(path_, "--numeric_columns", name, first));
    columns.header |= !ColumnNumber(name).has_value();
  }
  if (!labelled_) return columns;
  SEQ_ASSIGN_OR_RETURN(columns.label,
                       FindColumn(path_, "--label_column", layout.label_column, first));
  if (columns.text == columns.label) {
    return InvalidArgument("'", path_, "': text and label are the same column, ", columns.text + 1,
                           "; --text_column and --label_column name two");
  }
  const std::vector<size_t>& numbers = columns.numbers;
  if (std::find(numbers.begin(), numbers.end(), columns.label) != numbers.end()) {
    return InvalidArgument("'", path_, "': the label is among the numbers, column ",
                           columns.label + 1, ": the answer would be told to the model");
  }
  columns.header |= !ColumnNumber(layout.label_column).has_value();
  return columns;
}

absl::Status RowReader::ReadCsv() {
  SEQ_ASSIGN_OR_RETURN(const std::unique_ptr<CsvReader> reader,
                       CsvReader::Open(path_, {.separator = FieldSeparator(path_, options_.csv),
                                               .quotes = options_.csv.quotes}));
  SEQ_ASSIGN_OR_RETURN(Fields fields, reader->Next());
  if (fields.empty()) return absl::OkStatus();
  SEQ_ASSIGN_OR_RETURN(const Columns columns, FindColumns(fields));
  bool is_header = columns.header;
  std::vector<absl::string_view> numbers(columns.numbers.size());
  while (!fields.empty()) {
    if (is_header) {
      SEQ_RETURN_IF_ERROR(
          sink_(TextRow{.is_header = true, .line = reader->line(), .fields = fields}));
    } else {
      for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = fields[columns.numbers[i]];
      SEQ_RETURN_IF_ERROR(
          Deliver(TextRow{.line = reader->line(),
                          .text = fields[columns.text],
                          .label = labelled_ ? fields[columns.label] : absl::string_view(),
                          .fields = fields},
                  numbers));
    }
    is_header = false;
    absl::StatusOr<Fields> next = reader->Next();
    for (; !next.ok() && reader->can_go_on(); next = reader->Next()) {
      problems_.Add(std::string(next.status().message()));
    }
    SEQ_ASSIGN_OR_RETURN(fields, std::move(next));
  }
  return absl::OkStatus();
}

// The text of a member; for a label that of a whole number or truth value too; that of a number.
absl::StatusOr<std::string> RowReader::Member(const Json& object, const std::string& name,
                                              Part part) const {
  const auto member = object.find(name);
  const absl::string_view flag = part == Part::kText    ? "--text_column"
                                 : part == Part::kLabel ? "--label_column"
                                                        : "--numeric_columns";
  if (member == object.end()) {
    std::vector<std::string> names;
    constexpr size_t kListed = 10;
    for (auto it = object.begin(); it != object.end() && names.size() < kListed; ++it) {
      names.push_back(Shown(it.key()));
    }
    return InvalidArgument("no member ", Shown(name), ", but: ", absl::StrJoin(names, ", "),
                           object.size() > kListed ? ", ..." : "", "; ", flag, " names it");
  }
  if (part == Part::kNumber) {
    if (member->is_number()) return member->dump();
    return InvalidArgument("expected a number as ", Shown(name), ", found ", Shown(member->dump()));
  }
  if (member->is_string()) return member->get<std::string>();
  const bool names_class = member->is_number_integer() || member->is_boolean();
  if (part == Part::kLabel && names_class) return member->dump();
  return InvalidArgument("expected a text as ", Shown(name), ", found ", Shown(member->dump()));
}

absl::StatusOr<RowReader::ObjectParts> RowReader::PartsOf(absl::string_view line) const {
  SEQ_ASSIGN_OR_RETURN(const Json object, ParseJsonObject(line, kMaxDepth));
  ObjectParts parts;
  SEQ_ASSIGN_OR_RETURN(parts.text, Member(object, options_.csv.text_column, Part::kText));
  for (const std::string& name : options_.csv.number_columns) {
    SEQ_ASSIGN_OR_RETURN(parts.numbers.emplace_back(), Member(object, name, Part::kNumber));
  }
  if (labelled_) {
    SEQ_ASSIGN_OR_RETURN(parts.label, Member(object, options_.csv.label_column, Part::kLabel));
  }
  for (auto it = object.begin(); it != object.end(); ++it) parts.members.push_back(it.key());
  return parts;
}

absl::Status RowReader::ReadJsonLines() {
  SEQ_ASSIGN_OR_RETURN(JsonLines lines, JsonLines::Open(path_));
  absl::string_view line;
  while (true) {
    SEQ_ASSIGN_OR_RETURN(const bool more, lines.Next(&line));
    if (!more) return absl::OkStatus();
    const absl::StatusOr<ObjectParts> parts = PartsOf(line);
    if (!parts.ok()) {
      problems_.Add(absl::StrCat(lines.Place(path_), ": ", parts.status().message()));
      continue;
    }
    const std::vector<absl::string_view> numbers(parts->numbers.begin(), parts->numbers.end());
    SEQ_RETURN_IF_ERROR(Deliver(TextRow{.line = lines.number(),
                                        .text = parts->text,
                                        .label = parts->label,
                                        .object = line,
                                        .members = parts->members},
                                numbers));
  }
}

}  // namespace

bool IsCsvName(const std::string& path) {
  const std::string name = PlainName(path);
  return absl::EndsWith(name, ".csv") || absl::EndsWith(name, ".tsv");
}

bool IsJsonLinesName(const std::string& path) {
  const std::string name = PlainName(path);
  return absl::EndsWith(name, ".jsonl") || absl::EndsWith(name, ".ndjson");
}

char FieldSeparator(const std::string& path, const CsvLayout& layout) {
  if (layout.separator != 0) return layout.separator;
  return absl::EndsWith(PlainName(path), ".tsv") ? '\t' : ',';
}

absl::Status ForEachTextRow(const std::string& path, const TextSourceOptions& options,
                            bool labelled, TextRowSink sink, Problems& problems) {
  RowReader reader(path, options, labelled, sink, problems);
  return IsJsonLinesName(path) ? reader.ReadJsonLines() : reader.ReadCsv();
}

absl::Status ReadTextRows(const std::string& path, const TextSourceOptions& options, TextSink sink,
                          ClassTable& classes) {
  Problems problems;
  const auto deliver = [&](const TextRow& row) -> absl::Status {
    if (row.is_header) return absl::OkStatus();
    const std::string line = absl::StrCat(row.line);
    const absl::StatusOr<int> number = classes.Number(row.label, kPlace, line);
    if (!number.ok()) {
      const std::string what = absl::StrCat("'", path, "', ", number.status().message());
      if (!absl::IsInvalidArgument(number.status())) {
        return absl::Status(number.status().code(), what);
      }
      problems.Add(what);
      return absl::OkStatus();
    }
    // Behind a problem that nobody skips it goes on only to tell what else is wrong.
    if (options.skipped == nullptr && problems.count() > 0) return absl::OkStatus();
    return sink(LabelledText{.split = options.only.value_or(Split::kTrain),
                             .label = *number,
                             .name = line,
                             .text = row.text,
                             .folder = kPlace,
                             .numbers = row.numbers});
  };
  SEQ_RETURN_IF_ERROR(ForEachTextRow(path, options, /*labelled=*/true, deliver, problems));
  if (options.skipped == nullptr) return problems.status();
  options.skipped->Add(problems);
  return absl::OkStatus();
}

}  // namespace seqgraph::data
