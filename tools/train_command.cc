#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "base/status_macros.h"
#include "data/text_dataset.h"
#include "serialization/model_io.h"
#include "tools/backend_choice.h"
#include "tools/backend_line.h"
#include "tools/command.h"
#include "tools/data_flags.h"
#include "tools/earlier_model.h"
#include "tools/interrupt.h"
#include "tools/model_flags.h"
#include "tools/output_path.h"
#include "tools/pass_text.h"
#include "tools/profile/profile_flag.h"
#include "tools/terminal.h"
#include "tools/tested_model.h"
#include "tools/training_flags.h"
#include "tools/training_text.h"
#include "training/early_stopping.h"
#include "training/history.h"
#include "training/lambda_callback.h"
#include "training/model_checkpoint.h"
#include "training/optimizers.h"
#include "training/preprocessing.h"
#include "training/progress.h"
#include "training/self_tests.h"
#include "training/summary.h"
#include "training/text_models.h"
#include "training/trainer.h"

namespace seqgraph::tools {
namespace {

// An epoch may take 20 ms, and a self-test with a synced file as long.
constexpr double kSecondsBetweenWrites = 1;
constexpr int kShellSignal = 128;  // A shell's exit status for an interrupted program, less signal.

// Guessing all C classes alike has a loss of ln C; a run that is never below so many times that has
// come apart, whatever it began with.
constexpr double kTimesGuessing = 10;

// A checkpoint's path may name what is measured, in braces; the user's is taken as it is.
std::string Literal(const std::string& path) {
  return absl::StrReplaceAll(path, {{"{", "{{"}, {"}", "}}"}});
}

class TrainCommand : public Command {
 public:
  void Declare(Flags& flags) override {
    data_.DeclareSource(flags);
    std::vector<Flag> of_the_model = model_.Declare(flags);
    data_.DeclareEncoding(flags);
    flags.Int("--batch", &batch_, 1, 1'000'000, "Reviews a step");
    flags.Int("--epochs", &epochs_, 1, 1'000'000, "At most so many");
    const std::vector<Flag> of_the_step = training_.Declare(flags);
    of_the_model.insert(of_the_model.end(), of_the_step.begin(), of_the_step.end());
    flags.Int("--patience", &patience_, 0, 1'000'000,
              "Epochs in a row without a better validation loss before it stops");
    flags.Int("--seed", &seed_, 0, std::numeric_limits<int64_t>::max(),
              "Of starting weights and the order of reviews in each epoch");
    const Flag resume = flags.InputFile(
        "--resume", &resume_,
        "A model saved by train on these texts, to go on with: its layers, weights,\n"
        "optimizer, num_words and maxlen");
    for (Flag flag : of_the_model) flag.Excludes(resume);
    flags.Int(
        "--first_epoch", &first_epoch_, 0, 999'999,
        "Epochs that are done already: the order of texts goes on, and --epochs counts, from\n"
        "there");
    flags.Check("--first_epoch", [this]() -> std::string {
      if (first_epoch_ < epochs_) return "";
      return absl::StrCat("expected less than the ", epochs_, " epochs, got ", first_epoch_);
    });
    backend_.Declare(flags);
    DeclareMaxMemory(flags, &max_memory_);
    flags.Choice("--self_test", &self_test_, {"outputs", "gradients", "none"},
                 "Answers to some reviews that the saved model carries, to be checked when it is\n"
                 "loaded");
    flags.OutputFile(
        "--output", &output_,
        "The saved model, .pb or .textproto; by default imdb-MODEL.pb, synthetic-MODEL.pb\n"
        "for synthetic reviews, NAME-MODEL.pb for NAME.csv and folders of classes",
        /*may_replace=*/"--resume");
    flags.Switch("--overwrite", &overwrite_,
                 "Replace a file that --output finds, also by a model that is not better");
    flags.Check("--output", [this] {
      if (output_.empty()) output_ = absl::StrCat(StemOf(data_.data), "-", model_.input, ".pb");
      return "";
    });
    profile_.Declare(flags);
    flags.OutputFile("--history", &history_, "Losses and accuracies of each epoch as CSV");
    flags.Footer(
        "The file holds the best model so far by validation loss, at most a second old. A model\n"
        "that was there before, or that --resume began with, is measured on the same texts, and\n"
        "only a better one replaces it; what is not better is saved beside it (NAME.new.pb).\n"
        "Ctrl-C finishes the batch, saves (in the first epoch beside a file that is there:\n"
        "NAME.interrupted.pb), and ends with status 130; a second one ends at once.");
  }

  absl::StatusOr<int> Run(Output& out) override {
    return profile_.Around("train", [&] { return Train(out); });
  }

 private:
  absl::StatusOr<int> Train(Output& out) {
    const absl::StatusOr<ModelFormat> format = ModelFormatOfPath(output_);
    if (!format.ok()) return Annotate(format.status(), "--output");
    SEQ_RETURN_IF_ERROR(CheckBackendNames(backend_.backend));
    SEQ_ASSIGN_OR_RETURN(passes_, ChoosePasses(backend_.passes));
    SEQ_ASSIGN_OR_RETURN(earlier_, EarlierModel::Find(output_, overwrite_));
    data::DatasetOptions options = data_.Options();
    options.with_test = false;
    std::optional<Model> resumed;
    if (!resume_.empty()) {
      SEQ_ASSIGN_OR_RETURN(resumed, LoadAnyModel(resume_, backend_.files));
      SEQ_ASSIGN_OR_RETURN(const data::Vocabulary vocabulary, VocabularyToRun(*resumed, resume_));
      options.num_words = vocabulary.num_words();
      options.maxlen = static_cast<int>(resumed->preprocessing.maxlen);
      options.labels = resumed->labels;
    }
    TraceSpan load(profile_.trace(), "load data", "data");
    const std::optional<DataCache> cache = data_.Cache();
    DataOrigin origin;
    SEQ_ASSIGN_OR_RETURN(
        const data::Dataset dataset,
        LoadDatasetCached(data_.data, options, cache ? &*cache : nullptr, &origin));
    load.End();
    out.Write(DataLine(dataset));
    out.Write(OriginLine(origin));
    Model model;
    const bool resumes = resumed.has_value();
    if (resumes) {
      SEQ_RETURN_IF_ERROR(CheckResumed(*resumed, dataset));
      model = *std::move(resumed);
    } else {
      SEQ_ASSIGN_OR_RETURN(model, MakeModel(dataset));
    }
    SEQ_ASSIGN_OR_RETURN(const std::string summary,
                         Summary(model, {.columns = TerminalColumns(out.file())}));
    out.Write(summary);

    SEQ_ASSIGN_OR_RETURN(selection_,
                         ChooseBackends(backend_.backend, PlannedCalls(model, dataset), passes_));

    const InterruptHandler interrupt;
    RunnerOptions run = RunOn(selection_, backend_.threads, passes_);
    run.max_memory = max_memory_;
    run.profile = profile_.profile();
    Trainer trainer(&model, std::move(run));
    SEQ_ASSIGN_OR_RETURN(
        const CompiledFunction* step,
        trainer.runner().Compile(kTrainStep, std::min(batch_, dataset.train.rows)));
    backend_line_ = BackendLine(kTrainStep, step->assignments(), ListOf(selection_));
    out.Write(backend_line_);
    if (backend_.passes != BackendFlags().passes) out.Write(PassCountsText(step->passes()));
    // Whoever cannot be told how it goes is told so now.
    SEQ_RETURN_IF_ERROR(out.Flush());
    // Before the first step: a backend that is wrong from the start.
    SEQ_RETURN_IF_ERROR(SelfTests(trainer, dataset).status());
    SEQ_RETURN_IF_ERROR(Measure(trainer, dataset, resumes, out));
    return Fit(trainer, dataset, interrupt, out);
  }

  // What a model has to beat, before the first step.
  absl::Status Measure(Trainer& trainer, const data::Dataset& dataset, bool resumes, Output& out) {
    SEQ_RETURN_IF_ERROR(
        earlier_.Measure(data_, dataset, RunOn(selection_, backend_.threads, passes_), batch_));
    if (earlier_.loss().has_value()) {
      out.Print("%s is there, with val_loss %.6f on these texts: only a better model replaces it\n",
                output_, *earlier_.loss());
    }
    guessing_ = std::log(static_cast<double>(dataset.labels.size()));
    wild_ = kTimesGuessing * guessing_;
    if (resumes) {
      SEQ_ASSIGN_OR_RETURN(const Logs logs, trainer.Evaluate(data_.ExamplesOf(dataset.validation),
                                                             {.batch = batch_, .metrics = {}}));
      initial_ = logs.at("loss");
      wild_ = std::max(wild_, *initial_);
      if (!earlier_.exists()) {  // It is the best so far.
        SEQ_ASSIGN_OR_RETURN(const std::vector<SelfTest> tests, SelfTests(trainer, dataset));
        SEQ_RETURN_IF_ERROR(SaveModel(trainer.runner().model(), output_, tests));
      }
    }
    return out.Flush();
  }

  // Sets the learning rate too, if there is another.
  absl::Status CheckResumed(Model& model, const data::Dataset& dataset) const {
    if (dataset.vocabulary.words() != model.preprocessing.words) {
      return InvalidArgument(resume_, ": it knows other words than the texts of ", data_.data,
                             " give: it was trained on others");
    }
    for (const char* name : {kTrainStep, kEvaluate}) {
      const absl::StatusOr<const Function*> function = model.GetFunction(name);
      if (!function.ok()) return Annotate(function.status(), resume_);
    }
    const std::optional<double> rate = training_.given_learning_rate();
    return rate.has_value() ? Annotate(SetLearningRate(model, *rate), resume_) : absl::OkStatus();
  }

  absl::StatusOr<Model> MakeModel(const data::Dataset& dataset) const {
    TextModelOptions options = model_.Options();
    options.num_words = data_.num_words;
    options.maxlen = data_.maxlen;
    options.classes = static_cast<int64_t>(dataset.labels.size());
    SEQ_ASSIGN_OR_RETURN(Model model,
                         MakeTextModel(options, {.optimizer = training_.MakeOptimizer(),
                                                 .sample_weight = training_.weighs_classes(),
                                                 .seed = static_cast<uint64_t>(seed_)}));
    SetPreprocessing(dataset, model);
    // Nothing that changes from run to run: equal runs write equal files.
    const bool synthetic = dataset.description == data::kSyntheticName;
    model.description = absl::StrFormat(
        "Review classifier (%s) trained on %d %sreviews: %s, batch %d, seed %d; "
        "the best epoch by validation loss",
        model_.Description(), dataset.train.rows, synthetic ? "synthetic " : "",
        training_.Description(), batch_, seed_);
    return model;
  }

  // All that training will compile: whole batches and what is left of them.
  std::vector<PlannedCall> PlannedCalls(const Model& model, const data::Dataset& dataset) const {
    std::vector<PlannedCall> calls;
    const auto plan = [&](const char* name, int64_t rows) {
      const Function* function = model.FindFunction(name);
      SEQ_CHECK(function != nullptr);
      if (rows >= batch_) calls.push_back({function, batch_});
      if (rows % batch_ != 0) calls.push_back({function, rows % batch_});
    };
    plan(kTrainStep, dataset.train.rows);
    plan(kEvaluate, dataset.validation.rows);
    return calls;
  }

  // Of the first reviews of the validation, with the weights as they are.
  absl::StatusOr<std::vector<SelfTest>> SelfTests(Trainer& trainer, const data::Dataset& dataset) {
    if (self_test_ == "none") return std::vector<SelfTest>();
    const TraceSpan span(profile_.trace(), "self-tests", "start");
    return MakeSelfTests(trainer.runner().model(), data_.ExamplesOf(dataset.validation),
                         self_test_ == "gradients", RunOn(selection_, backend_.threads, passes_));
  }

  absl::StatusOr<int> Fit(Trainer& trainer, const data::Dataset& dataset,
                          const InterruptHandler& interrupt, Output& out) {
    EarlyStopping stopping({.patience = static_cast<int>(patience_),
                            .restore_best_weights = true,
                            .initial_best = initial_});
    const auto self_tests = [&] { return SelfTestsIfPossible(trainer, dataset); };
    // What an interrupt leaves of the first epoch is saved before anything sets other weights.
    bool any_epoch = false;
    LambdaCallback interrupted({.on_epoch_end =
                                    [&](FitContext&, int, Logs&) {
                                      any_epoch = true;
                                      return absl::OkStatus();
                                    },
                                .on_train_end = [&](FitContext& context) -> absl::Status {
                                  if (any_epoch) return absl::OkStatus();
                                  const bool free = !earlier_.exists() && !initial_.has_value();
                                  beside_ = free ? output_ : FreeNameBeside(output_, "interrupted");
                                  return SaveModel(context.model, beside_, self_tests());
                                }});
    const double to_beat =
        std::min({wild_, initial_.value_or(wild_), earlier_.loss().value_or(wild_)});
    ModelCheckpoint checkpoint(Literal(output_), {.save_best_only = true,
                                                  .initial_value_threshold = to_beat,
                                                  .verbose = false,
                                                  .seconds_between_writes = kSecondsBetweenWrites,
                                                  .self_tests = self_tests,
                                                  .trace = profile_.trace()});
    Progress progress(out.file());
    FitOptions options{.epochs = static_cast<int>(epochs_),
                       .batch = batch_,
                       .seed = static_cast<uint64_t>(seed_),
                       .callbacks = {&interrupted, &stopping, &checkpoint},
                       .metrics = training_.Metrics()};
    SEQ_ASSIGN_OR_RETURN(options.class_weights,
                         training_.ClassWeights(dataset.train.targets, dataset.labels));
    options.first_epoch = static_cast<int>(first_epoch_);
    if (!history_.empty()) options.callbacks.push_back(HistoryFile(history_));
    options.callbacks.push_back(&progress);
    options.interrupt = interrupt.flag();
    SEQ_ASSIGN_OR_RETURN(const FitResult result,
                         trainer.Fit(data_.ExamplesOf(dataset.train),
                                     data_.ExamplesOf(dataset.validation), options));
    if (!beside_.empty()) {
      out.Print("Interrupted in the first epoch; saved the model as it is now: %s\n", beside_);
      return kShellSignal + interrupt.signal();
    }
    if (result.interrupted) {
      out.Print("Interrupted in epoch %d.\n", first_epoch_ + result.history.epochs().size() + 1);
    }
    SEQ_RETURN_IF_ERROR(Conclude(result, checkpoint, stopping, trainer, self_tests, out));
    return result.interrupted ? kShellSignal + interrupt.signal() : 0;
  }

  // An error is not worth losing the model for.
  std::vector<SelfTest> SelfTestsIfPossible(Trainer& trainer, const data::Dataset& dataset) {
    absl::StatusOr<std::vector<SelfTest>> tests = SelfTests(trainer, dataset);
    if (tests.ok()) return *std::move(tests);
    std::fprintf(stderr, "seqgraph: saved without a self-test: %s\n",
                 tests.status().ToString().c_str());
    return {};
  }

  // What became of the run's best model, which the trainer's model is.
  absl::Status Conclude(const FitResult& result, const ModelCheckpoint& checkpoint,
                        const EarlyStopping& stopping, Trainer& trainer,
                        const std::function<std::vector<SelfTest>()>& self_tests, Output& out) {
    const std::vector<double>& losses = result.history["val_loss"];
    const double best = *std::min_element(losses.begin(), losses.end());
    Model& model = trainer.runner().model();
    if (!checkpoint.last_path().empty()) {
      ReportBest(result, stopping, out);
      out.Write(SavedText(output_, model.labels));
      return absl::OkStatus();
    }
    if (best >= wild_) {
      return FailedPrecondition(absl::StrFormat(
          "training diverged: the best validation loss of %d epochs is %g, that of guessing %g; "
          "no model was saved. Try a smaller --learning_rate",
          losses.size(), best, guessing_));
    }
    if (initial_.has_value() && best >= *initial_) {
      out.Print(
          "No epoch was better than the model it began with (val_loss %.6f, the best of them "
          "%.6f): %s %s.\n",
          *initial_, best, output_, earlier_.exists() ? "stays as it was" : "holds that one");
      return absl::OkStatus();
    }
    ReportBest(result, stopping, out);
    out.Print("%s stays as it was: its val_loss is %.6f, that of the best epoch %.6f.\n", output_,
              *earlier_.loss(), best);
    if (best == *earlier_.loss()) return absl::OkStatus();
    beside_ = FreeNameBeside(output_, result.interrupted ? "interrupted" : "new");
    SEQ_RETURN_IF_ERROR(SaveModel(model, beside_, self_tests()));
    out.Write(SavedText(beside_, model.labels));
    return absl::OkStatus();
  }

  void ReportBest(const FitResult& result, const EarlyStopping& stopping, Output& out) const {
    const size_t best = static_cast<size_t>(stopping.best_epoch() - first_epoch_);
    out.Print("Best epoch %d%s: val_loss %.4f - val_accuracy %.4f\n", stopping.best_epoch() + 1,
              data_.synthetic() ? " (synthetic data)" : "", result.history["val_loss"][best],
              result.history["val_accuracy"][best]);
    // Where nodes may go elsewhere, the end of a long run says again which did.
    if (ListOf(selection_).size() > 1) out.Write(backend_line_);
  }

  DataFlags data_;
  ModelFlags model_;
  TrainingFlags training_;
  BackendFlags backend_;
  ProfileFlag profile_;
  BackendSelection selection_;
  PassList passes_;
  std::string backend_line_;
  int64_t max_memory_ = 0;
  std::string self_test_ = "outputs";
  int64_t batch_ = 64;
  int64_t epochs_ = 100;
  int64_t patience_ = 3;
  std::string resume_;
  int64_t first_epoch_ = 0;
  int64_t seed_ = 1;
  std::string output_;
  bool overwrite_ = false;
  std::string history_;
  EarlierModel earlier_;
  std::optional<double> initial_;  // val_loss of the model that is resumed
  double guessing_ = 0;            // the loss of guessing all classes alike
  double wild_ = 0;                // and that from which on a run has diverged
  std::string beside_;             // where a model was saved that replaces none
};

}  // namespace

CommandDef DefineTrain() {
  return DefineCommand<TrainCommand>(
      "train", "Train a classifier of texts and save its best model by validation loss");
}

}  // namespace seqgraph::tools
