#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "absl/strings/string_view.h"
#include "training/callback.h"

namespace seqgraph::tools {

/// Tells programs how a run proceeds: an object a line,
///
///   {"event":"begin","epoch":0,"epochs":100,"steps":313,"threads":"1","backends":"..."}
///   {"event":"step","epoch":0,"step":57,"steps":313,"logs":{"loss":0.7}}       at most once a
///   second
///   {"event":"epoch","epoch":0,"seconds":1.5,"logs":{"loss":0.6,"val_loss":0.6}}
///   {"event":"message","text":"..."}
///   {"event":"end"}
///
/// Epochs count from 0, steps of an epoch from 1; a number that is not finite is null.
class JsonProgress : public Callback {
 public:
  /// `write` takes whole lines; `clock`: seconds from any fixed point.
  JsonProgress(std::function<void(absl::string_view)> write, std::function<double()> clock)
      : write_(std::move(write)), clock_(std::move(clock)) {}

  absl::Status OnTrainBegin(FitContext& context) override;
  absl::Status OnEpochBegin(FitContext& context, int epoch) override;
  absl::Status OnBatchEnd(FitContext& context, int64_t batch, const Logs& logs) override;
  absl::Status OnEpochEnd(FitContext& context, int epoch, Logs& logs) override;
  absl::Status OnTrainEnd(FitContext& context) override;
  void SaveState(StateWriter& state) const override;
  absl::Status LoadState(FitContext& context, const StateReader& state) override;

 private:
  void ShowMessages(const FitContext& context);

  std::function<void(absl::string_view)> write_;
  std::function<double()> clock_;
  int epoch_ = 0;
  double epoch_start_ = 0, last_step_ = 0;
  size_t messages_shown_ = 0, notes_shown_ = 0;
  bool in_epoch_ = false;
};

}  // namespace seqgraph::tools
