#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tools/runs/run_record.h"

namespace seqgraph::tools {

/// Whether commands that show a run read the file of that name in its folder.
bool IsFileOfRun(const std::string& below);

/// LoadRunRecord() of each, and of a folder of runs of all that are in it. InvalidArgument for a
/// folder that is named twice, and more than 50.
absl::StatusOr<std::vector<RunRecord>> LoadRuns(const std::vector<std::string>& folders);

}  // namespace seqgraph::tools
