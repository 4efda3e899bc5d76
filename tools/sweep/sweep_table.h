#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "tools/runs/run_record.h"
#include "tools/sweep/sweep_plan.h"

namespace seqgraph::tools {

/// Mean and sample standard deviation (0 of one number) of the numbers that are there.
struct MeanAndSpread {
  double mean = 0, spread = 0;
  size_t count = 0;
};
MeanAndSpread MeanOf(const std::vector<double>& values);

/// A combination, and the runs of its seeds that have an epoch.
struct SweepRow {
  SweepPoint point;
  std::vector<RunRecord> runs;
  int64_t epochs = 0;                            ///< of its longest run
  std::map<std::string, MeanAndSpread> metrics;  ///< FinalMetrics of its runs
};

SweepRow RowOf(SweepPoint point, std::vector<RunRecord> runs);

/// Whether more of that metric is better, as the runs say; "val_" in front of it does not matter.
bool MoreIsBetter(const std::vector<SweepRow>& rows, const std::string& metric);

/// The best mean of the metric first; those without a number last; otherwise in the given order.
void SortRows(const std::string& metric, std::vector<SweepRow>* rows);

}  // namespace seqgraph::tools
