#include "tools/training_run.h"

#include <errno.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <limits>
#include <thread>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "base/status_macros.h"
#include "serialization/model_io.h"
#include "tools/output_path.h"
#include "tools/run_watch.h"
#include "tools/training_text.h"
#include "training/history.h"

namespace seqgraph::tools {
namespace {

// An epoch may take 20 ms, and a self-test with a synced file as long.
constexpr double kSecondsBetweenWrites = 1;

// Of the pauses at the end, when a model cannot be written.
constexpr double kLastPause = 16;

// A run that is never below so many times the loss of who guesses has come apart, whatever it began
// with.
constexpr double kTimesGuessing = 10;

// A checkpoint's path may name what is measured, in braces; the user's is taken as it is.
std::string Literal(const std::string& path) {
  return absl::StrReplaceAll(path, {{"{", "{{"}, {"}", "}}"}});
}

}  // namespace

// Of the first rows of the validation, with the weights as they are.
absl::StatusOr<std::vector<SelfTest>> TrainingRun::SelfTests() {
  if (!options_.self_test) return std::vector<SelfTest>();
  const TraceSpan span(options_.trace, "self-tests", "start");
  return MakeSelfTests(model(), validates() ? data_.validation() : data_.train(),
                       options_.gradients, options_.run);
}

// An error is not worth losing the model for.
std::vector<SelfTest> TrainingRun::SelfTestsIfPossible() {
  absl::StatusOr<std::vector<SelfTest>> tests = SelfTests();
  if (tests.ok()) return *std::move(tests);
  std::fprintf(stderr, "seqgraph: saved without a self-test: %s\n",
               tests.status().ToString().c_str());
  return {};
}

absl::StatusOr<double> TrainingRun::Loss() {
  SEQ_ASSIGN_OR_RETURN(
      const Logs logs,
      trainer_.Evaluate(data_.validation(), {.batch = options_.batch, .metrics = {}}));
  return logs.at("loss");
}

absl::Status TrainingRun::Measure(bool resumes) {
  const RunState* state = options_.state == nullptr ? nullptr : options_.state->newest();
  if (state != nullptr) {
    SEQ_RETURN_IF_ERROR(Restore(state->Reader("keeper")));
    SEQ_RETURN_IF_ERROR(GoOnText(*state));
  } else {
    SEQ_RETURN_IF_ERROR(Find(resumes));
  }
  if (options_.state != nullptr) options_.state->SetFacts(FactsWithFound());
  // Who is not there to be told any more does not end the run.
  out_.Flush().IgnoreError();
  return absl::OkStatus();
}

// What Find() found, for the states.
Records TrainingRun::FactsWithFound() const {
  Records facts = options_.facts;
  StateWriter found(&facts, "found/");
  found.Set("initial", initial_);
  found.Set("guessing", guessing_);
  found.Set("wild", wild_);
  earlier_.Save(found);
  return facts;
}

absl::Status TrainingRun::Restore(const StateReader& facts) {
  const StateReader found = facts.Below("found");
  SEQ_RETURN_IF_ERROR(found.Get("initial", &initial_));
  SEQ_RETURN_IF_ERROR(found.Get("guessing", &guessing_));
  SEQ_RETURN_IF_ERROR(found.Get("wild", &wild_));
  // Where the run saves its model to another path now, another one may lie there.
  if (validates()) return MeasureEarlier();
  return absl::OkStatus();
}

absl::Status TrainingRun::MeasureEarlier() {
  const bool known = earlier_.loss().has_value();
  SEQ_RETURN_IF_ERROR(earlier_.Measure(data_, model(), options_.run, options_.batch));
  if (known || !earlier_.loss().has_value()) return absl::OkStatus();
  out_.Print("%s is there, with val_loss %.6f on these %s: only a better model replaces it\n",
             options_.output, *earlier_.loss(), data_.noun());
  return absl::OkStatus();
}

absl::Status TrainingRun::GoOnText(const RunState& state) {
  SEQ_ASSIGN_OR_RETURN(const RunPosition position, state.Position());
  const std::string& folder = options_.state->path();
  bool ended = false;
  SEQ_RETURN_IF_ERROR(state.Reader("fit").Get("ended", &ended));
  if (position.epoch >= options_.epochs || ended) {
    out_.Print("The run in %s has ended, after %d epochs.\n", folder, position.epoch);
  } else {
    out_.Print("Going on with the run in %s: epoch %d, %d batches of it are done.\n", folder,
               position.epoch + 1, position.step);
  }
  return absl::OkStatus();
}

absl::Status TrainingRun::Find(bool resumes) {
  // Before the first step: a backend that is wrong from the start.
  SEQ_RETURN_IF_ERROR(SelfTests().status());
  if (!validates()) return absl::OkStatus();
  SEQ_RETURN_IF_ERROR(MeasureEarlier());
  if (resumes) {
    SEQ_ASSIGN_OR_RETURN(initial_, Loss());
  }
  std::optional<double> guessing = data_.guessing();
  if (!guessing.has_value()) {
    SEQ_ASSIGN_OR_RETURN(guessing, initial_.has_value() ? *initial_ : Loss());
  }
  guessing_ = *guessing;
  wild_ = std::max(kTimesGuessing * guessing_, initial_.value_or(0));
  if (initial_.has_value() && !earlier_.exists()) {  // It is the best so far.
    SEQ_ASSIGN_OR_RETURN(const std::vector<SelfTest> tests, SelfTests());
    SEQ_RETURN_IF_ERROR(SaveModel(model(), options_.output, tests));
  }
  return absl::OkStatus();
}

absl::Status TrainingRun::SaveBeside(const std::string& path) {
  beside_ = path;
  return SaveModel(model(), beside_, SelfTestsIfPossible());
}

// What an interrupt leaves of the first epoch is saved before anything sets other weights.
absl::Status TrainingRun::SaveInitial() {
  const bool free = !earlier_.exists() && !initial_.has_value();
  return SaveBeside(free ? options_.output : FreeNameBeside(options_.output, "interrupted"));
}

FitOptions FitOptionsOf(const TrainingRunOptions& options) {
  return {.epochs = static_cast<int>(options.epochs),
          .batch = options.batch,
          .seed = static_cast<uint64_t>(options.seed),
          .first_epoch = static_cast<int>(options.first_epoch),
          .metrics = options.metrics,
          .class_weights = options.class_weights,
          .state = options.state == nullptr ? nullptr : options.state->newest(),
          .allow_changes = options.allow_changes,
          .communicator = options.communicator,
          .block_rows = options.block_rows,
          .keeper = options.state};
}

ModelCheckpointOptions TrainingRun::CheckpointOptions() {
  const double to_beat =
      std::min({wild_, initial_.value_or(wild_), earlier_.loss().value_or(wild_)});
  return {.save_best_only = true,
          .initial_value_threshold = to_beat,
          .verbose = false,
          .seconds_between_writes = kSecondsBetweenWrites,
          .keep_trying = true,
          .self_tests = [this] { return SelfTestsIfPossible(); },
          .trace = options_.trace};
}

// A run that goes on has the same callbacks in the same order, whatever the flags: VerifyRun counts
// on it too.
absl::StatusOr<int> TrainingRun::FitAndSave(const InterruptHandler& interrupt) {
  std::function<absl::Status()> save_initial = [this] { return SaveInitial(); };
  RunWatch watch(&interrupt, options_.learning_rate,
                 options_.state == nullptr ? save_initial : nullptr,
                 [this](FitContext& context) { SaveLastWeights(context); });
  EarlyStopping stopping({.patience = static_cast<int>(options_.patience),
                          .restore_best_weights = true,
                          .initial_best = initial_});
  ModelCheckpoint& checkpoint = checkpoint_.emplace(Literal(options_.output), CheckpointOptions());
  const std::shared_ptr<Callback> progress = options_.progress.Make(
      out_, {.monitor = validates() ? "val_loss" : "",
             .patience_left = [&] { return static_cast<int>(options_.patience) - stopping.wait(); },
             .rows = data_.train().rows});
  FitOptions fit = FitOptionsOf(options_);
  fit.interrupt = interrupt.flag();
  fit.callbacks = {&watch};
  if (validates()) {
    fit.callbacks.push_back(&stopping);
    fit.callbacks.push_back(&checkpoint);
  }
  if (options_.history.empty()) {
    fit.callbacks.push_back(History());
  } else {
    fit.callbacks.push_back(HistoryFile(options_.history));
  }
  fit.callbacks.push_back(progress);
  if (options_.record.has_value()) {
    log_.emplace(*options_.record, RunLogOptions{.best_model = [this] { return BestModel(); }});
    fit.callbacks.push_back(&*log_);
  }
  // Behind all others: a run may go on with it or without it.
  if (options_.tensorboard.has_value()) fit.callbacks.push_back(TensorBoard(*options_.tensorboard));
  SEQ_ASSIGN_OR_RETURN(const FitResult result,
                       trainer_.Fit(data_.train(), data_.validation(), fit));
  SEQ_RETURN_IF_ERROR(FinishSaving(checkpoint, result));
  if (!beside_.empty()) {
    out_.Print("Interrupted in the first epoch; saved the model as it is now: %s\n", beside_);
    return interrupt.exit_status();
  }
  if (result.interrupted) {
    out_.Print("Interrupted in epoch %d.\n",
               options_.first_epoch + result.history.epochs().size() + 1);
    if (options_.state != nullptr) {
      out_.Print("To go on:\n  %s train --resume=%s\n", program_invocation_name,
                 Quoted(options_.state->where()));
      if (result.history.epochs().empty() || !validates()) return interrupt.exit_status();
    }
  }
  SEQ_RETURN_IF_ERROR(validates() ? Conclude(result, checkpoint, stopping)
                                  : SaveLast(result.interrupted));
  return result.interrupted ? interrupt.exit_status() : 0;
}

absl::StatusOr<int> TrainingRun::Fit(const InterruptHandler& interrupt) {
  const absl::StatusOr<int> status = FitAndSave(interrupt);
  if (log_.has_value()) FinishRecord(status);
  return status;
}

void TrainingRun::FinishRecord(const absl::StatusOr<int>& status) {
  const RunStatus ended = !status.ok()   ? RunStatus::kFailed
                          : *status == 0 ? RunStatus::kFinished
                                         : RunStatus::kInterrupted;
  const absl::Status written =
      log_->Finish(ended, status.ok() ? "" : std::string(status.status().message()));
  if (!written.ok()) {
    std::fprintf(stderr, "seqgraph: the run's record is not whole: %s\n",
                 std::string(written.message()).c_str());
  } else if (ended == RunStatus::kFinished) {
    out_.Print("The run: %s. To see it:\n  %s report %s\n", options_.record->folder,
               program_invocation_name, Quoted(options_.record->folder));
  }
}

// Of this run, and not one that was there before it.
std::string TrainingRun::BestModel() const {
  if (!beside_.empty()) return beside_;
  if (!saved_at_.empty()) return saved_at_;
  return checkpoint_.has_value() ? checkpoint_->last_path() : "";
}

void TrainingRun::SaveLastWeights(FitContext& context) {
  if (!options_.record.has_value()) return;
  const absl::Status status =
      SaveModel(context.model, absl::StrCat(options_.record->folder, "/", kLastModelFile));
  if (!status.ok()) {
    context.notes.push_back(absl::StrCat("The last weights are not saved: ", status.message()));
  }
}

// What could not be written while the run went on: tried again for some time, then elsewhere. Only
// what is nowhere in the end is an error.
absl::Status TrainingRun::FinishSaving(ModelCheckpoint& checkpoint, const FitResult& result) {
  absl::Status status = checkpoint.write_status();
  for (double pause = 1; !status.ok() && options_.fallback.empty() && pause <= kLastPause;
       pause *= 2) {
    std::fprintf(stderr, "seqgraph: %s; trying again in %g s\n",
                 std::string(status.message()).c_str(), pause);
    std::this_thread::sleep_for(std::chrono::duration<double>(pause));
    status = checkpoint.TryAgain(model());
  }
  if (!status.ok() && !options_.fallback.empty()) {
    saved_at_ = absl::StrCat(options_.fallback, "/",
                             options_.output.substr(options_.output.rfind('/') + 1));
    const std::string why(status.message());
    status = checkpoint.TryAgain(model(), saved_at_);
    // Also where nothing else is printed.
    if (status.ok()) {
      std::fprintf(stderr, "seqgraph: %s; the best model is in %s\n", why.c_str(),
                   saved_at_.c_str());
    }
  }
  const absl::Status state =
      options_.state == nullptr ? absl::OkStatus() : options_.state->Finish();
  const bool state_is_lost = !state.ok() && options_.state->where().empty();
  if (!state.ok() && !state_is_lost) {
    std::fprintf(stderr, "seqgraph: %s; it is in %s\n", std::string(state.message()).c_str(),
                 options_.state->where().c_str());
  }
  if (!status.ok()) {
    const bool kept = options_.state != nullptr && !state_is_lost;
    return Annotate(
        status,
        kept ? absl::StrCat("the best model is in the state of the run in ",
                            options_.state->where(), ", but not in ", options_.output)
             : absl::StrCat("the best model of this run is nowhere: not in ", options_.output));
  }
  // With its model at hand a run that has ended needs no state.
  if (state_is_lost && !result.interrupted) {
    std::fprintf(stderr, "seqgraph: %s\n", std::string(state.message()).c_str());
    return absl::OkStatus();
  }
  return state_is_lost ? state : absl::OkStatus();
}

// Without a validation no model is known to be better than another.
absl::Status TrainingRun::SaveLast(bool interrupted) {
  const char* why = interrupted ? "interrupted" : "new";
  SEQ_RETURN_IF_ERROR(
      SaveBeside(earlier_.keeps() ? FreeNameBeside(options_.output, why) : options_.output));
  if (beside_ != options_.output) {
    out_.Print("%s stays as it was: without a validation nothing tells which is better.\n",
               options_.output);
  }
  out_.Write(SavedText(beside_, data_.ExampleUse(beside_)));
  return absl::OkStatus();
}

// What became of the run's best model, which the trainer's model is.
absl::Status TrainingRun::Conclude(const FitResult& result, const ModelCheckpoint& checkpoint,
                                   const EarlyStopping& stopping) {
  const std::vector<double>& losses = result.history["val_loss"];
  const double best = *std::min_element(losses.begin(), losses.end());
  const std::string& output = options_.output;
  if (!checkpoint.last_path().empty()) {
    const std::string& path = saved_at_.empty() ? output : saved_at_;
    SEQ_RETURN_IF_ERROR(ReportBest(result, stopping));
    out_.Write(SavedText(path, data_.ExampleUse(path)));
    return absl::OkStatus();
  }
  if (best >= wild_) {
    return FailedPrecondition(absl::StrFormat(
        "training diverged: the best validation loss of %d epochs is %g, that of guessing %g; "
        "no model was saved. Try a smaller --learning_rate",
        losses.size(), best, guessing_));
  }
  if (initial_.has_value() && best >= *initial_) {
    out_.Print(
        "No epoch was better than the model it began with (val_loss %.6f, the best of them "
        "%.6f): %s %s.\n",
        *initial_, best, output, earlier_.exists() ? "stays as it was" : "holds that one");
    return absl::OkStatus();
  }
  SEQ_RETURN_IF_ERROR(ReportBest(result, stopping));
  if (!earlier_.loss().has_value()) {
    return absl::InternalError("no epoch's model was saved, and there was none to beat");
  }
  out_.Print("%s stays as it was: its val_loss is %.6f, that of the best epoch %.6f.\n", output,
             *earlier_.loss(), best);
  if (best == *earlier_.loss()) return absl::OkStatus();
  if (result.interrupted && options_.state != nullptr) return absl::OkStatus();
  SEQ_RETURN_IF_ERROR(
      SaveBeside(FreeNameBeside(output, result.interrupted ? "interrupted" : "new")));
  out_.Write(SavedText(beside_, data_.ExampleUse(beside_)));
  return absl::OkStatus();
}

absl::Status TrainingRun::ReportBest(const FitResult& result, const EarlyStopping& stopping) {
  const size_t best = static_cast<size_t>(stopping.best_epoch() - options_.first_epoch);
  out_.Print("Best epoch %d%s: val_loss %.4f", stopping.best_epoch() + 1, data_.caveat(),
             result.history["val_loss"][best]);
  Logs logs;
  for (const auto& [name, values] : result.history.values()) logs[name] = values[best];
  if (!options_.metrics.empty()) {
    const std::string name = absl::StrCat("val_", options_.metrics.front().name);
    if (logs.count(name) > 0) out_.Print(" - %s %.4f", name, logs.at(name));
  }
  out_.Print("\n");
  SEQ_ASSIGN_OR_RETURN(const std::string baseline, data_.BaselineLines(logs));
  out_.Write(baseline);
  // Where nodes may go elsewhere, the end of a long run says again which did.
  out_.Write(options_.backend_line);
  return absl::OkStatus();
}

}  // namespace seqgraph::tools
