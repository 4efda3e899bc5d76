#include "training/trainer.h"

#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "training/model_builder.h"
#include "training/row_order.h"
#include "training/thread_trial.h"

namespace seqgraph {
namespace {

// Steps of a run from which on it pays to find out how many threads to take.
constexpr int64_t kWorthATrial = 10 * ThreadTrial::kSteps;

// One run of Fit.
class FitRun {
 public:
  FitRun(ModelRunner& runner, const FitOptions& options, DataPass train,
         std::optional<DataPass> validation, Meter meter, Meter validation_meter, RowOrder order)
      : options_(options),
        trace_(runner.trace()),
        train_(std::move(train)),
        validation_(std::move(validation)),
        context_{runner.model()},
        meter_(std::move(meter)),
        validation_meter_(std::move(validation_meter)),
        order_(std::move(order)) {
    context_.first_epoch = options.first_epoch;
    context_.epochs = options.epochs;
    context_.steps = train_.steps();
    context_.has_validation = validation_.has_value();
    context_.run_facts = {{"backends", runner.DescribeBackends()},
                          {"threads", absl::StrCat(runner.threads())}};
    result_.history.SetRunFacts(context_.run_facts);
    for (const auto& [name, higher] : meter_.HigherIsBetter()) {
      context_.higher_is_better[name] = higher;
    }
    meter_.Write("", batch_logs_);  // All names, so that steps need not make them.
  }

  absl::StatusOr<FitResult> Run() {
    absl::StatusOr<FitResult> result = RunEpochs();
    if (result.ok()) return result;
    for (const CallbackHandle& callback : options_.callbacks) {
      // Of two errors the one that ended the run is told, and the other with it.
      const absl::Status status = callback->OnTrainFailure(context_);
      if (status.ok()) continue;
      result = absl::Status(result.status().code(), absl::StrCat(result.status().message(),
                                                                 "; and then: ", status.message()));
    }
    return result;
  }

 private:
  absl::StatusOr<FitResult> RunEpochs() {
    SEQ_RETURN_IF_ERROR(ForEach([&](Callback& c) { return c.OnTrainBegin(context_); }));
    for (int epoch = options_.first_epoch; epoch < options_.epochs; ++epoch) {
      SEQ_RETURN_IF_ERROR(Annotate(Epoch(epoch), absl::StrCat("epoch ", epoch + 1)));
      if (result_.interrupted || context_.stop_training) break;
    }
    SEQ_RETURN_IF_ERROR(ForEach([&](Callback& c) { return c.OnTrainEnd(context_); }));
    result_.messages = std::move(context_.messages);
    return std::move(result_);
  }

  template <typename F>
  absl::Status ForEach(F call) {
    for (const CallbackHandle& callback : options_.callbacks) {
      SEQ_RETURN_IF_ERROR(call(*callback));
    }
    return absl::OkStatus();
  }

  bool Interrupted() {
    if (options_.interrupt != nullptr && options_.interrupt->load()) result_.interrupted = true;
    return result_.interrupted;
  }

  absl::Status Epoch(int epoch) {
    const TraceSpan span(trace_, trace_ ? absl::StrCat("epoch ", epoch + 1) : "", "epoch");
    SEQ_RETURN_IF_ERROR(ForEach([&](Callback& c) { return c.OnEpochBegin(context_, epoch); }));
    SEQ_RETURN_IF_ERROR(train_.Begin(epoch));
    SEQ_RETURN_IF_ERROR(TrainBatches(order_.Of(epoch)));
    if (result_.interrupted) return absl::OkStatus();
    Logs logs;
    meter_.Write("", logs);
    if (validation_.has_value()) {
      SEQ_RETURN_IF_ERROR(validation_->Begin(epoch));
      SEQ_RETURN_IF_ERROR(Validate(logs));
    }
    if (result_.interrupted) return absl::OkStatus();
    const TraceSpan callbacks(trace_, "callbacks", "epoch");
    SEQ_RETURN_IF_ERROR(ForEach([&](Callback& c) { return c.OnEpochEnd(context_, epoch, logs); }));
    result_.history.Append(epoch, logs);
    return absl::OkStatus();
  }

  absl::Status TrainBatches(absl::Span<const int64_t> order) {
    const TraceSpan span(trace_, "train", "pass");
    meter_.Reset();
    for (int64_t step = 0; step < train_.steps(); ++step) {
      SEQ_ASSIGN_OR_RETURN(const BatchRunner* batch, train_.Run(step, order));
      TakeNote(train_);
      const bool finite = std::isfinite(batch->loss());
      meter_.Add(*batch);
      meter_.Write("", batch_logs_);
      SEQ_RETURN_IF_ERROR(
          ForEach([&](Callback& c) { return c.OnBatchEnd(context_, step, batch_logs_); }));
      if (!finite && !context_.stop_training) {
        return NotFinite("loss", batch->loss(), step, train_);
      }
      diverged_ |= !finite;
      if (Interrupted() || context_.stop_training) break;
    }
    return absl::OkStatus();
  }

  absl::Status Validate(Logs& logs) {
    const TraceSpan span(trace_, "validate", "pass");
    validation_meter_.Reset();
    for (int64_t step = 0; step < validation_->steps(); ++step) {
      absl::StatusOr<const BatchRunner*> batch = validation_->Run(step);
      if (!batch.ok()) return Annotate(batch.status(), "validation");
      if (!std::isfinite((*batch)->loss()) && !diverged_) {
        return NotFinite("validation loss", (*batch)->loss(), step, *validation_);
      }
      TakeNote(*validation_);
      validation_meter_.Add(**batch);
      if (Interrupted()) return absl::OkStatus();
    }
    validation_meter_.Write("val_", logs);
    return absl::OkStatus();
  }

  void TakeNote(DataPass& pass) {
    std::string note = pass.TakeNote();
    if (!note.empty()) context_.messages.push_back(std::move(note));
  }

  static absl::Status NotFinite(absl::string_view what, double value, int64_t step,
                                const DataPass& pass) {
    return FailedPrecondition(
        "batch ", step + 1, " of ", pass.steps(), ": the ", what, " is ", value,
        "; training stops, and what was saved before stays. Try a smaller learning "
        "rate");
  }

  const FitOptions& options_;
  Trace* trace_;
  DataPass train_;
  std::optional<DataPass> validation_;
  FitContext context_;
  FitResult result_;
  Meter meter_, validation_meter_;
  Logs batch_logs_;
  bool diverged_ = false;  // the loss was not finite, and a callback has stopped the training
  RowOrder order_;
};

// The weight of each target of the training data, or what there is where no class has one.
absl::StatusOr<std::vector<float>> RowWeights(const Examples& train, const FitOptions& options) {
  if (options.class_weights.empty()) {
    return std::vector<float>(train.weights.begin(), train.weights.end());
  }
  if (train.targets.empty()) {
    return InvalidArgument("fit: class_weights need examples with targets, in memory");
  }
  const size_t targets = train.targets.size(), given = train.weights.size();
  if (given > targets) {
    return InvalidArgument("fit: class_weights need a target for each weight; there are ", given,
                           " weights and ", targets, " targets");
  }
  if (!train.label_begin.empty() && given > 0 && given != targets) {
    return InvalidArgument("fit: class_weights of labels by steps need weights by steps");
  }
  std::vector<float> weights(targets, 1.0f);
  for (size_t i = 0; i < targets; ++i) {
    const auto found = options.class_weights.find(train.targets[i]);
    if (found != options.class_weights.end()) weights[i] = static_cast<float>(found->second);
    if (given > 0) weights[i] *= train.weights[i * given / targets];
  }
  return weights;
}

absl::Status CheckOptions(const Examples& train, const FitOptions& options) {
  if (train.rows < 1) return InvalidArgument("fit: there are no examples to train on");
  if (options.epochs < 1) {
    return InvalidArgument("fit: epochs must be at least 1, got ", options.epochs);
  }
  if (options.first_epoch < 0 || options.first_epoch > options.epochs) {
    return InvalidArgument("fit: first_epoch must be from 0 to ", options.epochs, ", got ",
                           options.first_epoch);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<FitResult> Trainer::Fit(const Examples& given, const Examples& validation,
                                       const FitOptions& options) {
  SEQ_RETURN_IF_ERROR(CheckOptions(given, options));
  SEQ_RETURN_IF_ERROR(given.Validate());
  SEQ_ASSIGN_OR_RETURN(const std::vector<float> weights, RowWeights(given, options));
  Examples train = given;
  train.weights = weights;
  SEQ_ASSIGN_OR_RETURN(DataPass train_pass, DataPass::Create(runner_, kTrainStep, train,
                                                             options.batch, options.prediction));
  std::optional<DataPass> validation_pass;
  if (validation.rows > 0) {
    SEQ_ASSIGN_OR_RETURN(validation_pass, DataPass::Create(runner_, kEvaluate, validation,
                                                           options.batch, options.prediction));
  }
  for (DataPass* pass : {&train_pass, validation_pass ? &*validation_pass : nullptr}) {
    if (pass == nullptr || pass->steps() * options.epochs < kWorthATrial) continue;
    SEQ_RETURN_IF_ERROR(pass->ChooseThreads(runner_));
  }
  SEQ_ASSIGN_OR_RETURN(const Function* train_step, runner_.model().GetFunction(kTrainStep));
  SEQ_ASSIGN_OR_RETURN(const std::vector<std::string> outputs,
                       OutputsToRead(*train_step, options.prediction));
  const auto meter = [&] {
    return Meter::Create(*train_step, outputs, options.metrics, options.output_metrics);
  };
  SEQ_ASSIGN_OR_RETURN(Meter train_meter, meter());
  SEQ_ASSIGN_OR_RETURN(Meter validation_meter, meter());
  const bool gather = options.by_length && train.source == nullptr;
  RowOrder order(options.shuffle ? train.rows : 0, options.batch, options.seed,
                 gather ? train.row_steps : absl::Span<const int64_t>());
  return FitRun(runner_, options, std::move(train_pass), std::move(validation_pass),
                std::move(train_meter), std::move(validation_meter), std::move(order))
      .Run();
}

}  // namespace seqgraph
