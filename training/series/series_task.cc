#include "training/series/series_task.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"

namespace seqgraph {
namespace {

using data::SeriesSet;

constexpr SeriesTaskFacts kTasks[] = {
    {SeriesTaskKind::kClassify, "classify", "a class for each series, or any number of labels",
     SeriesLabels::kClasses, "sparse_categorical_crossentropy", "accuracy,f1_score",
     /*validation=*/0.2, /*test=*/0},
    {SeriesTaskKind::kRegress, "regress", "one number or several for each series",
     SeriesLabels::kTargets, "mean_squared_error",
     "root_mean_squared_error,mean_absolute_error,r2_score", /*validation=*/0.2, /*test=*/0},
    {SeriesTaskKind::kTag, "tag", "a class for each step", SeriesLabels::kStepClasses,
     "sparse_categorical_crossentropy", "accuracy,f1_score", /*validation=*/0.2, /*test=*/0},
    {SeriesTaskKind::kForecast, "forecast", "the steps behind each window",
     SeriesLabels::kNextSteps, "mean_squared_error", "mean_absolute_error,root_mean_squared_error",
     /*validation=*/0.1, /*test=*/0.2},
    {SeriesTaskKind::kReconstruct, "reconstruct",
     "the steps themselves: where that fails, a row is unlike those of the training",
     SeriesLabels::kSameSteps, "mean_squared_error", "mean_squared_error,mean_absolute_error",
     /*validation=*/0.2, /*test=*/0},
};

constexpr char kMetricsOfManyLabels[] = "binary_accuracy,f1_score_of_labels,auc";

// Far beyond any window, and far below where a sum of two overflows.
constexpr int64_t kMostSteps = int64_t{1} << 31;

std::string Listed(absl::Span<const std::string> names) {
  constexpr size_t kMost = 20;
  return absl::StrCat(
      absl::StrJoin(names.subspan(0, kMost), ", "),
      names.size() > kMost ? absl::StrCat(" and ", names.size() - kMost, " more") : "");
}

absl::Status WrongColumns(const char* task, absl::string_view flag, absl::Span<const int> columns,
                          const SeriesSet& set) {
  for (const int column : columns) {
    if (column >= 0 && column < static_cast<int>(set.features.size())) continue;
    return InvalidArgument(task, ": ", flag, " column ", column, " is not there; there are ",
                           set.features.size(), " (", Listed(set.features), ")");
  }
  return absl::OkStatus();
}

// The labels of a set as errors call them.
std::string LabelsOf(const SeriesSet& set) {
  const char* of = set.per_step ? " a step" : " a series";
  if (!set.classes.empty()) return absl::StrCat("classes, one", of);
  if (!set.targets.empty()) return absl::StrCat(set.target_names.size(), " numbers", of);
  return "no labels";
}

absl::Status CheckLabelsAreThere(const SeriesTask& task, const SeriesSet& set) {
  const SeriesTaskFacts& facts = FactsOf(task.kind);
  bool there = true;
  const char* needs = "";
  switch (facts.labels) {
    case SeriesLabels::kClasses:
      needs = task.many_labels ? "columns of 0 and 1, one a label (--target)"
                               : "a class for each series (--label)";
      there = !set.per_step && !(task.many_labels ? set.targets.empty() : set.classes.empty());
      break;
    case SeriesLabels::kTargets:
      needs = task.per_step ? "one number or several for each step (--target)"
                            : "one number or several for each series (--target)";
      there = set.per_step == task.per_step && !set.targets.empty();
      break;
    case SeriesLabels::kStepClasses:
      needs = "a class for each step (--label)";
      there = set.per_step && !set.classes.empty();
      break;
    case SeriesLabels::kNextSteps:
    case SeriesLabels::kSameSteps:
      break;
  }
  if (there) return absl::OkStatus();
  return InvalidArgument(facts.name, " needs ", needs, "; ", set.description, " has ",
                         LabelsOf(set), ", and the columns ", Listed(set.features));
}

std::string NameOfLabel(const SeriesSet& set, size_t index, size_t width) {
  const auto row = static_cast<int64_t>(index / width);
  if (!set.per_step) return set.RowName(row);
  const int64_t series =
      std::upper_bound(set.begin.begin(), set.begin.end(), row) - set.begin.begin() - 1;
  return set.RowName(series, row - set.begin[series]);
}

absl::Status CheckClasses(const char* task, const SeriesSet& set, SeriesUse use) {
  bool several = false;
  for (size_t i = 0; i < set.classes.size(); ++i) {
    if (set.classes[i] < 0) {
      return InvalidArgument(task, ": ", NameOfLabel(set, i, 1), " has no label");
    }
    if (set.classes[i] >= static_cast<int64_t>(set.class_names.size())) {
      return InvalidArgument(task, ": ", NameOfLabel(set, i, 1), " is of class ", set.classes[i],
                             ", of which there are ", set.class_names.size());
    }
    several = several || set.classes[i] != set.classes[0];
  }
  if (several || use != SeriesUse::kTrain || set.classes.empty()) return absl::OkStatus();
  return InvalidArgument(task, ": all labels of ", set.description, " are ",
                         ClassName(set, set.classes[0]), "; there must be two classes or more");
}

absl::Status CheckTargets(const SeriesTask& task, const SeriesSet& set) {
  const char* const name = FactsOf(task.kind).name;
  const size_t width = set.target_names.size();
  for (size_t i = 0; i < set.targets.size(); ++i) {
    const float value = set.targets[i];
    if (task.many_labels ? value == 0 || value == 1 : std::isfinite(value)) continue;
    return InvalidArgument(name, ": ", NameOfLabel(set, i, width), ": ",
                           set.target_names[i % width], " is ", value, "; expected ",
                           task.many_labels ? "0 or 1" : "a finite number");
  }
  return absl::OkStatus();
}

absl::Status CheckQuantiles(const SeriesTask& task) {
  const char* const name = FactsOf(task.kind).name;
  if (task.quantiles.empty()) return absl::OkStatus();
  if (task.kind != SeriesTaskKind::kForecast && task.kind != SeriesTaskKind::kRegress) {
    return InvalidArgument(name, " has no quantiles; forecast and regress have");
  }
  for (size_t i = 0; i < task.quantiles.size(); ++i) {
    const double q = task.quantiles[i];
    if (q > 0 && q < 1 && (i == 0 || q > task.quantiles[i - 1])) continue;
    return InvalidArgument(name, ": quantiles are ", absl::StrJoin(task.quantiles, ", "),
                           "; expected numbers between 0 and 1, each above the one before");
  }
  return absl::OkStatus();
}

absl::Status CheckForecast(const SeriesTask& task) {
  const bool forecast = task.kind == SeriesTaskKind::kForecast;
  const char* const name = FactsOf(task.kind).name;
  if (!forecast) {
    if (task.horizon != 0 || !task.targets.empty() || !task.known_future.empty()) {
      return InvalidArgument(name, " has no horizon and no known columns; forecast has");
    }
    return absl::OkStatus();
  }
  if (task.window < 1) {
    return InvalidArgument("forecast: the window is ", task.window,
                           " steps; say how many it looks back on (--window, at least 1)");
  }
  if (task.horizon < 1) {
    return InvalidArgument("forecast: the horizon is ", task.horizon,
                           " steps; say how many to tell (--horizon, at least 1)");
  }
  if (!task.known_future.empty() && task.window < task.horizon) {
    return InvalidArgument("forecast: known columns need a window (", task.window,
                           ") of at least the horizon (", task.horizon, ")");
  }
  for (const int target : task.targets) {
    if (std::count(task.targets.begin(), task.targets.end(), target) > 1) {
      return InvalidArgument("forecast: target column ", target, " is given twice");
    }
    if (std::count(task.known_future.begin(), task.known_future.end(), target) > 0) {
      return InvalidArgument("forecast: column ", target,
                             " is to be told, and is said to be known in advance");
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Span<const SeriesTaskFacts> SeriesTasks() { return kTasks; }

const SeriesTaskFacts& FactsOf(SeriesTaskKind kind) {
  const SeriesTaskFacts& facts = kTasks[static_cast<size_t>(kind)];
  SEQ_CHECK(facts.kind == kind);
  return facts;
}

std::string SeriesTaskNames() {
  return absl::StrJoin(kTasks, ", ", [](std::string* out, const SeriesTaskFacts& facts) {
    absl::StrAppend(out, facts.name);
  });
}

absl::StatusOr<SeriesTaskKind> SeriesTaskByName(absl::string_view name) {
  for (const SeriesTaskFacts& facts : kTasks) {
    if (name == facts.name) return facts.kind;
  }
  return InvalidArgument("unknown task \"", name, "\": expected one of ", SeriesTaskNames());
}

std::string DefaultLoss(const SeriesTask& task) {
  if (task.many_labels) return "binary_crossentropy";
  if (!task.quantiles.empty()) return "pinball";
  return FactsOf(task.kind).loss;
}

std::vector<Metric> DefaultMetrics(const SeriesTask& task) {
  std::vector<Metric> metrics;
  for (absl::string_view name :
       absl::StrSplit(task.many_labels ? kMetricsOfManyLabels : FactsOf(task.kind).metrics, ',')) {
    absl::StatusOr<Metric> metric = MetricByName(name);
    SEQ_CHECK(metric.ok());
    metrics.push_back(*std::move(metric));
  }
  return metrics;
}

std::vector<int> ForecastTargets(const SeriesTask& task, int64_t features) {
  if (!task.targets.empty()) return task.targets;
  std::vector<int> targets;
  for (int feature = 0; feature < features; ++feature) {
    const auto& known = task.known_future;
    if (std::count(known.begin(), known.end(), feature) == 0) targets.push_back(feature);
  }
  return targets;
}

absl::StatusOr<std::vector<int>> FeaturesByName(const SeriesSet& set,
                                                absl::Span<const std::string> names) {
  std::vector<int> found;
  for (const std::string& name : names) {
    const auto feature = std::find(set.features.begin(), set.features.end(), name);
    if (feature == set.features.end()) {
      return InvalidArgument("no column \"", name, "\" in ", set.description, ", but ",
                             Listed(set.features));
    }
    found.push_back(static_cast<int>(feature - set.features.begin()));
  }
  return found;
}

absl::Status CheckSeriesTask(const SeriesTask& task) {
  const char* const name = FactsOf(task.kind).name;
  if (task.many_labels && task.kind != SeriesTaskKind::kClassify) {
    return InvalidArgument(name, " has no many labels; classify has");
  }
  if (task.per_step && task.kind != SeriesTaskKind::kRegress) {
    return InvalidArgument(name, " has no numbers a step; regress has");
  }
  for (const auto& [setting, value] : {std::pair("window", task.window),
                                       {"horizon", task.horizon},
                                       {"stride", task.stride},
                                       {"season", int64_t{task.season}}}) {
    if (value >= 0 && value <= kMostSteps) continue;
    return InvalidArgument(name, ": the ", setting, " is ", value, "; expected 0 to ", kMostSteps);
  }
  SEQ_RETURN_IF_ERROR(CheckQuantiles(task));
  return CheckForecast(task);
}

absl::Status CheckSeriesTask(const SeriesTask& task, const SeriesSet& set, SeriesUse use) {
  SEQ_RETURN_IF_ERROR(CheckSeriesTask(task));
  const char* const name = FactsOf(task.kind).name;
  if (set.num_series() == 0 || set.num_steps() == 0 || set.features.empty()) {
    return InvalidArgument(name, ": ", set.description, " has no numbers");
  }
  SEQ_RETURN_IF_ERROR(WrongColumns(name, "target", task.targets, set));
  SEQ_RETURN_IF_ERROR(WrongColumns(name, "known", task.known_future, set));
  if (task.kind == SeriesTaskKind::kForecast && ForecastTargets(task, set.num_features()).empty()) {
    return InvalidArgument("forecast: all columns are known in advance; none is left to be told");
  }
  const int64_t needed = task.window + (use == SeriesUse::kPredict ? 0 : task.horizon);
  if (needed > set.max_length()) {
    return InvalidArgument(
        name, ": a window of ", task.window, " steps",
        needed > task.window ? absl::StrCat(" and a horizon of ", task.horizon) : "",
        " is longer than the longest series of ", set.description, ", which has ",
        set.max_length());
  }
  if (use == SeriesUse::kPredict) return absl::OkStatus();
  SEQ_RETURN_IF_ERROR(CheckLabelsAreThere(task, set));
  switch (FactsOf(task.kind).labels) {
    case SeriesLabels::kClasses:
      if (task.many_labels) return CheckTargets(task, set);
      return CheckClasses(name, set, use);
    case SeriesLabels::kStepClasses:
      return CheckClasses(name, set, use);
    case SeriesLabels::kTargets:
      return CheckTargets(task, set);
    case SeriesLabels::kNextSteps:
    case SeriesLabels::kSameSteps:
      break;
  }
  return absl::OkStatus();
}

std::string ClassName(const SeriesSet& set, int32_t number) {
  if (number < 0 || number >= static_cast<int64_t>(set.class_names.size())) {
    return absl::StrCat("class ", number);
  }
  return absl::StrCat("\"", set.class_names[number], "\"");
}

bool HasStepLabels(const SeriesTask& task) {
  const SeriesLabels labels = FactsOf(task.kind).labels;
  return task.per_step || labels == SeriesLabels::kStepClasses ||
         labels == SeriesLabels::kSameSteps;
}

bool IsMissingStep(const SeriesSet& set, int64_t step) {
  const auto width = static_cast<size_t>(set.num_features());
  const absl::Span<const float> values =
      set.values.subspan(static_cast<size_t>(step) * width, width);
  return std::any_of(values.begin(), values.end(), [](float value) { return std::isnan(value); });
}

}  // namespace seqgraph
