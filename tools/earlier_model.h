#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "graph/model.h"
#include "tools/training_data.h"
#include "training/model_runner.h"
#include "training/run_state.h"

namespace seqgraph::tools {

/// What lies where a training run is to save its model. Only a better model may replace it: better
/// by the loss on the run's own validation rows, which the earlier one takes in its own way.
class EarlierModel {
 public:
  /// Loads the file if there is one and it is to be beaten. FailedPrecondition, saying what to do,
  /// for one that cannot be: no model, or one without the function `evaluate`.
  static absl::StatusOr<EarlierModel> Find(const std::string& path, bool overwrite);

  /// What an earlier process of the same run has found at that path and measured, from its state;
  /// nullopt: it looked elsewhere, or there is no such record. An error: it is not as Save() left
  /// it. A file that is neither what was found then nor `own_copy`, the run's own best model, has
  /// come since: it is loaded to be beaten too, with the errors of Find. "": nobody asks for that.
  static absl::StatusOr<std::optional<EarlierModel>> Load(const StateReader& found,
                                                          const std::string& path,
                                                          const std::string& own_copy);
  void Save(StateWriter& found) const;

  /// Measures loss(), to be compared with that of `ours`. FailedPrecondition, likewise, where it
  /// is one of other data (TrainingData::CheckComparable) or does not run. Nothing is done where
  /// none is to be beaten, or its loss is known. A loss measured of what has come since the run
  /// began goes into no state: the next process looks again.
  absl::Status Measure(TrainingData& data, const Model& ours, const RunnerOptions& options,
                       int64_t batch);

  /// Whether there is a file, to be beaten or not.
  bool exists() const { return exists_; }
  /// Whether there is one that nothing may replace but a better one.
  bool keeps() const { return keeps_; }
  /// Of the model that is to be beaten, once it is measured.
  std::optional<double> loss() const {
    return since_.has_value() ? std::min(*since_, loss_.value_or(*since_)) : loss_;
  }

 private:
  absl::Status LoadModelToBeat();
  absl::Status Incomparable(const absl::Status& why) const;
  absl::StatusOr<double> MeasuredLoss(TrainingData& data, const Model& ours,
                                      const RunnerOptions& options, int64_t batch);

  std::string path_;
  bool exists_ = false;
  bool keeps_ = false;
  std::string hash_;  // of the file that was found; empty: none
  bool came_since_ = false;
  std::optional<Model> model_;
  std::optional<double> loss_, since_;  // of what was found, of what came since
};

}  // namespace seqgraph::tools
