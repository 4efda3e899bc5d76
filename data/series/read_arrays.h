#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "data/series/row_collector.h"
#include "data/series/series_set.h"

namespace seqgraph::data {

/// Series of a .npz or .npy file. Of arrays:
///
///   x                       [series, steps, features] or [series, steps]; in a .npy file alone
///   y                       [series] whole numbers: classes; other numbers, or [series, k]:
///   targets;
///                           per_step: [series, steps] or [series, steps, k], likewise
///   lengths                 [series]: how many steps there are, in front
///   mask                    [series, steps]: 0 where a step is missing; behind all others: not
///   there sample_weight           [series] or [series, steps]
///
/// or numpy's arr_0 and arr_1, or X_train and y_train and the like; options name others (label or
/// targets: y, and what it is). Without lengths and mask, steps behind that are NaN are not there.
absl::StatusOr<SeriesSet> ReadSeriesArrays(const std::string& path,
                                           const SeriesSourceOptions& options);

/// Adds a .npy file of one series, [steps, features] or [steps], whose features are x or x1, x2,
/// ... See RowCollector::BeginFile.
absl::Status ReadNpySeries(const std::string& path, const SeriesSourceOptions& options,
                           const std::string& series, const std::string& label,
                           RowCollector& collector);

}  // namespace seqgraph::data
