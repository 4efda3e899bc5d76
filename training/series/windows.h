#pragma once

// Rows to learn from, without copies: whole series, or windows of them, which cross neither series
// nor gaps (SeriesSet::gaps).

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "data/series/series_set.h"
#include "training/series/series_task.h"

namespace seqgraph {

/// A row: the inputs are `steps` steps of the set from `begin` on, which all belong to one series.
struct RowRange {
  int64_t series = 0;
  int64_t begin = 0;
  int64_t steps = 0;
  int64_t target_begin =
      0;  ///< of a forecast: the first of the steps to be told, behind the inputs

  friend bool operator==(const RowRange&, const RowRange&) = default;
};

/// Steps of a set that lie side by side, from `begin` to before `end`.
struct StepRange {
  int64_t begin = 0, end = 0;

  friend bool operator==(const StepRange&, const StepRange&) = default;
};

/// The parts of a series between its gaps, in order; all of it where there are none.
std::vector<StepRange> StretchesOf(const data::SeriesSet& set, int64_t series);

/// The rows of a series that are no forecast's, in order. Without a window all of it is one row,
/// gaps included. Windows begin `stride` steps apart, from the first step of each stretch on. Where
/// labels belong to steps, a last shorter one has what is left of a stretch, so that side by side
/// they have each step once; elsewhere it is left out, but where it is all that there is: a series
/// without a whole window gives its longest stretch.
void AddRows(const data::SeriesSet& set, const SeriesTask& task, int64_t series,
             std::vector<RowRange>& rows);
/// The rows of a forecast whose targets all lie in a range of steps of the series, `stride` steps
/// apart, from the first that can be in each stretch on. Their inputs may lie before the range.
/// Those of which a target is missing are left out.
void AddForecastRows(const data::SeriesSet& set, const SeriesTask& task, int64_t series,
                     StepRange targets, std::vector<RowRange>& rows);
/// ResourceExhausted, with the way out, if the rows of the set might take more than `max_memory`
/// bytes (0: no limit).
absl::Status CheckRowsFit(const data::SeriesSet& set, const SeriesTask& task, int64_t max_memory);

/// The rows of all series, in their order. Errors: those of
/// CheckSeriesTask() for a prediction, and of CheckRowsFit().
absl::StatusOr<std::vector<RowRange>> AllRows(const data::SeriesSet& set, const SeriesTask& task,
                                              int64_t max_memory = 0);

/// What predictions are made for: AllRows(), but for a forecast one row a series: the last window,
/// behind which the steps to be told lie beyond its end; with known columns the window before its
/// last `horizon` steps, of which these columns are known. InvalidArgument names a series that is
/// shorter, or has a gap there.
absl::StatusOr<std::vector<RowRange>> RowsToPredict(const data::SeriesSet& set,
                                                    const SeriesTask& task);

/// Steps of the longest row; 0 where there is none.
int64_t LongestOf(absl::Span<const RowRange> rows);

/// All steps that the rows see, be it as inputs or as targets: each once, in order.
std::vector<StepRange> StepsOf(absl::Span<const RowRange> rows, const SeriesTask& task);

/// The set with a column for each known one, "NAME in 3" for a horizon of 3: its value that many
/// steps later in the same stretch (NaN where that is none). So a window of at least the horizon
/// has all of what is known of the steps to be told. Names the task's targets where it names none:
/// the new columns are none. The values are copied.
data::SeriesSet WithKnownFuture(const data::SeriesSet& set, SeriesTask& task);

}  // namespace seqgraph
