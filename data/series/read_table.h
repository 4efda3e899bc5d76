#pragma once

#include <string>

#include "absl/status/status.h"
#include "data/series/row_collector.h"
#include "data/series/series_set.h"

namespace seqgraph::data {

/// Adds the rows of a CSV or TSV file. Files behind the first one have to have the same features.
/// `series` and `label` are for files without such columns (RowCollector::BeginFile).
absl::Status ReadTable(const std::string& path, const SeriesSourceOptions& options,
                       const std::string& series, const std::string& label,
                       RowCollector& collector);

}  // namespace seqgraph::data
