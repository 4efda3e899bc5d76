#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "data/series/series_set.h"
#include "training/examples.h"
#include "training/series/windows.h"

namespace seqgraph {

struct SeriesExamplesOptions {
  /// Steps of the model's input; 0: as many as the longest row has.
  int64_t max_steps = 0;
  /// Of rows that are longer the last max_steps are taken; otherwise they are errors. Not where
  /// labels belong to steps.
  bool cut = false;
  bool labels = true;  ///< false: for predictions
};

/// Rows of a set as examples: inputs are the set's own values, and so are labels that belong to
/// steps. What is gathered, a number or a few for each row, is kept here.
class SeriesExamples {
 public:
  /// The set must outlive this, and stay where it is. No rows give no examples. InvalidArgument for
  /// a set without what the task needs, and names a row that is longer than max_steps.
  static absl::StatusOr<SeriesExamples> Create(const data::SeriesSet& set,
                                               absl::Span<const RowRange> rows,
                                               const SeriesTask& task,
                                               const SeriesExamplesOptions& options = {});
  SeriesExamples(SeriesExamples&&) = default;
  SeriesExamples& operator=(SeriesExamples&&) = default;

  /// Valid as long as this lives, also when it is moved.
  const Examples& examples() const { return examples_; }

 private:
  SeriesExamples() = default;
  absl::Status AddRows(const data::SeriesSet& set, absl::Span<const RowRange> rows,
                       const SeriesTask& task, const SeriesExamplesOptions& options);
  void AddLabels(const data::SeriesSet& set, absl::Span<const RowRange> rows,
                 const SeriesTask& task);

  Examples examples_;  // Of what lies below, which a move leaves where it is.
  std::vector<int64_t> begin_, steps_, label_begin_;
  std::vector<int32_t> classes_;
  std::vector<float> values_, weights_;
  std::vector<int> columns_;
};

}  // namespace seqgraph
