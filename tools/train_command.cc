#include "tools/train_command.h"

#include <errno.h>  // program_invocation_name

#include <algorithm>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "backends/all_backends.h"
#include "data/imdb_dataset.h"
#include "graph/status_macros.h"
#include "serialization/model_io.h"
#include "tools/data_flags.h"
#include "tools/interrupt.h"
#include "tools/model_flags.h"
#include "tools/output_path.h"
#include "tools/terminal.h"
#include "training/early_stopping.h"
#include "training/history.h"
#include "training/imdb_models.h"
#include "training/model_checkpoint.h"
#include "training/progress.h"
#include "training/summary.h"
#include "training/trainer.h"

namespace seqgraph::tools {
namespace {

constexpr int kShellSignal = 128;  // A shell's exit status for an interrupted program, less signal.

Examples ExamplesOf(const data::TokenSet& set) {
  return {.tokens = set.tokens, .rows = set.rows, .maxlen = set.maxlen, .targets = set.targets};
}

// As a shell takes it.
std::string Quoted(const std::string& text) {
  constexpr absl::string_view kPlain = "-_./+=,:@%";
  if (std::all_of(text.begin(), text.end(), [kPlain](char c) {
        return absl::ascii_isalnum(static_cast<unsigned char>(c)) || absl::StrContains(kPlain, c);
      })) {
    return text;
  }

  return absl::StrCat("'", absl::StrReplaceAll(text, {{"'", "'\\''"}}), "'");
}

// A checkpoint's path may name what is measured, in braces; the user's is taken as it is.
std::string Literal(const std::string& path) {
  return absl::StrReplaceAll(path, {{"{", "{{"}, {"}", "}}"}});
}

std::string DataLine(const data::Dataset& dataset) {
  const bool synthetic = dataset.description == data::kSyntheticName;
  return absl::StrCat(
      "Data: ", dataset.description,
      synthetic ? " (made-up reviews, not the IMDB data set; --data=PATH takes the real ones)" : "",
      ": ", WithThousands(dataset.train.rows), " reviews to train on, ",
      WithThousands(dataset.validation.rows), " to validate on; ",
      WithThousands(dataset.vocabulary.size()), " of ", WithThousands(dataset.distinct_words),
      " words known\n");
}

// "Backend onednn (version): all 20 nodes of train_step", or how many nodes went to each, and which
// to others than the first.
std::string BackendLine(const std::vector<NodeAssignment>& assignments,
                        const std::vector<const Backend*>& backends) {
  std::vector<std::string> parts;
  for (const Backend* backend : backends) {
    int count = 0;
    std::string nodes;
    for (const NodeAssignment& assignment : assignments) {
      if (assignment.backend != backend->info().name) continue;
      ++count;
      absl::StrAppend(&nodes, nodes.empty() ? "" : ", ", assignment.node);
    }
    const bool all = count == static_cast<int>(assignments.size());
    parts.push_back(absl::StrCat(backend->info().name, " ", backend->info().version, ": ",
                                 all ? "all " : "", count, " nodes of train_step"));
    if (parts.size() > 1 && count > 0) {
      absl::StrAppend(&parts.back(), " (", nodes, ")");
    }
  }
  std::string line = "Backend ";
  for (size_t i = 0; i < parts.size(); ++i) absl::StrAppend(&line, i ? "; " : "", parts[i]);
  return line + "\n";
}

class TrainCommand : public Command {
 public:
  void Declare(Flags& flags) override {
    data_.DeclareSource(flags);
    model_.Declare(flags);
    data_.DeclareEncoding(flags);
    flags.Int("--batch", &batch_, 1, 1'000'000, "Reviews a step");
    flags.Int("--epochs", &epochs_, 1, 1'000'000, "At most so many");
    flags.Real("--learning_rate", &learning_rate_, 0, 1e38, "Of RMSprop");
    flags.Int("--patience", &patience_, 0, 1'000'000,
              "Epochs in a row without a better validation loss before it stops");
    flags.Int("--seed", &seed_, 0, std::numeric_limits<int64_t>::max(),
              "Of starting weights and the order of reviews in each epoch");
    backend_.Declare(flags);
    flags.Text("--output", &output_, "FILE",
               "The saved model, .pb or .textproto; by default imdb-MODEL.pb, or\n"
               "synthetic-MODEL.pb for synthetic reviews");
    flags.Text("--history", &history_, "FILE", "Losses and accuracies of each epoch as CSV");
    flags.Footer(
        "The file always holds the best model so far by validation loss. Ctrl-C finishes the "
        "batch,\n"
        "saves, and ends with status 130; a second one ends at once.");
  }

  absl::StatusOr<int> Run(Output& out) override {
    SEQ_RETURN_IF_ERROR(CheckOutputs());
    SEQ_ASSIGN_OR_RETURN(const std::vector<const Backend*> backends,
                         AllBackends().ParseList(backend_.backend));
    data::DatasetOptions options = data_.Options();
    options.with_test = false;
    SEQ_ASSIGN_OR_RETURN(const data::Dataset dataset, data::LoadDataset(data_.data, options));
    out.Write(DataLine(dataset));
    SEQ_ASSIGN_OR_RETURN(Model model, MakeModel(dataset));
    SEQ_ASSIGN_OR_RETURN(const std::string summary,
                         Summary(model, {.columns = TerminalColumns(out.file())}));
    out.Write(summary);

    const InterruptHandler interrupt;
    Trainer trainer(&model,
                    {.backend = backend_.backend, .threads = static_cast<int>(backend_.threads)});
    SEQ_ASSIGN_OR_RETURN(
        const CompiledFunction* step,
        trainer.runner().Compile(kTrainStep, std::min(batch_, dataset.train.rows)));
    out.Write(BackendLine(step->assignments(), backends));
    // Whoever cannot be told how it goes is told so now.
    SEQ_RETURN_IF_ERROR(out.Flush());
    return Fit(trainer, dataset, interrupt, out);
  }

 private:
  absl::Status CheckOutputs() {
    if (output_.empty()) {
      const bool synthetic = data_.synthetic();
      output_ = absl::StrCat(synthetic ? "synthetic-" : "imdb-", model_.input, ".pb");
    }
    const absl::StatusOr<ModelFormat> format = ModelFormatOfPath(output_);
    if (!format.ok()) return Annotate(format.status(), "--output");
    SEQ_RETURN_IF_ERROR(CheckOutputFile("--output", output_));
    if (history_.empty()) return absl::OkStatus();
    if (history_ == output_) {
      return absl::InvalidArgumentError(
          absl::StrCat("--history and --output are the same file, ", output_));
    }
    return CheckOutputFile("--history", history_);
  }

  absl::StatusOr<Model> MakeModel(const data::Dataset& dataset) const {
    SEQ_ASSIGN_OR_RETURN(ImdbModelOptions options, model_.Options());
    options.num_words = data_.num_words;
    options.maxlen = data_.maxlen;
    SEQ_ASSIGN_OR_RETURN(
        Model model, MakeImdbModel(options, {.optimizer = RMSProp{.learning_rate = learning_rate_},
                                             .seed = static_cast<uint64_t>(seed_)}));
    model.preprocessing = {.rule = "imdb",
                           .num_words = data_.num_words,
                           .maxlen = data_.maxlen,
                           .words = dataset.vocabulary.words()};
    model.labels = {"negative", "positive"};
    // Nothing that changes from run to run: equal runs write equal files.
    const bool synthetic = dataset.description == data::kSyntheticName;
    model.description = absl::StrFormat(
        "Review classifier (%s input, simple RNN of %d units) trained on %d %sreviews: RMSprop, "
        "learning rate %g, batch %d, seed %d; the best epoch by validation loss",
        model_.input, model_.units, dataset.train.rows, synthetic ? "synthetic " : "",
        learning_rate_, batch_, seed_);
    return model;
  }

  absl::StatusOr<int> Fit(Trainer& trainer, const data::Dataset& dataset,
                          const InterruptHandler& interrupt, Output& out) {
    EarlyStopping stopping({.patience = static_cast<int>(patience_), .restore_best_weights = true});
    ModelCheckpoint checkpoint(Literal(output_), {.save_best_only = true, .verbose = false});
    Progress progress(out.file());
    FitOptions options{.epochs = static_cast<int>(epochs_),
                       .batch = batch_,
                       .seed = static_cast<uint64_t>(seed_),
                       .callbacks = {&stopping, &checkpoint}};
    if (!history_.empty()) options.callbacks.push_back(HistoryFile(history_));
    options.callbacks.push_back(&progress);
    options.interrupt = interrupt.flag();
    SEQ_ASSIGN_OR_RETURN(
        const FitResult result,
        trainer.Fit(ExamplesOf(dataset.train), ExamplesOf(dataset.validation), options));
    if (checkpoint.last_path().empty()) {
      // Interrupted before the first epoch was over: what there is.
      SEQ_RETURN_IF_ERROR(SaveModel(trainer.runner().model(), output_));
      out.Print("Interrupted in the first epoch; saved the model as it is now: %s\n", output_);
      return kShellSignal + interrupt.signal();
    }
    Report(result, stopping, out);
    return result.interrupted ? kShellSignal + interrupt.signal() : 0;
  }

  void Report(const FitResult& result, const EarlyStopping& stopping, Output& out) const {
    const bool synthetic = data_.synthetic();
    const size_t best = static_cast<size_t>(stopping.best_epoch());
    if (result.interrupted) {
      out.Print("Interrupted in epoch %d.\n", result.history.epochs().size() + 1);
    }
    out.Print("Best epoch %d%s: val_loss %.4f - val_accuracy %.4f\n", best + 1,
              synthetic ? " (synthetic data)" : "", result.history["val_loss"][best],
              result.history["val_accuracy"][best]);
    out.Print("Saved that model: %s. To use it:\n  %s predict %s \"What a wonderful film\"\n",
              output_, program_invocation_name, Quoted(output_));
  }

  DataFlags data_;
  ModelFlags model_;
  BackendFlags backend_;
  int64_t batch_ = 64;
  int64_t epochs_ = 100;
  double learning_rate_ = 1e-4;
  int64_t patience_ = 3;
  int64_t seed_ = 1;
  std::string output_;
  std::string history_;
};

}  // namespace

std::unique_ptr<Command> MakeTrainCommand() { return std::make_unique<TrainCommand>(); }

}  // namespace seqgraph::tools
