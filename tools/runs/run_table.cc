#include "tools/runs/run_table.h"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "base/file_descriptor.h"
#include "base/status_macros.h"
#include "training/progress.h"

namespace seqgraph::tools {
namespace {

// Where things go, and not what they are.
constexpr const char* kOfFiles[] = {"--output",  "--history",     "--report",
                                    "--profile", "--tensorboard", "--fallback",
                                    "--run",     "--continue",    "--overwrite"};

// A process has the run's folder as long as it lives (training/run_folder.h).
bool IsHeld(const std::string& folder) {
  const FileDescriptor lock(::open((folder + "/lock").c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (lock.get() < 0) return false;
  return ::flock(lock.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

std::string FlagOf(const RunRecord& run, const std::string& name) {
  const auto found = run.flags.find(name);
  if (found == run.flags.end()) return "";
  return found->second.empty() ? "on" : found->second;
}

// Names that do not have the same text in all of these, or not in all.
std::vector<std::string> NamesApart(absl::Span<const RunRecord> runs,
                                    std::map<std::string, std::string> RunRecord::*texts) {
  std::set<std::string> names;
  for (const RunRecord& run : runs) {
    for (const auto& [name, text] : run.*texts) names.insert(name);
  }
  const auto text_of = [&](const RunRecord& run, const std::string& name) {
    const auto found = (run.*texts).find(name);
    return found == (run.*texts).end() ? std::nullopt : std::optional(found->second);
  };
  std::vector<std::string> apart;
  for (const std::string& name : names) {
    const bool same = std::all_of(runs.begin(), runs.end(), [&](const RunRecord& run) {
      return text_of(run, name) == text_of(runs[0], name);
    });
    if (!same) apart.push_back(name);
  }
  return apart;
}

// What a run is sorted by: a number where it is one.
struct SortKey {
  bool missing = true;
  double number = std::numeric_limits<double>::quiet_NaN();
  std::string text;

  explicit SortKey(std::string value) : missing(value.empty()), text(std::move(value)) {
    if (!absl::SimpleAtod(text, &number)) number = std::numeric_limits<double>::quiet_NaN();
  }
  explicit SortKey(double value)
      : missing(std::isnan(value)), number(value), text(absl::StrCat(value)) {}

  bool Less(const SortKey& other) const {
    if (std::isnan(number) != std::isnan(other.number)) return std::isnan(other.number);
    return std::isnan(number) ? text < other.text : number < other.number;
  }
};

std::optional<SortKey> KeyOf(const RunRecord& run, const std::string& by) {
  if (by == "name") return SortKey(run.name);
  if (by == "started") return SortKey(run.started);
  if (by == "status") return SortKey(StatusText(run));
  if (by == "seconds") return SortKey(run.seconds);
  if (by == "epochs") return SortKey(static_cast<double>(run.history.rows()));
  if (by == "best_epoch") {
    return SortKey(run.best_epoch.has_value() ? absl::StrCat(*run.best_epoch + 1) : "");
  }
  const std::map<std::string, double> metrics = FinalMetrics(run);
  if (const auto found = metrics.find(by); found != metrics.end()) return SortKey(found->second);
  const std::string flag = absl::StartsWith(by, "--") ? by : absl::StrCat("--", by);
  if (run.flags.count(flag) > 0) return SortKey(FlagOf(run, flag));
  return std::nullopt;
}

}  // namespace

int64_t RowThatCounts(const RunRecord& run) {
  const std::vector<double>& epochs = run.history["epoch"];
  for (size_t i = 0; i < epochs.size() && run.best_epoch.has_value(); ++i) {
    if (epochs[i] == *run.best_epoch) return static_cast<int64_t>(i);
  }
  return static_cast<int64_t>(epochs.size()) - 1;
}

std::map<std::string, double> FinalMetrics(const RunRecord& run) {
  std::map<std::string, double> metrics;
  const int64_t row = RowThatCounts(run);
  if (row < 0) return metrics;
  for (const auto& [name, column] : run.history.columns) {
    if (name != "epoch") metrics[name] = column[static_cast<size_t>(row)];
  }
  return metrics;
}

RunRecord UpToEpoch(RunRecord run, int64_t epochs) {
  const std::vector<double> numbers = run.history["epoch"];
  for (auto& [name, column] : run.history.columns) {
    size_t kept = 0;
    for (size_t i = 0; i < numbers.size(); ++i) {
      if (numbers[i] < static_cast<double>(epochs)) column[kept++] = column[i];
    }
    column.resize(kept);
  }
  if (!run.best_epoch.has_value()) return run;
  const bool higher = run.HigherIsBetter(run.monitor).value_or(false);
  const std::optional<size_t> best = BestRow(run.history[run.monitor], higher);
  run.best_epoch.reset();
  if (best.has_value()) run.best_epoch = static_cast<int>(run.history["epoch"][*best]);
  return run;
}

std::string StatusText(const RunRecord& run) {
  if (run.status == RunStatus::kRunning && !IsHeld(run.folder)) return "cut off";
  return RunStatusName(run.status);
}

std::vector<std::string> DifferingFlags(absl::Span<const RunRecord> runs) {
  std::vector<std::string> flags = NamesApart(runs, &RunRecord::flags);
  flags.erase(std::remove_if(flags.begin(), flags.end(),
                             [](const std::string& flag) {
                               return std::find(std::begin(kOfFiles), std::end(kOfFiles), flag) !=
                                      std::end(kOfFiles);
                             }),
              flags.end());
  return flags;
}

std::vector<std::string> DifferingFacts(absl::Span<const RunRecord> runs) {
  return NamesApart(runs, &RunRecord::environment);
}

RunTable TableOfRuns(const std::vector<RunRecord>& runs) {
  std::set<std::string> metrics;
  for (const RunRecord& run : runs) {
    for (const auto& [name, value] : FinalMetrics(run)) metrics.insert(name);
  }
  const std::vector<std::string> flags = DifferingFlags(runs);
  RunTable table;
  table.header = {"run", "status", "epochs", "best"};
  table.header.insert(table.header.end(), metrics.begin(), metrics.end());
  table.header.emplace_back("seconds");
  table.header.insert(table.header.end(), flags.begin(), flags.end());
  for (const RunRecord& run : runs) {
    const std::map<std::string, double> values = FinalMetrics(run);
    std::vector<std::string> row = {
        run.name, StatusText(run), absl::StrCat(run.history.rows()),
        run.best_epoch.has_value() ? absl::StrCat(*run.best_epoch + 1) : ""};
    for (const std::string& name : metrics) {
      const auto found = values.find(name);
      row.push_back(
          found == values.end() || std::isnan(found->second) ? "" : FormatMetric(found->second));
    }
    row.push_back(absl::StrFormat("%.1f", run.seconds));
    for (const std::string& flag : flags) row.push_back(FlagOf(run, flag));
    table.rows.push_back(std::move(row));
  }
  return table;
}

absl::Status SortRuns(const std::string& by, bool descending, std::vector<RunRecord>* runs) {
  std::vector<std::pair<SortKey, RunRecord>> keyed;
  bool any = false;
  for (RunRecord& run : *runs) {
    const std::optional<SortKey> key = KeyOf(run, by);
    any = any || key.has_value();
    keyed.emplace_back(key.value_or(SortKey(std::string())), std::move(run));
  }
  std::stable_sort(keyed.begin(), keyed.end(), [&](const auto& a, const auto& b) {
    if (a.first.missing || b.first.missing) return !a.first.missing && b.first.missing;
    return descending ? b.first.Less(a.first) : a.first.Less(b.first);
  });
  runs->clear();
  for (auto& [key, run] : keyed) runs->push_back(std::move(run));
  if (any || runs->empty()) return absl::OkStatus();
  std::set<std::string> names = {"name", "started", "status", "seconds", "epochs", "best_epoch"};
  for (const RunRecord& run : *runs) {
    for (const auto& [name, value] : FinalMetrics(run)) names.insert(name);
    for (const auto& [name, value] : run.flags) names.insert(name);
  }
  return InvalidArgument("no run has '", by, "'; there are ", absl::StrJoin(names, ", "));
}

}  // namespace seqgraph::tools
