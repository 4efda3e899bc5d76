#include "training/series/series_examples.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "training/series/row_labels.h"

namespace seqgraph {

using data::SeriesSet;

absl::StatusOr<SeriesExamples> SeriesExamples::Create(const SeriesSet& set,
                                                      absl::Span<const RowRange> rows,
                                                      const SeriesTask& task,
                                                      const SeriesExamplesOptions& options) {
  SEQ_RETURN_IF_ERROR(
      CheckSeriesTask(task, set, options.labels ? SeriesUse::kJudge : SeriesUse::kPredict));
  SeriesExamples made;
  SEQ_RETURN_IF_ERROR(made.AddRows(set, rows, task, options));
  if (options.labels && !rows.empty()) made.AddLabels(set, rows, task);
  return made;
}

absl::Status SeriesExamples::AddRows(const SeriesSet& set, absl::Span<const RowRange> rows,
                                     const SeriesTask& task, const SeriesExamplesOptions& options) {
  const int64_t most =
      options.max_steps > 0 ? options.max_steps : std::max<int64_t>(LongestOf(rows), 1);
  examples_.rows = static_cast<int64_t>(rows.size());
  examples_.maxlen = most;
  if (rows.empty()) return absl::OkStatus();
  for (const RowRange& row : rows) {
    const int64_t left_out = std::max<int64_t>(row.steps - most, 0);
    if (left_out > 0 && (!options.cut || HasStepLabels(task))) {
      return InvalidArgument(FactsOf(task.kind).name, ": the row that begins at ",
                             set.RowName(row.series, row.begin - set.begin[row.series]), " has ",
                             row.steps, " steps, more than the ", most, " of the model");
    }
    begin_.push_back(row.begin + left_out);
    steps_.push_back(row.steps - left_out);
  }
  examples_.features = set.values;
  examples_.num_features = set.num_features();
  examples_.row_begin = begin_;
  examples_.row_steps = steps_;
  // Not `this`: it may be moved.
  examples_.row_name = [&set, begin = begin_.data()](int64_t row) {
    const int64_t series =
        std::upper_bound(set.begin.begin(), set.begin.end(), begin[row]) - set.begin.begin() - 1;
    const int64_t step = begin[row] - set.begin[series];
    return set.RowName(series, step == 0 ? -1 : step);
  };
  return absl::OkStatus();
}

void SeriesExamples::AddLabels(const SeriesSet& set, absl::Span<const RowRange> rows,
                               const SeriesTask& task) {
  if (HasStepLabels(task)) {
    label_begin_ = begin_;
    if (HasClasses(task)) examples_.targets = set.classes;
    if (task.per_step) examples_.values = set.targets;
  } else if (task.kind == SeriesTaskKind::kForecast) {
    for (const RowRange& row : rows) label_begin_.push_back(row.target_begin);
    examples_.label_steps = task.horizon;
    columns_ = ForecastTargets(task, set.num_features());
  } else {
    for (const RowRange& row : rows) {
      if (HasClasses(task)) {
        classes_.push_back(ClassOfRow(set, row, task));
      } else {
        AppendNumbers(set, row, task, /*label=*/0, values_);
      }
    }
    examples_.targets = classes_;
    examples_.values = values_;
  }
  examples_.label_begin = label_begin_;
  examples_.label_columns = columns_;
  if (set.weights.empty()) return;
  if (!label_begin_.empty() && set.weights_per_step) {
    examples_.weights = set.weights;
    return;
  }
  for (const RowRange& row : rows) weights_.push_back(WeightOfRow(set, row, task));
  examples_.weights = weights_;
}

}  // namespace seqgraph
