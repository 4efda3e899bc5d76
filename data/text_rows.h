#pragma once

// Tables of texts: files of separated fields (csv.h), or of JSON objects, one a line.

#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "data/class_table.h"
#include "data/problems.h"
#include "data/text_source.h"

namespace seqgraph::data {

/// Whether the path's name ends in .csv or .tsv, also gzipped (.csv.gz).
bool IsCsvName(const std::string& path);
/// Whether it ends in .jsonl or .ndjson, likewise.
bool IsJsonLinesName(const std::string& path);

/// What separates the fields of such a file: what the layout says, or its name.
char FieldSeparator(const std::string& path, const CsvLayout& layout);

/// One row. The views hold during the callback only.
struct TextRow {
  bool is_header = false;  ///< Fields are names of columns, and there is no text.
  int64_t line = 0;        ///< On which it begins, from 1.
  absl::string_view text;
  absl::string_view label;                     ///< Empty where none was asked for.
  absl::Span<const float> numbers;             ///< Of options.csv.number_columns.
  absl::Span<const absl::string_view> fields;  ///< Of a file of separated fields.
  /// Of a file of objects the line, without white space around it, and the names of its members.
  absl::string_view object;
  absl::Span<const std::string> members;
};

using TextRowSink = absl::FunctionRef<absl::Status(const TextRow&)>;

/// Delivers the rows of a table, a header first, in their order. What is wrong with one row alone
/// goes to `problems`, and that row is passed over: what CsvReader can go on after, a line that is
/// no object or has no text or finite number under that name, a text that is too long or that
/// options.text_policy refuses. Other errors end the reading; besides those of ForEachText() for
/// files of records, what the sink returns. Without `labelled` options.csv.label_column does not
/// count.
absl::Status ForEachTextRow(const std::string& path, const TextSourceOptions& options,
                            bool labelled, TextRowSink sink, Problems& problems);

/// ForEachText() for such a file, in its order. A review's folder is "line ", its name the number
/// of the line that its row begins on.
absl::Status ReadTextRows(const std::string& path, const TextSourceOptions& options, TextSink sink,
                          ClassTable& classes);

}  // namespace seqgraph::data
