#include "data/series/read_json_lines.h"

#include <memory>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "data/class_table.h"
#include "data/json_lines.h"
#include "data/series/table_columns.h"
#include "data/series/table_rows.h"
#include "data/text_source.h"

namespace seqgraph::data {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kSampleLines = 100;
constexpr int kMaxLineDepth = 4;  // {"x": [[1]]} has three.
constexpr size_t kBlockRows = 4096;
constexpr absl::string_view kX = "x";

absl::StatusOr<Json> ParseObject(absl::string_view line) {
  return ParseJsonObject(line, kMaxLineDepth);
}

// A value as a field of a table has it; false: it can be none.
bool FieldOf(const Json& value, std::string* field) {
  if (value.is_null()) {
    field->clear();
  } else if (value.is_string()) {
    *field = value.get_ref<const std::string&>();
  } else if (value.is_number()) {
    *field = value.dump();
  } else if (value.is_boolean()) {
    *field = value.get<bool>() ? "1" : "0";
  } else {
    return false;
  }
  return true;
}

// What is common to both kinds of lines: rows of a table, as texts.
class JsonTable {
 public:
  JsonTable(const std::string& path, const SeriesSourceOptions& options, RowCollector& collector)
      : path_(path), options_(options), collector_(collector) {}

  absl::Status Begin(const std::vector<std::string>& names, const Records& samples,
                     const std::string& series, const std::string& label) {
    SeriesSourceOptions options = options_;
    if (!collector_.features().empty()) options.columns = collector_.features();
    SEQ_ASSIGN_OR_RETURN(columns_, FindColumns(path_, {}, names, samples, options));
    parser_ = std::make_unique<TableParser>(columns_, options_);
    collector_.BeginFile(columns_, series, label);
    return absl::OkStatus();
  }

  absl::Status Add(const std::vector<std::string>& fields, int64_t line) {
    const std::vector<absl::string_view> views(fields.begin(), fields.end());
    parser_->AddRecord(views, line, rows_);
    return rows_.rows < static_cast<int64_t>(kBlockRows) ? absl::OkStatus() : Flush();
  }

  void AddProblem(int64_t line, absl::string_view what) {
    rows_.problems.Add(absl::StrCat("'", path_, "', line ", line, ": ", what));
  }

  absl::Status Flush() { return collector_.Add(std::exchange(rows_, TableRows())); }

 private:
  const std::string& path_;
  const SeriesSourceOptions& options_;
  RowCollector& collector_;
  TableColumns columns_;
  std::unique_ptr<TableParser> parser_;
  TableRows rows_;
};

// The steps of a series as rows of a table: x1, x2, ..., and what options name.
class SeriesLine {
 public:
  SeriesLine(const Json& first, const SeriesSourceOptions& options) : options_(options) {
    const bool given = !options.label.empty() || !options.targets.empty();
    y_name_ = !options.label.empty()     ? options.label
              : !options.targets.empty() ? options.targets[0]
                                         : "y";
    const auto y = first.find(y_name_);
    has_y_ = options.wants_targets && (given || y != first.end());
    if (has_y_ && y != first.end()) {
      const Json& sample = options.per_step && y->is_array() && !y->empty() ? (*y)[0] : *y;
      y_width_ = sample.is_array() ? sample.size() : 1;
      is_class_ = !options.label.empty() ||
                  (options.targets.empty() && (sample.is_string() || sample.is_number_integer()));
    }
    const Json& x = first[std::string(kX)];
    width_ = x.is_array() && !x.empty() && x[0].is_array() ? x[0].size() : 1;
  }

  // The columns, in the order of Rows(), and the options by their names.
  std::vector<std::string> Names(SeriesSourceOptions* options) const {
    std::vector<std::string> names;
    const auto add = [&](const std::string& name) { names.push_back(name); };
    for (size_t f = 0; f < width_; ++f) add(width_ == 1 ? "x" : absl::StrCat("x", f + 1));
    if (options->columns.empty()) options->columns = names;
    options->label.clear();
    options->targets.clear();
    if (has_y_ && is_class_) add(options->label = y_name_);
    for (size_t k = 0; k < y_width_ && has_y_ && !is_class_; ++k) {
      options->targets.push_back(y_width_ == 1 ? y_name_ : absl::StrCat(y_name_, k + 1));
      add(options->targets.back());
    }
    if (options->series.empty()) options->series = kLine;
    add(options->series);
    for (const std::string* member : {&options->time, &options->group, &options->weight}) {
      if (!member->empty()) add(*member);
    }
    options->order.clear();
    return names;
  }

  // The rows, or what is wrong with the object.
  absl::StatusOr<Records> Rows(const Json& object, int64_t line) const {
    const auto x = object.find(std::string(kX));
    if (x == object.end() || !x->is_array() || x->empty()) {
      return InvalidArgument("expected \"x\" with an array of steps");
    }
    Records rows(x->size());
    for (size_t step = 0; step < rows.size(); ++step) {
      SEQ_RETURN_IF_ERROR(Append("x", (*x)[step], width_, rows[step]));
    }
    if (has_y_)
      SEQ_RETURN_IF_ERROR(AppendMember(object, y_name_, y_width_, options_.per_step, rows));
    if (options_.series.empty()) {
      for (std::vector<std::string>& row : rows) row.push_back(absl::StrCat("line ", line));
    } else {
      SEQ_RETURN_IF_ERROR(AppendMember(object, options_.series, 1, false, rows));
    }
    for (const auto& [member, per_step] :
         {std::pair(&options_.time, true), std::pair(&options_.group, false),
          std::pair(&options_.weight, options_.per_step)}) {
      if (!member->empty()) SEQ_RETURN_IF_ERROR(AppendMember(object, *member, 1, per_step, rows));
    }
    return rows;
  }

  static constexpr char kLine[] = "line";  // A column of our own: what a series without name is.

 private:
  static absl::Status Append(absl::string_view name, const Json& value, size_t width,
                             std::vector<std::string>& row) {
    const bool list = value.is_array();
    if ((list ? value.size() : 1) != width) {
      return InvalidArgument("\"", name, "\" has ", list ? value.size() : 1,
                             " numbers a step; the first line has ", width);
    }
    for (size_t i = 0; i < width; ++i) {
      row.emplace_back();
      if (!FieldOf(list ? value[i] : value, &row.back())) {
        return InvalidArgument("\"", name, "\" is nested too deeply");
      }
    }
    return absl::OkStatus();
  }

  static absl::Status AppendMember(const Json& object, const std::string& name, size_t width,
                                   bool per_step, Records& rows) {
    const auto member = object.find(name);
    if (member == object.end()) return InvalidArgument("no member \"", name, "\"");
    if (per_step && (!member->is_array() || member->size() != rows.size())) {
      return InvalidArgument("expected \"", name, "\" with an element for each of ", rows.size(),
                             " steps");
    }
    for (size_t step = 0; step < rows.size(); ++step) {
      SEQ_RETURN_IF_ERROR(Append(name, per_step ? (*member)[step] : *member, width, rows[step]));
    }
    return absl::OkStatus();
  }

  const SeriesSourceOptions& options_;
  std::string y_name_;
  bool has_y_ = false, is_class_ = false;
  size_t y_width_ = 1, width_ = 1;
};

// Lines of series, the first of which was read.
absl::Status ReadSeriesLines(JsonLines& lines, absl::StatusOr<Json> object, const std::string& path,
                             const SeriesSourceOptions& options, const std::string& label,
                             RowCollector& collector) {
  const SeriesLine form(*object, options);
  SeriesSourceOptions named = options;
  const std::vector<std::string> names = form.Names(&named);
  JsonTable table(path, named, collector);
  SEQ_ASSIGN_OR_RETURN(const Records first,
                       Annotate(form.Rows(*object, lines.number()), lines.Place(path)));
  SEQ_RETURN_IF_ERROR(table.Begin(names, first, "", label));
  for (bool more = true; more;) {
    const absl::StatusOr<Records> rows =
        object.ok() ? form.Rows(*object, lines.number()) : absl::StatusOr<Records>(object.status());
    if (!rows.ok()) table.AddProblem(lines.number(), rows.status().message());
    for (const std::vector<std::string>& row : rows.value_or(Records())) {
      SEQ_RETURN_IF_ERROR(table.Add(row, lines.number()));
    }
    absl::string_view line;
    SEQ_ASSIGN_OR_RETURN(more, lines.Next(&line));
    if (more) object = ParseObject(line);
  }
  return table.Flush();
}

// Lines of rows, the first of which was read.
absl::Status ReadRowLines(JsonLines& lines, absl::StatusOr<Json> object, const std::string& path,
                          const SeriesSourceOptions& options, const std::string& series,
                          const std::string& label, RowCollector& collector) {
  std::vector<std::string> names;
  for (const auto& [name, value] : object->items()) names.push_back(name);
  if (names.empty()) return InvalidArgument(lines.Place(path), ": an object without members");
  const auto fields_of = [&]() -> absl::StatusOr<std::vector<std::string>> {
    if (!object.ok()) return object.status();
    std::vector<std::string> fields(names.size());
    for (size_t i = 0; i < names.size(); ++i) {
      const auto member = object->find(names[i]);
      if (member == object->end()) return InvalidArgument("no member ", Shown(names[i]));
      if (!FieldOf(*member, &fields[i])) {
        return InvalidArgument(Shown(names[i]), " is neither a number nor a text");
      }
    }
    return fields;
  };
  // What columns are is found from some rows: those wait until it is known.
  std::vector<std::pair<int64_t, absl::StatusOr<std::vector<std::string>>>> waiting;
  JsonTable table(path, options, collector);
  const auto add = [&](int64_t line,
                       const absl::StatusOr<std::vector<std::string>>& fields) -> absl::Status {
    if (fields.ok()) return table.Add(*fields, line);
    table.AddProblem(line, fields.status().message());
    return absl::OkStatus();
  };
  const auto next = [&]() -> absl::StatusOr<bool> {
    absl::string_view line;
    SEQ_ASSIGN_OR_RETURN(const bool more, lines.Next(&line));
    if (more) object = ParseObject(line);
    return more;
  };
  bool more = true;
  while (more && waiting.size() < kSampleLines) {
    waiting.emplace_back(lines.number(), fields_of());
    SEQ_ASSIGN_OR_RETURN(more, next());
  }
  Records samples;
  for (const auto& [number, fields] : waiting) {
    if (fields.ok()) samples.push_back(*fields);
  }
  SEQ_RETURN_IF_ERROR(table.Begin(names, samples, series, label));
  for (const auto& [number, fields] : waiting) SEQ_RETURN_IF_ERROR(add(number, fields));
  while (more) {
    SEQ_RETURN_IF_ERROR(add(lines.number(), fields_of()));
    SEQ_ASSIGN_OR_RETURN(more, next());
  }
  return table.Flush();
}

}  // namespace

absl::Status ReadJsonLines(const std::string& path, const SeriesSourceOptions& options,
                           const std::string& series, const std::string& label,
                           RowCollector& collector) {
  SEQ_ASSIGN_OR_RETURN(JsonLines lines, JsonLines::Open(path));
  absl::string_view line;
  SEQ_ASSIGN_OR_RETURN(const bool any, lines.Next(&line));
  if (!any) return InvalidArgument("'", path, "' is empty");
  absl::StatusOr<Json> first = ParseObject(line);
  if (!first.ok()) return Annotate(first.status(), lines.Place(path));
  const auto x = first->find(std::string(kX));
  if (x != first->end() && x->is_array()) {
    return ReadSeriesLines(lines, std::move(first), path, options, label, collector);
  }
  return ReadRowLines(lines, std::move(first), path, options, series, label, collector);
}

bool LineLooksLikeSeries(absl::string_view line) {
  const absl::StatusOr<Json> object = ParseObject(line);
  if (!object.ok()) return false;
  const auto x = object->find(std::string(kX));
  if (x != object->end() && x->is_array()) return true;
  bool any_number = false;
  for (const auto& [name, value] : object->items()) {
    if (value.is_string() && (name == CsvLayout().text_column ||
                              absl::StrContains(value.get_ref<const std::string&>(), ' '))) {
      return false;
    }
    any_number |= value.is_number();
  }
  return any_number;
}

}  // namespace seqgraph::data
