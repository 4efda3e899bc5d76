#include "tools/conformance/report.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "tools/conformance/case.h"
#include "tools/report/html.h"

namespace seqgraph::conformance {
namespace {

using Json = nlohmann::json;

constexpr Outcome kOutcomes[] = {Outcome::kPassed,  Outcome::kFailed,  Outcome::kRefused,
                                 Outcome::kSkipped, Outcome::kCrashed, Outcome::kHung};

bool IsFault(Outcome outcome) {
  return outcome == Outcome::kFailed || outcome == Outcome::kCrashed || outcome == Outcome::kHung;
}

// JSON knows no infinity: a number that is none becomes a text.
Json Number(double x) { return std::isfinite(x) ? Json(x) : Json(absl::StrCat(x)); }

double ToNumber(const Json& json) { return json.is_number() ? json.get<double>() : std::nan(""); }

Json ToJson(const Row& row) {
  return {{"case", row.name},
          {"outcome", std::string(OutcomeName(row.outcome))},
          {"measured", Number(row.measured)},
          {"allowed", Number(row.allowed)},
          {"formula", row.formula},
          {"detail", row.detail},
          {"runs", row.runs},
          {"seconds", Number(row.seconds)},
          {"damaged", row.damaged}};
}

// Bytes of a backend's own texts may be anything.
std::string Dump(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

std::string Ratio(const Row& row) {
  if (row.allowed == 0) return "";
  return absl::StrFormat("%.3g / %.3g (%.1f %%)", row.measured, row.allowed,
                         100 * row.measured / row.allowed);
}

// How near a mode came to a bound, and the case that did.
const Row* Nearest(const std::vector<const Row*>& rows) {
  const Row* nearest = nullptr;
  for (const Row* row : rows) {
    if (row->outcome != Outcome::kPassed || row->allowed == 0) continue;
    if (nearest == nullptr || row->measured * nearest->allowed > nearest->measured * row->allowed) {
      nearest = row;
    }
  }
  return nearest;
}

std::string RowLine(const Row& row) {
  std::string line = absl::StrFormat("%-8s %s", OutcomeName(row.outcome), row.name);
  const std::string ratio = Ratio(row);
  if (!ratio.empty()) absl::StrAppend(&line, "  measured / allowed ", ratio);
  if (!row.detail.empty()) absl::StrAppend(&line, "\n         ", row.detail);
  return line + "\n";
}

std::string Conclusion(const Report& report) {
  const int faults = report.Count(Outcome::kFailed) + report.Count(Outcome::kCrashed) +
                     report.Count(Outcome::kHung);
  if (faults > 0) {
    return absl::StrCat("FAILED: ", faults, " of what ", report.backend, " claims does not pass");
  }
  if (!report.Proven()) {
    return absl::StrCat("NOTHING PROVEN: ", report.backend, " ran none of these cases");
  }
  return absl::StrCat("PASSED: all that ", report.backend, " claims of these cases passes");
}

}  // namespace

std::string RowToJson(const Row& row) { return Dump(ToJson(row), -1); }

absl::StatusOr<Row> RowFromJson(absl::string_view text) {
  // Whatever is not there, or of another type, is an exception.
  try {
    const Json json = Json::parse(text.begin(), text.end());
    Row row{.name = json.at("case").get<std::string>(),
            .measured = ToNumber(json.at("measured")),
            .allowed = ToNumber(json.at("allowed")),
            .formula = json.at("formula").get<std::string>(),
            .detail = json.at("detail").get<std::string>(),
            .runs = json.at("runs").get<int64_t>(),
            .seconds = ToNumber(json.at("seconds")),
            .damaged = json.at("damaged").get<bool>()};
    // No other number is converted to one.
    const bool counted = json.at("runs").is_number_integer();
    for (const Outcome outcome : kOutcomes) {
      if (!counted || json.at("outcome") != std::string(OutcomeName(outcome))) continue;
      row.outcome = outcome;
      return row;
    }
  } catch (const Json::exception&) {
  }
  return InvalidArgument(
      "not the result of a case, which is a line of JSON as --format=json writes it");
}

int Report::Count(Outcome outcome) const {
  return static_cast<int>(std::count_if(
      rows.begin(), rows.end(), [outcome](const Row& row) { return row.outcome == outcome; }));
}

bool Report::Proven() const {
  bool ran = false;
  for (const Row& row : rows) {
    if (IsFault(row.outcome)) return false;
    ran |= row.outcome == Outcome::kPassed && row.runs > 0;
  }
  return ran;
}

std::string ReportToText(const Report& report, bool verbose) {
  std::string text = absl::StrFormat("%s %s\n  %s\nseed %d\n\n", report.backend, report.version,
                                     report.description, report.seed);
  for (const Row& row : report.rows) {
    if (verbose || IsFault(row.outcome)) text += RowLine(row);
  }
  absl::StrAppendFormat(&text, "%s%-11s %7s %7s %7s %7s %7s %7s %8s  %s\n", verbose ? "\n" : "",
                        "mode", "passed", "failed", "refused", "skipped", "crashed", "hung",
                        "seconds", "nearest to its bound: measured / allowed");
  for (const char* mode : kModes) {
    std::vector<const Row*> rows;
    std::map<Outcome, int> counts;
    double seconds = 0;
    for (const Row& row : report.rows) {
      if (row.mode() != mode) continue;
      rows.push_back(&row);
      ++counts[row.outcome];
      seconds += row.seconds;
    }
    if (rows.empty()) continue;
    const Row* nearest = Nearest(rows);
    absl::StrAppendFormat(
        &text, "%-11s %7d %7d %7d %7d %7d %7d %8.1f  %s\n", mode, counts[Outcome::kPassed],
        counts[Outcome::kFailed], counts[Outcome::kRefused], counts[Outcome::kSkipped],
        counts[Outcome::kCrashed], counts[Outcome::kHung], seconds,
        nearest == nullptr ? "" : absl::StrCat(Ratio(*nearest), " ", nearest->name));
  }
  absl::StrAppendFormat(&text, "\n%s. %d cases, %d workers, %.1f s.\n", Conclusion(report),
                        report.rows.size(), report.workers, report.seconds);
  return text;
}

std::string ReportToJson(const Report& report) {
  Json rows = Json::array();
  for (const Row& row : report.rows) rows.push_back(ToJson(row));
  Json counts;
  for (const Outcome outcome : kOutcomes) {
    counts[std::string(OutcomeName(outcome))] = report.Count(outcome);
  }
  const Json json = {{"backend", report.backend},
                     {"version", report.version},
                     {"description", report.description},
                     {"seed", report.seed},
                     {"seconds", Number(report.seconds)},
                     {"workers", report.workers},
                     {"proven", report.Proven()},
                     {"counts", counts},
                     {"cases", rows}};
  return Dump(json, 1) + "\n";
}

std::string ReportToHtml(const Report& report) {
  std::string tiles;
  for (const Outcome outcome : kOutcomes) {
    tiles += tools::Tile(absl::StrCat(report.Count(outcome)), std::string(OutcomeName(outcome)),
                         IsFault(outcome) && report.Count(outcome) > 0);
  }
  std::vector<std::vector<std::string>> rows;
  // Faults first.
  for (const bool faults : {true, false}) {
    for (const Row& row : report.rows) {
      if (IsFault(row.outcome) != faults) continue;
      const std::string outcome(OutcomeName(row.outcome));
      rows.push_back(
          {tools::Text(row.name),
           faults ? absl::StrCat("<strong class=\"fault\">", outcome, "</strong>") : outcome,
           Ratio(row), tools::Text(row.formula), tools::Text(row.detail, 2000),
           absl::StrCat(row.runs), absl::StrFormat("%.1f", row.seconds * 1e3)});
    }
  }
  return tools::PlainPage(
      absl::StrCat("Conformance of ", report.backend),
      absl::StrCat(report.version, "; ", report.description, "; seed ", report.seed),
      absl::StrCat("<p><strong>", tools::Text(Conclusion(report), 2000),
                   ".</strong></p><div class=\"tiles\">", tiles, "</div><section><h2>Cases</h2>",
                   tools::HtmlTable("Cases",
                                    {"case", "outcome", "measured / allowed", "allowed is",
                                     "detail", "runs", "ms"},
                                    rows, {2, 5, 6}),
                   "</section>\n"));
}

}  // namespace seqgraph::conformance
