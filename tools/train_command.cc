#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <future>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "distributed/job.h"
#include "serialization/model_io.h"
#include "tools/backend_choice.h"
#include "tools/backend_line.h"
#include "tools/command.h"
#include "tools/cross_validation.h"
#include "tools/data_flags.h"
#include "tools/earlier_model.h"
#include "tools/interrupt.h"
#include "tools/model_flags.h"
#include "tools/next_training.h"
#include "tools/output_lock.h"
#include "tools/pass_text.h"
#include "tools/profile/profile_flag.h"
#include "tools/progress_flags.h"
#include "tools/rank_training.h"
#include "tools/report/write_report.h"
#include "tools/run_description.h"
#include "tools/run_facts.h"
#include "tools/run_flags.h"
#include "tools/run_verification.h"
#include "tools/series_flags.h"
#include "tools/series_training.h"
#include "tools/tensorboard_flag.h"
#include "tools/terminal.h"
#include "tools/tested_model.h"
#include "tools/text_training.h"
#include "tools/training_flags.h"
#include "tools/training_run.h"
#include "tools/training_text.h"
#include "training/summary.h"

namespace seqgraph::tools {
namespace {

class TrainCommand : public Command {
 public:
  void Declare(Flags& flags) override {
    flags.Group("Data");
    data_.DeclareSource(flags);
    data_.DeclareEncoding(flags);
    flags.Group("Task and series of numbers");
    series_.Declare(flags, data_);
    flags.Group("Layers");
    std::vector<Flag> of_the_model = model_.Declare(flags);
    flags.Check("--task", [this]() -> std::string {
      const std::string given = series_.Wanted(data_) ? model_.GivenOfTexts() : "";
      if (!given.empty()) return absl::StrCat(given, " is for models of texts");
      return series_.TellsNext() ? CheckNext() : "";
    });
    flags.Group("Training");
    batch_flag_ =
        flags.Int("--batch", &batch_, 1, 1'000'000, "Rows a step; of series by default 32");
    flags.Int("--epochs", &epochs_, 1, 1'000'000, "At most so many");
    const std::vector<Flag> of_the_step = training_.Declare(flags);
    of_the_model.insert(of_the_model.end(), of_the_step.begin(), of_the_step.end());
    patience_flag_ = flags.Int("--patience", &patience_, 0, 1'000'000,
                               "Epochs in a row without a better validation loss before it stops;\n"
                               "of series by default 10");
    flags.Int("--seed", &seed_, 0, std::numeric_limits<int64_t>::max(),
              "Of starting weights, of the order of rows in each epoch, of splits of series");
    const Flag resume = flags.InputFile("--resume", &resume_,
                                        "A run's folder (--run): it goes on where it was, and "
                                        "needs no other flag. Or a model saved\n"
                                        "by train on these texts, to begin with: its layers, "
                                        "weights, optimizer, num_words, maxlen\n"
                                        "and tokens");
    for (Flag flag : of_the_model) {
      flag.Excludes(resume);
      of_the_model_.push_back(flag.name());
    }
    flags.Int(
        "--first_epoch", &first_epoch_, 0, 999'999,
        "Epochs that are done already: the order of texts goes on, and --epochs counts, from\n"
        "there");
    flags.Check("--first_epoch", [this]() -> std::string {
      if (first_epoch_ < epochs_) return "";
      return absl::StrCat("expected less than the ", epochs_, " epochs, got ", first_epoch_);
    });
    flags.Group("State of the run");
    run_.Declare(flags);
    flags.Group("Ranks of a job");
    ranks_.Declare(flags);
    flags.Check("--distributed", [this] {
      if (ranks_.job.distributed) {
        return run_.verify || series_.folds > 0 ? "goes neither with --verify nor with --folds"
                                                : "";
      }
      return IsInJob() ? "is missing: each of the processes that were started together would train "
                         "the same model"
                       : "";
    });
    flags.Group("Running");
    import_.DeclareNone(flags);
    backend_.Declare(flags);
    DeclareMaxMemory(flags, &max_memory_);
    flags.Choice("--self_test", &self_test_, {"outputs", "gradients", "none"},
                 "Answers to some reviews that the saved model carries, to be checked when it is\n"
                 "loaded");
    flags.OutputFile(
        "--output", &output_,
        "The saved model, .pb or .textproto; by default imdb-MODEL.pb, synthetic-MODEL.pb\n"
        "for synthetic reviews, NAME-MODEL.pb for NAME.csv and folders of classes, of series\n"
        "NAME.pb",
        /*may_replace=*/"--resume");
    flags.Switch("--overwrite", &overwrite_,
                 "Replace a file that --output finds, also by a model that is not better");
    flags.Check("--output", [this] {
      if (!output_.empty()) return "";
      const bool next = series_.TellsNext();
      const std::string of =
          series_.Wanted(data_) ? "" : absl::StrCat("-", next ? "next" : model_.input);
      output_ = absl::StrCat(StemOf(data_.data, /*archives=*/!next && !of.empty()), of, ".pb");
      return "";
    });
    profile_.Declare(flags);
    progress_.Declare(flags);
    flags.OutputFile("--history", &history_, "Losses and accuracies of each epoch as CSV");
    flags.OutputFile("--report", &report_,
                     "A page of the run once it has ended, as `seqgraph report` makes it");
    flags.Check("--report", [this] {
      return report_.empty() || run_.folder != "off" ? "" : "needs a folder of the run";
    });
    tensorboard_.Declare(flags, series_.folds);
    flags.Footer(
        "The file holds the best model so far by validation loss, at most a second old. A model\n"
        "that was there before, that --resume began with, or that came while a run did not go on,\n"
        "is measured on the same texts, and only a better one replaces it; what is not better is\n"
        "saved beside it (NAME.new.pb). One process at a time trains and saves to a file.\n"
        "Ctrl-C, SIGTERM and SIGHUP finish the batch, save (in the first epoch beside a file that "
        "is\n"
        "there: NAME.interrupted.pb), and end with status 128 + signal; a second one ends at "
        "once.\n"
        "SIGUSR1 prints how far it is. A file that cannot be written does not end the run: it is\n"
        "tried again, to the end and some time beyond.\n"
        "\n"
        "Examples:\n"
        "  seqgraph train --data=aclImdb_v1.tar.gz --cell=lstm --units=16\n"
        "  seqgraph train --data=vowels.csv --series=id --order=step --label=speaker --cell=gru\n"
        "  seqgraph train --data=sunspots.csv --column=SUNACTIVITY --window=24 --horizon=1\n"
        "  seqgraph train --data=stories.txt --task=next --maxlen=50\n"
        "  seqgraph train --data=aclImdb_v1.tar.gz --run=first; seqgraph train --resume=first");
    flags_ = flags;
  }

  absl::StatusOr<std::vector<std::string>> Expand(std::vector<std::string> given) override {
    return RunFlags::Expand(std::move(given));
  }

  absl::StatusOr<int> Run(Output& out) override {
    // The model is of more worth than what is said of it: a reader that goes away ends nothing.
    std::signal(SIGPIPE, SIG_IGN);
    if (progress_.mutes_text()) out.Mute();
    SEQ_ASSIGN_OR_RETURN(job_, ranks_.job.Join());
    if (!job_->is_root()) {
      SilenceOutput();
      return Train(out);
    }
    const absl::StatusOr<int> status = profile_.Around(
        "train", [&] { return Train(out); }, /*work_is_worth_more=*/true);
    if (status.ok()) Report(out);
    const absl::Status said = out.Flush();
    if (status.ok() && !said.ok()) {
      std::fprintf(stderr, "seqgraph: the run went on to its end, but %s\n",
                   std::string(said.message()).c_str());
      out.Forget();
    }
    return status;
  }

 private:
  // Of less worth than the run, which has ended well.
  void Report(Output& out) const {
    if (report_.empty()) return;
    const absl::StatusOr<std::string> lines =
        run_.names_folder() ? WriteReport({run_.folder}, report_, flags_->files())
                            : FailedPrecondition("the run has left no folder");
    if (lines.ok()) {
      out.Write(*lines);
    } else {
      std::fprintf(stderr, "seqgraph: --report=%s is not written: %s\n", report_.c_str(),
                   std::string(lines.status().message()).c_str());
    }
  }

  absl::StatusOr<int> Train(Output& out) {
    const absl::StatusOr<ModelFormat> format = ModelFormatOfPath(output_);
    if (!format.ok()) return Annotate(format.status(), "--output");
    SEQ_RETURN_IF_ERROR(CheckBackendNames(backend_.backend));
    SEQ_ASSIGN_OR_RETURN(passes_, ChoosePasses(backend_.passes));
    if (run_.names_folder() && series_.folds > 0) {
      return InvalidArgument("--run keeps one run, and --folds makes several");
    }
    const RunFlags::Say say = [](const std::string& text) {
      std::fprintf(stderr, "seqgraph: %s\n", text.c_str());
    };
    std::unique_ptr<RunFolder> state;
    if (job_->is_root()) {
      SEQ_ASSIGN_OR_RETURN(state, run_.OpenEarlier(overwrite_, say));
    }
    // The root has the folder; the others begin with the same model.
    bool goes_on = state != nullptr && state->newest() != nullptr;
    SEQ_RETURN_IF_ERROR(job_->BroadcastValue(&goes_on));
    if (run_.verify && !goes_on) {
      return FailedPrecondition(run_.folder, " holds no state of a run that could be repeated");
    }
    std::optional<OutputLock> lock;
    if (job_->is_root() && !run_.verify && series_.folds == 0) {
      SEQ_ASSIGN_OR_RETURN(lock, OutputLock::Take("--output", output_));
    }
    std::optional<EarlierModel> earlier;
    if (job_->is_root() && !goes_on) {
      SEQ_ASSIGN_OR_RETURN(earlier, EarlierModel::Find(output_, overwrite_));
    }
    std::optional<Model> resumed;
    if (!resume_.empty()) {
      SEQ_ASSIGN_OR_RETURN(resumed, LoadAnyModel(goes_on ? FirstModel() : resume_, import_));
    }
    if (series_.Wanted(data_)) PreferForSeries();
    if (series_.TellsNext()) PreferForNext();
    data_source_ = MakeData();
    TraceSpan load(profile_.trace(), "load data", "data");
    SEQ_RETURN_IF_ERROR(data_source_->Load(resumed.has_value() ? &*resumed : nullptr, resume_));
    load.End();
    if (job_->is_root() && goes_on) {
      SEQ_ASSIGN_OR_RETURN(earlier, FindEarlier(*state->newest()));
    }
    if (job_->is_root() && run_.folder != "off") row_hashes_ = HashRows(*data_source_);
    out.Write(data_source_->Lines());
    const bool resumes = resumed.has_value();
    if (resumes) {
      SEQ_RETURN_IF_ERROR(CheckResumed(*resumed));
    } else if (goes_on) {
      SEQ_ASSIGN_OR_RETURN(resumed, LoadAnyModel(FirstModel(), import_));
    } else {
      SEQ_ASSIGN_OR_RETURN(resumed, MakeModel());
    }
    Model model = *std::move(resumed);
    SEQ_ASSIGN_OR_RETURN(const std::string summary,
                         Summary(model, {.columns = TerminalColumns(out.file())}));
    out.Write(summary);
    SEQ_ASSIGN_OR_RETURN(selection_,
                         ChooseBackends(backend_.backend,
                                        TrainingCalls(model, data_source_->train().rows,
                                                      data_source_->validation().rows, batch_),
                                        passes_));

    InterruptHandler interrupt;
    interrupt.TakeQuestions();
    if (run_.max_seconds > 0) interrupt.EndAfter(run_.max_seconds);
    SEQ_ASSIGN_OR_RETURN(TrainingRunOptions options, RunOptions());
    RunnerOptions run = options.run;
    run.max_memory = max_memory_;
    run.profile = profile_.profile();
    Trainer trainer(&model, std::move(run));
    SEQ_ASSIGN_OR_RETURN(
        const CompiledFunction* step,
        trainer.runner().Compile(kTrainStep, std::min(batch_, data_source_->train().rows)));
    const std::vector<const Backend*> backends = ListOf(selection_);
    const std::string backend_line = BackendLine(kTrainStep, step->assignments(), backends);
    if (backends.size() > 1) options.backend_line = backend_line;
    out.Write(backend_line);
    if (backend_.passes != BackendFlags().passes) out.Write(PassCountsText(step->passes()));
    // Whoever cannot be told how it goes is told so now.
    SEQ_RETURN_IF_ERROR(out.Flush());
    if (series_.folds > 0) return Fold(interrupt, std::move(options.run), out);
    if (ranks_.job.distributed) {
      options.communicator = job_.get();
      options.block_rows = ranks_.block_rows;
      SEQ_RETURN_IF_ERROR(
          CheckSameTraining(*job_, flags_->Given(), *data_source_, trainer.runner()));
    }
    if (!job_->is_root()) {
      SEQ_RETURN_IF_ERROR(
          trainer.Fit(data_source_->train(), data_source_->validation(), FitOptionsOf(options))
              .status());
      return 0;
    }
    options.fallback = run_.fallback;
    // Not before, so that what cannot begin leaves no folder.
    if (state == nullptr) {
      SEQ_ASSIGN_OR_RETURN(state,
                           run_.OpenNew(std::filesystem::path(output_).stem().string(), say));
    }
    options.tensorboard = tensorboard_.Options(*flags_, options, *data_source_, trainer);
    if (state != nullptr && !goes_on) {
      const absl::Status first = SaveModel(model, FirstModel());
      if (!run_.is_default) SEQ_RETURN_IF_ERROR(first);
      if (!first.ok()) {  // A folder that nobody asked for ends nothing.
        say(absl::StrCat("nothing is kept of this run: ", first.message()));
        state.reset();
        run_.folder = "off";
      }
    }
    if (state != nullptr) {
      SEQ_RETURN_IF_ERROR(SetState(state.get(), trainer.runner(), *step, model, options));
    }
    if (run_.verify) return VerifyRun(*data_source_, trainer, options, out);
    TrainingRun training(*data_source_, *earlier, trainer, options, out);
    SEQ_RETURN_IF_ERROR(training.Measure(resumes));
    return training.Fit(interrupt);
  }

  // What the run saved as its best; empty where nobody compares: without a validation nothing tells
  // which is better, and to verify a run is not to save it.
  std::string OwnBestModel() const {
    const bool compares = !run_.verify && data_source_->validation().rows > 0;
    return compares ? absl::StrCat(run_.folder, "/", kBestModelFile) : "";
  }

  // The file that the run begins with.
  std::string FirstModel() const { return absl::StrCat(run_.folder, "/model.pb"); }

  // What a run that goes on found at --output when it began, unless it is another file now, and
  // what has come there since.
  absl::StatusOr<EarlierModel> FindEarlier(const RunState& state) const {
    SEQ_ASSIGN_OR_RETURN(
        std::optional<EarlierModel> known,
        EarlierModel::Load(state.Reader("keeper").Below("found"), output_, OwnBestModel()));
    if (known.has_value()) return *std::move(known);
    return EarlierModel::Find(output_, overwrite_);
  }

  // What the run is made with goes into its states, and must be as it was in one that goes on.
  absl::Status SetState(RunFolder* state, const ModelRunner& runner, const CompiledFunction& step,
                        const Model& model, TrainingRunOptions& options) {
    SEQ_ASSIGN_OR_RETURN(
        const RunFacts now,
        RunFacts::Make(flags_->Given(), output_, row_hashes_.get(), FirstModel(), runner, step));
    if (state->newest() != nullptr) {
      SEQ_ASSIGN_OR_RETURN(const RunFacts then, RunFacts::Load(state->newest()->Reader("keeper")));
      SEQ_ASSIGN_OR_RETURN(
          const std::vector<std::string> changed,
          Annotate(CheckChanges(then, now, of_the_model_, run_.allow_changes || run_.verify),
                   run_.folder));
      if (absl::c_linear_search(changed, "--learning_rate")) {
        options.learning_rate = training_.given_learning_rate();
      }
    }
    now.Save(options.facts);
    options.record =
        DescribeRun(state->path(), now, *data_source_, data_.data, model, seed_, batch_);
    options.state = state;
    options.allow_changes = run_.allow_changes;
    return absl::OkStatus();
  }

  // What serves small sets of numbers, where the user says nothing else.
  void PreferForSeries() {
    training_.PreferOptimizer("adam");
    model_.PreferLayers("lstm", 32);
    if (!batch_flag_->given()) batch_ = 32;
    if (!patience_flag_->given()) patience_ = 10;
  }

  // What does not go with the next token of a text; empty: all does.
  std::string CheckNext() const {
    std::string given = data_.GivenOfLabelledTexts();
    if (given.empty()) given = model_.GivenOfWholeTexts();
    if (given.empty() && training_.weighs_classes()) given = "--class_weight";
    return given.empty() ? "" : absl::StrCat(given, " does not go with --task=next");
  }

  // Likewise for characters of a text.
  void PreferForNext() {
    training_.PreferOptimizer("adam");
    model_.PreferLayers("lstm", 64);
    if (!data_.tokens_flag->given()) {
      data_.tokens = std::string(data::TokenRuleName(data::TokenRule::kCharacters));
    }
    if (!batch_flag_->given()) batch_ = 32;
    if (!patience_flag_->given()) patience_ = 10;
  }

  std::unique_ptr<TrainingData> MakeData() {
    if (series_.TellsNext()) return std::make_unique<NextTraining>(data_, model_);
    if (!series_.Wanted(data_)) {
      return std::make_unique<TextTraining>(data_, model_, series_.scale);
    }
    auto series = std::make_unique<SeriesTraining>(data_, model_, series_, seed_, max_memory_);
    series_source_ = series.get();
    return series;
  }

  // --folds, of series alone.
  absl::StatusOr<int> Fold(const InterruptHandler& interrupt, RunnerOptions run, Output& out) {
    const absl::Status status = CrossValidate(*series_source_,
                                              {.folds = static_cast<int>(series_.folds),
                                               .batch = batch_,
                                               .epochs = epochs_,
                                               .patience = patience_,
                                               .seed = seed_,
                                               .make_model = [this] { return MakeModel(); },
                                               .run = std::move(run),
                                               .interrupt = interrupt.flag()},
                                              out);
    if (absl::IsCancelled(status)) return interrupt.exit_status();
    SEQ_RETURN_IF_ERROR(status);
    return 0;
  }

  // Sets the learning rate too, if there is another.
  absl::Status CheckResumed(Model& model) const {
    for (const char* name : {kTrainStep, kEvaluate}) {
      const absl::StatusOr<const Function*> function = model.GetFunction(name);
      if (!function.ok()) return Annotate(function.status(), resume_);
    }
    const std::optional<double> rate = training_.given_learning_rate();
    return rate.has_value() ? Annotate(SetLearningRate(model, *rate), resume_) : absl::OkStatus();
  }

  absl::StatusOr<Model> MakeModel() const {
    SEQ_ASSIGN_OR_RETURN(Model model,
                         data_source_->MakeModel({.optimizer = training_.MakeOptimizer(),
                                                  .sample_weight = training_.weighs_classes(),
                                                  .seed = static_cast<uint64_t>(seed_)}));
    // Nothing that changes from run to run: equal runs write equal files.
    model.description = absl::StrFormat(
        "%s trained on %d %s%s: %s, batch %d, seed %d; the %s", data_source_->ModelDescription(),
        data_source_->train().rows, data_.synthetic() ? "synthetic " : "", data_source_->noun(),
        training_.Description(), batch_, seed_,
        data_source_->validation().rows > 0 ? "best epoch by validation loss" : "last epoch");
    return model;
  }

  absl::StatusOr<TrainingRunOptions> RunOptions() {
    TrainingRunOptions options{.output = output_,
                               .history = history_,
                               .batch = batch_,
                               .epochs = epochs_,
                               .first_epoch = first_epoch_,
                               .patience = patience_,
                               .seed = seed_,
                               .self_test = self_test_ != "none",
                               .gradients = self_test_ == "gradients",
                               .progress = progress_,
                               .metrics = training_.Metrics(data_source_->DefaultMetrics()),
                               .run = RunOn(selection_, backend_.threads, passes_),
                               .trace = profile_.trace()};
    SEQ_ASSIGN_OR_RETURN(
        options.class_weights,
        training_.ClassWeights(data_source_->train().targets, data_source_->labels()));
    return options;
  }

  DataFlags data_;
  SeriesFlags series_;
  ModelFlags model_;
  TrainingFlags training_;
  ImportFlags import_;
  BackendFlags backend_;
  RankFlags ranks_;
  std::unique_ptr<Communicator> job_;  // one rank alone without --distributed
  ProfileFlag profile_;
  ProgressFlags progress_;
  TensorBoardFlag tensorboard_;
  std::unique_ptr<TrainingData> data_source_;
  SeriesTraining* series_source_ = nullptr;  // the same, of series
  std::future<RowHashes> row_hashes_;        // for the folder of the run
  BackendSelection selection_;
  PassList passes_;
  int64_t max_memory_ = 0;
  std::string self_test_ = "outputs";
  std::optional<Flag> batch_flag_, patience_flag_;
  int64_t batch_ = 64;
  int64_t epochs_ = 100;
  int64_t patience_ = 3;
  std::string resume_;
  RunFlags run_;
  std::optional<Flags> flags_;
  std::vector<std::string> of_the_model_;  // flags that --resume excludes
  int64_t first_epoch_ = 0;
  int64_t seed_ = 1;
  std::string output_;
  bool overwrite_ = false;
  std::string history_, report_;
};

}  // namespace

CommandDef DefineTrain() {
  return DefineCommand<TrainCommand>(
      "train",
      "Train a model of texts or of series of numbers, and save the best by validation loss");
}

}  // namespace seqgraph::tools
