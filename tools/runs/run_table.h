#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "tools/runs/run_record.h"

namespace seqgraph::tools {

/// The row of a run's history that counts: of its best epoch, else the last one; -1: none.
int64_t RowThatCounts(const RunRecord& run);

/// A run's numbers in that row, by the names of its history but "epoch"; none of a run without an
/// epoch.
std::map<std::string, double> FinalMetrics(const RunRecord& run);

/// The run as it stood after that many epochs: the history's rows until then, and their best epoch.
RunRecord UpToEpoch(RunRecord run, int64_t epochs);

/// "finished", ...; "cut off" of a run that says it is running and that no process has.
std::string StatusText(const RunRecord& run);

/// The flags that do not have the same value in all of these, but for files that are written; and
/// likewise of their environments.
std::vector<std::string> DifferingFlags(absl::Span<const RunRecord> runs);
std::vector<std::string> DifferingFacts(absl::Span<const RunRecord> runs);

/// Runs as rows of text cells: name, status, epochs, best epoch, metrics, seconds, and the flags in
/// which they differ.
struct RunTable {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;
};
RunTable TableOfRuns(const std::vector<RunRecord>& runs);

/// Sorts by "name", "started", "status", "seconds", "epochs", "best_epoch", a metric or a flag
/// ("units", "--units"): numbers by their size, and behind all others those without one.
/// InvalidArgument: no run has it; the message names what there is.
absl::Status SortRuns(const std::string& by, bool descending, std::vector<RunRecord>* runs);

}  // namespace seqgraph::tools
