#include <cmath>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "data/series/read_arrays.h"
#include "data/series/series_arrays.h"
#include "data/series/table_columns.h"
#include "data/series/table_rows.h"

namespace seqgraph::data {

absl::Status ReadNpySeries(const std::string& path, const SeriesSourceOptions& given,
                           const std::string& series, const std::string& label,
                           RowCollector& collector) {
  SeriesSourceOptions options = given;
  if (!collector.features().empty()) options.columns = collector.features();
  SEQ_ASSIGN_OR_RETURN(const NpyArray x, ReadNpy(path));
  if (x.shape.empty() || x.shape.size() > 2 || x.size() == 0) {
    return InvalidArgument("'", path,
                           "': expected a series of shape [steps, features] or [steps], ", "found ",
                           ShapeText(x));
  }
  const int64_t steps = x.shape[0], width = x.shape.size() == 2 ? x.shape[1] : 1;
  if (width > kMaxSeriesColumns) {
    return ResourceExhausted("'", path, "': ", width, " features, more than ", kMaxSeriesColumns);
  }
  const auto known = static_cast<int64_t>(collector.features().size());
  if (given.columns.empty() && known > 0 && width != known) {
    return InvalidArgument("'", path, "' has ", width, " features; the files before it have ",
                           known);
  }
  std::vector<std::string> names;
  for (int64_t f = 0; f < width; ++f) names.push_back(width == 1 ? "x" : absl::StrCat("x", f + 1));
  SEQ_ASSIGN_OR_RETURN(const TableColumns columns, FindColumns(path, {}, names, {}, options));
  collector.BeginFile(columns, series, label);
  TableRows rows;
  for (int64_t step = 0; step < steps; ++step) {
    const size_t begin = rows.features.size();
    rows.features.resize(begin + columns.features.size());
    for (int64_t f = 0; f < width; ++f) {
      const int feature = columns.columns[static_cast<size_t>(f)].feature;
      if (feature < 0) continue;
      const float value = static_cast<float>(NumberAt(x, step * width + f));
      rows.features[begin + static_cast<size_t>(feature)] = value;
      rows.missing += !std::isfinite(value);
    }
    rows.EndRow(step + 1);
  }
  return collector.Add(std::move(rows));
}

}  // namespace seqgraph::data
