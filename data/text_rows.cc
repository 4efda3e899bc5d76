#include "data/text_rows.h"

#include <algorithm>
#include <cmath>
#include <cstring>
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

  // Null: the file at the path. `first_is_known`: the first record is there for its columns alone.
  absl::Status ReadCsv(CsvBlockSource blocks, bool first_is_known);
  absl::Status ReadJsonLines(CsvBlockSource blocks);

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

CsvOptions CsvOptionsFor(const std::string& path, const CsvLayout& layout) {
  return {.separator = FieldSeparator(path, layout), .quotes = layout.quotes};
}

absl::Status RowReader::ReadCsv(CsvBlockSource blocks, bool first_is_known) {
  const CsvOptions csv = CsvOptionsFor(path_, options_.csv);
  std::unique_ptr<CsvReader> reader;
  if (blocks != nullptr) {
    reader = CsvReader::Of(path_, csv, std::move(blocks));
  } else {
    SEQ_ASSIGN_OR_RETURN(reader, CsvReader::Open(path_, csv));
  }
  SEQ_ASSIGN_OR_RETURN(Fields fields, reader->Next());
  if (fields.empty()) return absl::OkStatus();
  SEQ_ASSIGN_OR_RETURN(const Columns columns, FindColumns(fields));
  bool is_header = columns.header;
  std::vector<absl::string_view> numbers(columns.numbers.size());
  while (!fields.empty()) {
    if (first_is_known) {
      first_is_known = false;
    } else if (is_header) {
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

absl::Status RowReader::ReadJsonLines(CsvBlockSource blocks) {
  JsonLines lines;
  if (blocks != nullptr) {
    lines = JsonLines::Of(std::move(blocks));
  } else {
    SEQ_ASSIGN_OR_RETURN(lines, JsonLines::Open(path_));
  }
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
  return IsJsonLinesName(path) ? reader.ReadJsonLines(nullptr)
                               : reader.ReadCsv(nullptr, /*first_is_known=*/false);
}

std::string TextRowPart::Text() const {
  const int64_t head[2] = {block.line, static_cast<int64_t>(first_record.size())};
  return absl::StrCat(absl::string_view(reinterpret_cast<const char*>(head), sizeof(head)),
                      first_record, block.bytes);
}

absl::StatusOr<TextRowPart> TextRowPart::FromText(absl::string_view text) {
  int64_t head[2] = {0, -1};
  if (text.size() >= sizeof(head)) std::memcpy(head, text.data(), sizeof(head));
  text.remove_prefix(std::min(text.size(), sizeof(head)));
  if (head[1] < 0 || head[1] > static_cast<int64_t>(text.size())) {
    return InvalidArgument("not a part of a table");
  }
  const auto first = static_cast<size_t>(head[1]);
  return TextRowPart{{std::string(text.substr(first)), head[0]},
                     std::string(text.substr(0, first))};
}

absl::StatusOr<TextRowParts> TextRowParts::Open(const std::string& path,
                                                const TextSourceOptions& options,
                                                int64_t part_bytes) {
  TextRowParts parts;
  parts.has_columns_ = !IsJsonLinesName(path);
  parts.options_ =
      parts.has_columns_ ? CsvOptionsFor(path, options.csv) : JsonLines::BlockOptions();
  parts.options_.block_bytes = part_bytes;
  SEQ_ASSIGN_OR_RETURN(parts.blocks_, CsvBlocks::Open(path, parts.options_));
  return parts;
}

// Whether the block has the first record; what it is then stands in first_record_.
bool TextRowParts::FindFirstRecord(const CsvBlock& block) {
  CsvRecord record;
  std::string bytes = block.bytes;  // which Split() changes
  char* at = bytes.data();
  char* const end = at + bytes.size();
  while (at != end) {
    // What is wrong with it is said where it is read.
    const bool whole = record.Split(&at, end, options_);
    if (whole && record.empty()) continue;
    first_record_ = block.bytes.substr(0, static_cast<size_t>(at - bytes.data()));
    return true;
  }
  return false;
}

absl::StatusOr<bool> TextRowParts::Next(TextRowPart* part) {
  part->first_record = first_record_.value_or("");
  SEQ_ASSIGN_OR_RETURN(bool more, blocks_->Next(&part->block));
  // Empty lines in front of the first record are of its part.
  while (more && has_columns_ && !first_record_.has_value()) {
    if (FindFirstRecord(part->block)) break;
    CsvBlock next;
    SEQ_ASSIGN_OR_RETURN(more, blocks_->Next(&next));
    if (!more) return true;
    part->block.bytes += next.bytes;
  }
  return more;
}

absl::Status ForEachTextRowOf(TextRowPart part, const std::string& path,
                              const TextSourceOptions& options, bool labelled, TextRowSink sink,
                              Problems& problems) {
  RowReader reader(path, options, labelled, sink, problems);
  std::vector<CsvBlock> blocks;
  if (!part.first_record.empty()) blocks.push_back({part.first_record, 1});
  blocks.push_back(std::move(part.block));
  const auto next = [&, at = size_t{0}](CsvBlock* block) mutable -> absl::StatusOr<bool> {
    if (at == blocks.size()) return false;
    *block = std::move(blocks[at++]);
    return true;
  };
  return IsJsonLinesName(path) ? reader.ReadJsonLines(next)
                               : reader.ReadCsv(next, !part.first_record.empty());
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
