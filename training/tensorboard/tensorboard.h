#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "graph/tensor.h"
#include "training/callback.h"
#include "training/confusion_matrix.h"
#include "training/tensorboard/event_file.h"
#include "training/tensorboard/summaries.h"

namespace seqgraph {

/// As Keras names them.
struct TensorBoardOptions {
  /// The folder; made with its parents. A run takes one of its own.
  std::string log_dir = "logs";
  /// Histograms of the trained weights after every so many epochs; 0: none.
  int histogram_freq = 0;
  /// The graph of `train_step`.
  bool write_graph = true;
  /// 0: curves of epochs alone ("epoch"). Otherwise also those of every so many batches of an epoch
  /// (1: "batch"), by the number of the batch in the run.
  int64_t update_freq = 0;

  // What follows is not Keras's.

  /// Norms of the trained weights, and of what each epoch has changed of them. Keeps a copy of
  /// them, in the state of the run too.
  bool write_norms = true;
  /// Norms of gradients by weight, asked for after each epoch with the model as that has left it
  /// (GradientNorms); null: none. An error is told in a note, and it is not asked again.
  std::function<absl::StatusOr<std::vector<std::pair<std::string, double>>>(const Model&)>
      gradient_norms = nullptr;
  /// What the page of hyper-parameters shows of the run; empty: the run is not on it.
  HyperParameters hyper_parameters = {};
  /// Called when the run has ended, with the weights that it leaves; null: no picture of it.
  std::function<absl::StatusOr<ConfusionMatrix>()> confusion_matrix = nullptr;
  /// Seconds since 1970; null: the system's clock.
  std::function<double()> clock = nullptr;
};

/// Writes event files that TensorBoard shows while the run goes on. As Keras's callback of that
/// name below log_dir/train and log_dir/validation: "epoch_loss", "epoch_accuracy", ... by epoch
/// from 0 (what is measured by the validation without "val_"), "epoch_learning_rate", the graph,
/// "VARIABLE/histogram"; with update_freq "batch_loss", ... Beside these "update_norm/VARIABLE" =
/// ||w_end - w_begin||_2 of the epoch, "weight_norm/VARIABLE" = ||w||_2, "gradient_norm/VARIABLE",
/// each also of all together ("all"), "confusion_matrix" (a picture) under log_dir/validation, and
/// in log_dir itself what the page of hyper-parameters reads. Curves are float32.
///
/// A folder that cannot be written is an error before the first step; later on a note says once
/// what went wrong, and each epoch, and the end, tries again: no run ends for it. A run that goes
/// on from a state cuts its files to what they had there, and goes on with them: each step is there
/// once. A run that has none of the files goes on with new ones. A folder with files of another run
/// gets further ones, and a note says so.
class TensorBoard : public Callback {
 public:
  explicit TensorBoard(TensorBoardOptions options);

  absl::Status OnTrainBegin(FitContext& context) override;
  absl::Status OnEpochBegin(FitContext& context, int epoch) override;
  absl::Status OnBatchEnd(FitContext& context, int64_t batch, const Logs& logs) override;
  absl::Status OnEpochEnd(FitContext& context, int epoch, Logs& logs) override;
  absl::Status OnTrainEnd(FitContext& context) override;
  absl::Status OnTrainFailure(FitContext& context) override;
  void SaveState(StateWriter& state) const override;
  absl::Status LoadState(FitContext& context, const StateReader& state) override;
  bool may_be_left_out() const override { return true; }

 private:
  // Which folder.
  enum Place { kRun, kTrain, kValidation, kPlaces };

  std::string Folder(Place place) const;
  double Now() const;
  absl::Status Open(Place place);
  // Opens the file if need be; otherwise the event is dropped, and told.
  void Add(FitContext& context, Place place, const std::string& event);
  void Flush(FitContext& context);
  void Tell(FitContext& context, const absl::Status& status);
  void Begin(FitContext& context);
  void AddNorm(FitContext& context, int epoch, const char* what, absl::string_view name,
               double norm);
  void AddNorms(FitContext& context, int epoch);
  void AddGradientNorms(FitContext& context, int epoch);
  void AddConfusion(FitContext& context);
  void RememberWeights(const Model& model);

  TensorBoardOptions options_;
  std::map<int, EventFile> files_;  // by place
  int epoch_ = 0;
  int epochs_done_ = 0;                   // the last one that has ended, + 1
  std::map<std::string, Tensor> before_;  // weights when the epoch began
  bool begun_ = false;                    // what is written once is
  bool told_ = false;
};

}  // namespace seqgraph
