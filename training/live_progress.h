#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "training/progress.h"

namespace seqgraph {

/// The last `width` of the numbers as bars of eighths, "▁▂▅█", from the smallest to the largest of
/// them; a space for what is not finite. All alike are the lowest bar.
std::string SparkLine(const std::vector<double>& values, int width);

struct LiveProgressOptions {
  ProgressOptions on;                ///< of a terminal
  std::string monitor = "val_loss";  ///< which epoch is the best
  bool higher_is_better = false;     ///< of the monitor
  std::function<int()>
      patience_left;  ///< epochs until the run stops for want of a better one; null: it does not
  int64_t rows = 0;   ///< an epoch, for the rows a second; 0: steps a second
};

/// Shows on a terminal how a run proceeds, in two lines at the bottom that are redrawn at most 10
/// times a second, over as many rows as they take in the terminal's width of the moment:
///
///   Epoch 12/100 ━━━━───────── 57/313  81234 rows/s  6s left of the epoch, at most 42:10 of all
///   loss 0.4886 ▇▆▅▄▃  val_loss 0.4607 ▇▅▄▄▃  best 0.4526 in epoch 11  2 more epochs without a
///   better one end it
///
/// and above them, for each epoch that is done, the line that Progress writes where there is no
/// terminal, with what callbacks said. Its state is Progress's, so that a run may go on with the
/// other.
class LiveProgress : public Callback {
 public:
  explicit LiveProgress(LiveProgressOptions options);
  LiveProgress(const LiveProgress&) = delete;
  LiveProgress& operator=(const LiveProgress&) = delete;

  absl::Status OnTrainBegin(FitContext& context) override;
  absl::Status OnEpochBegin(FitContext& context, int epoch) override;
  absl::Status OnBatchEnd(FitContext& context, int64_t batch, const Logs& logs) override;
  absl::Status OnEpochEnd(FitContext& context, int epoch, Logs& logs) override;
  absl::Status OnTrainEnd(FitContext& context) override;
  absl::Status OnTrainFailure(FitContext& context) override;
  void SaveState(StateWriter& state) const override;
  absl::Status LoadState(FitContext& context, const StateReader& state) override;

 private:
  // A line and the columns that it takes.
  struct Line {
    std::string text;
    int columns = 0;
    void Append(absl::string_view part, int most);
  };

  void Erase();
  void Draw(const FitContext& context, const Logs& logs);
  Line FirstLine(const FitContext& context, int most) const;
  Line SecondLine(const Logs& logs, int most) const;
  void TakeEpoch(int epoch, const Logs& logs);

  LiveProgressOptions options_;
  Progress lines_;
  std::vector<int> drawn_;  // columns of each line that stands there
  std::vector<double> losses_, monitored_;
  int epoch_ = 0, best_epoch_ = -1;
  double best_ = 0;
  int64_t done_ = 0, first_done_ = 0;  // steps of the epoch; before this process
  double epoch_start_ = 0, last_draw_ = -1, epoch_seconds_ = 0;
};

}  // namespace seqgraph
