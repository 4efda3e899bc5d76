#pragma once

// Rows of tables, put together as series.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "data/class_table.h"
#include "data/problems.h"
#include "data/series/float_store.h"
#include "data/series/series_draft.h"
#include "data/series/series_set.h"
#include "data/series/table_columns.h"
#include "data/series/table_rows.h"

namespace seqgraph::data {

class RowCollector {
 public:
  /// `options` must live as long as this.
  explicit RowCollector(const SeriesSourceOptions& options);

  /// The rows that follow are of that file. Where no column names series they are one of that name,
  /// and of that class if one is given.
  void BeginFile(const TableColumns& columns, const std::string& series, const std::string& label);
  /// Of the first file; empty: there was none.
  const std::vector<std::string>& features() const { return features_; }
  /// ResourceExhausted beyond max_memory or kMaxClasses.
  absl::Status Add(TableRows rows);
  /// `name` is the source's.
  absl::StatusOr<SeriesSet> Finish(const std::string& name);

 private:
  struct Series {
    std::string name;
    int32_t label = -1;
    int32_t group = -1;
    float weight = 1;
    int64_t line = 0;  // Of its first row.
    int32_t file = 0;
    int64_t steps = 0;
  };
  struct Run {  // Rows of one series, one behind the other.
    int32_t series;
    int64_t begin;
  };
  // The numbers here of a block's words, -1 for those that are not yet needed.
  struct WordNumbers {
    std::vector<int32_t> series, labels, groups;
  };

  bool BelongTogether(const TableRows& rows) const;
  void AddAll(const TableRows& rows);
  absl::Status AddEach(TableRows& rows);
  absl::StatusOr<std::string> AddRow(const TableRows& rows, int64_t row, int64_t line,
                                     WordNumbers& words);
  std::string ConflictIn(const Series& series, const TableRows& rows, size_t row, int32_t label,
                         int32_t group) const;
  absl::StatusOr<int32_t> LabelOf(const TableRows& rows, size_t row, int64_t line,
                                  WordNumbers& words);
  int32_t SeriesOf(const TableRows& rows, size_t row, WordNumbers& words);
  int32_t NewSeries(absl::string_view name);
  absl::Status AppendArrays(const TableRows& rows);
  absl::Status CheckMemory(const TableRows& rows) const;

  std::vector<int64_t> SortedSteps(const std::vector<int64_t>& begin);
  absl::Status Permute(const std::vector<int64_t>& order, StoredFloats* values);
  void DropRepeated(SeriesDraft& draft) const;
  absl::Status SetClasses(SeriesSet& set, const std::string& name) const;

  const SeriesSourceOptions& options_;
  std::vector<std::string> features_, targets_, notes_;
  bool any_label_ = false, any_group_ = false, any_weight_ = false, named_ = false;
  std::optional<TimeReader> key_, time_;

  std::vector<std::string> files_;
  int32_t file_series_ = -1;  // Of the file's rows where no column names series.
  std::string file_label_;

  std::vector<Series> series_;
  std::vector<float> series_targets_;  // [series, targets], unless per_step
  Words series_words_, group_words_;
  std::vector<int32_t> series_of_word_;
  ClassTable classes_;
  std::vector<Run> runs_;

  int64_t steps_ = 0;
  FloatStore values_;
  std::vector<double> keys_, times_;
  std::vector<int32_t> step_labels_;
  std::vector<float> step_targets_, step_weights_;
  std::vector<SeriesSet::Lines> lines_;
  Problems problems_;
  int64_t missing_ = 0;
};

}  // namespace seqgraph::data
