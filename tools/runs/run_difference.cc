#include "tools/runs/run_difference.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tools/runs/run_table.h"

namespace seqgraph::tools {
namespace {

std::string ShortHash(const std::string& hash) { return hash.substr(0, 12); }

// The first row in which a column that both have is another number.
std::optional<size_t> FirstRowApart(const NumberTable& a, const NumberTable& b) {
  const size_t rows = std::min(a.rows(), b.rows());
  for (size_t row = 0; row < rows; ++row) {
    for (const auto& [name, column] : a.columns) {
      const std::vector<double>& other = b[name];
      if (other.empty()) continue;
      const double x = column[row], y = other[row];
      if (x != y && !(std::isnan(x) && std::isnan(y))) return row;
    }
  }
  return std::nullopt;
}

}  // namespace

std::vector<RunDifference> DifferencesOfRuns(const RunRecord& a, const RunRecord& b) {
  std::vector<RunDifference> all;
  const auto add = [&](const std::string& what, const std::string& x, const std::string& y) {
    if (x != y) all.push_back({what, x, y});
  };
  for (const std::string& flag : DifferingFlags({a, b})) {
    const auto text = [&](const RunRecord& run) -> std::string {
      const auto found = run.flags.find(flag);
      return found == run.flags.end() ? "not given" : found->second.empty() ? "on" : found->second;
    };
    add(flag, text(a), text(b));
  }
  for (const std::string& name : DifferingFacts({a, b})) {
    const auto text = [&](const RunRecord& run) {
      const auto found = run.environment.find(name);
      return found == run.environment.end() ? std::string() : found->second;
    };
    add(name, text(a), text(b));
  }
  add("rows to train on", absl::StrCat(a.train_rows, " (", ShortHash(a.train_hash), ")"),
      absl::StrCat(b.train_rows, " (", ShortHash(b.train_hash), ")"));
  add("rows to validate by",
      absl::StrCat(a.validation_rows, " (", ShortHash(a.validation_hash), ")"),
      absl::StrCat(b.validation_rows, " (", ShortHash(b.validation_hash), ")"));
  add("parameters", absl::StrCat(a.parameters), absl::StrCat(b.parameters));
  add("status", StatusText(a), StatusText(b));
  add("epochs", absl::StrCat(a.history.rows()), absl::StrCat(b.history.rows()));
  add("best epoch", a.best_epoch.has_value() ? absl::StrCat(*a.best_epoch + 1) : "none",
      b.best_epoch.has_value() ? absl::StrCat(*b.best_epoch + 1) : "none");
  const std::map<std::string, double> x = FinalMetrics(a), y = FinalMetrics(b);
  std::map<std::string, std::pair<std::string, std::string>> metrics;
  for (const auto& [name, value] : x) metrics[name].first = absl::StrCat(value);
  for (const auto& [name, value] : y) metrics[name].second = absl::StrCat(value);
  for (const auto& [name, values] : metrics) {
    add(absl::StrCat(name, " at that epoch"), values.first, values.second);
  }
  if (const std::optional<size_t> row = FirstRowApart(a.history, b.history)) {
    all.push_back({"histories part in epoch", absl::StrCat(a.history["epoch"][*row] + 1), ""});
  }
  return all;
}

}  // namespace seqgraph::tools
