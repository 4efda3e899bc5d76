#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "distributed/communicator.h"
#include "distributed/same_facts.h"
#include "tools/output.h"
#include "tools/series_data.h"
#include "training/model_runner.h"

namespace seqgraph::tools {

struct SeriesAnswerOptions {
  int64_t batch = 64;
  /// Of a forecast: steps to be told; beyond the horizon its own answers are fed back. 0: the
  /// horizon.
  int64_t roll = 0;
  const std::atomic<bool>* interrupt = nullptr;
};

/// The answers of a model of series to rows (RowsToPredict()) as a CSV table, with a header, in the
/// user's units:
///
///   classify      series(, step), label, p_NAME for each class; many labels: p_NAME for each
///   regress       series(, step), the targets; of quantiles NAME_q0.1, ...
///   tag           series, step, label, p_NAME for each class
///   forecast      series, step from 1 behind the last one that is known, the targets
///   reconstruct   series(, step), error: the root of the mean square of what it is off, each
///                 feature in units of its scale
///
/// Series are called as in the file, or by number from 0. Where the series have times, these stand
/// in place of steps, under their column's name; those of a forecast go on as the last ones did.
/// Errors: Cancelled for an interrupt; InvalidArgument for a `roll` where a forecast does not tell
/// all that it is told from; those of ExamplesFor() and ModelRunner::Predict().
absl::StatusOr<std::string> AnswerSeries(ModelRunner& runner, const SeriesData& data,
                                         absl::Span<const RowRange> rows,
                                         const SeriesAnswerOptions& options);

/// The same into a file, by all ranks, which all call it: AnswerInShards() (sharded_rows.h) with
/// these facts and the rows' values.
absl::Status AnswerSeriesInShards(ModelRunner& runner, const SeriesData& data,
                                  absl::Span<const RowRange> rows,
                                  const SeriesAnswerOptions& options, const std::string& output,
                                  Communicator& communicator, Facts facts, Output& out);

}  // namespace seqgraph::tools
