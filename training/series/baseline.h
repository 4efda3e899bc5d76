#pragma once

// What can be told without a model, judged as the model is: by the same metrics on the same rows.
//
//   SEQ_ASSIGN_OR_RETURN(const auto baselines, FitBaselines(set, split.train, task));
//   SEQ_ASSIGN_OR_RETURN(const auto results,
//                        JudgeBaselines(baselines, set, split.test, task, {.metrics = metrics}));
//   print(BaselineVerdict(results, logs, metrics[0]));

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "data/series/series_set.h"
#include "training/callback.h"
#include "training/metrics.h"
#include "training/series/windows.h"

namespace seqgraph {

struct Baseline {
  enum class Kind {
    kConstant,     ///< the same for all rows
    kPersistence,  ///< the last value that there is
    kSeasonal,     ///< the value a season before, or as many as are needed to be in the past
  };
  Kind kind = Kind::kConstant;
  std::string name;  ///< "majority class \"run\"", "mean", "persistence", "a season of 12 before"
  /// Of the training rows: the share of each class or label, or the mean of each number. What the
  /// others fall back on where a row has no value.
  std::vector<double> constants;
  int season = 0;
};

/// The baselines of a task, from training rows:
///
///   classify, tag        the shares of the classes, whose largest is that of the majority class
///   many labels          the share of each label
///   regress              the mean of each target
///   forecast             persistence; with a season what was a season before; the mean
///   reconstruct          the mean of each feature
///
/// Errors: InvalidArgument if there are no rows; those of FitScale().
absl::StatusOr<std::vector<Baseline>> FitBaselines(const data::SeriesSet& set,
                                                   absl::Span<const RowRange> rows,
                                                   const SeriesTask& task);

struct BaselineOptions {
  std::vector<Metric> metrics;
  /// The last extent of the model's predictions (of one quantile), checked where it is given: 1 for
  /// two classes, otherwise a number for each class, label, target or feature.
  int64_t width = 0;
};

struct BaselineResult {
  std::string name;
  Logs values;  ///< by the names of the metrics
};

/// Each baseline's metrics over rows with labels, as ModelRunner::Evaluate() has them of a model of
/// MakeSeriesModel(): of two classes the probability of the second is told; each step is a row of
/// the metrics where there are several; steps that are missing count in none, weights where the
/// metric is Weighted(). InvalidArgument for constants or a width that do not fit the labels.
absl::StatusOr<std::vector<BaselineResult>> JudgeBaselines(absl::Span<const Baseline> baselines,
                                                           const data::SeriesSet& set,
                                                           absl::Span<const RowRange> rows,
                                                           const SeriesTask& task,
                                                           const BaselineOptions& options);

/// Whether `model` is better by the metric, strictly; a NaN is not.
bool Beats(double model, double baseline, const Metric& metric);

/// A line: "better than persistence: mean_absolute_error 21.5, without a model 25.4", or "no better
/// than ...", of the best of the baselines by the metric. `model` has it under its name with
/// `prefix` in front. Empty if there is nothing to compare.
std::string BaselineVerdict(absl::Span<const BaselineResult> baselines, const Logs& model,
                            const Metric& metric, absl::string_view prefix = "");

}  // namespace seqgraph
