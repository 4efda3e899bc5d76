#include "tools/report/curves.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "tools/runs/run_table.h"
#include "tools/training_text.h"

namespace seqgraph::tools {
namespace {

constexpr char kRate[] = "learning_rate", kValidation[] = "val_";

// Where a row is, and what a run was made with.
bool IsPlace(absl::string_view column) {
  for (const char* name : {"epoch", "step", "total_step", "threads"}) {
    if (column == name) return true;
  }
  return false;
}

// What was measured in any run, without "val_", in the order of their charts.
std::vector<std::string> MeasuredIn(absl::Span<const RunRecord> runs) {
  std::set<std::string> names;
  for (const RunRecord& run : runs) {
    for (const NumberTable* table : {&run.history, &run.steps}) {
      for (const auto& [column, numbers] : table->columns) {
        if (IsPlace(column) || numbers.empty()) continue;
        names.insert(std::string(absl::StripPrefix(column, kValidation)));
      }
    }
  }
  std::vector<std::string> ordered(names.begin(), names.end());
  const auto rank = [](const std::string& name) {
    return name == "loss" ? 0 : name == kRate ? 2 : 1;
  };
  std::stable_sort(ordered.begin(), ordered.end(),
                   [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
  return ordered;
}

// Of steps where they are: epochs and parts of them.
std::vector<double> StepPlaces(const NumberTable& steps) {
  const std::vector<double>& epochs = steps["epoch"];
  const std::vector<double>& step = steps["step"];
  if (epochs.size() != step.size()) return {};
  std::map<double, double> steps_of;
  for (size_t i = 0; i < step.size(); ++i) {
    double& most = steps_of[epochs[i]];
    most = std::max(most, step[i]);
  }
  std::vector<double> places;
  for (size_t i = 0; i < step.size(); ++i) {
    places.push_back(epochs[i] + step[i] / std::max(1.0, steps_of[epochs[i]]));
  }
  return places;
}

void AddLine(const std::string& name, std::vector<double> x, std::vector<double> y, int color,
             ChartLine::Style style, size_t most, Chart& chart) {
  if (x.empty() || x.size() != y.size()) return;
  if (std::none_of(y.begin(), y.end(), [](double v) { return std::isfinite(v); })) return;
  Thin(x, y, most);
  if (x.size() == 1) style = ChartLine::Style::kDots;
  chart.lines.push_back({name, std::move(x), std::move(y), color, style});
}

void AddRun(const RunRecord& run, const std::string& name, int number, size_t runs, size_t most,
            Chart& chart, const std::string& measured) {
  std::vector<double> epochs = run.history["epoch"];
  for (double& epoch : epochs) ++epoch;
  const std::vector<double>& training = run.history[measured];
  const std::vector<double>& validation = run.history[absl::StrCat(kValidation, measured)];
  const bool alone = runs == 1;
  const std::string prefix = alone ? "" : absl::StrCat(name, ", ");
  const bool rate = measured == kRate;
  if (epochs.size() < 2 && !rate) {
    AddLine(absl::StrCat(prefix, "steps of training"), StepPlaces(run.steps), run.steps[measured],
            number, ChartLine::Style::kSolid, most, chart);
  } else {
    AddLine(rate ? (alone ? Spoken(measured) : name) : absl::StrCat(prefix, "training"), epochs,
            training, number, ChartLine::Style::kSolid, most, chart);
  }
  AddLine(absl::StrCat(prefix, "validation"), epochs, validation, alone ? 1 : number,
          ChartLine::Style::kDashed, most, chart);
}

using Texts = std::map<std::string, std::string>;

void AddRows(absl::Span<const RunRecord> runs, const std::vector<std::string>& names,
             const Texts RunRecord::*of, std::vector<DifferenceRow>& rows) {
  for (const std::string& name : names) {
    DifferenceRow& row = rows.emplace_back(DifferenceRow{name, {}});
    for (const RunRecord& run : runs) {
      const auto found = (run.*of).find(name);
      row.values.push_back(found == (run.*of).end() ? "" : found->second);
    }
  }
}

}  // namespace

std::string Spoken(absl::string_view name) { return absl::StrReplaceAll(name, {{"_", " "}}); }

std::vector<std::string> RunNames(absl::Span<const RunRecord> runs) {
  std::map<std::string, int> count;
  for (const RunRecord& run : runs) ++count[run.name];
  std::vector<std::string> names;
  for (const RunRecord& run : runs) {
    names.push_back(run.name.empty() || count[run.name] > 1 ? run.folder : run.name);
  }
  return names;
}

std::vector<Chart> CurveCharts(absl::Span<const RunRecord> runs, size_t most_points) {
  const std::vector<std::string> names = RunNames(runs);
  std::vector<Chart> charts;
  for (const std::string& measured : MeasuredIn(runs)) {
    Chart chart;
    chart.title = Spoken(measured);
    chart.x_label = "epoch";
    chart.whole_x = std::any_of(runs.begin(), runs.end(),
                                [](const RunRecord& run) { return run.history.rows() > 1; });
    chart.can_smooth = true;
    for (size_t r = 0; r < runs.size(); ++r) {
      AddRun(runs[r], names[r], static_cast<int>(r), runs.size(), most_points, chart, measured);
    }
    if (!chart.lines.empty()) charts.push_back(std::move(chart));
  }
  return charts;
}

std::vector<DifferenceRow> Differences(absl::Span<const RunRecord> runs) {
  std::vector<DifferenceRow> rows;
  if (runs.size() < 2) return rows;
  AddRows(runs, DifferingFlags(runs), &RunRecord::flags, rows);
  AddRows(runs, DifferingFacts(runs), &RunRecord::environment, rows);
  DifferenceRow data{"content of the data", {}};
  for (const RunRecord& run : runs) data.values.push_back(run.train_hash.substr(0, 12));
  if (std::set<std::string>(data.values.begin(), data.values.end()).size() > 1) {
    rows.push_back(std::move(data));
  }
  return rows;
}

std::vector<std::string> MeasuredColumns(const RunRecord& run) {
  std::vector<std::string> columns;
  for (const auto& [name, values] : run.history.columns) {
    if (IsPlace(name) || name == kRate || absl::StartsWith(name, kValidation)) continue;
    const std::string validation = absl::StrCat(kValidation, name);
    const std::string& column = run.history.columns.count(validation) > 0 ? validation : name;
    columns.insert(name == "loss" ? columns.begin() : columns.end(), column);
  }
  return columns;
}

std::string ShellCommand(const std::vector<std::string>& arguments) {
  std::string text = "seqgraph";
  for (const std::string& argument : arguments) absl::StrAppend(&text, " ", Quoted(argument));
  return text;
}

}  // namespace seqgraph::tools
