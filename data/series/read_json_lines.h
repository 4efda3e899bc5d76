#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "data/series/row_collector.h"
#include "data/series/series_set.h"

namespace seqgraph::data {

/// Adds the lines of a JSONL file, each an object:
///
///   {"x": [[1, 2], [3, 4]], "y": "walk"}     a series: [steps, features], or [steps] of one
///   feature
///   {"id": 7, "step": 0, "a": 1.5}           a row of a table; a member is a column
///
/// by the first one's members. In a series y is a class (a text or whole number) or the targets (a
/// number or [targets]), per_step [steps] of them; options name it otherwise, and the members that
/// are the series' name, its times ([steps]), group and weight. null is a missing value. Of numbers
/// the double that is nearest is taken, then the float.
absl::Status ReadJsonLines(const std::string& path, const SeriesSourceOptions& options,
                           const std::string& series, const std::string& label,
                           RowCollector& collector);

/// Whether a line is an object of one of those kinds, without sentences among its texts.
bool LineLooksLikeSeries(absl::string_view line);

}  // namespace seqgraph::data
