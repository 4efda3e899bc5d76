#pragma once

// How numbers are scaled before a model sees them, found from the training part alone, in float64:
//
//   x' = (x - offset) / scale     for each feature
//
// The layers that do it (layers/normalization.h) are part of the model.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "data/series/series_set.h"
#include "training/series/windows.h"

namespace seqgraph {

enum class ScaleKind {
  kStandard,  ///< mean and standard deviation (of the population: divided by n)
  kMinMax,    ///< the least, and the largest less the least: x' lies within [0, 1]
  kRobust,    ///< median, and the distance between the quartiles
  kNone,      ///< 0 and 1
};

/// "standard".
std::string NameOf(ScaleKind kind);
/// "standard, minmax, robust, none".
std::string ScaleKindNames();
absl::StatusOr<ScaleKind> ScaleKindByName(absl::string_view name);

/// Of each feature or target. A scale is 1 where it would be 0: for a constant feature, or one of
/// which more than half the values are alike, by kRobust; offset 0 and scale 1 where there is no
/// value at all.
struct FeatureScale {
  std::vector<double> offset, scale;
};

/// The scale of the features in the steps that the rows see, as inputs or targets; a step counts
/// once, in however many rows it is, and missing values (NaN) do not. Quartiles are those of
/// numpy.quantile (linear). Of more than 2^20 steps at least half as many count there, drawn by
/// lot, one from each stretch of equal length: the share of values below what is found is off by
/// more than 0.004 in less than one of a million draws (Hoeffding, 1963). The same rows give the
/// same draw.
/// InvalidArgument names a row and feature that is infinite.
absl::StatusOr<FeatureScale> FitScale(const data::SeriesSet& set, absl::Span<const RowRange> rows,
                                      const SeriesTask& task, ScaleKind kind);

/// The scale of what is to be told: the same for the columns that a forecast tells; for a
/// regression, or many labels, that of the targets of the rows, each series or step counted once.
/// Errors: those of FitScale(); InvalidArgument for a task without targets.
absl::StatusOr<FeatureScale> FitTargetScale(const data::SeriesSet& set,
                                            absl::Span<const RowRange> rows, const SeriesTask& task,
                                            ScaleKind kind);

}  // namespace seqgraph
