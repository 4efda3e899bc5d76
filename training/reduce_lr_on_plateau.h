#pragma once

#include <string>
#include <utility>

#include "training/callback.h"
#include "training/monitor.h"

namespace seqgraph {

struct ReduceLROnPlateauOptions {
  std::string monitor = "val_loss";
  double factor = 0.1;  ///< in [0, 1): the new rate is the old one times it
  int patience = 10;    ///< epochs in a row without improvement before the rate is reduced
  MonitorMode mode = MonitorMode::kAuto;
  double min_delta = 1e-4;  ///< a change must be larger than this to count as an improvement
  int cooldown = 0;         ///< epochs after a reduction that do not count
  double min_lr = 0;        ///< the rate never goes below
  bool verbose = true;      ///< report reductions as messages
};

/// Reduces the learning rate when a quantity has stopped improving, with the semantics of Keras 3.
/// Adds "learning_rate" to the logs: that of the epoch, before a reduction. Where the quantity is
/// missing there is a message and nothing else.
class ReduceLROnPlateau : public Callback {
 public:
  explicit ReduceLROnPlateau(ReduceLROnPlateauOptions options = {})
      : options_(std::move(options)) {}

  absl::Status OnTrainBegin(FitContext& context) override;
  absl::Status OnEpochEnd(FitContext& context, int epoch, Logs& logs) override;
  void SaveState(StateWriter& state) const override;
  absl::Status LoadState(FitContext& context, const StateReader& state) override;

 private:
  absl::Status Reduce(FitContext& context, int epoch, double rate);

  ReduceLROnPlateauOptions options_;
  bool higher_is_better_ = false;
  double best_ = 0;
  int wait_ = 0;
  int cooldown_left_ = 0;
};

}  // namespace seqgraph
