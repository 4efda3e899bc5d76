#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "graph/tensor.h"
#include "serialization/self_test.h"
#include "training/callback.h"
#include "training/checkpoint_path.h"
#include "training/monitor.h"

namespace seqgraph {

class Trace;  // base/trace.h

struct ModelCheckpointOptions {
  std::string monitor = "val_loss";
  /// Save only when `monitor` has improved (by any amount).
  bool save_best_only = false;
  MonitorMode mode = MonitorMode::kAuto;
  /// Save after so many batches, counted over all epochs, instead of at the end of each epoch
  /// (0). The logs are then those of the batch: there are no "val_" ones.
  int64_t save_every_batches = 0;
  /// What the first value must beat. In a run that goes on, where it is better than the best value
  /// so far: that of a file that has come since. Only what is no worse replaces that file, and
  /// until then nothing is saved.
  std::optional<double> initial_value_threshold;
  /// Report each save as a message.
  bool verbose = true;
  /// Write a file at most so often: what is saved sooner is kept in memory, with a copy of all
  /// variables, until the time is over or the run ends (also by an error), and what replaces it
  /// before then takes its place. A process that is killed loses no more than the saves of so many
  /// seconds; the file is whole in any case. Saves to another path are all written. 0: write each
  /// save at once.
  double seconds_between_writes = 0;
  /// A write that fails does not end the run: a note says so once, what was to be written stays in
  /// memory (as above) and is tried again, after a second, two, four, up to a minute, and when the
  /// run ends. write_status() says what came of it.
  bool keep_trying = false;
  /// Seconds from any fixed point; null: the steady clock.
  std::function<double()> clock;
  /// Called at each write for what the file is to carry beside the model; null: nothing. The model
  /// then has the variables that are saved.
  std::function<absl::StatusOr<std::vector<SelfTest>>()> self_tests;
  /// Where each save is recorded; null: nowhere.
  Trace* trace = nullptr;
};

/// Saves the model, optimizer state included, with the semantics of Keras 3. The path ends in .pb
/// (binary) or .textproto (text) and may name `epoch` (from 1), all logs, and for saves by batch
/// `batch` (from 1): "best-{epoch:02d}-{val_loss:.2f}.pb". Missing folders are made. A file is
/// replaced as a whole or left as it was. With save_best_only, where `monitor` is missing, it saves
/// anyway and says so. The best value is kept from one run to the next.
class ModelCheckpoint : public Callback {
 public:
  explicit ModelCheckpoint(std::string path, ModelCheckpointOptions options = {})
      : path_(std::move(path)),
        options_(std::move(options)),
        best_(options_.initial_value_threshold) {}

  /// A path of another ending, a brace without its other, or a folder that cannot be made is an
  /// error before the first step.
  absl::Status OnTrainBegin(FitContext& context) override;
  absl::Status OnEpochBegin(FitContext& context, int epoch) override;
  absl::Status OnBatchEnd(FitContext& context, int64_t batch, const Logs& logs) override;
  absl::Status OnEpochEnd(FitContext& context, int epoch, Logs& logs) override;
  absl::Status OnTrainEnd(FitContext& context) override;
  absl::Status OnTrainFailure(FitContext& context) override;
  bool reads_optimizer() const override {
    return options_.save_every_batches > 0 || (pending_.has_value() && IsTime());
  }
  void SaveState(StateWriter& state) const override;
  absl::Status LoadState(FitContext& context, const StateReader& state) override;

  /// Where it saved last, in a run that goes on also before that; empty if it did not yet, or if
  /// what lies there is better.
  const std::string& last_path() const { return last_path_; }
  std::optional<double> best() const { return best_; }
  /// What the last write said; not OK: what was to be saved is in memory alone.
  const absl::Status& write_status() const { return write_status_; }
  /// Writes that, after the run: where it belongs, or at another path. OK if there is nothing.
  absl::Status TryAgain(Model& model, const std::string& path = "");

 private:
  // What is saved but not yet written: the content of all variables, in their order.
  struct Pending {
    PathFields fields;
    std::string path;  // which they make
    std::vector<Tensor> values;
  };
  absl::Status MaybeSave(FitContext& context, std::optional<int64_t> batch, const Logs& logs);
  absl::Status Save(FitContext& context, const PathFields& fields, const std::string& path);
  absl::Status Write(const Model& model, const std::string& path);
  absl::Status WritePending(FitContext& context);
  absl::Status WritePendingIfTime(FitContext& context);
  absl::Status Failed(FitContext& context, const absl::Status& status, Pending pending);
  bool IsTime() const;
  double Now() const;
  bool FileIsBetter(double current) const;
  void Say(FitContext& context, const std::string& text) const;

  std::string path_;
  ModelCheckpointOptions options_;
  bool higher_is_better_ = false;
  int epoch_ = 0;
  int64_t batches_ = 0;
  std::optional<double> best_;
  std::optional<double> of_file_;  // the value of a better file, which came from elsewhere
  std::string last_path_;
  std::optional<Pending> pending_;
  std::optional<double> last_write_;
  absl::Status write_status_;
  double last_try_ = 0, pause_ = 0;  // of a write that failed
};

}  // namespace seqgraph
