#pragma once

#include <optional>
#include <string>

#include "absl/types/span.h"
#include "tools/report/model_report.h"
#include "tools/runs/run_record.h"

namespace seqgraph::tools {

struct ReportedRun {
  RunRecord record;
  std::optional<ModelReport> model;
};

/// One HTML page of the runs, of at least one, below 1 MB: it loads nothing, and texts in it are
/// texts, whatever they hold. What finds no room is named at its end.
std::string ReportPage(absl::Span<const ReportedRun> runs);

}  // namespace seqgraph::tools
