#pragma once

#include <string>
#include <vector>

#include "tools/runs/run_record.h"

namespace seqgraph::tools {

/// Something that two runs do not have alike.
struct RunDifference {
  std::string what;  ///< "--units", "cpu", "val_loss at the best epoch", ...
  std::string a, b;
};

/// Flags, environment, data, model, how they stand, their numbers at the best epoch, and the first
/// epoch in which their histories part; nothing of two runs with the same bits but names and times.
std::vector<RunDifference> DifferencesOfRuns(const RunRecord& a, const RunRecord& b);

}  // namespace seqgraph::tools
