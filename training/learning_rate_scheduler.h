#pragma once

// Callbacks that set the learning rate of a model (SetLearningRate). Both add "learning_rate" to
// the logs of each epoch: the rate of its last step.

#include <cstdint>
#include <functional>
#include <utility>

#include "training/callback.h"
#include "training/learning_rate_schedules.h"

namespace seqgraph {

/// Sets the rate before each epoch: schedule(epoch from 0, the rate so far), as Keras's callback of
/// that name. A rate that is not finite or below 0 ends the run.
class LearningRateScheduler : public Callback {
 public:
  using Schedule = std::function<double(int epoch, double rate)>;
  explicit LearningRateScheduler(Schedule schedule) : schedule_(std::move(schedule)) {}

  absl::Status OnEpochBegin(FitContext& context, int epoch) override;
  absl::Status OnEpochEnd(FitContext& context, int epoch, Logs& logs) override;

 private:
  Schedule schedule_;
};

/// Sets the rate before each step, by the number of steps that the optimizer has done
/// ("optimizer/iteration"), so that a run that is resumed goes on where it was.
class StepLearningRate : public Callback {
 public:
  explicit StepLearningRate(LearningRateSchedule schedule) : schedule_(std::move(schedule)) {}

  absl::Status OnTrainBegin(FitContext& context) override;
  absl::Status OnBatchEnd(FitContext& context, int64_t batch, const Logs& logs) override;
  absl::Status OnEpochEnd(FitContext& context, int epoch, Logs& logs) override;
  void SaveState(StateWriter& state) const override;
  absl::Status LoadState(FitContext& context, const StateReader& state) override;

 private:
  absl::Status SetRate();

  LearningRateSchedule schedule_;
  VariableStore* variables_ = nullptr;
  double of_last_step_ = 0, of_next_step_ = 0;
};

}  // namespace seqgraph
