#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "data/series/series_set.h"
#include "tools/data_flags.h"
#include "tools/flags.h"
#include "training/series/scaling.h"
#include "training/series/series_task.h"
#include "training/series/split.h"

namespace seqgraph::tools {

/// What `train` is to learn of series of numbers: which columns play which part, and the task.
/// Nothing of it is given for texts.
struct SeriesFlags {
  std::string task;  ///< "text", a task's name, or empty: what the data look like
  data::SeriesSourceOptions columns;
  std::string features, targets, known_future, quantiles;  ///< lists with commas, as given
  std::string missing = "refuse";
  std::string scale = "standard";
  std::string loss;             ///< empty: that of the task
  std::string validation_data;  ///< a file of its own; empty: a share of --data
  SeriesTask sizes;             ///< window, horizon, stride, season, many_labels, per_step
  double test = 0;
  int64_t folds = 0;  ///< of a cross-validation; 0: none

  /// Whether --data names series: by --task, else by what lies there.
  bool Wanted(const DataFlags& data) const;

  /// Whether --task names the next token of a text, which is none of series either.
  bool TellsNext() const;

  /// --task, then all that is of series alone. Those that are given with texts are misuse.
  void Declare(Flags& flags, const DataFlags& data);
  /// Only which columns play which part, --missing and --per_step.
  void DeclareColumns(Flags& flags, const DataFlags& data);

  /// How files are to be read; of a task that is not given that of step labels is not known.
  absl::StatusOr<data::SeriesSourceOptions> Source(const DataFlags& data) const;
  /// The task: the one that is given, or that which the set's labels and the other flags ask for.
  absl::StatusOr<SeriesTask> Task(const data::SeriesSet& set) const;
  /// The shares that are given, or the task's own.
  SplitOptions Split(const SeriesTask& task, const DataFlags& data, int64_t seed) const;

 private:
  double season_ = 0;
  mutable std::optional<bool> wanted_;  // found once: it looks into files
  std::optional<Flag> test_, scale_;
  std::vector<Flag> declared_;
};

/// The separator of a table, as --separator has it; 0: it is found out.
char SeparatorOf(const DataFlags& data);

}  // namespace seqgraph::tools
