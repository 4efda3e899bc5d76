#include "data/series/table_rows.h"

#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "data/class_table.h"
#include "data/series/decimal.h"

namespace seqgraph::data {
namespace {

using Kind = TableColumn::Kind;
using Missing = SeriesSourceOptions::Missing;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// Keeps the groups of `width` elements that `keep` has.
template <typename T>
void KeepOf(const std::vector<bool>& keep, size_t width, std::vector<T>& elements) {
  if (elements.empty()) return;
  auto out = elements.begin();
  for (size_t i = 0; i < keep.size(); ++i) {
    if (!keep[i]) continue;
    const auto from = elements.begin() + static_cast<ptrdiff_t>(i * width);
    out = std::copy(from, from + static_cast<ptrdiff_t>(width), out);
  }
  elements.erase(out, elements.end());
}

std::string NoNumber(absl::string_view field) {
  float value;
  const bool comma =
      ReadNumber(absl::StrReplaceAll(field, {{",", "."}}), &value) == NumberText::kNumber;
  return absl::StrCat(Shown(field), " is no number",
                      comma ? "; decimals have to have a point, not a comma" : "");
}

}  // namespace

int32_t Words::Number(absl::string_view word) {
  if (last_ >= 0 && names_[static_cast<size_t>(last_)] == word) return last_;
  const auto [at, is_new] = numbers_.try_emplace(word, static_cast<int32_t>(names_.size()));
  if (is_new) names_.emplace_back(word);
  last_ = at->second;
  return last_;
}

void TableRows::EndRow(int64_t line) {
  if (lines.empty() || lines.back().line + (rows - lines.back().step) != line) {
    lines.push_back({.step = rows, .line = line});
  }
  ++rows;
}

void TableRows::Keep(const std::vector<bool>& keep) {
  const size_t before = static_cast<size_t>(rows);
  const std::vector<SeriesSet::Lines> old = std::move(lines);
  lines.clear();
  rows = 0;
  size_t run = 0;
  for (size_t i = 0; i < before; ++i) {
    if (run + 1 < old.size() && old[run + 1].step == static_cast<int64_t>(i)) ++run;
    if (keep[i]) EndRow(old[run].line + static_cast<int64_t>(i) - old[run].step);
  }
  KeepOf(keep, features.size() / before, features);
  KeepOf(keep, targets.size() / before, targets);
  KeepOf(keep, 1, weights);
  KeepOf(keep, 1, keys);
  KeepOf(keep, 1, times);
  KeepOf(keep, 1, series);
  KeepOf(keep, 1, labels);
  KeepOf(keep, 1, groups);
}

TableParser::TableParser(const TableColumns& columns, const SeriesSourceOptions& options)
    : columns_(columns), options_(options) {
  for (const std::string& name : options.class_names) known_classes_.emplace(name, 0);
  row_.features.resize(columns.features.size());
  row_.targets.resize(columns.targets.size());
}

std::string TableParser::TakeNumber(const TableColumn& column, absl::string_view field) {
  float value;
  switch (ReadNumber(field, &value)) {
    case NumberText::kNumber:
      break;
    case NumberText::kMissing:
      if (column.target >= 0 || column.weight) {
        if (options_.missing != Missing::kDrop) {
          return absl::StrCat("no value, for which a ", column.weight ? "weight" : "target",
                              " has no rule");
        }
        drop_row_ = true;
      }
      if (options_.missing == Missing::kRefuse) {
        return "no value; a rule is needed for missing ones (--missing=forward, zero, mask or "
               "drop)";
      }
      row_.missing += column.feature >= 0;
      break;
    case NumberText::kNone:
      return NoNumber(field);
    case NumberText::kInfinite:
      return absl::StrCat(Shown(field), " is not finite");
    case NumberText::kHuge:
      return absl::StrCat(Shown(field), " is beyond what float32 holds (3.4e38)");
  }
  if (column.weight && value < 0) return absl::StrCat("the weight ", Shown(field), " is negative");
  if (column.feature >= 0) row_.features[static_cast<size_t>(column.feature)] = value;
  if (column.target >= 0) row_.targets[static_cast<size_t>(column.target)] = value;
  if (column.weight) row_.weight = value;
  return "";
}

std::string TableParser::TakeText(const TableColumn& column, absl::string_view field,
                                  TableRows& rows) {
  field = absl::StripAsciiWhitespace(field);
  float number;
  const bool none =
      field.empty() || (column.label && ReadNumber(field, &number) == NumberText::kMissing);
  if (none) {
    if (!column.label || !options_.per_step || options_.missing != Missing::kDrop) {
      return absl::StrCat("no ", column.series ? "series" : column.label ? "label" : "group");
    }
    drop_row_ = true;
  } else if (column.label && !known_classes_.empty() && !known_classes_.contains(field)) {
    return absl::StrCat("the label ", Shown(field), " is none of the ", known_classes_.size(),
                        " classes of the model");
  }
  if (column.series) row_.series = rows.series_words.Number(field);
  if (column.label) row_.label = none ? -1 : rows.label_words.Number(field);
  if (column.group) row_.group = rows.group_words.Number(field);
  return "";
}

std::string TableParser::Take(const TableColumn& column, absl::string_view field, TableRows& rows) {
  std::string problem;
  if (column.feature >= 0 || column.target >= 0 || column.weight) {
    problem = TakeNumber(column, field);
  }
  for (const auto& [plays, reader, to] : {std::tuple(column.key, &columns_.key, &row_.key),
                                          std::tuple(column.time, &columns_.time, &row_.time)}) {
    if (!plays || !problem.empty()) continue;
    const absl::StatusOr<double> time = (*reader)->Read(field);
    if (time.ok()) *to = *time;
    if (!time.ok()) problem = std::string(time.status().message());
  }
  if (problem.empty() && (column.series || column.label || column.group)) {
    problem = TakeText(column, field, rows);
  }
  return problem;
}

void TableParser::AddRecord(absl::Span<const absl::string_view> fields, int64_t line,
                            TableRows& rows) {
  const auto fail = [&](absl::string_view where, absl::string_view what) {
    rows.problems.Add(absl::StrCat("'", columns_.path, "', line ", line, where, ": ", what));
  };
  if (fields.size() != columns_.columns.size()) {
    return fail("", absl::StrCat("a record with ", fields.size(), " fields; the first one has ",
                                 columns_.columns.size()));
  }
  row_.missing = 0;
  drop_row_ = false;
  for (size_t i = 0; i < fields.size(); ++i) {
    const TableColumn& column = columns_.columns[i];
    if (column.kind == Kind::kPassedOver) continue;
    const std::string problem = Take(column, fields[i], rows);
    if (!problem.empty()) return fail(absl::StrCat(", ", columns_.ColumnName(i)), problem);
  }
  if (drop_row_) {  // Rows with a feature that is missing go once their neighbours are known.
    row_.missing += row_.features[0] == row_.features[0];
    row_.features[0] = kNan;
  }
  Append(line, rows);
}

void TableParser::Append(int64_t line, TableRows& rows) {
  rows.features.insert(rows.features.end(), row_.features.begin(), row_.features.end());
  rows.targets.insert(rows.targets.end(), row_.targets.begin(), row_.targets.end());
  if (columns_.has_weight) rows.weights.push_back(row_.weight);
  if (columns_.key) rows.keys.push_back(row_.key);
  if (columns_.time) rows.times.push_back(row_.time);
  if (columns_.has_series) rows.series.push_back(row_.series);
  if (columns_.has_label) rows.labels.push_back(row_.label);
  if (columns_.has_group) rows.groups.push_back(row_.group);
  rows.missing += row_.missing;
  rows.EndRow(line);
}

// A field without quotes, spaces, or anything that needs a second look. Moves *at behind it.
bool TableParser::ParsePlainField(const TableColumn& column, const char** at, TableRows& rows) {
  const char separator = columns_.csv.separator;
  if (column.kind == Kind::kNumber) {
    float value;
    if (!ReadPlainDecimal(at, end_, &value)) return false;
    if (column.feature >= 0) row_.features[static_cast<size_t>(column.feature)] = value;
    if (column.target >= 0) row_.targets[static_cast<size_t>(column.target)] = value;
    if (column.weight) row_.weight = value;
    return !column.weight || value >= 0;
  }
  const char* const begin = *at;
  const char* end = begin;
  while (*end != separator && *end != '\n' && *end != '\r' && *end != '"') ++end;
  *at = end;
  const absl::string_view field(begin, static_cast<size_t>(end - begin));
  switch (column.kind) {
    case Kind::kPassedOver:
      return true;
    case Kind::kTime:
      return (!column.key || columns_.key->Read(field, &row_.key)) &&
             (!column.time || columns_.time->Read(field, &row_.time));
    case Kind::kText:
      return TakeText(column, field, rows).empty() && !drop_row_;
    default:
      return false;
  }
}

// A record of such fields. False, with *at as it was, for others: those take the long way.
bool TableParser::ParsePlain(const char** at, int64_t line, TableRows& rows) {
  const char* p = *at;
  const char separator = columns_.csv.separator;
  const size_t last = columns_.columns.size() - 1;
  drop_row_ = false;
  row_.missing = 0;
  for (size_t i = 0; i <= last; ++i) {
    if (!ParsePlainField(columns_.columns[i], &p, rows)) return false;
    if (i < last && *p++ != separator) return false;
  }
  p += *p == '\r';
  if (*p++ != '\n') return false;
  Append(line, rows);
  *at = p;
  return true;
}

void TableParser::Parse(char* at, char* end, int64_t line, TableRows& rows) {
  end_ = end;
  const char* plain = at;
  while (plain != end) {
    if (ParsePlain(&plain, line, rows)) {
      ++line;
      continue;
    }
    char* split = at + (plain - at);
    const bool good = record_.Split(&split, end, columns_.csv);
    if (!good) {
      const CsvProblem& problem = record_.problem();
      rows.problems.Add(absl::StrCat("'", columns_.path, "', line ", line + problem.line, ", byte ",
                                     problem.column, ": ", problem.what));
    } else if (!record_.empty()) {
      AddRecord(record_.fields(), line, rows);
    }
    line += record_.lines();
    plain = split;
  }
}

}  // namespace seqgraph::data
