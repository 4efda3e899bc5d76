#include "tools/sweep/sweep_table.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "tools/runs/run_table.h"

namespace seqgraph::tools {

MeanAndSpread MeanOf(const std::vector<double>& values) {
  MeanAndSpread result;
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    ++result.count;
    const double step = value - result.mean;
    result.mean += step / static_cast<double>(result.count);
    result.spread += step * (value - result.mean);  // Welford's sum of squares
  }
  result.spread =
      result.count > 1 ? std::sqrt(result.spread / static_cast<double>(result.count - 1)) : 0;
  return result;
}

SweepRow RowOf(SweepPoint point, std::vector<RunRecord> runs) {
  SweepRow row{.point = std::move(point), .runs = std::move(runs)};
  std::map<std::string, std::vector<double>> values;
  for (const RunRecord& run : row.runs) {
    row.epochs = std::max(row.epochs, static_cast<int64_t>(run.history.rows()));
    for (const auto& [name, value] : FinalMetrics(run)) values[name].push_back(value);
  }
  for (const auto& [name, numbers] : values) row.metrics[name] = MeanOf(numbers);
  return row;
}

bool MoreIsBetter(const std::vector<SweepRow>& rows, const std::string& metric) {
  for (const SweepRow& row : rows) {
    for (const RunRecord& run : row.runs) {
      if (const std::optional<bool> known = run.HigherIsBetter(metric)) return *known;
    }
  }
  return false;
}

void SortRows(const std::string& metric, std::vector<SweepRow>* rows) {
  const bool more = MoreIsBetter(*rows, metric);
  const auto mean = [&](const SweepRow& row) -> const MeanAndSpread* {
    const auto found = row.metrics.find(metric);
    return found == row.metrics.end() || found->second.count == 0 ? nullptr : &found->second;
  };
  std::stable_sort(rows->begin(), rows->end(), [&](const SweepRow& a, const SweepRow& b) {
    const MeanAndSpread *x = mean(a), *y = mean(b);
    if (x == nullptr || y == nullptr) return x != nullptr && y == nullptr;
    return more ? x->mean > y->mean : x->mean < y->mean;
  });
}

}  // namespace seqgraph::tools
