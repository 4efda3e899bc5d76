#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/trace.h"
#include "tools/earlier_model.h"
#include "tools/interrupt.h"
#include "tools/output.h"
#include "tools/progress_flags.h"
#include "tools/runs/run_log.h"
#include "tools/training_data.h"
#include "training/early_stopping.h"
#include "training/metrics.h"
#include "training/model_checkpoint.h"
#include "training/run_folder.h"
#include "training/self_tests.h"
#include "training/tensorboard/tensorboard.h"
#include "training/trainer.h"

namespace seqgraph::tools {

struct TrainingRunOptions {
  std::string output;
  std::string history;  ///< empty: none is written
  int64_t batch = 64;
  int64_t epochs = 100;
  int64_t first_epoch = 0;
  int64_t patience = 3;
  int64_t seed = 1;
  bool self_test = true;
  bool gradients = false;  ///< in the self-tests too
  ProgressFlags progress;
  std::vector<Metric> metrics;
  std::map<int32_t, double> class_weights;
  RunnerOptions run;                     ///< that of the trainer
  Communicator* communicator = nullptr;  ///< as FitOptions::communicator and block_rows
  int64_t block_rows = 0;
  std::string backend_line;  ///< said again at the end; empty: not
  Trace* trace = nullptr;
  RunFolder* state = nullptr;  ///< keeps the run's state, and has that to go on from; null: none
  Records facts;               ///< go into each state
  bool allow_changes = false;  ///< FitOptions::allow_changes
  /// Of a run that goes on with another one than it had.
  std::optional<double> learning_rate;
  /// Of the run that begins or goes on, in a folder that is there; null: none is kept.
  std::optional<RunRecord> record;
  std::string fallback;  ///< a folder for the model where --output cannot be written; empty: none
  std::optional<TensorBoardOptions> tensorboard;  ///< absent: no event files
};

/// All of Fit's options that follow from these; no callbacks, and no interrupt.
FitOptions FitOptionsOf(const TrainingRunOptions& options);

/// A run of `train` from the first step on: what has to be beaten, the epochs, what is saved, and
/// what is said of it. A file is only ever replaced by a better model; without rows to validate by
/// nothing tells, and the last weights are saved where no file is.
class TrainingRun {
 public:
  /// All must outlive it.
  TrainingRun(TrainingData& data, EarlierModel& earlier, Trainer& trainer,
              const TrainingRunOptions& options, Output& out)
      : data_(data), earlier_(earlier), trainer_(trainer), options_(options), out_(out) {}

  /// Finds what a model has to beat; `resumes`: the trainer's own is one. A run that goes on has
  /// found it before.
  absl::Status Measure(bool resumes);
  /// The exit status. Whatever it is, the run's record says how the run ended.
  absl::StatusOr<int> Fit(const InterruptHandler& interrupt);

 private:
  absl::StatusOr<int> FitAndSave(const InterruptHandler& interrupt);
  void FinishRecord(const absl::StatusOr<int>& status);
  std::string BestModel() const;
  void SaveLastWeights(FitContext& context);
  bool validates() const { return data_.validation().rows > 0; }
  Model& model() { return trainer_.runner().model(); }
  absl::StatusOr<std::vector<SelfTest>> SelfTests();
  std::vector<SelfTest> SelfTestsIfPossible();
  absl::StatusOr<double> Loss();
  absl::Status Find(bool resumes);
  absl::Status MeasureEarlier();
  absl::Status Restore(const StateReader& found);
  Records FactsWithFound() const;
  ModelCheckpointOptions CheckpointOptions();
  absl::Status FinishSaving(ModelCheckpoint& checkpoint, const FitResult& result);
  absl::Status GoOnText(const RunState& state);
  absl::Status SaveInitial();
  absl::Status SaveLast(bool interrupted);
  absl::Status SaveBeside(const std::string& path);
  absl::Status Conclude(const FitResult& result, const ModelCheckpoint& checkpoint,
                        const EarlyStopping& stopping);
  absl::Status ReportBest(const FitResult& result, const EarlyStopping& stopping);

  TrainingData& data_;
  EarlierModel& earlier_;
  Trainer& trainer_;
  const TrainingRunOptions& options_;
  Output& out_;
  std::optional<double> initial_;  // val_loss of the model that is resumed
  double guessing_ = 0;            // the loss of who has learned nothing
  double wild_ = 0;                // and that from which on a run has diverged
  std::string beside_;             // where a model was saved that replaces none
  std::optional<RunLog> log_;
  std::optional<ModelCheckpoint> checkpoint_;
  std::string saved_at_;  // the best model, if not where it belongs
};

}  // namespace seqgraph::tools
