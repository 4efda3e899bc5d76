#include "training/learning_rate_scheduler.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "training/optimizers.h"

namespace seqgraph {

absl::Status LearningRateScheduler::OnEpochBegin(FitContext& context, int epoch) {
  SEQ_ASSIGN_OR_RETURN(const double rate, LearningRate(context.model));
  return Annotate(SetLearningRate(context.model, schedule_(epoch, rate)),
                  absl::StrCat("LearningRateScheduler, epoch ", epoch + 1));
}

absl::Status LearningRateScheduler::OnEpochEnd(FitContext& context, int, Logs& logs) {
  SEQ_ASSIGN_OR_RETURN(logs["learning_rate"], LearningRate(context.model));
  return absl::OkStatus();
}

absl::Status StepLearningRate::OnTrainBegin(FitContext& context) {
  // Checks that there is an optimizer.
  SEQ_RETURN_IF_ERROR(LearningRate(context.model).status());
  variables_ = &context.model.variables;
  SEQ_RETURN_IF_ERROR(context.model.variables.Get(kIterationVariable).status());
  return SetRate();
}

absl::Status StepLearningRate::OnBatchEnd(FitContext&, int64_t, const Logs&) { return SetRate(); }

absl::Status StepLearningRate::OnEpochEnd(FitContext&, int, Logs& logs) {
  logs["learning_rate"] = of_last_step_;
  return absl::OkStatus();
}

void StepLearningRate::SaveState(StateWriter& state) const {
  state.Set("of_last_step", of_last_step_);
  state.Set("of_next_step", of_next_step_);
}

absl::Status StepLearningRate::LoadState(FitContext&, const StateReader& state) {
  SEQ_RETURN_IF_ERROR(state.Get("of_last_step", &of_last_step_));
  return state.Get("of_next_step", &of_next_step_);
}

// In place: it is called in every step.
absl::Status StepLearningRate::SetRate() {
  // Looked up each time: on ranks variables move.
  const int64_t step = variables_->Find(kIterationVariable)->value.Elements<int64_t>()[0];
  const double rate = schedule_(step);
  if (!std::isfinite(rate) || rate < 0) {
    return InvalidArgument("StepLearningRate: the schedule gives ", rate, " for step ", step,
                           "; it must be finite and at least 0");
  }
  of_last_step_ = of_next_step_;
  of_next_step_ = rate;
  variables_->Mutate<float>(
      *variables_->Find(kLearningRateVariable),
      [&](absl::Span<float> content) { content[0] = static_cast<float>(rate); });
  return absl::OkStatus();
}

}  // namespace seqgraph
