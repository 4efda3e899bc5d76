#pragma once

// Which part each column of a table plays: found once, from the names and the first rows.

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "data/csv_records.h"
#include "data/series/series_set.h"
#include "data/series/time_text.h"

namespace seqgraph::data {

inline constexpr int kMaxSeriesColumns = 100'000;

struct TableColumn {
  std::string name;
  int feature = -1, target = -1;                      ///< Index of it, if it is one,
  bool weight = false, key = false, time = false;     ///< as a number;
  bool series = false, label = false, group = false;  ///< as a text.

  /// What a row's parser does with its field. kSeveral: it plays parts of more than one kind.
  enum class Kind { kPassedOver, kNumber, kTime, kText, kSeveral };
  Kind kind = Kind::kPassedOver;
};

struct TableColumns {
  std::string path;  ///< For messages.
  CsvOptions csv;
  bool has_names = true;  ///< The first record holds the names of columns; otherwise numbers.
  std::vector<TableColumn> columns;
  std::vector<std::string> features, targets;
  bool has_weight = false, has_series = false, has_label = false, has_group = false;
  /// Steps are sorted by `key`; `time` is a column besides, if there are both.
  std::optional<TimeReader> key, time;
  std::vector<std::string> notes;

  /// "column 2 ('b')", from 0.
  std::string ColumnName(size_t column) const;
};

/// Bytes that begin a file that is no text in UTF-8: InvalidArgument saying what it seems to be.
absl::Status CheckIsText(const std::string& path, absl::string_view first_bytes);

/// The separator by the options, or found out.
char SeparatorOf(absl::string_view first_record, const SeriesSourceOptions& options);

using Records = std::vector<std::vector<std::string>>;

/// Whether a record holds numbers, and otherwise no more than times, rather than names.
bool HoldsValues(const std::vector<std::string>& record);

/// `names` are those of the columns, empty: by number; `samples` are some records (of any number of
/// fields, the first one's counts where there are no names). InvalidArgument for columns that are
/// not there, names that are there twice, no features.
absl::StatusOr<TableColumns> FindColumns(const std::string& path, const CsvOptions& csv,
                                         const std::vector<std::string>& names,
                                         const Records& samples,
                                         const SeriesSourceOptions& options);

}  // namespace seqgraph::data
