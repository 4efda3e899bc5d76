#pragma once

// The labels of a row: what baselines are judged by and examples are made of.

#include <cstdint>
#include <vector>

#include "data/series/series_set.h"
#include "training/series/windows.h"

namespace seqgraph {

/// Whether the labels are class numbers rather than numbers.
bool HasClasses(const SeriesTask& task);
/// How many classes there are, or how many numbers a label is: targets, those of one step of a
/// forecast, features.
int64_t NumbersPerLabel(const data::SeriesSet& set, const SeriesTask& task);

/// The class of the row, or where labels belong to steps of its step number `step`.
int32_t ClassOfRow(const data::SeriesSet& set, const RowRange& row, const SeriesTask& task,
                   int64_t step = 0);
/// Appends the numbers of the row, of a forecast [horizon, targets], or those of one step.
void AppendNumbers(const data::SeriesSet& set, const RowRange& row, const SeriesTask& task,
                   int64_t step, std::vector<float>& numbers);
/// What the label counts for: that of its series, or of its step; where weights belong to steps and
/// labels to rows, the mean over the row's steps (over those to be told, of a forecast).
float WeightOfRow(const data::SeriesSet& set, const RowRange& row, const SeriesTask& task,
                  int64_t step = 0);

}  // namespace seqgraph
