#include "tools/report/report_page.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "tools/report/curves.h"
#include "tools/report/html.h"
#include "tools/report/judgement_html.h"
#include "tools/report/model_html.h"
#include "tools/runs/run_table.h"
#include "training/summary.h"

namespace seqgraph::tools {
namespace {

double ValueAt(const NumberTable& table, const std::string& column, int64_t row) {
  const std::vector<double>& values = table[column];
  return row >= 0 && static_cast<size_t>(row) < values.size() ? values[static_cast<size_t>(row)]
                                                              : std::nan("");
}

std::string ColumnTitle(absl::string_view column) {
  const bool validation = absl::ConsumePrefix(&column, "val_");
  return absl::StrCat(validation ? "validation " : "", Spoken(column));
}

std::string TilesOf(const RunRecord& run) {
  const int64_t row = RowThatCounts(run);
  std::string tiles;
  for (const std::string& column : MeasuredColumns(run)) {
    tiles += Tile(Digits(ValueAt(run.history, column, row)), ColumnTitle(column));
  }
  const int64_t epochs = static_cast<int64_t>(run.history["epoch"].size());
  if (run.best_epoch.has_value()) {
    tiles += Tile(absl::StrCat(*run.best_epoch + 1, " of ", epochs),
                  absl::StrCat("best epoch, by ", ColumnTitle(run.monitor)));
  } else {
    tiles += Tile(absl::StrCat(epochs), "epochs");
  }
  if (run.parameters > 0) tiles += Tile(WithThousands(run.parameters), "parameters");
  if (run.train_rows > 0) {
    const std::string noun = run.noun.empty() ? "rows" : run.noun;
    tiles += Tile(WithThousands(run.train_rows),
                  run.validation_rows == 0
                      ? absl::StrCat(noun, " to train on")
                      : absl::StrCat(noun, " to train on, ", WithThousands(run.validation_rows),
                                     " to validate by"));
  }
  tiles += Tile(Duration(run.seconds),
                absl::StrCat("it ", run.status == RunStatus::kRunning ? "has run" : "took"));
  if (run.status != RunStatus::kFinished) tiles += Tile(RunStatusName(run.status), "state", true);
  return absl::StrCat("<div class=\"tiles\">", tiles, "</div>\n");
}

// Of two numbers of runs which is better, where that is known.
bool IsBetter(const RunRecord& run, absl::string_view column, double a, double b) {
  return run.HigherIsBetter(column).value_or(false) ? a > b : a < b;
}

bool SaysWhichIsBetter(const RunRecord& run, absl::string_view column) {
  return absl::StripPrefix(column, "val_") == "loss" || run.HigherIsBetter(column).has_value();
}

void AddComparison(absl::Span<const RunRecord> runs, const std::vector<std::string>& names,
                   Page& page) {
  if (runs.size() < 2) return;
  std::vector<std::string> header = {"at the best epoch"};
  for (const std::string& name : names) header.push_back(Text(name, 60));
  std::vector<std::string> columns = MeasuredColumns(runs[0]);
  for (const RunRecord& run : runs) {
    for (const std::string& column : MeasuredColumns(run)) {
      if (std::find(columns.begin(), columns.end(), column) == columns.end())
        columns.push_back(column);
    }
  }
  std::vector<std::vector<std::string>> rows;
  for (const std::string& column : columns) {
    std::vector<std::string> row = {Text(ColumnTitle(column))};
    int64_t best = -1;
    std::vector<double> values;
    for (const RunRecord& run : runs) {
      values.push_back(ValueAt(run.history, column, RowThatCounts(run)));
      const auto i = static_cast<int64_t>(values.size()) - 1;
      if (!std::isfinite(values.back())) continue;
      if (best < 0 || IsBetter(run, column, values.back(), values[static_cast<size_t>(best)]))
        best = i;
    }
    for (size_t i = 0; i < values.size(); ++i) {
      const bool star = static_cast<int64_t>(i) == best && SaysWhichIsBetter(runs[i], column);
      row.push_back(absl::StrCat(star ? "<span class=\"best\">" : "", Digits(values[i]),
                                 star ? "</span>" : ""));
    }
    rows.push_back(std::move(row));
  }
  const auto add = [&](const std::string& name, auto value) {
    std::vector<std::string> row = {name};
    for (const RunRecord& run : runs) row.push_back(Text(value(run)));
    rows.push_back(std::move(row));
  };
  add("best epoch", [](const RunRecord& run) {
    return run.best_epoch.has_value() ? absl::StrCat(*run.best_epoch + 1) : "-";
  });
  add("parameters", [](const RunRecord& run) { return WithThousands(run.parameters); });
  add("time", [](const RunRecord& run) { return Duration(run.seconds); });
  add("state", [](const RunRecord& run) { return std::string(RunStatusName(run.status)); });
  std::vector<size_t> numbers;
  for (size_t i = 1; i <= runs.size(); ++i) numbers.push_back(i);
  page.Section("Comparison", HtmlTable("Runs compared", header, rows, numbers));

  std::vector<std::vector<std::string>> different;
  for (const DifferenceRow& difference : Differences(runs)) {
    std::vector<std::string> row = {Text(difference.name)};
    for (const std::string& value : difference.values)
      row.push_back(value.empty() ? "-" : Text(value));
    different.push_back(std::move(row));
  }
  header[0] = "flag or fact";
  page.Section("What differs",
               different.empty()
                   ? "<p class=\"say\">The runs have the same flags, data and environment.</p>"
                   : HtmlTable("What differs between the runs", header, different, {}));
}

void AddCurves(absl::Span<const RunRecord> runs, Page& page) {
  size_t lines = 1;
  for (const RunRecord& run : runs) lines += run.history.columns.size();
  // About 16 bytes a point: half of the page at most.
  const size_t most = std::clamp<size_t>(450'000 / (lines * 16), 50, 1000);
  std::string figures;
  const std::vector<Chart> charts = CurveCharts(runs, most);
  for (const Chart& chart : charts) figures += page.Figure(chart);
  if (figures.empty()) {
    page.Section("Curves", NoteHtml("There is nothing to draw yet: no epoch has ended."));
    return;
  }
  page.Section(
      "Curves",
      absl::StrCat(
          "<div class=\"tools\" id=\"tools\" hidden><label>Smoothing <input id=\"smooth\" "
          "type=\"range\" "
          "min=\"0\" max=\"0.98\" step=\"0.02\" value=\"0\"></label><label><input id=\"log\" "
          "type=\"checkbox\"> Logarithmic axis</label><button id=\"all\" type=\"button\">Show all"
          "</button><span>Drag to zoom; a double click shows all again.</span></div>"
          "<div class=\"grid",
          charts.size() == 3 || charts.size() > 4 ? " three\">" : "\">", figures, "</div>"));
}

void AddEnvironment(const RunRecord& run, const std::string& suffix, int number, Page& page) {
  std::vector<std::vector<std::string>> rows;
  const auto add = [&](const std::string& name, const std::string& value) {
    if (!value.empty()) rows.push_back({Text(name), Text(value, 300)});
  };
  for (const auto& [name, value] : run.environment) add(Spoken(name), value);
  add("seed", absl::StrCat(run.seed));
  add("batch", absl::StrCat(run.batch));
  add("data", run.data);
  add("SHA-256 of the rows trained on", run.train_hash);
  add("SHA-256 of the validation's rows", run.validation_hash);
  add("began", run.started);
  add("ended", run.ended);
  add("model", run.output);
  add("folder", run.folder);
  std::string html = HtmlTable("Environment", {"fact", "value"}, rows, {});
  if (!run.command.empty()) {
    const std::string id = absl::StrCat("command", number);
    absl::StrAppend(&html,
                    "<div class=\"with-button\" style=\"margin-top:1rem\"><h3>To run it again</h3>"
                    "<button type=\"button\" data-copy=\"",
                    id, "\" hidden>Copy</button></div><pre id=\"", id, "\">",
                    Text(ShellCommand(run.command), 8000), "</pre>");
  }
  if (!run.messages.empty()) {
    absl::StrAppend(&html, "<details><summary>Messages</summary><pre>", Text(run.messages, 8000),
                    "</pre></details>");
  }
  page.Section(absl::StrCat("Environment", suffix), html);
}

std::string NameOfPage(const std::vector<std::string>& names) {
  if (names.size() == 1) return names[0];
  return absl::StrCat(names.size(), " runs: ", names[0], ", ", names[1],
                      names.size() > 2 ? ", …" : "");
}

}  // namespace

std::string ReportPage(absl::Span<const ReportedRun> runs) {
  std::vector<RunRecord> records;
  for (const ReportedRun& run : runs) records.push_back(run.record);
  const std::vector<std::string> names = RunNames(records);
  Page page(NameOfPage(names));
  if (runs.size() == 1) page.Plain(TilesOf(records[0]));
  for (const RunRecord& run : records) {
    if (!run.error.empty())
      page.Plain(NoteHtml(absl::StrCat(run.name, " ended with an error: ", run.error)));
  }
  AddComparison(records, names, page);
  AddCurves(records, page);
  for (size_t i = 0; i < runs.size(); ++i) {
    const std::string suffix = runs.size() == 1 ? "" : absl::StrCat(", ", Cut(names[i], 40));
    if (runs.size() > 1) {
      page.Group(names[i], records[i].description);
    }
    if (runs[i].model.has_value()) {
      for (const std::string& note : runs[i].model->notes) page.Plain(NoteHtml(note));
      if (runs[i].model->judgement.has_value())
        AddJudgement(*runs[i].model->judgement, suffix, page);
      AddModel(*runs[i].model, suffix, page);
    }
    AddEnvironment(records[i], suffix, static_cast<int>(i), page);
  }
  return page.Finish(runs.size() == 1 ? records[0].description
                                      : absl::StrCat(runs.size(), " runs, laid over each other"));
}

}  // namespace seqgraph::tools
