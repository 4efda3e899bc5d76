#include "tools/run_watch.h"

#include <cstdio>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "training/optimizers.h"
#include "training/progress.h"

namespace seqgraph::tools {

absl::Status RunWatch::OnTrainBegin(FitContext& context) {
  return learning_rate_.has_value() ? SetLearningRate(context.model, *learning_rate_)
                                    : absl::OkStatus();
}

absl::Status RunWatch::OnEpochBegin(FitContext&, int epoch) {
  epoch_ = epoch;
  return absl::OkStatus();
}

absl::Status RunWatch::OnBatchEnd(FitContext& context, int64_t batch, const Logs& logs) {
  if (!interrupt_->TakeQuestion()) return absl::OkStatus();
  std::string text = absl::StrCat("epoch ", epoch_ + 1, "/", context.epochs, ", batch ", batch + 1,
                                  "/", context.steps);
  for (const auto& [name, value] : logs) {
    absl::StrAppend(&text, " - ", name, ": ", FormatMetric(value));
  }
  std::fprintf(stderr, "seqgraph: %s\n", text.c_str());
  return absl::OkStatus();
}

absl::Status RunWatch::OnEpochEnd(FitContext&, int, Logs&) {
  any_epoch_ = true;
  return absl::OkStatus();
}

absl::Status RunWatch::OnTrainEnd(FitContext& context) {
  if (at_end_) at_end_(context);
  return any_epoch_ || !without_epoch_ ? absl::OkStatus() : without_epoch_();
}

void RunWatch::SaveState(StateWriter& state) const {
  state.Set("epoch", epoch_);
  state.Set("any_epoch", any_epoch_);
}

absl::Status RunWatch::LoadState(FitContext&, const StateReader& state) {
  SEQ_RETURN_IF_ERROR(state.Get("epoch", &epoch_));
  return state.Get("any_epoch", &any_epoch_);
}

}  // namespace seqgraph::tools
