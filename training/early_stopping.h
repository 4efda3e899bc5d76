#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "graph/tensor.h"
#include "training/callback.h"
#include "training/monitor.h"

namespace seqgraph {

struct EarlyStoppingOptions {
  std::string monitor = "val_loss";
  /// A change must be larger than this to count as an improvement.
  double min_delta = 0;
  /// Stop after so many epochs in a row without improvement; 0 means the same as 1.
  int patience = 0;
  MonitorMode mode = MonitorMode::kAuto;
  /// An epoch that improves but is no better than this does not reset the patience.
  std::optional<double> baseline;
  /// At the end of the run, however it ends, set the weights of the best epoch. The state of the
  /// optimizer stays as it is.
  bool restore_best_weights = false;
  /// What the weights at the beginning of the run measure: they are the best so far, as where an
  /// earlier run is resumed.
  std::optional<double> initial_best;
  /// Epochs before this one (from 0) are not looked at.
  int start_from_epoch = 0;
  /// Report what was done as messages.
  bool verbose = true;
};

/// Ends a run when a quantity has stopped improving, with the semantics of Keras 3: an epoch that
/// improves never stops the run; without `initial_best` the first epoch that is looked at counts as
/// an improvement, also if it is NaN, after which nothing improves; the run never ends after the
/// very first epoch; where the quantity is missing there is a message and nothing else. A second
/// run starts anew.
class EarlyStopping : public Callback {
 public:
  explicit EarlyStopping(EarlyStoppingOptions options = {}) : options_(std::move(options)) {}

  absl::Status OnTrainBegin(FitContext& context) override;
  absl::Status OnEpochEnd(FitContext& context, int epoch, Logs& logs) override;
  absl::Status OnTrainEnd(FitContext& context) override;
  void SaveState(StateWriter& state) const override;
  absl::Status LoadState(FitContext& context, const StateReader& state) override;

  /// The epoch (from 0) after which it stopped the run; -1 if it did not.
  int stopped_epoch() const { return stopped_epoch_; }
  /// The best epoch (from 0) and its value, if any was looked at; the one before the first where
  /// none was better than `initial_best`.
  int best_epoch() const { return best_epoch_; }
  std::optional<double> best() const { return best_; }
  /// Epochs in a row so far that have not improved.
  int wait() const { return wait_; }

 private:
  void StoreWeights(const Model& model);

  EarlyStoppingOptions options_;
  bool higher_is_better_ = false;
  int wait_ = 0;
  int stopped_epoch_ = -1;
  int best_epoch_ = 0;
  std::optional<double> best_;
  std::vector<std::pair<std::string, Tensor>> best_weights_;
};

}  // namespace seqgraph
