#include "tools/report/judgement_html.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tools/report/chart.h"
#include "training/summary.h"

namespace seqgraph::tools {
namespace {

constexpr int64_t kMostClasses = 20;  // whose matrix is shown whole

std::string Percent(double share) { return absl::StrFormat("%.1f %%", 100 * share); }

std::string LabelHtml(const std::vector<std::string>& labels, int64_t label) {
  return Text(labels[static_cast<size_t>(label)], 40);
}

std::string MatrixHtml(const ClassJudgement& judgement) {
  const ConfusionMatrix& matrix = judgement.matrix;
  std::string html =
      "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Confusion matrix\">"
      "<table class=\"confusion\"><thead><tr><th scope=\"col\">is \\ taken for</th>";
  for (int64_t p = 0; p < matrix.classes(); ++p) {
    absl::StrAppend(&html, "<th scope=\"col\">", LabelHtml(judgement.labels, p), "</th>");
  }
  html += "</tr></thead><tbody>";
  for (int64_t t = 0; t < matrix.classes(); ++t) {
    absl::StrAppend(&html, "<tr><th scope=\"row\">", LabelHtml(judgement.labels, t), "</th>");
    const double rows = std::max<double>(1, static_cast<double>(matrix.rows_of(t)));
    for (int64_t p = 0; p < matrix.classes(); ++p) {
      const double share = static_cast<double>(matrix.count(t, p)) / rows;
      absl::StrAppendFormat(
          &html, "<td class=\"%s\" style=\"--w:%.3f\" title=\"%s of the class\">%s</td>",
          t == p ? "on" : "off", share, Percent(share), WithThousands(matrix.count(t, p)));
    }
    html += "</tr>";
  }
  return html + "</tbody></table></div>";
}

// Of many classes the pairs that are taken for one another most often.
std::string PairsHtml(const ClassJudgement& judgement) {
  const ConfusionMatrix& matrix = judgement.matrix;
  std::vector<std::tuple<int64_t, int64_t, int64_t>> pairs;
  for (int64_t t = 0; t < matrix.classes(); ++t) {
    for (int64_t p = 0; p < matrix.classes(); ++p) {
      if (t != p && matrix.count(t, p) > 0) pairs.emplace_back(-matrix.count(t, p), t, p);
    }
  }
  std::sort(pairs.begin(), pairs.end());
  pairs.resize(std::min<size_t>(pairs.size(), 30));
  std::vector<std::vector<std::string>> rows;
  for (const auto& [count, t, p] : pairs) {
    rows.push_back(
        {LabelHtml(judgement.labels, t), LabelHtml(judgement.labels, p), WithThousands(-count)});
  }
  return HtmlTable("Classes taken for one another", {"is", "taken for", "rows"}, rows, {2});
}

std::string ScoresHtml(const ClassJudgement& judgement, const std::string& noun) {
  const ConfusionMatrix& matrix = judgement.matrix;
  std::vector<int64_t> order(static_cast<size_t>(matrix.classes()));
  std::iota(order.begin(), order.end(), int64_t{0});
  constexpr size_t kMost = 40;
  if (order.size() > kMost) {
    std::stable_sort(order.begin(), order.end(),
                     [&](int64_t a, int64_t b) { return matrix.f1(a) < matrix.f1(b); });
    order.resize(kMost);
  }
  std::vector<std::vector<std::string>> rows;
  for (const int64_t c : order) {
    rows.push_back({LabelHtml(judgement.labels, c), absl::StrFormat("%.4f", matrix.precision(c)),
                    absl::StrFormat("%.4f", matrix.recall(c)),
                    absl::StrFormat("%.4f", matrix.f1(c)), WithThousands(matrix.rows_of(c))});
  }
  return HtmlTable("Precision and recall of each class",
                   {"class", "precision", "recall", "F1", Text(noun)}, rows, {1, 2, 3, 4});
}

Chart UnitChart(const std::string& title, const std::string& x, const std::string& y) {
  Chart chart;
  chart.title = title;
  chart.x_label = x;
  chart.y_label = y;
  chart.x_range = chart.y_range = {0, 1};
  return chart;
}

std::string CurvesHtml(const ClassJudgement& judgement, Page& page) {
  Chart roc = UnitChart("ROC", "false positives", "true positives");
  roc.diagonal = true;
  Chart precision = UnitChart("Precision and recall", "recall", "precision");
  Chart reliable = UnitChart("Calibration", "probability told", "share that is so");
  reliable.diagonal = true;
  for (size_t i = 0; i < judgement.curves.size(); ++i) {
    const ClassJudgement::Curves& curves = judgement.curves[i];
    const auto color = static_cast<int>(i);
    roc.lines.push_back({absl::StrFormat("%s, area %.4f", Cut(curves.label, 24), curves.roc.area),
                         curves.roc.x, curves.roc.y, color});
    precision.lines.push_back({absl::StrFormat("%s, average precision %.4f", Cut(curves.label, 16),
                                               curves.precision_recall.area),
                               curves.precision_recall.x, curves.precision_recall.y, color});
  }
  ChartLine line{
      absl::StrFormat("expected error %.4f", judgement.reliability.expected_error), {}, {}, 0};
  ChartLine dots{"rows in bins of 0.1", {}, {}, 0, ChartLine::Style::kDots};
  for (const ReliabilityBin& bin : judgement.reliability.bins) {
    line.x.push_back(bin.confidence);
    line.y.push_back(bin.share);
  }
  dots.x = line.x;
  dots.y = line.y;
  reliable.lines = {std::move(line), std::move(dots)};
  const auto classes = static_cast<size_t>(judgement.matrix.classes());
  const std::string few =
      classes > 2 && judgement.curves.size() < classes
          ? absl::StrCat("<p class=\"say\">Curves of the ", judgement.curves.size(), " classes of ",
                         classes, " with the most rows, each against all others.</p>")
          : "";
  std::vector<std::vector<std::string>> rows;
  for (const ReliabilityBin& bin : judgement.reliability.bins) {
    rows.push_back({absl::StrFormat("%.3f", bin.confidence), absl::StrFormat("%.3f", bin.share),
                    WithThousands(bin.rows)});
  }
  return absl::StrCat(
      "<div class=\"grid three\">", page.Figure(roc), page.Figure(precision), page.Figure(reliable),
      "</div>", few, "<details><summary>Numbers of the calibration</summary>",
      HtmlTable("Calibration", {"probability told", "share that is so", "rows"}, rows, {0, 1, 2}),
      absl::StrFormat("<p class=\"say\">Brier score %.4f.</p></details>",
                      judgement.reliability.brier));
}

// The parts that moved most, for who does not see colors.
std::string MostMoved(const WrongExample& wrong) {
  std::vector<size_t> order(wrong.moved.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return std::abs(wrong.moved[a]) > std::abs(wrong.moved[b]);
  });
  std::string html;
  const auto per_part = static_cast<size_t>(wrong.parts.steps_per_part);
  for (size_t i = 0; i < std::min<size_t>(order.size(), 4); ++i) {
    const size_t part = order[i];
    if (wrong.moved[part] == 0) break;
    std::string name;
    if (wrong.parts.tokens.empty()) {
      name = absl::StrCat("step ", part * per_part + 1);
    } else {
      const std::string& token = wrong.parts.tokens[part * per_part];
      name = token.empty() ? "a word it does not know" : token;
    }
    absl::StrAppend(&html, html.empty() ? "Moved most by " : ", ", Text(name, 40),
                    absl::StrFormat(" (%+.3f)", wrong.moved[part]));
  }
  return html.empty() ? "" : absl::StrCat("<p class=\"say\">", html, "</p>");
}

std::string ColorOf(double moved, double most) {
  if (most <= 0 || std::abs(moved) < 0.04 * most) return "";
  return absl::StrFormat(" class=\"%s\" style=\"--w:%.2f\" title=\"%+.4f\"", moved > 0 ? "p" : "n",
                         std::abs(moved) / most, moved);
}

std::string WordsHtml(const WrongExample& wrong, double most) {
  std::string html = "<p class=\"words\">";
  const auto per_part = static_cast<size_t>(wrong.parts.steps_per_part);
  for (size_t i = 0; i < wrong.parts.tokens.size(); ++i) {
    const std::string& token = wrong.parts.tokens[i];
    const size_t part = i / per_part;
    const std::string color = part < wrong.moved.size() ? ColorOf(wrong.moved[part], most) : "";
    const std::string shown = token.empty() ? "▢" : Text(token, 60);
    if (i > 0 && wrong.parts.spaces) html += ' ';
    if (!color.empty()) {
      absl::StrAppend(&html, "<span", color, ">", shown, "</span>");
    } else if (token.empty()) {
      absl::StrAppend(&html, "<span class=\"u\">", shown, "</span>");
    } else {
      html += shown;
    }
  }
  return html + "</p>";
}

// Features over steps, each by its own scale, over stripes of color.
std::string StripHtml(const WrongExample& wrong, double most) {
  constexpr size_t kMostFeatures = 6;
  const RowParts& parts = wrong.parts;
  const size_t width = parts.features.size();
  const size_t steps = width == 0 ? 0 : parts.values.size() / width;
  if (steps == 0) return "";
  const auto per_part = static_cast<size_t>(parts.steps_per_part);
  std::string html = absl::StrFormat(
      "<div class=\"strip\"><svg viewBox=\"0 0 %d 100\" preserveAspectRatio=\"none\" role=\"img\" "
      "aria-label=\"The series, and which steps moved the model\">",
      steps);
  for (size_t part = 0; part < wrong.moved.size(); ++part) {
    const std::string color = ColorOf(wrong.moved[part], most);
    if (color.empty()) continue;
    absl::StrAppend(&html, "<rect", color, " x=\"", part * per_part, "\" width=\"",
                    std::min(per_part, steps - part * per_part), "\" y=\"0\" height=\"100\"/>");
  }
  for (size_t f = 0; f < std::min(width, kMostFeatures); ++f) {
    double low = INFINITY, high = -INFINITY;
    for (size_t s = 0; s < steps; ++s) {
      const double value = parts.values[s * width + f];
      if (!std::isfinite(value)) continue;
      low = std::min(low, value);
      high = std::max(high, value);
    }
    std::string path;
    for (size_t s = 0; s < steps; s += std::max<size_t>(1, steps / 1000)) {
      const double value = parts.values[s * width + f];
      if (!std::isfinite(value)) continue;
      const double y = high > low ? 94 - 88 * (value - low) / (high - low) : 50;
      absl::StrAppendFormat(&path, "%s%.5g %.4g", path.empty() ? "M" : "L",
                            static_cast<double>(s) + 0.5, y);
    }
    absl::StrAppendFormat(
        &html,
        "<g class=\"c%d\"><path class=\"line\" vector-effect=\"non-scaling-stroke\""
        " d=\"%s\"/></g>",
        f % 8, path);
  }
  absl::StrAppend(&html, "</svg></div><div class=\"ends\"><span>step 1</span><span>");
  for (size_t f = 0; f < std::min(width, kMostFeatures); ++f) {
    absl::StrAppend(&html, f > 0 ? ", " : "", "<span class=\"c", f % 8, "\">",
                    Text(parts.features[f], 30), "</span>");
  }
  return absl::StrCat(html, width > kMostFeatures ? ", …" : "", "</span><span>step ", steps,
                      "</span></div>");
}

void AddWrong(const ClassJudgement& judgement, const std::string& suffix, Page& page) {
  if (judgement.wrong.empty()) return;
  const bool texts = !judgement.wrong[0].parts.tokens.empty();
  std::string html = absl::StrCat(
      "<p class=\"say\">The rows that the model is surest of, and wrong. Each ",
      texts ? "token" : "step", " was left out once (",
      texts ? "a word that the model does not know in its place" : "the row's mean in its place",
      "): how far the probability of the wrong class then falls is its color.</p>",
      "<p class=\"key\"><span class=\"p\" style=\"--w:.8\">speaks for the wrong class</span> ",
      "<span class=\"n\" style=\"--w:.8\">speaks against it</span>",
      texts ? " ▢ is a word that the model does not know" : "", "</p>");
  for (const WrongExample& wrong : judgement.wrong) {
    double most = 0;
    for (const double moved : wrong.moved) most = std::max(most, std::abs(moved));
    absl::StrAppend(
        &html, "<article class=\"wrong\"><h3>", Text(wrong.is, 60), " taken for ",
        Text(wrong.taken_for, 60), ", ", absl::StrFormat("%.1f %%", 100 * wrong.probability),
        "</h3><p class=\"say\">", Text(wrong.name, 120),
        absl::StrFormat("; what it is was given %.2g %%</p>", 100 * wrong.probability_of_is),
        wrong.parts.tokens.empty() ? StripHtml(wrong, most) : WordsHtml(wrong, most),
        MostMoved(wrong), "</article>");
  }
  page.Section(absl::StrCat("Surely wrong", suffix), html);
}

}  // namespace

void AddJudgement(const Judgement& judgement, const std::string& suffix, Page& page) {
  const std::string of =
      absl::StrCat("<p class=\"say\">", WithThousands(judgement.rows), " ", Text(judgement.noun),
                   " of the part ", Text(judgement.part), Text(judgement.caveat), ".</p>");
  if (judgement.classes.has_value()) {
    const ClassJudgement& classes = *judgement.classes;
    page.Section(absl::StrCat("Confusion", suffix),
                 absl::StrCat(of, "<div class=\"grid\"><div>",
                              classes.matrix.classes() <= kMostClasses ? MatrixHtml(classes)
                                                                       : PairsHtml(classes),
                              "</div><div>", ScoresHtml(classes, judgement.noun), "</div></div>"));
    page.Section(absl::StrCat("Thresholds and calibration", suffix), CurvesHtml(classes, page));
    AddWrong(classes, suffix, page);
  }
  if (judgement.numbers.has_value() && !judgement.numbers->charts.empty()) {
    std::string html = of + "<div class=\"grid\">";
    for (const Chart& chart : judgement.numbers->charts) html += page.Figure(chart);
    html += "</div>";
    for (const std::string& note : judgement.numbers->notes) {
      absl::StrAppend(&html, "<p class=\"say\">", Text(note, 400), "</p>");
    }
    page.Section(absl::StrCat("Told and true", suffix), html);
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& [name, value] : judgement.metrics)
    rows.push_back({Text(name), Digits(value, 6)});
  std::string html = of + HtmlTable("Metrics", {"measured", "value"}, rows, {1});
  if (!judgement.baselines.empty()) {
    absl::StrAppend(&html, "<pre>", Text(judgement.baselines, 4000), "</pre>");
  }
  page.Section(absl::StrCat("Measured", suffix), html);
}

}  // namespace seqgraph::tools
