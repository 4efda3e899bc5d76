#pragma once

// What is done with series once their steps are together, whatever file they came from.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "data/problems.h"
#include "data/series/float_store.h"
#include "data/series/series_set.h"

namespace seqgraph::data {

/// A set whose values can still be changed. Its times are ascending in each series.
struct SeriesDraft {
  SeriesSet set;
  float* values = nullptr;  ///< Those of the set.
  bool complete = false;  ///< All are known to be finite: none is looked at, and read from a disk.
  std::vector<bool> masked;  ///< [steps]: those that are missing as a whole; empty: none.
  Problems problems;         ///< Rows that are wrong, whether or not they are left out.

  void SetValues(const StoredFloats& stored);
  /// Leaves steps out (drop: [steps]), and series without steps.
  void Drop(const std::vector<bool>& drop, bool leaves_gaps);
};

/// Treats missing values (NaN) by the options, finds gaps in time, and describes the set under that
/// name. The problems, if there are any and they are not to be skipped; InvalidArgument if no step
/// is left.
absl::StatusOr<SeriesSet> FinishSeries(SeriesDraft draft, const std::string& name,
                                       const SeriesSourceOptions& options);

}  // namespace seqgraph::data
