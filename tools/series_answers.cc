#include "tools/series_answers.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "base/content_hash.h"
#include "base/status_macros.h"
#include "data/csv.h"
#include "tools/sharded_rows.h"
#include "training/confusion_matrix.h"
#include "training/series/row_labels.h"
#include "training/series/with_steps.h"

namespace seqgraph::tools {
namespace {

using data::CsvField;
// Makes the table, line by line.
class Table {
 public:
  Table(const Model& model, const SeriesData& data) : model_(model), set_(data.set) {}

  void Header(bool steps, const std::vector<std::string>& answers) {
    std::vector<std::string> names = {
        CsvField(model_.series.series_column.empty() ? "series" : model_.series.series_column)};
    const SeriesPreprocessing& record = model_.series;
    const std::string& time = record.time_column.empty() ? record.order_column : record.time_column;
    if (steps) names.push_back(CsvField(set_.times.empty() || time.empty() ? "step" : time));
    for (const std::string& answer : answers) names.push_back(CsvField(answer));
    text_ = absl::StrCat(absl::StrJoin(names, ","), "\n");
  }

  void Series(int64_t series) {
    absl::StrAppend(&text_, set_.names.empty() ? absl::StrCat(series)
                                               : CsvField(set_.names[static_cast<size_t>(series)]));
  }
  // A step of the set.
  void Step(int64_t series, int64_t step) {
    if (set_.times.empty()) {
      absl::StrAppend(&text_, ",", step - set_.begin[static_cast<size_t>(series)]);
    } else {
      Time(set_.times[static_cast<size_t>(step)]);
    }
  }
  // The step so many behind `end`, which is beyond what there is.
  void StepBehind(int64_t end, int64_t ahead) {
    const auto last = static_cast<size_t>(end) - 1;
    if (set_.times.empty() || last == 0) {
      absl::StrAppend(&text_, ",", ahead);
    } else {
      const double apart = set_.times[last] - set_.times[last - 1];
      Time(set_.times[last] + static_cast<double>(ahead) * apart);
    }
  }
  void Number(float x) { absl::StrAppendFormat(&text_, ",%.9g", x); }
  void Text(const std::string& text) { absl::StrAppend(&text_, ",", CsvField(text)); }
  void EndRow() { text_ += '\n'; }
  std::string Take() { return std::move(text_); }

 private:
  void Time(double time) {
    if (!set_.times_are_dates) {
      absl::StrAppendFormat(&text_, ",%.17g", time);
      return;
    }
    const absl::Time at = absl::UnixEpoch() + absl::Seconds(time);
    const bool whole_days = std::fmod(time, 86400) == 0;
    absl::StrAppend(&text_, ",",
                    absl::FormatTime(whole_days ? "%Y-%m-%d" : "%Y-%m-%dT%H:%M:%E*SZ", at,
                                     absl::UTCTimeZone()));
  }

  const Model& model_;
  const data::SeriesSet& set_;
  std::string text_;
};

// Names of the numbers that are told: targets, each for each quantile.
std::vector<std::string> NumberNames(const SeriesPreprocessing& record) {
  if (record.quantiles.empty()) return record.targets;
  std::vector<std::string> names;
  for (const double q : record.quantiles) {
    for (const std::string& target : record.targets) {
      names.push_back(absl::StrCat(target, "_q", q));
    }
  }
  return names;
}

void AddProbabilities(absl::Span<const float> row, const Model& model, bool many, Table& table) {
  if (!many) {
    const auto label = static_cast<size_t>(PredictedClass(row));
    table.Text(label < model.labels.size() ? model.labels[label] : absl::StrCat(label));
  }
  if (row.size() == 1 && !many) table.Number(1 - row[0]);
  for (const float p : row) table.Number(p);
}

float ErrorOf(absl::Span<const float> told, absl::Span<const float> is,
              const std::vector<double>& scales) {
  double sum = 0;
  int64_t count = 0;
  for (size_t i = 0; i < is.size(); ++i) {
    if (std::isnan(is[i])) continue;
    const double off =
        (double{told[i]} - double{is[i]}) / (scales.empty() ? 1 : scales[i % scales.size()]);
    sum += off * off;
    ++count;
  }
  return static_cast<float>(count == 0 ? 0 : std::sqrt(sum / static_cast<double>(count)));
}

absl::StatusOr<std::string> AnswerRows(ModelRunner& runner, const SeriesData& data,
                                       absl::Span<const RowRange> rows,
                                       const SeriesAnswerOptions& options) {
  const Model& model = runner.model();
  const SeriesTask& task = data.task;
  SEQ_ASSIGN_OR_RETURN(const SeriesExamples examples,
                       ExamplesFor(model, data, rows, /*labels=*/false));
  SEQ_ASSIGN_OR_RETURN(const std::vector<float> told,
                       runner.Predict(examples.examples(),
                                      {.batch = options.batch, .interrupt = options.interrupt}));
  const bool reconstructs = task.kind == SeriesTaskKind::kReconstruct;
  const bool classes = HasClasses(task) || task.many_labels;
  std::vector<std::string> names = {"error"};
  if (!reconstructs) names = NumberNames(model.series);
  if (classes) {
    names = task.many_labels ? std::vector<std::string>() : std::vector<std::string>{"label"};
    for (const std::string& label : model.labels) names.push_back(absl::StrCat("p_", label));
  }
  const bool steps = HasStepLabels(task) && !reconstructs;
  const std::vector<double> scales = TargetScaleOf(model).scale;
  const auto width = told.size() / std::max<size_t>(rows.size(), 1);
  const auto step_width = width / static_cast<size_t>(steps ? model.series.max_steps : 1);
  const auto features = static_cast<size_t>(data.set.num_features());
  Table table(model, data);
  table.Header(steps || task.window > 0, names);
  for (size_t i = 0; i < rows.size(); ++i) {
    const absl::Span<const float> of_row(told.data() + i * width, width);
    for (int64_t step = 0; step < (steps ? rows[i].steps : 1); ++step) {
      table.Series(rows[i].series);
      if (steps || task.window > 0) table.Step(rows[i].series, rows[i].begin + step);
      const auto answer = of_row.subspan(static_cast<size_t>(step) * step_width, step_width);
      if (reconstructs) {
        table.Number(ErrorOf(answer,
                             data.set.values.subspan(static_cast<size_t>(rows[i].begin) * features,
                                                     static_cast<size_t>(rows[i].steps) * features),
                             scales));
      } else if (classes) {
        AddProbabilities(answer, model, task.many_labels, table);
      } else {
        for (const float x : answer) table.Number(x);
      }
      table.EndRow();
    }
  }
  return table.Take();
}

// The windows behind which is told, one a row, that answers are fed back into.
struct RollingWindows {
  std::vector<float> values;  // [rows, window, features]
  size_t window = 0, features = 0;

  // Drops the first step of a row and appends one, in which the columns have these values.
  void Push(size_t row, absl::Span<const int> columns, absl::Span<const float> step) {
    float* begin = values.data() + row * window * features;
    std::copy(begin + features, begin + window * features, begin);
    float* last = begin + (window - 1) * features;
    for (size_t k = 0; k < columns.size(); ++k) last[columns[k]] = step[k];
  }
};

RollingWindows WindowsOf(const SeriesData& data, absl::Span<const RowRange> rows) {
  RollingWindows windows;
  windows.window = static_cast<size_t>(data.task.window);
  windows.features = static_cast<size_t>(data.set.num_features());
  for (const RowRange& row : rows) {
    for (int64_t step = row.begin; step < row.begin + row.steps; ++step) {
      const auto values =
          data.set.values.subspan(static_cast<size_t>(step) * windows.features, windows.features);
      if (IsMissingStep(data.set, step)) {
        windows.values.insert(windows.values.end(), windows.features, kMissingStep);
      } else {
        windows.values.insert(windows.values.end(), values.begin(), values.end());
      }
    }
  }
  return windows;
}

// Which of the quantiles is fed back: the one nearest to the median.
size_t MiddleOf(const std::vector<double>& quantiles) {
  size_t middle = 0;
  for (size_t q = 1; q < quantiles.size(); ++q) {
    if (std::abs(quantiles[q] - 0.5) < std::abs(quantiles[middle] - 0.5)) middle = q;
  }
  return middle;
}

absl::StatusOr<std::string> Forecast(ModelRunner& runner, const SeriesData& data,
                                     absl::Span<const RowRange> rows,
                                     const SeriesAnswerOptions& options) {
  const Model& model = runner.model();
  const SeriesTask& task = data.task;
  const std::vector<int> columns = ForecastTargets(task, data.set.num_features());
  const int64_t steps = options.roll > 0 ? options.roll : task.horizon;
  if (steps > task.horizon && columns.size() != data.set.features.size()) {
    return InvalidArgument("--roll=", steps, ": the model tells ", columns.size(), " of the ",
                           data.set.features.size(), " columns that it is told from, for ",
                           task.horizon, " steps; beyond these it needs all of them");
  }
  SEQ_RETURN_IF_ERROR(ExamplesFor(model, data, rows, /*labels=*/false).status());
  RollingWindows windows = WindowsOf(data, rows);
  Examples examples;
  examples.rows = static_cast<int64_t>(rows.size());
  examples.maxlen = task.window;
  examples.features = windows.values;
  const size_t width = NumberNames(model.series).size();  // of a step, all quantiles
  const size_t fed = columns.size() * MiddleOf(task.quantiles);
  const auto horizon = static_cast<size_t>(task.horizon);
  std::vector<std::vector<float>> told(rows.size());
  for (int64_t done = 0; done < steps; done += task.horizon) {
    SEQ_ASSIGN_OR_RETURN(
        const std::vector<float> next,
        runner.Predict(examples, {.batch = options.batch, .interrupt = options.interrupt}));
    for (size_t i = 0; i < rows.size(); ++i) {
      const absl::Span<const float> row(next.data() + i * horizon * width, horizon * width);
      told[i].insert(told[i].end(), row.begin(), row.end());
      for (size_t h = 0; h < horizon; ++h) {
        windows.Push(i, columns, row.subspan(h * width + fed, columns.size()));
      }
    }
  }
  Table table(model, data);
  table.Header(/*steps=*/true, NumberNames(model.series));
  for (size_t i = 0; i < rows.size(); ++i) {
    for (int64_t step = 0; step < steps; ++step) {
      table.Series(rows[i].series);
      table.StepBehind(rows[i].target_begin, step + 1);
      for (size_t k = 0; k < width; ++k) {
        table.Number(told[i][static_cast<size_t>(step) * width + k]);
      }
      table.EndRow();
    }
  }
  return table.Take();
}

}  // namespace

absl::StatusOr<std::string> AnswerSeries(ModelRunner& runner, const SeriesData& data,
                                         absl::Span<const RowRange> rows,
                                         const SeriesAnswerOptions& options) {
  if (data.task.kind == SeriesTaskKind::kForecast) return Forecast(runner, data, rows, options);
  if (options.roll > 0) {
    return InvalidArgument("--roll is for forecasts; the model's task is ",
                           FactsOf(data.task.kind).name);
  }
  return AnswerRows(runner, data, rows, options);
}

absl::Status AnswerSeriesInShards(ModelRunner& runner, const SeriesData& data,
                                  absl::Span<const RowRange> rows,
                                  const SeriesAnswerOptions& options, const std::string& output,
                                  Communicator& communicator, Facts facts, Output& out) {
  // Whole batches, so that each row is computed among as many as on one rank.
  constexpr int64_t kRows = 512;
  const int64_t count = static_cast<int64_t>(rows.size());
  const int64_t shard_rows = (kRows + options.batch - 1) / options.batch * options.batch;
  const absl::string_view values(reinterpret_cast<const char*>(data.set.values.data()),
                                 data.set.values.size() * sizeof(float));
  facts["data"] = HashBytes(values).Hex();
  const MakeShard next = [&,
                          begin = int64_t{0}](std::string* shard) mutable -> absl::StatusOr<bool> {
    if (begin >= count && begin > 0) return false;
    *shard = absl::StrCat(begin);
    begin += shard_rows;
    return true;
  };
  const auto answer =
      [&](absl::string_view shard, bool,
          absl::FunctionRef<absl::Status()> between) -> absl::StatusOr<ShardAnswer> {
    SEQ_RETURN_IF_ERROR(between());
    int64_t begin = -1;
    if (!absl::SimpleAtoi(shard, &begin) || begin < 0 || begin > count) {
      return Internal("no rows begin at ", shard);
    }
    const auto own = rows.subspan(static_cast<size_t>(begin), static_cast<size_t>(shard_rows));
    SEQ_ASSIGN_OR_RETURN(std::string table, AnswerSeries(runner, data, own, options));
    if (begin > 0) table.erase(0, table.find('\n') + 1);  // the header
    return ShardAnswer{std::move(table), static_cast<int64_t>(own.size()), {}, absl::OkStatus()};
  };
  SEQ_ASSIGN_OR_RETURN(
      const ShardedOutcome outcome,
      AnswerInShards(communicator,
                     {.output = output, .facts = std::move(facts), .interrupt = options.interrupt},
                     next, answer));
  if (communicator.is_root()) out.Print("%s: %d rows\n", output, outcome.rows);
  return absl::OkStatus();
}

}  // namespace seqgraph::tools
