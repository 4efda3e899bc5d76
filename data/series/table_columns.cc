#include "data/series/table_columns.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "data/class_table.h"
#include "data/series/decimal.h"

namespace seqgraph::data {
namespace {

using Kind = TableColumn::Kind;

bool IsNumber(const std::string& text) {
  double value;
  const NumberText read = ReadNumber(text, &value);
  return read == NumberText::kNumber || read == NumberText::kInfinite || read == NumberText::kHuge;
}

bool IsMissing(const std::string& text) {
  double value;
  return ReadNumber(text, &value) == NumberText::kMissing;
}

bool IsDate(const std::string& text) { return TimeReader::Of({text}, "").are_dates(); }

class Finder {
 public:
  Finder(const SeriesSourceOptions& options, const Records& samples, TableColumns& table)
      : options_(options), samples_(samples), table_(table) {}

  absl::Status Name(const std::vector<std::string>& names) {
    table_.has_names = !names.empty();
    const std::vector<std::string>& first = names.empty() ? samples_[0] : names;
    absl::flat_hash_map<std::string, size_t> seen;
    for (size_t i = 0; i < first.size(); ++i) {
      std::string name = table_.has_names ? std::string(absl::StripAsciiWhitespace(first[i]))
                                          : absl::StrCat(i + 1);
      const auto [other, is_new] = seen.emplace(name, i);
      if (!is_new && !name.empty()) {
        return InvalidArgument("'", table_.path, "', line 1: columns ", other->second + 1, " and ",
                               i + 1, " have the same name, ", Shown(name));
      }
      table_.columns.push_back({.name = std::move(name)});
    }
    numbers_ = std::move(seen);
    return absl::OkStatus();
  }

  // Null for no name.
  absl::StatusOr<TableColumn*> Find(absl::string_view part, const std::string& name) {
    if (name.empty()) return nullptr;
    const auto found = numbers_.find(name);
    if (found != numbers_.end()) return &table_.columns[found->second];
    constexpr size_t kListed = 10;
    std::vector<std::string> names;
    for (const TableColumn& column : table_.columns) {
      if (names.size() < kListed) names.push_back(Shown(column.name));
    }
    return InvalidArgument(
        "'", table_.path, "' has no column ", Shown(name), " (", part, "); it has ",
        absl::StrJoin(names, ", "), table_.columns.size() > kListed ? ", ..." : "",
        table_.has_names ? "" : ", named by number because its first record holds numbers only");
  }

  // Columns other than the features.
  absl::Status FindParts() {
    struct Part {
      absl::string_view name;
      const std::string& column;
      bool TableColumn::*member;
      bool TableColumns::*present;
    };
    const Part parts[] = {
        {"the series", options_.series, &TableColumn::series, &TableColumns::has_series},
        {"the label", options_.label, &TableColumn::label, &TableColumns::has_label},
        {"the group", options_.group, &TableColumn::group, &TableColumns::has_group},
        {"the weight", options_.weight, &TableColumn::weight, &TableColumns::has_weight},
    };
    for (const Part& part : parts) {
      const bool answer = part.member != &TableColumn::series;
      absl::StatusOr<TableColumn*> column = Find(part.name, part.column);
      if (!options_.wants_targets && answer) {
        if (column.ok() && *column != nullptr) passed_over_.insert((*column)->name);
        continue;
      }
      if (!column.ok()) return column.status();
      if (*column == nullptr) continue;
      (*column)->*part.member = true;
      table_.*part.present = true;
    }
    for (const std::string& name : options_.targets) {
      if (!options_.wants_targets) {
        passed_over_.insert(name);
        continue;
      }
      SEQ_ASSIGN_OR_RETURN(TableColumn* const column, Find("a target", name));
      if (column->target >= 0)
        return InvalidArgument("the target ", Shown(name), " is named twice");
      column->target = static_cast<int>(table_.targets.size());
      table_.targets.push_back(name);
    }
    return FindTimes();
  }

  absl::Status FindTimes() {
    const std::string& key = options_.order.empty() ? options_.time : options_.order;
    SEQ_ASSIGN_OR_RETURN(TableColumn * column, Find("the order", key));
    if (column == nullptr) return absl::OkStatus();
    column->key = true;
    table_.key = ReaderOf(*column);
    if (options_.time.empty() || options_.time == key) return absl::OkStatus();
    SEQ_ASSIGN_OR_RETURN(column, Find("the time", options_.time));
    column->time = true;
    table_.time = ReaderOf(*column);
    return absl::OkStatus();
  }

  absl::Status FindFeatures() {
    for (const std::string& name : options_.columns) {
      SEQ_ASSIGN_OR_RETURN(TableColumn* const column, Find("a feature", name));
      if (column->feature >= 0) {
        return InvalidArgument("the column ", Shown(name), " is named twice");
      }
      AddFeature(*column);
    }
    if (!options_.columns.empty()) return absl::OkStatus();
    std::vector<std::string> texts;
    for (size_t i = 0; i < table_.columns.size(); ++i) {
      TableColumn& column = table_.columns[i];
      if (IsTaken(column)) continue;
      if (column.name.empty()) {
        table_.notes.push_back(
            absl::StrCat("'", table_.path, "': column ", i + 1, " has no name and is not read"));
      } else if (LooksNumeric(i)) {
        AddFeature(column);
      } else {
        texts.push_back(Shown(column.name));
      }
    }
    if (table_.features.empty()) {
      return InvalidArgument("'", table_.path, "' has no column of numbers to learn from",
                             texts.empty() ? "" : absl::StrCat("; it has ", FirstOf(texts)),
                             "; is the separator ",
                             Shown(absl::string_view(&table_.csv.separator, 1)), " right?");
    }
    if (!texts.empty()) {
      table_.notes.push_back(
          absl::StrCat("'", table_.path, "': no numbers, not read: ", FirstOf(texts)));
    }
    return absl::OkStatus();
  }

  void SetKinds() {
    for (TableColumn& column : table_.columns) {
      const bool number = column.feature >= 0 || column.target >= 0 || column.weight;
      const bool time = column.key || column.time;
      const bool text = column.series || column.label || column.group;
      column.kind = number + time + text > 1 ? Kind::kSeveral
                    : number                 ? Kind::kNumber
                    : time                   ? Kind::kTime
                    : text                   ? Kind::kText
                                             : Kind::kPassedOver;
    }
  }

 private:
  static std::string FirstOf(const std::vector<std::string>& names) {
    const size_t listed = std::min<size_t>(names.size(), 10);
    return absl::StrCat(
        absl::StrJoin(names.begin(), names.begin() + static_cast<ptrdiff_t>(listed), ", "),
        names.size() > listed ? ", ..." : "");
  }

  bool IsTaken(const TableColumn& column) const {
    return column.target >= 0 || column.weight || column.key || column.time || column.series ||
           column.label || column.group || passed_over_.contains(column.name);
  }

  void AddFeature(TableColumn& column) {
    column.feature = static_cast<int>(table_.features.size());
    table_.features.push_back(column.name);
  }

  // One number among the samples says that the others ought to be.
  bool LooksNumeric(size_t column) const {
    bool any_text = false;
    for (const std::vector<std::string>& record : samples_) {
      if (record.size() != table_.columns.size() || IsMissing(record[column])) continue;
      if (IsNumber(record[column])) return true;
      any_text = true;
    }
    return !any_text;
  }

  TimeReader ReaderOf(const TableColumn& column) const {
    const size_t index = static_cast<size_t>(&column - table_.columns.data());
    std::vector<std::string> texts;
    for (const std::vector<std::string>& record : samples_) {
      if (record.size() == table_.columns.size() && !IsMissing(record[index])) {
        texts.push_back(record[index]);
      }
    }
    return TimeReader::Of(texts, options_.time_format);
  }

  const SeriesSourceOptions& options_;
  const Records& samples_;
  TableColumns& table_;
  absl::flat_hash_map<std::string, size_t> numbers_;
  absl::flat_hash_set<std::string> passed_over_;
};

}  // namespace

std::string TableColumns::ColumnName(size_t column) const {
  const std::string& name = columns[column].name;
  return absl::StrCat("column ", column + 1,
                      has_names && !name.empty() ? absl::StrCat(" (", Shown(name), ")") : "");
}

bool HoldsValues(const std::vector<std::string>& record) {
  return std::any_of(record.begin(), record.end(), IsNumber) &&
         std::all_of(record.begin(), record.end(), [](const std::string& text) {
           return IsNumber(text) || IsMissing(text) || IsDate(text);
         });
}

absl::Status CheckIsText(const std::string& path, absl::string_view first_bytes) {
  if (absl::StartsWith(first_bytes, "\xFF\xFE") || absl::StartsWith(first_bytes, "\xFE\xFF")) {
    return InvalidArgument("'", path,
                           "' is in UTF-16 (by its byte-order mark); convert it first: iconv -f "
                           "UTF-16 -t UTF-8");
  }
  const size_t nul = first_bytes.substr(0, 4096).find('\0');
  if (nul == absl::string_view::npos) return absl::OkStatus();
  return InvalidArgument("'", path, "' is no text: its byte ", nul,
                         " is 0 (UTF-16 without a byte-order mark, or another kind of file)");
}

char SeparatorOf(absl::string_view first_record, const SeriesSourceOptions& options) {
  if (options.separator != 0) return options.separator;
  std::array<int, 3> counts{};
  constexpr absl::string_view kCandidates = ",\t;";
  bool inside = false;
  for (char c : first_record) {
    if (c == '"') inside = !inside;
    if (c == '\n' && !inside) break;
    const size_t candidate = kCandidates.find(c);
    if (!inside && candidate != absl::string_view::npos) ++counts[candidate];
  }
  const auto most = std::max_element(counts.begin(), counts.end());  // The first of equals.
  return kCandidates[static_cast<size_t>(most - counts.begin())];
}

absl::StatusOr<TableColumns> FindColumns(const std::string& path, const CsvOptions& csv,
                                         const std::vector<std::string>& names,
                                         const Records& samples,
                                         const SeriesSourceOptions& options) {
  TableColumns table{.path = path, .csv = csv};
  Finder finder(options, samples, table);
  SEQ_RETURN_IF_ERROR(finder.Name(names));
  SEQ_RETURN_IF_ERROR(finder.FindParts());
  SEQ_RETURN_IF_ERROR(finder.FindFeatures());
  finder.SetKinds();
  return table;
}

}  // namespace seqgraph::data
