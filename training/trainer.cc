#include "training/trainer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "training/local_engine.h"
#include "training/model_builder.h"
#include "training/row_order.h"
#include "training/row_weights.h"
#include "training/thread_trial.h"

namespace seqgraph {
namespace {

// Steps of a run from which on it pays to find out how many threads to take.
constexpr int64_t kWorthATrial = 10 * ThreadTrial::kSteps;

// What has to be as it was for a run to go on with the same bits.
struct FitFacts {
  int64_t batch = 0, seed = 0, rows = 0, validation_rows = 0;
  bool shuffle = false, by_length = false;
  bool validation_writes = false;  // follows from the model

  // visit(name, a field).
  template <typename Facts, typename F>
  static void ForEach(Facts& facts, F visit) {
    visit("batch", facts.batch);
    visit("seed", facts.seed);
    visit("rows", facts.rows);
    visit("validation_rows", facts.validation_rows);
    visit("shuffle", facts.shuffle);
    visit("by_length", facts.by_length);
  }
  void Save(StateWriter& state) const {
    ForEach(*this, [&](const char* name, auto value) { state.Set(name, value); });
  }
  absl::Status Load(const StateReader& state) {
    absl::Status status;
    ForEach(*this, [&](const char* name, auto& value) { status.Update(state.Get(name, &value)); });
    return status;
  }
  absl::Status CheckSame(const FitFacts& then) const {
    Records now_records, then_records;
    StateWriter now_writer(&now_records, ""), then_writer(&then_records, "");
    Save(now_writer);
    then.Save(then_writer);
    for (const auto& [name, value] : now_records.all()) {
      const Records::Value& before = *then_records.Find(name);
      if (SameBits(value, before)) continue;
      return InvalidArgument("it is of a run with ", name, " ", std::get<int64_t>(before), ", not ",
                             std::get<int64_t>(value));
    }
    return absl::OkStatus();
  }
};

// One run of Fit.
class FitRun {
 public:
  FitRun(ModelRunner& runner, const FitOptions& options, FitEngine* engine, Meter meter,
         Meter validation_meter, FitFacts facts)
      : options_(options),
        trace_(runner.trace()),
        engine_(*engine),
        context_{runner.model()},
        meter_(std::move(meter)),
        validation_meter_(std::move(validation_meter)),
        facts_(facts) {
    context_.first_epoch = position_.epoch = options.first_epoch;
    context_.epochs = options.epochs;
    context_.steps = engine_.steps();
    context_.has_validation = engine_.validates();
    context_.run_facts = {{"backends", engine_.DescribeBackends()},
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
    engine_.Abandon();
    context_.has_optimizer = true;
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
    if (options_.state != nullptr) {
      SEQ_RETURN_IF_ERROR(Annotate(LoadRun(*options_.state), "the state of the run"));
    }
    SEQ_RETURN_IF_ERROR(ForEach([&](Callback& c) { return c.OnTrainBegin(context_); }));
    if (options_.state != nullptr) {
      SEQ_RETURN_IF_ERROR(Annotate(LoadCallbacks(*options_.state), "the state of the run"));
    } else if (options_.keeper != nullptr) {
      SEQ_RETURN_IF_ERROR(options_.keeper->Keep(MakeState()));
    }
    SEQ_RETURN_IF_ERROR(engine_.Start());
    context_.has_optimizer = engine_.keeps_optimizer_whole();
    while (position_.epoch < options_.epochs && !finished_ && !result_.interrupted) {
      const std::string place = absl::StrCat("epoch ", position_.epoch + 1);
      SEQ_RETURN_IF_ERROR(Annotate(Epoch(position_.epoch), place));
    }
    SEQ_RETURN_IF_ERROR(engine_.Finish());
    context_.has_optimizer = true;
    TakeNote();
    position_.finished = !result_.interrupted;
    if (options_.keeper != nullptr) {
      SEQ_RETURN_IF_ERROR(options_.keeper->Keep(
          before_validation_.has_value() ? *std::move(before_validation_) : MakeState()));
    }
    SEQ_RETURN_IF_ERROR(ForEach([&](Callback& c) { return c.OnTrainEnd(context_); }));
    result_.messages = std::move(context_.messages);
    result_.notes = std::move(context_.notes);
    return std::move(result_);
  }

  // All that is needed to go on from here.
  RunState MakeState() {
    RunState state;
    state.SetPosition(position_);
    StateWriter fit = state.Writer("fit");
    facts_.Save(fit);
    fit.Set("first_epoch", context_.first_epoch);
    fit.Set("stop_training", context_.stop_training);
    fit.Set("ended", finished_);
    fit.Set("diverged", diverged_);
    fit.Set("messages", context_.messages);
    StateWriter variables = state.Writer("variable"), history = state.Writer("history"),
                meter = state.Writer("meter");
    SaveVariables(context_.model.variables, variables);
    result_.history.SaveState(history);
    meter_.SaveState(meter);
    for (size_t i = 0; i < options_.callbacks.size(); ++i) {
      StateWriter callback = state.Writer(RunState::CallbackName(i));
      callback.Set("is_here", true);
      callback.Set("may_be_left_out", options_.callbacks[i]->may_be_left_out());
      options_.callbacks[i]->SaveState(callback);
    }
    return state;
  }

  // What OnTrainBegin of a callback may look at.
  absl::Status LoadRun(const RunState& state) {
    SEQ_ASSIGN_OR_RETURN(position_, state.Position());
    const StateReader fit = state.Reader("fit");
    FitFacts then;
    SEQ_RETURN_IF_ERROR(then.Load(fit));
    if (!options_.allow_changes) SEQ_RETURN_IF_ERROR(facts_.CheckSame(then));
    if (then.batch > 0) {
      const int64_t most = std::numeric_limits<int64_t>::max() / then.batch;
      const int64_t rows = std::min(position_.step, most) * then.batch;
      position_.step = std::min(rows / facts_.batch, engine_.steps());
    }
    SEQ_RETURN_IF_ERROR(fit.Get("first_epoch", &context_.first_epoch));
    SEQ_RETURN_IF_ERROR(fit.Get("stop_training", &context_.stop_training));
    SEQ_RETURN_IF_ERROR(fit.Get("ended", &finished_));
    SEQ_RETURN_IF_ERROR(fit.Get("diverged", &diverged_));
    SEQ_RETURN_IF_ERROR(fit.Get("messages", &context_.messages));
    SEQ_RETURN_IF_ERROR(LoadVariables(state.Reader("variable"), context_.model.variables));
    SEQ_RETURN_IF_ERROR(result_.history.LoadState(context_, state.Reader("history")));
    context_.resumed = true;
    return meter_.LoadState(state.Reader("meter"));
  }

  absl::Status LoadCallbacks(const RunState& state) {
    const size_t here = options_.callbacks.size(), there = state.CountCallbacks();
    bool same = true;
    for (size_t i = 0; i < here && same; ++i) {
      Callback& callback = *options_.callbacks[i];
      if (i < there) {
        SEQ_RETURN_IF_ERROR(callback.LoadState(context_, state.Reader(RunState::CallbackName(i))));
      }
      same = i < there || callback.may_be_left_out();
    }
    for (size_t i = here; i < there && same; ++i) {
      bool may_be_left_out = false;  // a state from before there were such says nothing
      const StateReader callback = state.Reader(RunState::CallbackName(i));
      same = callback.Get("may_be_left_out", &may_be_left_out).ok() && may_be_left_out;
    }
    if (same) return absl::OkStatus();
    return InvalidArgument("it is of a run with ", there, " callbacks, and here are ", here);
  }

  // Once a step: must not allocate where no state is wanted.
  absl::Status KeepIfWanted() {
    if (options_.keeper == nullptr || !options_.keeper->Wants(position_)) return absl::OkStatus();
    return WithWholeModel([&] { return options_.keeper->Keep(MakeState()); });
  }

  // At once where the model is whole already.
  template <typename F>
  absl::Status WithWholeModel(F call) {
    if (context_.has_optimizer) return call();
    SEQ_RETURN_IF_ERROR(engine_.Gather());
    context_.has_optimizer = true;
    SEQ_RETURN_IF_ERROR(call());
    context_.has_optimizer = false;
    return engine_.Release();
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
    if (position_.step == 0) {
      SEQ_RETURN_IF_ERROR(ForEach([&](Callback& c) { return c.OnEpochBegin(context_, epoch); }));
      meter_.Reset();
    }
    SEQ_RETURN_IF_ERROR(engine_.Begin(epoch, position_.step));
    SEQ_RETURN_IF_ERROR(TrainBatches());
    if (result_.interrupted) return absl::OkStatus();
    // An interrupt within a validation that changes variables must not keep what it changed.
    if (facts_.validation_writes && options_.keeper != nullptr) before_validation_ = MakeState();
    Logs logs;
    meter_.Write("", logs);
    if (engine_.validates()) SEQ_RETURN_IF_ERROR(Validate(epoch, logs));
    if (result_.interrupted) return absl::OkStatus();
    const TraceSpan callbacks(trace_, "callbacks", "epoch");
    return WithWholeModel([&] { return EndEpoch(epoch, logs); });
  }

  absl::Status EndEpoch(int epoch, Logs& logs) {
    SEQ_RETURN_IF_ERROR(ForEach([&](Callback& c) { return c.OnEpochEnd(context_, epoch, logs); }));
    result_.history.Append(epoch, logs);
    before_validation_.reset();
    finished_ = context_.stop_training;
    position_ = {.epoch = epoch + 1};
    return KeepIfWanted();
  }

  absl::Status TrainBatches() {
    const TraceSpan span(trace_, "train", "pass");
    while (position_.step < engine_.steps() && !context_.stop_training) {
      const int64_t step = position_.step;
      double loss = 0;  // the first that is not finite
      SEQ_RETURN_IF_ERROR(engine_.Train(step, [&](const JudgedBatch& batch) {
        if (std::isfinite(loss)) loss = batch.loss();
        meter_.Add(batch);
      }));
      TakeNote();
      meter_.Write("", batch_logs_);
      SEQ_RETURN_IF_ERROR(EndBatch(step));
      const bool finite = std::isfinite(loss);
      if (!finite && !context_.stop_training) return NotFinite("loss", loss, step, engine_.steps());
      diverged_ |= !finite;
      ++position_.step;
      if (Interrupted()) break;
      SEQ_RETURN_IF_ERROR(KeepIfWanted());
    }
    return absl::OkStatus();
  }

  absl::Status EndBatch(int64_t step) {
    const auto call = [&](Callback& c) { return c.OnBatchEnd(context_, step, batch_logs_); };
    if (context_.has_optimizer) return ForEach(call);
    for (const CallbackHandle& callback : options_.callbacks) {
      if (callback->reads_optimizer()) return WithWholeModel([&] { return ForEach(call); });
    }
    return ForEach(call);
  }

  absl::Status Validate(int epoch, Logs& logs) {
    const TraceSpan span(trace_, "validate", "pass");
    validation_meter_.Reset();
    const auto judge = [&](int64_t step, const JudgedBatch& batch) -> absl::StatusOr<bool> {
      if (!std::isfinite(batch.loss()) && !diverged_) {
        return NotFinite("validation loss", batch.loss(), step, engine_.validation_steps());
      }
      TakeNote();
      validation_meter_.Add(batch);
      return !Interrupted();
    };
    SEQ_RETURN_IF_ERROR(engine_.Validate(epoch, judge));
    if (!result_.interrupted) validation_meter_.Write("val_", logs);
    return absl::OkStatus();
  }

  void TakeNote() {
    std::string note = engine_.TakeNote();
    if (!note.empty()) context_.notes.push_back(std::move(note));
  }

  static absl::Status NotFinite(absl::string_view what, double value, int64_t step, int64_t steps) {
    return FailedPrecondition(
        "batch ", step + 1, " of ", steps, ": the ", what, " is ", value,
        "; training stops, and what was saved before stays. Try a smaller learning "
        "rate");
  }

  const FitOptions& options_;
  Trace* trace_;
  FitEngine& engine_;
  FitContext context_;
  FitResult result_;
  Meter meter_, validation_meter_;
  Logs batch_logs_;
  bool diverged_ = false;  // the loss was not finite, and a callback has stopped the training
  const FitFacts facts_;
  RunPosition position_;
  bool finished_ = false;  // a callback has ended the run, and the epoch is over
  std::optional<RunState> before_validation_;
};

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
  SEQ_ASSIGN_OR_RETURN(const std::vector<float> weights, RowWeights(given, options.class_weights));
  Examples train = given;
  train.weights = weights;
  const bool gather = options.by_length && train.source == nullptr;
  RowOrder order(options.shuffle ? train.rows : 0, options.batch, options.seed,
                 gather ? train.row_steps : absl::Span<const int64_t>());
  const bool alone = options.communicator == nullptr;
  if (!alone && !options.communicator->is_root()) {
    return Follow(train, validation, options, std::move(order));
  }
  SEQ_ASSIGN_OR_RETURN(const std::unique_ptr<FitEngine> engine,
                       alone ? MakeLocalEngine(train, validation, options, std::move(order))
                             : MakeRankEngine(train, validation, options, std::move(order)));
  SEQ_ASSIGN_OR_RETURN(const Function* train_step, runner_.model().GetFunction(kTrainStep));
  SEQ_ASSIGN_OR_RETURN(const std::vector<std::string> outputs,
                       OutputsToRead(*train_step, options.prediction));
  const auto meter = [&] {
    return Meter::Create(*train_step, outputs, options.metrics, options.output_metrics);
  };
  SEQ_ASSIGN_OR_RETURN(Meter train_meter, meter());
  SEQ_ASSIGN_OR_RETURN(Meter validation_meter, meter());
  const Function* evaluate = runner_.model().FindFunction(kEvaluate);
  const FitFacts facts = {.batch = options.batch,
                          .seed = static_cast<int64_t>(options.seed),
                          .rows = train.rows,
                          .validation_rows = validation.rows,
                          .shuffle = options.shuffle,
                          .by_length = options.by_length,
                          .validation_writes = validation.rows > 0 && !evaluate->updates().empty()};
  absl::StatusOr<FitResult> result = FitRun(runner_, options, engine.get(), std::move(train_meter),
                                            std::move(validation_meter), facts)
                                         .Run();
  if (!alone) runner_.Forget();
  return result;
}

absl::StatusOr<std::unique_ptr<FitEngine>> Trainer::MakeLocalEngine(const Examples& train,
                                                                    const Examples& validation,
                                                                    const FitOptions& options,
                                                                    RowOrder order) {
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
  return std::make_unique<LocalEngine>(&runner_, std::move(train_pass), std::move(validation_pass),
                                       std::move(order));
}

RankSteps::Data Trainer::DataOfRanks(const Examples& train, const Examples& validation,
                                     const FitOptions& options, RowOrder order) {
  // What is compiled would look for variables where they are no longer.
  runner_.Forget();
  return {.train = &train,
          .validation = &validation,
          .batch = options.batch,
          .block_rows = options.block_rows > 0 ? std::min(options.block_rows, options.batch)
                                               : RowsOfBlock(options.batch),
          .bucket_bytes = options.bucket_bytes,
          .prediction = options.prediction,
          .order = std::move(order)};
}

absl::StatusOr<std::unique_ptr<FitEngine>> Trainer::MakeRankEngine(const Examples& train,
                                                                   const Examples& validation,
                                                                   const FitOptions& options,
                                                                   RowOrder order) {
  return RankEngine::Create(options.communicator, &runner_, runner_.options(),
                            DataOfRanks(train, validation, options, std::move(order)));
}

absl::StatusOr<FitResult> Trainer::Follow(const Examples& train, const Examples& validation,
                                          const FitOptions& options, RowOrder order) {
  const absl::Status status = FollowRoot(options.communicator, &runner_, runner_.options(),
                                         DataOfRanks(train, validation, options, std::move(order)));
  runner_.Forget();
  SEQ_RETURN_IF_ERROR(status);
  return FitResult();
}

}  // namespace seqgraph
