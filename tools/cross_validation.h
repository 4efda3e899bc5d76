#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "graph/model.h"
#include "tools/output.h"
#include "tools/series_training.h"
#include "training/model_runner.h"

namespace seqgraph::tools {

struct CrossValidationOptions {
  int folds = 5;
  int64_t batch = 32;
  int64_t epochs = 100;
  int64_t patience = 10;  ///< where a fold has rows to validate by
  int64_t seed = 1;
  std::function<absl::StatusOr<Model>()> make_model;  ///< of the fold that the data are set to
  RunnerOptions run;
  const std::atomic<bool>* interrupt = nullptr;
};

/// Trains a model on each of FoldSeries()'s folds and judges it by the fold's test part. Prints a
/// table: a line a fold, then mean and standard deviation (of a sample: divided by folds - 1), and
/// below the means of what guesses without a model. Saves nothing. The exit status; errors: those
/// of FoldSeries(), of making models and of training, with the fold's number; Cancelled for an
/// interrupt.
absl::Status CrossValidate(SeriesTraining& data, const CrossValidationOptions& options,
                           Output& out);

}  // namespace seqgraph::tools
