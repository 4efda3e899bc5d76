#pragma once

// What a model keeps of the series that it was trained on (Model::series), so that it finds the
// columns of a file, the rows and the parts again: what is recorded here is read back here.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "data/series/series_set.h"
#include "graph/model.h"
#include "training/series/scaling.h"
#include "training/series/series_task.h"
#include "training/series/split.h"

namespace seqgraph {

/// What a model is made for besides its task and the set.
struct SeriesRecordOptions {
  data::SeriesSourceOptions source;  ///< what the set was read with
  SplitOptions split;
  ScaleKind scale = ScaleKind::kStandard;
  std::string loss;       ///< by Keras's name; empty: that of the task
  int64_t max_steps = 0;  ///< of the longest row
};

/// The record of a model for `task` of a set.
SeriesPreprocessing RecordSeries(const SeriesTask& task, const data::SeriesSet& set,
                                 const SeriesRecordOptions& options);

/// How a file is to be read for the model: its columns, and the numbers of its classes.
/// FailedPrecondition for a model without series.
absl::StatusOr<data::SeriesSourceOptions> SourceOf(const Model& model);

/// The task of the model, for a set that was read by SourceOf(). InvalidArgument for a record of a
/// task or way of missing values that this program does not know.
absl::StatusOr<SeriesTask> TaskOf(const SeriesPreprocessing& series, const data::SeriesSet& set);

/// "refuse, forward, zero, mask, drop".
std::string MissingNames();
absl::StatusOr<data::SeriesSourceOptions::Missing> MissingByName(absl::string_view name);

}  // namespace seqgraph
