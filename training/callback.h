#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "graph/model.h"
#include "training/run_state.h"

namespace seqgraph {

/// What was measured, by name: "loss", "accuracy", "val_loss", ... In alphabetical order.
using Logs = std::map<std::string, double, std::less<>>;

/// What a callback knows of the run, and what it can do to it.
struct FitContext {
  Model& model;         ///< with the weights as they are now
  int first_epoch = 0;  ///< from 0; later when a run goes on with an earlier one's weights
  int epochs = 1;       ///< the run ends before this epoch (from 0)
  int64_t steps = 0;    ///< batches an epoch
  bool has_validation = false;
  /// What the run is made with, by name; Trainer says "backends" (those that have nodes, with their
  /// versions and instruction sets) and "threads". The history records it.
  std::map<std::string, std::string, std::less<>> run_facts = {};
  /// For the loss and each metric, by name without "val_": whether more is better.
  std::map<std::string, bool, std::less<>> higher_is_better = {{"loss", false}};

  /// The run goes on from a state (FitOptions::state): after OnTrainBegin comes LoadState.
  bool resumed = false;

  /// Whether `model` has the optimizer's state: on ranks, which keep it in shares, it has not in
  /// OnEpochBegin, and in OnBatchEnd only where a callback asks for it (reads_optimizer).
  bool has_optimizer = true;

  /// Set it to end the run: after the batch in OnBatchEnd, after the epoch in OnEpochEnd.
  bool stop_training = false;
  /// One line each, for people; shown by Progress and returned with the result of the run.
  std::vector<std::string> messages;
  /// Likewise, but of this process alone, as of its times: shown, and then forgotten.
  std::vector<std::string> notes = {};
};

/// Watches a run of Trainer::Fit, and acts on it. Order, as in Keras: OnTrainBegin; for each epoch
/// OnEpochBegin, OnBatchEnd after each batch, the validation, OnEpochEnd; then OnTrainEnd (also
/// when the run is interrupted), or OnTrainFailure when it fails. Several are called in the order
/// of their list, with one map of logs: what one adds to it the later ones and the history see. An
/// error ends the run and is returned by Fit.
class Callback {
 public:
  virtual ~Callback() = default;
  virtual absl::Status OnTrainBegin(FitContext& context);
  /// `epoch` counts from 0.
  virtual absl::Status OnEpochBegin(FitContext& context, int epoch);
  /// `batch` counts from 0 in each epoch; `logs` are the means over the epoch so far, weighted by
  /// the sizes of the batches. Should not allocate.
  virtual absl::Status OnBatchEnd(FitContext& context, int64_t batch, const Logs& logs);
  /// `logs` are the means over the epoch, and those of the validation ("val_...").
  virtual absl::Status OnEpochEnd(FitContext& context, int epoch, Logs& logs);
  virtual absl::Status OnTrainEnd(FitContext& context);
  /// Instead of OnTrainEnd when the run fails: to write what is still in memory. All callbacks get
  /// it; the run returns the error that ended it.
  virtual absl::Status OnTrainFailure(FitContext& context);

  /// What it needs to go on with a run in another process, besides the model's variables, its
  /// options and what OnTrainBegin does: all that changes from step to step. Called between two
  /// steps. What is saved here is what LoadState reads, so that the two belong side by side.
  virtual void SaveState(StateWriter& state) const;
  /// In a run that goes on from a state, after OnTrainBegin and instead of the OnEpochBegin of an
  /// epoch that has begun. An error ends the run.
  virtual absl::Status LoadState(FitContext& context, const StateReader& state);
  /// Whether the next OnBatchEnd reads or saves the optimizer's state, which ranks then gather.
  virtual bool reads_optimizer() const { return false; }
  /// True of one that only reports: behind all others in the list it may be there or not, whatever
  /// the run was begun with. Where a state has nothing of it, LoadState is not called.
  virtual bool may_be_left_out() const { return false; }
};

/// A callback in a list: owned, shared, or (by pointer) somebody else's, so that its state can be
/// read after the run.
///
///   EarlyStopping stopping({.patience = 3});
///   options.callbacks = {&stopping, ModelCheckpoint("best.pb", {.save_best_only = true})};
class CallbackHandle {
 public:
  template <typename T, typename = std::enable_if_t<std::is_base_of_v<Callback, std::decay_t<T>>>>
  CallbackHandle(T&& callback)  // NOLINT(google-explicit-constructor)
      : callback_(std::make_shared<std::decay_t<T>>(std::forward<T>(callback))) {}
  template <typename T, typename = std::enable_if_t<std::is_base_of_v<Callback, T>>>
  CallbackHandle(std::shared_ptr<T> callback)  // NOLINT(google-explicit-constructor)
      : callback_(std::move(callback)) {}
  CallbackHandle(Callback* callback)  // NOLINT(google-explicit-constructor)
      : callback_(std::shared_ptr<void>(), callback) {}

  Callback* operator->() const { return callback_.get(); }
  Callback& operator*() const { return *callback_; }

 private:
  std::shared_ptr<Callback> callback_;
};

}  // namespace seqgraph
