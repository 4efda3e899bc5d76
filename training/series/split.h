#pragma once

// Parts of a set to train on, to validate by and to judge by, such that nothing of a later part is
// seen before.
//
//   SEQ_ASSIGN_OR_RETURN(const SeriesSplit split, SplitSeries(set, task, {.test = 0.2}));

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "data/series/series_set.h"
#include "training/series/windows.h"

namespace seqgraph {

/// All that a split depends on besides set and task: a model that keeps it finds its parts again.
struct SplitOptions {
  double validation = 0.2;  ///< share of the whole, rounded up, in [0, 1); 0: no such part
  double test = 0;          ///< likewise
  uint32_t seed = 1;
  int64_t max_memory = 0;  ///< bytes that rows may take; 0: no limit
};

struct SeriesSplit {
  std::vector<RowRange> train, validation, test;
};

/// A forecast is split by time: of each series the last share of the steps is the test part, what
/// is before it the validation part. A row belongs to the part that all its targets lie in; the
/// last `horizon` steps before a part are nobody's targets. So a row of one part has no step of a
/// later one, as input or as target, while inputs of later parts reach back into earlier ones, as
/// they will in use.
///
/// A single series of which each step is told (tags, numbers a step, a reconstruction) is split by
/// time too, if it is cut into windows: each belongs to the part that it lies in, those across a
/// border to none.
///
/// Otherwise series are split whole, with all their windows: those of one group
/// (SeriesSet::groups) together, by lot among groups, as scikit-learn's GroupShuffleSplit draws
/// shares of them; without groups so that each part has its share of each class
/// (data/stratified_split.h), where series have classes. Rows stay in the order of the set.
///
/// InvalidArgument for shares that leave nothing to train on, and for a part that is asked for and
/// gets no row; the errors of CheckSeriesTask(), CheckRowsFit() and StratifiedSplit().
absl::StatusOr<SeriesSplit> SplitSeries(const data::SeriesSet& set, const SeriesTask& task,
                                        const SplitOptions& options = {});

/// `folds` splits (2 or more) for cross-validation, whose test parts have nothing in common;
/// options.test has no meaning here, options.validation is the share of what is not the test part.
/// A forecast's roll: of n steps, fold k of K trains on what is before its test part, which has the
/// n / (K + 1) steps that end K - 1 - k such parts before the end (scikit-learn's TimeSeriesSplit,
/// with a gap as above); so do windows of a single series of which each step is told, a whole
/// number of strides in each part. Others: each fold has of each class, or else of the series, as
/// many as the others but for one; series of one group are in one fold, the largest groups dealt
/// first to the fold that has least.
absl::StatusOr<std::vector<SeriesSplit>> FoldSeries(const data::SeriesSet& set,
                                                    const SeriesTask& task, int folds,
                                                    const SplitOptions& options = {});

/// "train", "validation" or "test". InvalidArgument lists the names.
absl::StatusOr<std::vector<RowRange>> PartOf(SeriesSplit split, absl::string_view name);

/// What `split` is made by as text to be kept in a model, "validation=0.2 test=0 seed=1", and back.
/// InvalidArgument for another text.
std::string SplitToText(const SplitOptions& options);
absl::StatusOr<SplitOptions> SplitFromText(absl::string_view text);

}  // namespace seqgraph
