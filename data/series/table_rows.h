#pragma once

// Records of a table as numbers: one block of them, so that threads can take blocks.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "data/csv_records.h"
#include "data/problems.h"
#include "data/series/series_set.h"
#include "data/series/table_columns.h"

namespace seqgraph::data {

/// Texts that stand again and again in a column, as numbers in the order of their coming.
class Words {
 public:
  int32_t Number(absl::string_view word);
  const std::vector<std::string>& names() const { return names_; }

 private:
  absl::flat_hash_map<std::string, int32_t> numbers_;
  std::vector<std::string> names_;
  int32_t last_ = -1;  // Most likely the next one too.
};

/// Good rows, in the order of the file; arrays of parts that no column plays are empty.
struct TableRows {
  int64_t rows = 0;
  std::vector<float> features;  ///< [rows, features], NaN where missing
  std::vector<float> targets;   ///< [rows, targets]
  std::vector<float> weights;
  std::vector<double> keys, times;
  std::vector<int32_t> series, labels, groups;  ///< in the words
  Words series_words, label_words, group_words;
  std::vector<SeriesSet::Lines> lines;  ///< `step` is the row
  Problems problems;                    ///< of rows that are left out
  int64_t missing = 0;                  ///< values of features

  /// Counts a row whose parts have been added.
  void EndRow(int64_t line);
  /// Leaves those rows out that `keep` has not. [rows]
  void Keep(const std::vector<bool>& keep);
};

class TableParser {
 public:
  TableParser(const TableColumns& columns, const SeriesSourceOptions& options);

  /// Adds the records at `at`, the first of them on that line. Changes the bytes.
  void Parse(char* at, char* end, int64_t line, TableRows& rows);
  /// Adds one record, or its problem.
  void AddRecord(absl::Span<const absl::string_view> fields, int64_t line, TableRows& rows);

 private:
  // One row, before it is known to be good.
  struct Row {
    std::vector<float> features, targets;
    float weight = 1;
    double key = 0, time = 0;
    int32_t series = 0, label = 0, group = 0;
    int64_t missing = 0;
  };

  bool ParsePlain(const char** at, int64_t line, TableRows& rows);
  bool ParsePlainField(const TableColumn& column, const char** at, TableRows& rows);
  void Append(int64_t line, TableRows& rows);

  // What is wrong with a field; nothing if it was taken.
  std::string Take(const TableColumn& column, absl::string_view field, TableRows& rows);
  std::string TakeNumber(const TableColumn& column, absl::string_view field);
  std::string TakeText(const TableColumn& column, absl::string_view field, TableRows& rows);

  const TableColumns& columns_;
  const SeriesSourceOptions& options_;
  absl::flat_hash_map<std::string, int> known_classes_;
  CsvRecord record_;
  Row row_;
  const char* end_ = nullptr;  // Of the block.
  bool drop_row_ = false;
};

}  // namespace seqgraph::data
