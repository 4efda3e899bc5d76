#pragma once

// Tables of texts: files of separated fields (csv.h), or of JSON objects, one a line.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "data/class_table.h"
#include "data/csv_records.h"
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

/// A part of such a file, which can be read without the others.
struct TextRowPart {
  CsvBlock block;
  /// Of separated fields, but for the first part: the file's first record as it lies there, for it
  /// tells the columns.
  std::string first_record;

  /// As one text, and back. InvalidArgument for what Text() did not make.
  std::string Text() const;
  static absl::StatusOr<TextRowPart> FromText(absl::string_view text);
};

/// A forward-only reader of the parts of a file, which follow from its bytes and `options` alone.
class TextRowParts {
 public:
  /// As CsvBlocks::Open().
  static absl::StatusOr<TextRowParts> Open(const std::string& path,
                                           const TextSourceOptions& options,
                                           int64_t part_bytes = CsvOptions().block_bytes);
  /// Whether there was one more. Errors as CsvBlocks::Next().
  absl::StatusOr<bool> Next(TextRowPart* part);

 private:
  bool FindFirstRecord(const CsvBlock& block);

  CsvOptions options_;
  bool has_columns_ = false;
  std::unique_ptr<CsvBlocks> blocks_;
  std::optional<std::string> first_record_;
};

/// ForEachTextRow() of a part: all parts together give the same rows and problems.
absl::Status ForEachTextRowOf(TextRowPart part, const std::string& path,
                              const TextSourceOptions& options, bool labelled, TextRowSink sink,
                              Problems& problems);

/// ForEachText() for such a file, in its order. A review's folder is "line ", its name the number
/// of the line that its row begins on.
absl::Status ReadTextRows(const std::string& path, const TextSourceOptions& options, TextSink sink,
                          ClassTable& classes);

}  // namespace seqgraph::data
