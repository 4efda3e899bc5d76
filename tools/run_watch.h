#pragma once

#include <functional>
#include <optional>
#include <utility>

#include "tools/interrupt.h"
#include "training/callback.h"

namespace seqgraph::tools {

/// What `train` itself has to know of its run: answers SIGUSR1, sets the learning rate that a run
/// which goes on was given, and sees to a run that is interrupted in its first epoch.
class RunWatch : public Callback {
 public:
  /// `learning_rate`: set when the run begins or goes on. `without_epoch` is called at the end of a
  /// run that has had no whole epoch; null: nothing is.
  RunWatch(const InterruptHandler* interrupt, std::optional<double> learning_rate,
           std::function<absl::Status()> without_epoch)
      : interrupt_(interrupt),
        learning_rate_(learning_rate),
        without_epoch_(std::move(without_epoch)) {}

  absl::Status OnTrainBegin(FitContext& context) override;
  absl::Status OnEpochBegin(FitContext& context, int epoch) override;
  absl::Status OnBatchEnd(FitContext& context, int64_t batch, const Logs& logs) override;
  absl::Status OnEpochEnd(FitContext& context, int epoch, Logs& logs) override;
  absl::Status OnTrainEnd(FitContext& context) override;
  void SaveState(StateWriter& state) const override;
  absl::Status LoadState(FitContext& context, const StateReader& state) override;

 private:
  const InterruptHandler* interrupt_;
  std::optional<double> learning_rate_;
  std::function<absl::Status()> without_epoch_;
  int epoch_ = 0;
  bool any_epoch_ = false;
};

}  // namespace seqgraph::tools
