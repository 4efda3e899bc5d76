#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "backends/all_backends.h"
#include "graph/model.h"
#include "graph/op_registry.h"
#include "graph/pass.h"
#include "ops/rewrites/all_rewrites.h"
#include "runtime/backend_registry.h"
#include "runtime/compiled_function.h"
#include "training/batch_runner.h"
#include "training/callback.h"
#include "training/metrics.h"
#include "training/thread_trial.h"

namespace seqgraph {

class Profile;  // runtime/profile.h
class Trace;    // base/trace.h

/// Of a model with several outputs: what judges an output, instead of the metrics for all.
using OutputMetrics = std::map<std::string, std::vector<Metric>>;

struct RunnerOptions {
  /// Name of a backend, or several in order of preference: "onednn,reference".
  std::string backend = kDefaultBackends;
  int threads = 1;
  /// Bytes that variables and all that is compiled may take together; 0: no limit.
  int64_t max_memory = 0;
  /// Where compiling, epochs and some of the steps are recorded; null: nowhere.
  Profile* profile = nullptr;
  const BackendRegistry* backends = nullptr;  ///< null: AllBackends()
  const OpRegistry* ops = nullptr;            ///< null: AllOps()
  std::optional<PassList> passes;             ///< absent: StandardPasses()
  /// Asked, before a function is compiled, which nodes go elsewhere than the order of the backends
  /// says; null: none.
  std::function<absl::StatusOr<BackendPreferences>(const Function&, const VariableStore&,
                                                   const CompileOptions&)>
      prefer;

  const PassList& Passes() const { return passes.has_value() ? *passes : StandardPasses(); }
};

struct EvaluateOptions {
  int64_t batch = 64;
  std::vector<Metric> metrics = {DefaultMetric()};
  OutputMetrics output_metrics = {};
  std::string function = "evaluate";
  /// The result that the metrics judge; empty: the only one besides the loss, or all that have a
  /// loss of their own.
  std::string prediction;
  /// Looked at after each batch: once true, Evaluate ends with Cancelled.
  const std::atomic<bool>* interrupt = nullptr;
};

struct PredictOptions {
  int64_t batch = 64;
  std::string function = "predict";
  std::string prediction;  ///< as above
  /// Looked at after each batch: once true, Predict ends with Cancelled.
  const std::atomic<bool>* interrupt = nullptr;
  /// Called after each batch, by the thread that predicts, with how many rows are done; null:
  /// nobody is told.
  std::function<void(int64_t rows)> progress = nullptr;
};

/// Runs the functions of a model on batches of examples. Keeps what it has compiled, for each
/// function and batch size; all of it shares the model's variables. The model must outlive the
/// runner and stay where it is. For one thread at a time; but several threads, each with a runner
/// of its own, may share a model as long as all run functions that update nothing: `predict` and
/// `evaluate`, but where a layer is stateful.
class ModelRunner {
 public:
  explicit ModelRunner(Model* model, RunnerOptions options = {})
      : model_(model), options_(std::move(options)) {}

  Model& model() { return *model_; }
  Profile* profile() const { return options_.profile; }
  /// That of the profile; null without one.
  Trace* trace() const;

  /// The function compiled for that batch. NotFound for a function or a backend that is not there;
  /// ResourceExhausted where max_memory does not suffice; otherwise as CompiledFunction::Compile.
  absl::StatusOr<CompiledFunction*> Compile(absl::string_view function, int64_t batch);
  /// The same for a number of threads, and not kept.
  absl::StatusOr<std::unique_ptr<CompiledFunction>> CompileOn(int threads,
                                                              absl::string_view function,
                                                              int64_t batch);

  /// Loss and metrics over all examples: means weighted by the sizes of the batches, the last of
  /// which is what is left. Of several outputs each has its own: "y_loss", not times its weight in
  /// the sum "loss", and "y_accuracy", as in Keras. A loss that is not finite is an error.
  absl::StatusOr<Logs> Evaluate(const Examples& examples, const EvaluateOptions& options = {});

  /// The prediction for each row: one number each for a result [batch, 1], all numbers of the row,
  /// row after row, for a wider one.
  absl::StatusOr<std::vector<float>> Predict(const Examples& examples,
                                             const PredictOptions& options = {});
  /// The same for each result of a function with several (unless options.prediction is set).
  absl::StatusOr<std::map<std::string, std::vector<float>>> PredictOutputs(
      const Examples& examples, const PredictOptions& options = {});

  /// Predict() for texts, which become rows by the model's own vocabulary (SetPreprocessing).
  /// Errors besides: those of VocabularyOf.
  absl::StatusOr<std::vector<float>> PredictTexts(absl::Span<const std::string> texts,
                                                  const PredictOptions& options = {});

  /// The backends that run nodes of what has been compiled, in the order of RunnerOptions::backend,
  /// each with its version and description, which names the instruction set:
  /// "simd 1 (Highway 1.0.3): vector code ...; AVX-512 | onednn ...".
  std::string DescribeBackends() const;
  int threads() const { return options_.threads; }

  /// Bytes of the variables and of all that has been compiled.
  int64_t MemoryInUse() const;

 private:
  const BackendRegistry& backends() const;

  Model* model_;
  RunnerOptions options_;
  std::map<std::pair<std::string, int64_t>, std::unique_ptr<CompiledFunction>> compiled_;
};

/// One pass over examples in batches of one size and a last one of what is left, both compiled when
/// this is made.
class DataPass {
 public:
  /// InvalidArgument for a batch below 1 or examples that do not fit.
  static absl::StatusOr<DataPass> Create(ModelRunner& runner, absl::string_view function,
                                         const Examples& examples, int64_t batch,
                                         const std::string& prediction);

  /// From here on whole batches take as many threads as prove faster, one or all (ThreadTrial);
  /// where there is only one, or memory for one way only, all stays as it is.
  absl::Status ChooseThreads(ModelRunner& runner);
  /// What ChooseThreads found, once, when it is known; else empty.
  std::string TakeNote();

  /// To be called before the first batch of each pass: `epoch` is what a source is told.
  absl::Status Begin(int epoch);
  /// Goes on behind so many batches that another process has run: a source makes their rows.
  absl::Status Skip(int64_t steps, absl::Span<const int64_t> order);
  /// Batches in the pass.
  int64_t steps() const { return (examples_.rows + batch_ - 1) / batch_; }
  /// Runs batch number `step`, with the rows in `order` (empty: as they are); an error names it,
  /// and the row if it is one that the function does not take.
  absl::StatusOr<const BatchRunner*> Run(int64_t step, absl::Span<const int64_t> order = {});

 private:
  // On one thread, with what of it is asked on each run.
  struct Alone {
    std::unique_ptr<CompiledFunction> compiled;
    BatchRunner runner;
  };

  absl::StatusOr<BatchRunner> MakeRunner(CompiledFunction* compiled, Profile* profile) const;
  // A batch: rows order[begin], ... of examples.
  struct Rows {
    const Examples& examples;
    absl::Span<const int64_t> order;
    int64_t begin;
  };
  absl::Status Fetch(int64_t begin, absl::Span<const int64_t> order, const BatchRunner& runner);
  absl::Status RunWhole(const Rows& rows, BatchRunner** used);
  absl::Status NameRow(const absl::Status& error, BatchRunner& runner, const Rows& rows);

  std::string function_, prediction_;
  Examples examples_;
  // From a source: the numbers of a batch's rows, and the rows.
  std::vector<int64_t> numbers_;
  Examples fetched_;
  VariableStore* variables_ = nullptr;
  int64_t batch_ = 1;
  std::vector<BatchRunner> whole_;    // One, or none if there are fewer rows.
  std::vector<BatchRunner> partial_;  // One, or none if the rows divide evenly.
  std::optional<Alone> alone_;        // While it is tried, and when it has won.
  std::optional<ThreadTrial> trial_;  // Until its outcome was taken.
  int threads_ = 1;
};

/// The running means of the losses, and metrics.
class Meter {
 public:
  /// For batches of `function` with these outputs (OutputsToRead): metrics that follow from a loss
  /// are made those that they are. InvalidArgument for metrics of another output.
  static absl::StatusOr<Meter> Create(const Function& function,
                                      const std::vector<std::string>& outputs,
                                      const std::vector<Metric>& metrics,
                                      const OutputMetrics& output_metrics);

  /// Whether more is better of each name but "loss".
  std::map<std::string, bool> HigherIsBetter() const;

  void Reset();
  /// Adds a batch that was run by a function with a loss.
  void Add(const JudgedBatch& batch);
  double loss() const { return loss_.value(); }
  /// Sets "loss" and the metrics' names, with `prefix` in front. Does not allocate if `logs` has
  /// them already and the prefix is empty.
  void Write(absl::string_view prefix, Logs& logs) const;

  void SaveState(StateWriter& state) const;
  absl::Status LoadState(const StateReader& state);

 private:
  struct Measured {
    size_t output;
    Metric metric;  // named as in the logs
    std::unique_ptr<MetricState> state;
  };
  struct OutputLossMean {
    size_t output;
    std::string name;
    Mean mean;
  };

  Mean loss_;
  std::vector<OutputLossMean> losses_;  // of several outputs
  std::vector<Measured> metrics_;
};

}  // namespace seqgraph
