#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "training/callback.h"
#include "training/history.h"
#include "training/model_runner.h"
#include "training/rank_engine.h"
#include "training/run_state.h"

namespace seqgraph {

struct FitOptions {
  int epochs = 1;
  int64_t batch = 32;
  /// Order of the rows in each epoch: a function of seed and epoch, so that a run that is resumed
  /// sees the same orders. Without shuffle, as they are.
  uint64_t seed = 1;
  bool shuffle = true;
  /// With shuffle, of ragged rows (Examples::row_steps): whole batches are of rows of about the
  /// same length, in an order that is by lot all the same (RowOrder). False: of any rows. Recurrent
  /// layers take each row's own steps in any case, so it saves time where batches are small: an
  /// LSTM of 32 units on rows of 1 to 200 steps takes 8 % less of it in batches of 8, none from 32
  /// on.
  bool by_length = true;
  /// Where to begin, from 0, in a run that is resumed; `epochs` stays the end of the whole run.
  int first_epoch = 0;
  std::vector<CallbackHandle> callbacks;
  /// By default accuracy beside a loss over classes, nothing beside a regression's.
  std::vector<Metric> metrics = {DefaultMetric()};
  OutputMetrics output_metrics = {};
  /// What rows (or steps) of a class count for in the training loss and in Weighted() metrics,
  /// beside Examples::weights; 1 for a class that is not here. Needs Examples::targets and
  /// TrainableOptions::sample_weight. Validation is not weighted by it. (Keras's class_weight.)
  std::map<int32_t, double> class_weights;
  /// The result that the metrics judge; empty: the only one besides the loss, or all that have a
  /// loss of their own.
  std::string prediction;
  /// Looked at after each batch: once true, which any thread or signal handler may make it, the run
  /// ends there.
  const std::atomic<bool>* interrupt = nullptr;
  /// Goes on from there: variables, callbacks (the same, in the same order), history, messages, and
  /// the place within the epoch; `first_epoch` is then that of the run. Epochs that are done are
  /// not run again, also if these are all. Null: a run that begins. Must live as long as Fit.
  const RunState* state = nullptr;
  /// With `state`: whether batch, seed, order or number of rows may be others than those of the run
  /// so far. Otherwise InvalidArgument says which are.
  bool allow_changes = false;
  /// Trains as one of the ranks of a job, each of which calls Fit with the same model, data and
  /// options; null: alone. The batch is that of all ranks together, cut into blocks: the same bits
  /// on any number of ranks and threads (training/rank_steps.h; not those of a run without it). The
  /// root alone has callbacks, keeper, state, interrupt and a result; the others follow, and their
  /// model gets the weights of the end. Each rank keeps its share of the optimizer's state. Where
  /// batches are normalized, each block is by its own statistics. What else was compiled over the
  /// model's variables must be compiled again after Fit.
  Communicator* communicator = nullptr;
  /// Rows of a block; 0: 32 for batches up to 256, else 64. No rank can have less than a block.
  int64_t block_rows = 0;
  /// Bytes of gradients that are exchanged at once, while the rank computes those behind them; 0:
  /// GradientBuckets::kBucketBytes. No bit depends on it.
  int64_t bucket_bytes = 0;
  /// Gets states of the run, to go on from; null: nobody. Called after all callbacks.
  StateKeeper* keeper = nullptr;
};

struct FitResult {
  History history;                    ///< whole epochs only, all of a run that goes on
  std::vector<std::string> messages;  ///< of callbacks, in order
  std::vector<std::string> notes;     ///< of this process alone: FitContext::notes
  bool interrupted = false;
};

/// Trains a model that has the functions `train_step` and `evaluate` (MakeTrainable). It knows no
/// op and no backend: a step is one call of a compiled function. For one thread at a time, and
/// while it fits nobody else may use the model; callbacks and sources are called by that thread.
///
///   Trainer trainer(&model);
///   SEQ_ASSIGN_OR_RETURN(FitResult result, trainer.Fit(train, validation, {.epochs = 10}));
class Trainer {
 public:
  /// The model must outlive the trainer and stay where it is.
  explicit Trainer(Model* model, RunnerOptions options = {}) : runner_(model, std::move(options)) {}

  /// Runs epochs of batches, with what is left of the rows as a last smaller batch; after each
  /// epoch the validation (no rows: none), in batches of the same size, unshuffled, weights fixed.
  /// Logs: "loss" and the metrics are means over the epoch while the weights change, each batch
  /// weighted by its size, summed in double; "val_..." are those of the validation. Names for
  /// several outputs: as ModelRunner::Evaluate.
  ///
  /// A run that is ended anywhere and goes on from a state of it (FitOptions::keeper, then ::state)
  /// ends with the same bits, history and messages as one that was not, on any number of threads.
  ///
  /// Everything is compiled before the first step; after the first step of each batch size the loop
  /// allocates nothing. The same seed, data, backend and thread count give the same bits.
  ///
  /// An interrupt ends the run after the batch, or within the validation; callbacks then get
  /// OnTrainEnd, but no OnEpochEnd: EarlyStopping, say, sets the best weights that it has. Errors:
  /// those of compiling, running and of callbacks; FailedPrecondition, with epoch and batch, when a
  /// loss is not finite, unless a callback stops the training at that batch (TerminateOnNaN). After
  /// an error the model's weights are of no use.
  absl::StatusOr<FitResult> Fit(const Examples& train, const Examples& validation,
                                const FitOptions& options);

  absl::StatusOr<Logs> Evaluate(const Examples& examples, const EvaluateOptions& options = {}) {
    return runner_.Evaluate(examples, options);
  }
  absl::StatusOr<std::vector<float>> Predict(const Examples& examples,
                                             const PredictOptions& options = {}) {
    return runner_.Predict(examples, options);
  }
  /// What has been compiled: assignments, memory.
  ModelRunner& runner() { return runner_; }

 private:
  absl::StatusOr<std::unique_ptr<FitEngine>> MakeLocalEngine(const Examples& train,
                                                             const Examples& validation,
                                                             const FitOptions& options,
                                                             RowOrder order);
  absl::StatusOr<std::unique_ptr<FitEngine>> MakeRankEngine(const Examples& train,
                                                            const Examples& validation,
                                                            const FitOptions& options,
                                                            RowOrder order);
  RankSteps::Data DataOfRanks(const Examples& train, const Examples& validation,
                              const FitOptions& options, RowOrder order);
  absl::StatusOr<FitResult> Follow(const Examples& train, const Examples& validation,
                                   const FitOptions& options, RowOrder order);

  ModelRunner runner_;
};

}  // namespace seqgraph
