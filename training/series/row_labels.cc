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

int64_t LabelsOfRow(const RowRange& row, const SeriesTask& task) {
  if (task.kind == SeriesTaskKind::kForecast) return task.horizon;
  return HasStepLabels(task) ? row.steps : 1;
}

int32_t ClassOfRow(const SeriesSet& set, const RowRange& row, const SeriesTask& task,
                   int64_t label) {
  return set.classes[HasStepLabels(task) ? row.begin + label : row.series];
}

void AppendNumbers(const SeriesSet& set, const RowRange& row, const SeriesTask& task, int64_t label,
                   std::vector<float>& numbers) {
  const auto append = [&numbers](absl::Span<const float> from, int64_t width, int64_t index) {
    const auto begin = from.begin() + index * width;
    numbers.insert(numbers.end(), begin, begin + width);
  };
  switch (task.kind) {
    case SeriesTaskKind::kForecast: {
      const float* const values =
          set.values.data() + (row.target_begin + label) * set.num_features();
      for (const int column : ForecastTargets(task, set.num_features())) {
        numbers.push_back(values[column]);
      }
      return;
    }
    case SeriesTaskKind::kReconstruct:
      return append(set.values, set.num_features(), row.begin + label);
    default:
      return append(set.targets, NumbersPerLabel(set, task),
                    HasStepLabels(task) ? row.begin + label : row.series);
  }
}

float WeightOfRow(const SeriesSet& set, const RowRange& row, const SeriesTask& task,
                  int64_t label) {
  if (set.weights.empty()) return 1;
  if (!set.weights_per_step) return set.weights[row.series];
  if (task.kind == SeriesTaskKind::kForecast) return set.weights[row.target_begin + label];
  if (HasStepLabels(task)) return set.weights[row.begin + label];
  const auto begin = set.weights.begin() + row.begin;
  return static_cast<float>(std::accumulate(begin, begin + row.steps, 0.0) /
                            static_cast<double>(row.steps));
}

}  // namespace seqgraph
