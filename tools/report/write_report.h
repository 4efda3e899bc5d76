#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tools/command_files.h"
#include "tools/report/model_report.h"

namespace seqgraph::tools {

/// Reads runs (LoadRuns) and writes one page of them. Gives lines for people: where it is, and what
/// of it could not be had. Errors: those of reading and writing; Cancelled where it is interrupted.
absl::StatusOr<std::string> WriteReport(const std::vector<std::string>& folders,
                                        const std::string& output, const CommandFiles& files,
                                        const ModelReportOptions& options = {});

}  // namespace seqgraph::tools
