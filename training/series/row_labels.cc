#include "training/series/row_labels.h"

#include <numeric>

#include "absl/types/span.h"

namespace seqgraph {

using data::SeriesSet;

bool HasClasses(const SeriesTask& task) {
  return (task.kind == SeriesTaskKind::kClassify && !task.many_labels) ||
         task.kind == SeriesTaskKind::kTag;
}

int64_t NumbersPerLabel(const SeriesSet& set, const SeriesTask& task) {
  if (HasClasses(task)) return static_cast<int64_t>(set.class_names.size());
  switch (task.kind) {
    case SeriesTaskKind::kForecast:
      return static_cast<int64_t>(ForecastTargets(task, set.num_features()).size());
    case SeriesTaskKind::kReconstruct:
      return set.num_features();
    default:
      return static_cast<int64_t>(set.target_names.size());
  }
}

int32_t ClassOfRow(const SeriesSet& set, const RowRange& row, const SeriesTask& task,
                   int64_t step) {
  return set.classes[HasStepLabels(task) ? row.begin + step : row.series];
}

void AppendNumbers(const SeriesSet& set, const RowRange& row, const SeriesTask& task, int64_t step,
                   std::vector<float>& numbers) {
  const auto append = [&numbers](absl::Span<const float> from, int64_t width, int64_t label) {
    const auto begin = from.begin() + label * width;
    numbers.insert(numbers.end(), begin, begin + width);
  };
  if (task.kind == SeriesTaskKind::kReconstruct) {
    return append(set.values, set.num_features(), row.begin + step);
  }
  if (task.kind != SeriesTaskKind::kForecast) {
    return append(set.targets, NumbersPerLabel(set, task),
                  HasStepLabels(task) ? row.begin + step : row.series);
  }
  const std::vector<int> columns = ForecastTargets(task, set.num_features());
  for (int64_t ahead = 0; ahead < task.horizon; ++ahead) {
    const float* const values = set.values.data() + (row.target_begin + ahead) * set.num_features();
    for (const int column : columns) numbers.push_back(values[column]);
  }
}

float WeightOfRow(const SeriesSet& set, const RowRange& row, const SeriesTask& task, int64_t step) {
  if (set.weights.empty()) return 1;
  if (!set.weights_per_step) return set.weights[row.series];
  if (HasStepLabels(task)) return set.weights[row.begin + step];
  const bool forecast = task.kind == SeriesTaskKind::kForecast;
  const auto begin = set.weights.begin() + (forecast ? row.target_begin : row.begin);
  const int64_t steps = forecast ? task.horizon : row.steps;
  return static_cast<float>(std::accumulate(begin, begin + steps, 0.0) /
                            static_cast<double>(steps));
}

}  // namespace seqgraph
