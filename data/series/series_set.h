#pragma once

// Series of numbers, as files hold them: ragged rows, their labels or targets, names and times.
//
//   SEQ_ASSIGN_OR_RETURN(const data::SeriesSet set, data::ReadSeries("a.csv", {.series = "id"}));
//   for (int64_t i = 0; i < set.num_series(); ++i) Use(set.Series(i));   // [length, features]
//
//   FILE.npz, FILE.npy                  x [series, steps(, features)], y, lengths, mask, weights
//   FILE.csv, FILE.tsv, also .gz        a record a step (data/csv.h's rules)
//   FILE.jsonl, also .gz                a line a series ({"x": [[1, 2], ...], "y": 0}) or a step
//   FOLDER, FOLDER/LABEL                of such tables or .npy files: each a series
//   FILE.safetensors, FOLDER            what WriteSeries() wrote (series_file.h): mapped, not read
//
// Units are the file's; nothing is scaled here.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "base/memory_limit.h"

namespace seqgraph::data {

/// Rows of numbers, ragged: series i has the steps begin[i] ... begin[i+1]-1 of `values`, in the
/// order of their times.
struct SeriesSet {
  std::vector<std::string> features;  ///< Name of each column of `values`.
  /// [steps, features]. Finite, but NaN where a value is missing (SeriesSourceOptions::kMask).
  absl::Span<const float> values;
  std::vector<int64_t> begin = {0};  ///< [series + 1]; each series has a step at least.
  std::vector<std::string> names;    ///< Of series, as in the file; empty: by number.
  std::vector<std::string> groups;   ///< Of series, for splits that keep together; empty: none.
  /// [steps], seconds since 1970 UTC where times_are_dates, otherwise plain numbers; ascending in
  /// each series; empty: none.
  std::vector<double> times;
  bool times_are_dates = false;
  /// Steps before which time, or a dropped step, is missing: ascending indices of steps, never the
  /// first one of a series. No window crosses one.
  std::vector<int64_t> gaps;

  // At most one of these two is not empty.
  std::vector<int32_t> classes;  ///< [series], per_step [steps]: index into class_names.
  std::vector<float> targets;    ///< [series, target_names], per_step [steps, target_names].
  bool per_step = false;
  std::vector<std::string> class_names, target_names;

  std::vector<float> weights;  ///< [series], weights_per_step [steps]; >= 0; empty: ones.
  bool weights_per_step = false;
  std::string description;         ///< "vowels.csv: 270 series, 12 features, 7 to 29 steps".
  std::vector<std::string> notes;  ///< For the user, a line each: gaps, disorder, rows left out.
  int64_t skipped_rows = 0;        ///< By skip_bad_rows.
  std::shared_ptr<const void> storage;  ///< Keeps `values`: a vector or a mapped file.

  // Where steps come from: for RowName().
  struct Lines {
    int64_t step = 0;  ///< From here on, up to the next of these,
    int64_t line = 0;  ///< step by step the next line
    int32_t file = 0;  ///< of this file.
  };
  std::vector<Lines> lines;        ///< Empty: series have numbers, not lines.
  std::vector<std::string> files;  ///< Paths; at least one.

  int64_t num_series() const { return static_cast<int64_t>(begin.size()) - 1; }
  int64_t num_steps() const { return begin.back(); }
  int64_t num_features() const { return static_cast<int64_t>(features.size()); }
  int64_t length(int64_t series) const {
    const size_t i = static_cast<size_t>(series);
    return begin[i + 1] - begin[i];
  }
  int64_t min_length() const;
  int64_t max_length() const;
  /// [length, features].
  absl::Span<const float> Series(int64_t series) const;
  /// For messages: "line 17 of 'vowels.csv'", "series 3 of 'a.npz'", with a step (within the
  /// series) "series 3, step 5 of 'a.npz'"; series and steps from 0.
  std::string RowName(int64_t series, int64_t step = -1) const;
};

/// Which columns play which part, by name, or by number from 1 in a file whose first record has
/// numbers only; empty: none. For .npz and .npy: which arrays do.
struct SeriesSourceOptions {
  std::string series;  ///< Rows of one text here are a series, wherever they lie; none: all rows.
  /// Numbers or times by which the steps of a series are sorted, none twice. Without `order` that
  /// is `time`, without both the file's order holds; without `time`, `order` is SeriesSet::times.
  std::string order, time;
  std::string label;                 ///< Any text: the class.
  std::string group, weight;         ///< Any text; a number >= 0.
  std::vector<std::string> columns;  ///< The features; empty: all other columns of numbers.
  std::vector<std::string> targets;  ///< Numbers to be told.
  /// Label and targets belong to steps; otherwise all rows of a series have the same.
  bool per_step = false;
  char separator = 0;  ///< 0: the one of comma, tab, semicolon that the first record has most of.
  /// absl::ParseTime()'s, such as "%d.%m.%Y %H:%M"; UTC where it has no zone. Empty: found out:
  /// ISO 8601, YYYYMMDD, seconds since 1970, or plain numbers.
  std::string time_format;
  /// What becomes of a feature that is empty, NaN, NA, N/A or null (in any case of letters).
  enum class Missing {
    kRefuse,   ///< An error.
    kForward,  ///< The value of the step before; an error where there is none.
    kZero,     ///< 0.
    kMask,     ///< NaN.
    kDrop,     ///< The step goes; what follows it begins behind a gap.
  };
  Missing missing = Missing::kRefuse;
  /// Of an earlier model: classes have these numbers, and others are errors. Empty: sorted.
  std::vector<std::string> class_names;
  bool skip_bad_rows = false;  ///< Rows with errors are left out and counted.
  /// Of what is read. Values beyond a quarter of it (or 64 MB) lie in a temporary file.
  int64_t max_memory = MemoryLimit();
  bool wants_targets = true;  ///< False: label, targets, group and weight are passed over.
  int threads = 0;            ///< 0: as many as the machine has. They change nothing but the time.
};

/// Reads a file or folder of series; which kind it is its content says. Errors name path, line,
/// column (number and name) and what to do: InvalidArgument for content, the first 20 problems at
/// once and the count of the rest; ResourceExhausted beyond a limit (max_memory; 100,000 columns;
/// 16 MB a record; 2 GB for arrays); DataLoss for damaged gzip; NotFound and the like where it
/// cannot be opened.
absl::StatusOr<SeriesSet> ReadSeries(const std::string& path, const SeriesSourceOptions& options);

/// Whether the file or folder holds series rather than texts, by its first bytes: arrays, tables
/// whose columns are numbers and words. False for what cannot be read.
bool LooksLikeSeries(const std::string& path);

}  // namespace seqgraph::data
