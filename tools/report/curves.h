#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "tools/report/chart.h"
#include "tools/runs/run_record.h"

namespace seqgraph::tools {

/// "learning rate" of "learning_rate".
std::string Spoken(absl::string_view name);

/// What tells runs apart for people: their names, and of equal ones their folders.
std::vector<std::string> RunNames(absl::Span<const RunRecord> runs);

/// A chart for each thing that was measured, loss first and the learning rate last, over epochs
/// from 1: of each run what was measured in training (solid) and in validation (dashed). Each line
/// has at most `most_points`. Runs of one epoch or none show their steps instead.
std::vector<Chart> CurveCharts(absl::Span<const RunRecord> runs, size_t most_points = 1000);

/// A row of a table: a name, and what each run has there.
struct DifferenceRow {
  std::string name;
  std::vector<std::string> values;  ///< empty: the run does not say
};
/// In what the runs differ: flags, then environment, then the content of their data.
std::vector<DifferenceRow> Differences(absl::Span<const RunRecord> runs);

/// Columns of a run's history that say how good it is, loss first: of the validation where there is
/// one ("val_loss"), else of training; not the learning rate.
std::vector<std::string> MeasuredColumns(const RunRecord& run);

/// The command that makes the run again, for a shell: each argument as one word.
std::string ShellCommand(const std::vector<std::string>& arguments);

}  // namespace seqgraph::tools
