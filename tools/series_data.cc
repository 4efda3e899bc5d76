#include "tools/series_data.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "tools/series_flags.h"
#include "tools/text_table.h"
#include "training/series/series_record.h"
#include "training/series/with_steps.h"

namespace seqgraph::tools {

absl::StatusOr<SeriesData> ReadSeriesFor(const Model& model, const std::string& path,
                                         const DataFlags& data, bool without_labels,
                                         bool skip_bad_rows) {
  SEQ_ASSIGN_OR_RETURN(data::SeriesSourceOptions source, SourceOf(model));
  source.separator = SeparatorOf(data);
  source.skip_bad_rows = skip_bad_rows;
  source.wants_targets = !without_labels;
  SeriesData read;
  SEQ_ASSIGN_OR_RETURN(read.set, data::ReadSeries(path, source));
  SEQ_ASSIGN_OR_RETURN(read.task, TaskOf(model.series, read.set));
  SEQ_RETURN_IF_ERROR(CheckSeriesTask(read.task, read.set,
                                      without_labels ? SeriesUse::kPredict : SeriesUse::kJudge));
  if (!read.task.known_future.empty()) read.set = WithKnownFuture(read.set, read.task);
  return read;
}

namespace {

absl::Status CheckIsWhole(const data::SeriesSet& set, const RowRange& row, int64_t steps) {
  const int64_t first = set.begin[static_cast<size_t>(row.series)];
  if (row.steps < steps) {
    return InvalidArgument(set.RowName(row.series, row.begin - first), ": ", row.steps,
                           " steps, and the model was trained on rows of ", steps,
                           " alone; train it on shorter ones too");
  }
  for (int64_t step = row.begin; step < row.begin + row.steps; ++step) {
    if (!IsMissingStep(set, step)) continue;
    return InvalidArgument(set.RowName(row.series, step - first), ": a value is missing, and ",
                           "none was where the model was trained");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::optional<Model>> LongerFor(const Model& model,
                                               absl::Span<const RowRange> rows) {
  const int64_t longest = LongestOf(rows);
  std::optional<Model> longer;
  if (longest <= model.series.max_steps || !HasMasking(model)) return longer;
  SEQ_ASSIGN_OR_RETURN(longer, WithSteps(model, longest));
  return longer;
}

int64_t BatchFor(const Model& model, const Model& longer, int64_t batch) {
  const int64_t steps = std::max<int64_t>(model.series.max_steps, 1);
  return std::clamp<int64_t>(4 * batch * steps / std::max(longer.series.max_steps, steps), 1,
                             batch);
}

absl::StatusOr<SeriesExamples> ExamplesFor(const Model& model, const SeriesData& data,
                                           absl::Span<const RowRange> rows, bool labels) {
  const int64_t steps = model.series.max_steps;
  if (!HasMasking(model)) {
    for (const RowRange& row : rows) SEQ_RETURN_IF_ERROR(CheckIsWhole(data.set, row, steps));
  }
  return SeriesExamples::Create(data.set, rows, data.task, {.max_steps = steps, .labels = labels});
}

std::string SeriesLines(const data::SeriesSet& set) {
  std::string lines = absl::StrCat("Data: ", set.description, "\n");
  for (const std::string& note : set.notes) absl::StrAppend(&lines, "  ", note, "\n");
  return lines;
}

absl::StatusOr<std::vector<BaselineResult>> BaselinesOf(const data::SeriesSet& fitted,
                                                        absl::Span<const RowRange> fitted_rows,
                                                        const data::SeriesSet& judged,
                                                        absl::Span<const RowRange> judged_rows,
                                                        const SeriesTask& task,
                                                        const std::vector<Metric>& metrics) {
  if (fitted_rows.empty() || judged_rows.empty()) return std::vector<BaselineResult>();
  SEQ_ASSIGN_OR_RETURN(const std::vector<Baseline> baselines,
                       FitBaselines(fitted, fitted_rows, task));
  return JudgeBaselines(baselines, judged, judged_rows, task, {.metrics = metrics});
}

std::string ComparisonText(const std::string& model, const Logs& logs, absl::string_view prefix,
                           absl::Span<const BaselineResult> baselines,
                           const std::vector<Metric>& metrics) {
  if (metrics.empty()) return "";
  std::vector<std::string> header = {""};
  for (const Metric& metric : metrics) header.push_back(metric.name);
  TextTable table(header);
  const auto add = [&](const std::string& name, const Logs& values, absl::string_view before) {
    std::vector<std::string> row = {name};
    for (const Metric& metric : metrics) {
      const auto value = values.find(absl::StrCat(before, metric.name));
      row.push_back(value == values.end() ? "" : absl::StrFormat("%.6g", value->second));
    }
    table.AddRow(std::move(row));
  };
  add(model, logs, prefix);
  for (const BaselineResult& each : baselines) add(each.name, each.values, "");
  const std::string verdict = BaselineVerdict(baselines, logs, metrics[0], prefix);
  return absl::StrCat(table.Text(1, metrics.size()),
                      verdict.empty() ? "" : absl::StrCat("The model is ", verdict, "\n"));
}

}  // namespace seqgraph::tools
