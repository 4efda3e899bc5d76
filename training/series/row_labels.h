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
/// One, or one for each step of the row, or of a forecast's horizon.
int64_t LabelsOfRow(const RowRange& row, const SeriesTask& task);

// Label number `label` of a row:

int32_t ClassOfRow(const data::SeriesSet& set, const RowRange& row, const SeriesTask& task,
                   int64_t label = 0);
/// Appends its numbers.
void AppendNumbers(const data::SeriesSet& set, const RowRange& row, const SeriesTask& task,
                   int64_t label, std::vector<float>& numbers);
/// What it counts for: as much as its series, or its step; where weights belong to steps and labels
/// to rows, the mean over the row's steps.
float WeightOfRow(const data::SeriesSet& set, const RowRange& row, const SeriesTask& task,
                  int64_t label = 0);

}  // namespace seqgraph
