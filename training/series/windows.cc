#include "training/series/windows.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace seqgraph {
namespace {

using data::SeriesSet;

int64_t StrideOf(const SeriesTask& task) {
  if (task.stride > 0) return task.stride;
  return task.kind == SeriesTaskKind::kForecast ? 1 : task.window;
}

// The last step before `end`, but not before `begin`, of which a target is missing; begin - 1 if
// there is none.
int64_t LastMissingTarget(const SeriesSet& set, absl::Span<const int> targets, int64_t begin,
                          int64_t end) {
  for (int64_t step = end; step-- > begin;) {
    const float* const values = set.values.data() + step * set.num_features();
    if (std::any_of(targets.begin(), targets.end(),
                    [values](int target) { return std::isnan(values[target]); })) {
      return step;
    }
  }
  return begin - 1;
}

}  // namespace

std::vector<StepRange> StretchesOf(const SeriesSet& set, int64_t series) {
  const StepRange all = {set.begin[series], set.begin[series + 1]};
  std::vector<StepRange> stretches;
  int64_t begin = all.begin;
  for (auto gap = std::lower_bound(set.gaps.begin(), set.gaps.end(), all.begin);
       gap != set.gaps.end() && *gap < all.end; ++gap) {
    if (*gap > begin) stretches.push_back({begin, *gap});
    begin = *gap;
  }
  stretches.push_back({begin, all.end});
  return stretches;
}

void AddRows(const SeriesSet& set, const SeriesTask& task, int64_t series,
             std::vector<RowRange>& rows) {
  if (task.window == 0) {
    rows.push_back({.series = series, .begin = set.begin[series], .steps = set.length(series)});
    return;
  }
  const int64_t stride = StrideOf(task);
  const size_t before = rows.size();
  StepRange longest;
  for (const StepRange& stretch : StretchesOf(set, series)) {
    if (stretch.end - stretch.begin > longest.end - longest.begin) longest = stretch;
    int64_t begin = stretch.begin;
    for (; begin + task.window <= stretch.end; begin += stride) {
      rows.push_back({.series = series, .begin = begin, .steps = task.window});
    }
    const bool all_seen = begin > stretch.begin && begin - stride + task.window == stretch.end;
    if (HasStepLabels(task) && begin < stretch.end && !all_seen) {
      rows.push_back({.series = series, .begin = begin, .steps = stretch.end - begin});
    }
  }
  if (rows.size() == before) {
    rows.push_back(
        {.series = series, .begin = longest.begin, .steps = longest.end - longest.begin});
  }
}

void AddForecastRows(const SeriesSet& set, const SeriesTask& task, int64_t series,
                     StepRange targets, std::vector<RowRange>& rows) {
  const int64_t stride = StrideOf(task);
  const std::vector<int> columns = ForecastTargets(task, set.num_features());
  for (const StepRange& stretch : StretchesOf(set, series)) {
    const int64_t end = std::min(stretch.end, targets.end);
    int64_t first = std::max(stretch.begin + task.window, targets.begin);
    int64_t looked_at = first;  // Each step is looked at once.
    int64_t missing = first - 1;
    for (; first + task.horizon <= end; first += stride) {
      const int64_t from = std::max(looked_at, first);
      looked_at = first + task.horizon;
      const int64_t found = LastMissingTarget(set, columns, from, looked_at);
      if (found >= from) missing = found;
      if (missing >= first) continue;
      rows.push_back({.series = series,
                      .begin = first - task.window,
                      .steps = task.window,
                      .target_begin = first});
    }
  }
}

absl::Status CheckRowsFit(const SeriesSet& set, const SeriesTask& task, int64_t max_memory) {
  int64_t most = set.num_series() + static_cast<int64_t>(set.gaps.size());
  if (task.window > 0) most += set.num_steps() / StrideOf(task);
  if (max_memory <= 0 || most <= max_memory / int64_t{sizeof(RowRange)}) return absl::OkStatus();
  return ResourceExhausted(FactsOf(task.kind).name, ": ", most, " rows take ",
                           most * int64_t{sizeof(RowRange)}, " bytes, more than ", max_memory,
                           "; windows that are farther apart (--stride) are fewer");
}

absl::StatusOr<std::vector<RowRange>> AllRows(const SeriesSet& set, const SeriesTask& task,
                                              int64_t max_memory) {
  SEQ_RETURN_IF_ERROR(CheckSeriesTask(task, set, SeriesUse::kPredict));
  SEQ_RETURN_IF_ERROR(CheckRowsFit(set, task, max_memory));
  std::vector<RowRange> rows;
  for (int64_t series = 0; series < set.num_series(); ++series) {
    if (task.kind == SeriesTaskKind::kForecast) {
      AddForecastRows(set, task, series, {set.begin[series], set.begin[series + 1]}, rows);
    } else {
      AddRows(set, task, series, rows);
    }
  }
  return rows;
}

absl::StatusOr<std::vector<RowRange>> RowsToPredict(const SeriesSet& set, const SeriesTask& task) {
  if (task.kind != SeriesTaskKind::kForecast) return AllRows(set, task);
  SEQ_RETURN_IF_ERROR(CheckSeriesTask(task, set, SeriesUse::kPredict));
  std::vector<RowRange> rows;
  const int64_t known = task.known_future.empty() ? 0 : task.horizon;
  for (int64_t series = 0; series < set.num_series(); ++series) {
    const StepRange last = StretchesOf(set, series).back();
    if (last.end - last.begin < task.window + known) {
      return InvalidArgument(
          "forecast: ", set.RowName(series), ": there are ", last.end - last.begin,
          last.begin > set.begin[series] ? " steps behind the last gap" : " steps",
          ", a forecast needs ", task.window,
          known > 0 ? absl::StrCat(" and the known columns of ", known, " more") : "");
    }
    const int64_t end = last.end - known;
    rows.push_back(
        {.series = series, .begin = end - task.window, .steps = task.window, .target_begin = end});
  }
  return rows;
}

int64_t LongestOf(absl::Span<const RowRange> rows) {
  int64_t longest = 0;
  for (const RowRange& row : rows) longest = std::max(longest, row.steps);
  return longest;
}

std::vector<StepRange> StepsOf(absl::Span<const RowRange> rows, const SeriesTask& task) {
  std::vector<StepRange> steps;
  const auto add = [&steps](const StepRange& range) {
    if (!steps.empty() && range.begin >= steps.back().begin && range.begin <= steps.back().end) {
      steps.back().end = std::max(steps.back().end, range.end);
    } else if (range.begin < range.end) {
      steps.push_back(range);
    }
  };
  for (const RowRange& row : rows) {
    add({row.begin, row.begin + row.steps});
    if (task.horizon > 0) add({row.target_begin, row.target_begin + task.horizon});
  }
  std::vector<StepRange> pieces = std::move(steps);
  steps.clear();
  std::sort(pieces.begin(), pieces.end(), [](const StepRange& a, const StepRange& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  for (const StepRange& piece : pieces) add(piece);
  return steps;
}

SeriesSet WithKnownFuture(const SeriesSet& set, SeriesTask& task) {
  SeriesSet wide = set;
  if (task.known_future.empty()) return wide;
  task.targets = ForecastTargets(task, set.num_features());
  for (const int feature : task.known_future) {
    wide.features.push_back(absl::StrCat(set.features[feature], " in ", task.horizon));
  }
  const int64_t from = set.num_features(), to = wide.num_features();
  auto values = std::make_shared<std::vector<float>>(set.num_steps() * to,
                                                     std::numeric_limits<float>::quiet_NaN());
  for (int64_t series = 0; series < set.num_series(); ++series) {
    for (const StepRange& stretch : StretchesOf(set, series)) {
      for (int64_t step = stretch.begin; step < stretch.end; ++step) {
        float* const row = values->data() + step * to;
        std::copy_n(set.values.data() + step * from, from, row);
        if (step + task.horizon >= stretch.end) continue;
        const float* const later = set.values.data() + (step + task.horizon) * from;
        for (int64_t i = 0; i < to - from; ++i) row[from + i] = later[task.known_future[i]];
      }
    }
  }
  wide.values = *values;
  wide.storage = std::move(values);
  return wide;
}

}  // namespace seqgraph
