#pragma once

#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>

#include "absl/strings/string_view.h"
#include "training/callback.h"

namespace seqgraph {

struct ProgressOptions {
  /// Takes text to show; called with whole lines, or on a terminal with redrawn ones.
  std::function<void(absl::string_view)> write;
  /// A bar that is redrawn; otherwise one plain line an epoch without control characters.
  bool terminal = false;
  /// On a terminal: green for what is done, bold for counts and times.
  bool color = false;
  /// Width of the terminal, asked at each drawing, for it may change: a line while it is redrawn
  /// takes no more where it can, so that it does not wrap. Null: 80.
  std::function<int()> columns;
  /// Seconds from any fixed point.
  std::function<double()> clock;

  /// Writes to the file, flushed at each line; a terminal if it is one (and TERM is not "dumb"),
  /// with colour unless NO_COLOR is set (https://no-color.org); the steady clock.
  static ProgressOptions ForFile(std::FILE* file);
};

/// Shows how a run proceeds, as Keras does. On a terminal, redrawn at most 20 times a second:
///
///   Epoch 3/100
///    57/313 ━━━━──────────────── 6s 24ms/step - accuracy: 0.4886 - loss: 0.7010
///
/// and where the terminal has become narrower meanwhile, over all rows that the old line takes
/// then; with the time left until the end of the epoch, then at its end with the time it took
/// (validation included) and all logs. Elsewhere one line an epoch:
///
///   Epoch 3/100 - 313/313 - 25s - 81ms/step - accuracy: 0.5100 - loss: 0.6900 - val_loss: 0.6900
///
/// Messages of callbacks follow the line of their epoch. Put it last in the list of callbacks, so
/// that it shows what the others log and say.
class Progress : public Callback {
 public:
  explicit Progress(std::FILE* file) : Progress(ProgressOptions::ForFile(file)) {}
  explicit Progress(ProgressOptions options);

  absl::Status OnTrainBegin(FitContext& context) override;
  absl::Status OnEpochBegin(FitContext& context, int epoch) override;
  absl::Status OnBatchEnd(FitContext& context, int64_t batch, const Logs& logs) override;
  absl::Status OnEpochEnd(FitContext& context, int epoch, Logs& logs) override;
  absl::Status OnTrainEnd(FitContext& context) override;
  /// Messages that were shown are not shown again.
  void SaveState(StateWriter& state) const override;
  absl::Status LoadState(FitContext& context, const StateReader& state) override;

 private:
  void Draw(int64_t done, int64_t steps, const Logs& logs, double now, bool at_end);
  void AppendCount(int64_t done, int64_t steps);
  void AppendBar(int64_t done, int64_t steps, int width);
  void Append(absl::string_view text, absl::string_view style = "");
  double SecondsPerStep(int64_t done, double now) const;
  void ShowMessages(const FitContext& context);

  ProgressOptions options_;
  std::string line_;  // The line being made: kept, so that drawing does not allocate.
  int visible_ = 0;   // Columns that it takes.
  bool line_is_open_ = false;
  int64_t done_ = 0;
  int64_t first_done_ = 0;  // of the epoch in this process
  double epoch_start_ = 0;
  double after_first_step_ = 0;
  double last_draw_ = 0;
  bool drawn_ = false;
  size_t messages_shown_ = 0, notes_shown_ = 0;
  int epoch_ = 0;
  bool in_epoch_ = false;
};

// How numbers are shown; each gives a text of at most 31 characters.

/// Time left: "42s", "1:05" above 60 s, "1:02:03" above an hour (whole seconds, rounded down).
std::string FormatTimeLeft(double seconds);
/// "24ms/step": whole seconds from 1 s on (and for 0), milliseconds from 1 ms on, else
/// microseconds ("850us/step").
std::string FormatStepTime(double seconds);
/// Four decimals, or "1.0000e-04" where they would hide the number (|x| <= 1e-3).
std::string FormatMetric(double value);

}  // namespace seqgraph
