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
  /// `learning_rate`: set when the run begins or goes on. Called at the end of a run, before
  /// anything sets other weights: `without_epoch` where it has had no whole epoch, then `at_end`;
  /// null: nothing is.
  RunWatch(const InterruptHandler* interrupt, std::optional<double> learning_rate,
           std::function<absl::Status()> without_epoch,
           std::function<void(FitContext&)> at_end = nullptr)
      : interrupt_(interrupt),
        learning_rate_(learning_rate),
        without_epoch_(std::move(without_epoch)),
        at_end_(std::move(at_end)) {}

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
  std::function<void(FitContext&)> at_end_;
  int epoch_ = 0;
  bool any_epoch_ = false;
};

}  // namespace seqgraph::tools
