#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "data/series/series_set.h"
#include "graph/model.h"
#include "tools/data_flags.h"
#include "training/callback.h"
#include "training/metrics.h"
#include "training/series/baseline.h"
#include "training/series/series_examples.h"
#include "training/series/series_task.h"
#include "training/series/windows.h"

namespace seqgraph::tools {

/// Series that were read for a model, in the columns that it takes, and its task.
struct SeriesData {
  data::SeriesSet set;
  SeriesTask task;
};

/// Reads series for a saved model: its columns, in its order, with its classes. Whatever is not as
/// the model knows it is an error by name. `without_labels`: for predictions.
absl::StatusOr<SeriesData> ReadSeriesFor(const Model& model, const std::string& path,
                                         const DataFlags& data, bool without_labels = false,
                                         bool skip_bad_rows = false);

/// A model like this one for rows that are longer than those that it was trained on, where there
/// are such rows and it can be (WithSteps()); else none.
absl::StatusOr<std::optional<Model>> LongerFor(const Model& model, absl::Span<const RowRange> rows);

/// Rows computed together by a LongerFor() of a model, such that they need not much more memory
/// than `batch` rows of that model do.
int64_t BatchFor(const Model& model, const Model& longer, int64_t batch = 64);

/// Examples of the rows as the model takes them. InvalidArgument names a row that is longer, and,
/// for a model that has no Masking, one that is shorter or lacks a step.
absl::StatusOr<SeriesExamples> ExamplesFor(const Model& model, const SeriesData& data,
                                           absl::Span<const RowRange> rows, bool labels);

/// For people, whole lines: "Data: sunspots.csv: 1 series, ...", and what is to be known of them.
std::string SeriesLines(const data::SeriesSet& set);

/// Baselines of `fitted` rows, judged by `judged` rows of another set or the same.
absl::StatusOr<std::vector<BaselineResult>> BaselinesOf(const data::SeriesSet& fitted,
                                                        absl::Span<const RowRange> fitted_rows,
                                                        const data::SeriesSet& judged,
                                                        absl::Span<const RowRange> judged_rows,
                                                        const SeriesTask& task,
                                                        const std::vector<Metric>& metrics);

/// A table of the model's metrics, named in `logs` with `prefix` in front, and below it those of
/// the baselines; then whether it is better by the first.
std::string ComparisonText(const std::string& model, const Logs& logs, absl::string_view prefix,
                           absl::Span<const BaselineResult> baselines,
                           const std::vector<Metric>& metrics);

}  // namespace seqgraph::tools
