#include "tools/report/number_judgement.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status_macros.h"

namespace seqgraph::tools {
namespace {

constexpr size_t kMostTargets = 4;   // a chart each
constexpr int64_t kMostSteps = 600;  // that a chart shows
constexpr int64_t kMostRows = 4096;  // of training whose errors give intervals

// Where numbers of a forecast lie.
struct Layout {
  int64_t horizon = 0;
  std::vector<int> columns;  // in a step of the labels
  int64_t width = 0;         // numbers of a step of the labels
  absl::Span<const float> steps;
  size_t quantiles = 1;

  double Truth(int64_t step, size_t column) const {
    const auto at = static_cast<size_t>(step * width + columns[column]);
    return at < steps.size() ? steps[at] : std::numeric_limits<double>::quiet_NaN();
  }
  // Of what was told: [rows, horizon, quantiles, columns].
  size_t At(int64_t row, int64_t ahead, size_t quantile, size_t column) const {
    const auto step = static_cast<size_t>(row * horizon + ahead);
    return (step * quantiles + quantile) * columns.size() + column;
  }
  size_t numbers_of_row() const {
    return static_cast<size_t>(horizon) * quantiles * columns.size();
  }
};

Layout LayoutOf(const Model& model, const Examples& examples) {
  Layout layout;
  layout.horizon = examples.label_steps;
  layout.steps = examples.values.empty() ? examples.features : examples.values;
  const int64_t steps = examples.num_steps();
  layout.width = examples.values.empty() || steps == 0
                     ? examples.num_features
                     : static_cast<int64_t>(examples.values.size()) / steps;
  layout.columns.assign(examples.label_columns.begin(), examples.label_columns.end());
  if (layout.columns.empty()) {
    layout.columns.resize(static_cast<size_t>(layout.width));
    std::iota(layout.columns.begin(), layout.columns.end(), 0);
  }
  layout.quantiles = std::max<size_t>(1, model.series.quantiles.size());
  return layout;
}

// The last rows, at most so many.
Examples LastRows(Examples examples, int64_t most) {
  if (examples.rows <= most || examples.row_begin.empty()) return examples;
  const auto from = static_cast<size_t>(examples.rows - most);
  examples.row_begin = examples.row_begin.subspan(from);
  if (!examples.row_steps.empty()) examples.row_steps = examples.row_steps.subspan(from);
  examples.label_begin = examples.label_begin.subspan(from);
  if (examples.weights.size() == static_cast<size_t>(examples.rows)) {
    examples.weights = examples.weights.subspan(from);
  }
  examples.rows = most;
  return examples;
}

// Rows, ascending by what they tell, that tell each step once: the last `kMostSteps` steps.
std::vector<int64_t> RowsSideBySide(const Examples& examples, int64_t horizon) {
  std::vector<int64_t> order(static_cast<size_t>(examples.rows));
  std::iota(order.begin(), order.end(), int64_t{0});
  const auto begin = [&](int64_t row) { return examples.label_begin[static_cast<size_t>(row)]; };
  std::sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return begin(a) < begin(b); });
  std::vector<int64_t> rows;
  for (const int64_t row : order) {
    if (rows.empty() || begin(row) >= begin(rows.back()) + horizon) rows.push_back(row);
  }
  const auto most = static_cast<size_t>(std::max<int64_t>(1, kMostSteps / horizon));
  if (rows.size() > most) rows.erase(rows.begin(), rows.end() - static_cast<ptrdiff_t>(most));
  return rows;
}

struct Interval {
  // For each step ahead and column what is added to what is told.
  std::vector<std::pair<double, double>> by;
  std::string name, note;
};

absl::StatusOr<Interval> IntervalOf(ModelRunner& runner, const Examples& train,
                                    const Layout& layout, const std::atomic<bool>* interrupt) {
  Interval interval;
  const std::vector<double>& quantiles = runner.model().series.quantiles;
  if (quantiles.size() > 1) {
    interval.name = absl::StrFormat("told from %g to %g", quantiles.front(), quantiles.back());
    return interval;
  }
  if (!quantiles.empty() || train.rows == 0) return interval;
  const Examples rows = LastRows(train, kMostRows);
  SEQ_ASSIGN_OR_RETURN(const std::vector<float> told,
                       runner.Predict(rows, {.interrupt = interrupt}));
  if (told.size() != static_cast<size_t>(rows.rows) * layout.numbers_of_row()) return interval;
  for (int64_t ahead = 0; ahead < layout.horizon; ++ahead) {
    for (size_t column = 0; column < layout.columns.size(); ++column) {
      std::vector<double> errors;
      for (int64_t row = 0; row < rows.rows; ++row) {
        const double off =
            layout.Truth(rows.label_begin[static_cast<size_t>(row)] + ahead, column) -
            told[layout.At(row, ahead, 0, column)];
        if (std::isfinite(off)) errors.push_back(off);
      }
      const double low = QuantileOf(errors, 0.1);
      interval.by.emplace_back(low, QuantileOf(errors, 0.9));
    }
  }
  interval.name = "80 % of errors in training";
  return interval;
}

absl::StatusOr<NumberJudgement> JudgeForecast(ModelRunner& runner, const Examples& train,
                                              const Examples& judged,
                                              const std::atomic<bool>* interrupt) {
  NumberJudgement judgement;
  const Model& model = runner.model();
  const Layout layout = LayoutOf(model, judged);
  SEQ_ASSIGN_OR_RETURN(const std::vector<float> told,
                       runner.Predict(judged, {.interrupt = interrupt}));
  if (told.size() != static_cast<size_t>(judged.rows) * layout.numbers_of_row()) return judgement;
  SEQ_ASSIGN_OR_RETURN(const Interval interval, IntervalOf(runner, train, layout, interrupt));
  const std::vector<double>& quantiles = model.series.quantiles;
  size_t middle = 0;
  for (size_t q = 1; q < quantiles.size(); ++q) {
    if (std::abs(quantiles[q] - 0.5) < std::abs(quantiles[middle] - 0.5)) middle = q;
  }
  const std::vector<int64_t> rows = RowsSideBySide(judged, layout.horizon);
  for (size_t c = 0; c < std::min(layout.columns.size(), kMostTargets); ++c) {
    const auto feature = static_cast<size_t>(layout.columns[c]);
    Chart chart;
    chart.title = feature < model.series.features.size() && judged.values.empty()
                      ? model.series.features[feature]
                      : absl::StrCat("target ", c + 1);
    chart.x_label = "step of the data";
    chart.whole_x = true;
    ChartLine truth{"came", {}, {}, 0}, forecast{"told", {}, {}, 1};
    ChartBand band{interval.name, {}, {}, {}, 1};
    int64_t inside = 0, all = 0;
    for (const int64_t row : rows) {
      for (int64_t ahead = 0; ahead < layout.horizon; ++ahead) {
        const int64_t step = judged.label_begin[static_cast<size_t>(row)] + ahead;
        const double is = layout.Truth(step, c), at = told[layout.At(row, ahead, middle, c)];
        truth.x.push_back(static_cast<double>(step));
        truth.y.push_back(is);
        forecast.x.push_back(static_cast<double>(step));
        forecast.y.push_back(at);
        double low = at, high = at;
        if (quantiles.size() > 1) {
          low = told[layout.At(row, ahead, 0, c)];
          high = told[layout.At(row, ahead, layout.quantiles - 1, c)];
        } else if (!interval.by.empty()) {
          const auto& by = interval.by[static_cast<size_t>(ahead) * layout.columns.size() + c];
          low = at + by.first;
          high = at + by.second;
        }
        band.x.push_back(static_cast<double>(step));
        band.low.push_back(low);
        band.high.push_back(high);
        if (!std::isfinite(is)) continue;
        ++all;
        inside += is >= low && is <= high;
      }
    }
    chart.lines = {std::move(truth), std::move(forecast)};
    if (!interval.name.empty()) {
      chart.bands = {std::move(band)};
      judgement.notes.push_back(absl::StrFormat(
          "%s: %.1f %% of the %d steps shown lie within the interval (%s).", chart.title,
          100.0 * static_cast<double>(inside) / static_cast<double>(std::max<int64_t>(1, all)), all,
          interval.name));
    }
    judgement.charts.push_back(std::move(chart));
  }
  if (layout.horizon > 1) {
    judgement.notes.push_back(absl::StrFormat(
        "Each forecast tells %d steps; they are shown one behind the other.", layout.horizon));
  }
  return judgement;
}

// Numbers of whole rows: [rows, quantiles, targets].
absl::StatusOr<NumberJudgement> JudgeRows(ModelRunner& runner, const Examples& judged,
                                          const std::atomic<bool>* interrupt) {
  NumberJudgement judgement;
  const Model& model = runner.model();
  const auto rows = static_cast<size_t>(judged.rows);
  const size_t targets = judged.values.size() / std::max<size_t>(rows, 1);
  const std::vector<double>& quantiles = model.series.quantiles;
  SEQ_ASSIGN_OR_RETURN(const std::vector<float> told,
                       runner.Predict(judged, {.interrupt = interrupt}));
  const size_t width = targets * std::max<size_t>(1, quantiles.size());
  if (targets == 0 || told.size() != rows * width) return judgement;
  size_t middle = 0;
  for (size_t q = 1; q < quantiles.size(); ++q) {
    if (std::abs(quantiles[q] - 0.5) < std::abs(quantiles[middle] - 0.5)) middle = q;
  }
  for (size_t t = 0; t < std::min(targets, kMostTargets); ++t) {
    const std::string name =
        t < model.series.targets.size() ? model.series.targets[t] : absl::StrCat("target ", t + 1);
    Chart chart;
    chart.title = absl::StrCat(name, ": told over true");
    chart.x_label = "true";
    chart.y_label = "told";
    chart.diagonal = true;
    ChartLine dots{name, {}, {}, 0, ChartLine::Style::kDots};
    const size_t stride = (rows + 999) / 1000;
    for (size_t row = 0; row < rows; row += stride) {
      dots.x.push_back(judged.values[row * targets + t]);
      dots.y.push_back(told[row * width + middle * targets + t]);
    }
    chart.lines = {std::move(dots)};
    judgement.charts.push_back(std::move(chart));
  }
  return judgement;
}

}  // namespace

double QuantileOf(std::vector<double>& values, double q) {
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  std::sort(values.begin(), values.end());
  const double at = q * static_cast<double>(values.size() - 1);
  const auto below = static_cast<size_t>(at);
  const size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (at - static_cast<double>(below)) * (values[above] - values[below]);
}

absl::StatusOr<NumberJudgement> JudgeNumbers(ModelRunner& runner, const Examples& train,
                                             const Examples& judged,
                                             const std::atomic<bool>* interrupt) {
  if (judged.label_steps > 0) return JudgeForecast(runner, train, judged, interrupt);
  if (judged.label_begin.empty()) return JudgeRows(runner, judged, interrupt);
  return NumberJudgement();
}

}  // namespace seqgraph::tools
