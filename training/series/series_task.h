#pragma once

// What is to be told of a series of numbers. All that follows from a task is a row of the table in
// series_task.cc: its name, loss, metrics, and what labels it needs. A new task is one more row.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "data/series/series_set.h"
#include "training/metrics.h"

namespace seqgraph {

enum class SeriesTaskKind { kClassify, kRegress, kTag, kForecast, kReconstruct };

/// Where the labels of a task come from, which is also their shape.
enum class SeriesLabels {
  kClasses,      ///< a class a series: [rows]
  kTargets,      ///< numbers a series: [rows, targets], or a step: [rows, steps, targets]
  kStepClasses,  ///< a class a step: [rows, steps]
  kNextSteps,    ///< the steps behind a window: [rows, horizon, targets]
  kSameSteps,    ///< the inputs themselves: [rows, steps, features]
};

struct SeriesTask {
  SeriesTaskKind kind = SeriesTaskKind::kClassify;
  /// kClassify: any number of labels a series, each of which is a column of 0 and 1.
  bool many_labels = false;
  /// kRegress: numbers for each step instead of each series.
  bool per_step = false;
  /// Steps of a row. 0: a row is a whole series. A forecast needs it.
  int64_t window = 0;
  /// kForecast: steps to be told behind each window.
  int64_t horizon = 0;
  /// Steps from one window to the next; 0: 1 for a forecast, else `window`, side by side.
  int64_t stride = 0;
  /// kForecast and kRegress: the quantiles to be told of each number, ascending, each within (0,
  /// 1); empty: the number itself.
  std::vector<double> quantiles;
  /// kForecast: features to be told, by number; empty: all but the known ones.
  std::vector<int> targets;
  /// kForecast: features whose values are known over the horizon too (a calendar, a plan).
  std::vector<int> known_future;
  /// Steps of a season, for the baseline of a forecast; 0: none.
  int season = 0;
};

/// What is known of a task by its kind alone.
struct SeriesTaskFacts {
  SeriesTaskKind kind;
  const char* name;  ///< "classify"
  const char* help;  ///< one line
  SeriesLabels labels;
  const char* loss;     ///< its default, by Keras's name
  const char* metrics;  ///< their defaults, by name, with commas; the first decides
  /// Shares of the data that are not trained on unless others are asked for.
  double validation, test;
};

/// All of them, in the order of SeriesTaskKind.
absl::Span<const SeriesTaskFacts> SeriesTasks();
const SeriesTaskFacts& FactsOf(SeriesTaskKind kind);
/// "classify, regress, ...".
std::string SeriesTaskNames();
/// InvalidArgument lists the names.
absl::StatusOr<SeriesTaskKind> SeriesTaskByName(absl::string_view name);

/// The loss by default: that of the table; binary_crossentropy for many labels, pinball for
/// quantiles.
std::string DefaultLoss(const SeriesTask& task);
/// The metrics by default. Of many labels those that judge each label for itself.
std::vector<Metric> DefaultMetrics(const SeriesTask& task);

/// Numbers of the features that a forecast tells, resolved for a set of `features` of them.
std::vector<int> ForecastTargets(const SeriesTask& task, int64_t features);
/// Feature columns by their names. InvalidArgument names one that is not there, lists those that
/// are.
absl::StatusOr<std::vector<int>> FeaturesByName(const data::SeriesSet& set,
                                                absl::Span<const std::string> names);

/// What a set is read for: who only predicts needs no labels, who judges may have one class alone.
enum class SeriesUse { kTrain, kJudge, kPredict };

/// Whether the settings of a task agree with each other, whatever the data: a horizon of at least
/// 1, ascending quantiles, ... InvalidArgument says which does not, and what to do.
absl::Status CheckSeriesTask(const SeriesTask& task);
/// The same, and whether a set has what the task needs: labels of its kind, none of them missing
/// (a class below 0, NaN), two classes or more, a series that is as long as a window and its
/// horizon. InvalidArgument names the row, or the columns that there are.
absl::Status CheckSeriesTask(const SeriesTask& task, const data::SeriesSet& set, SeriesUse use);

/// The name of a class, in quotes; its number where it has none.
std::string ClassName(const data::SeriesSet& set, int32_t number);
/// Whether labels of the task belong to steps of the row: tags, numbers a step, reconstructions.
bool HasStepLabels(const SeriesTask& task);

/// Whether the step (of the set) lacks a feature: such steps are masked as a whole.
bool IsMissingStep(const data::SeriesSet& set, int64_t step);

}  // namespace seqgraph
