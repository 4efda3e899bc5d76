#include <csignal>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "data/plain_text.h"
#include "data/text_dataset.h"
#include "distributed/same_facts.h"
#include "tools/answer_facts.h"
#include "tools/backend_choice.h"
#include "tools/backend_line.h"
#include "tools/class_report.h"
#include "tools/command.h"
#include "tools/data_flags.h"
#include "tools/job_flags.h"
#include "tools/next_training.h"
#include "tools/profile/profile_flag.h"
#include "tools/run_facts.h"
#include "tools/series_judgement.h"
#include "tools/sharded_rows.h"
#include "tools/tested_model.h"
#include "training/confusion_matrix.h"
#include "training/evaluate_on_ranks.h"
#include "training/model_runner.h"
#include "training/preprocessing.h"
#include "training/summary.h"
#include "training/text_generator.h"

namespace seqgraph::tools {
namespace {

// "10 of them positive" for two classes, "10 cooking, 12 music, 9 sport" for more; of many the
// number.
std::string ClassCounts(const data::TokenSet& set, const std::vector<std::string>& labels) {
  std::vector<int64_t> counts(labels.size());
  for (int32_t target : set.targets) ++counts[static_cast<size_t>(target)];
  if (labels.size() == 2) return absl::StrCat(WithThousands(counts[1]), " of them ", labels[1]);
  constexpr size_t kListed = 8;
  if (labels.size() > kListed) return absl::StrCat(labels.size(), " classes");
  std::vector<std::string> parts;
  for (size_t i = 0; i < labels.size(); ++i) {
    parts.push_back(absl::StrCat(WithThousands(counts[i]), " ", labels[i]));
  }
  return absl::StrJoin(parts, ", ");
}

// The model's labels; for one without them, as many classes as there are targets.
std::vector<std::string> ClassNames(const Model& model, const data::TokenSet& set) {
  std::vector<std::string> names = model.labels;
  while (names.size() < 2) names.push_back(absl::StrCat("class ", names.size()));
  for (int32_t target : set.targets) {
    while (names.size() <= static_cast<size_t>(target)) {
      names.push_back(absl::StrCat("class ", names.size()));
    }
  }
  return names;
}

class EvaluateCommand : public Command {
 public:
  void Declare(Flags& flags) override {
    flags.InputFile("MODEL", &path_, "A model saved by train").Required();
    data_.DeclareSource(flags);
    flags.Choice(
        "--part", &part_, {"test", "train", "validation", "all"},
        "The test split (of data without splits: all), or what train made of the training\n"
        "split; of series the part that train kept, and all where it kept none");
    flags.Real("--validation", &data_.rest.validation, 0, 1,
               "The share of texts that was split off for validation");
    data_.DeclareStratify(flags);
    flags.Int("--batch", &batch_, 1, 1'000'000, "Rows computed together");
    flags.Switch(
        "--confusion", &confusion_,
        "How many of each class were taken for each; also precision, recall and F1, which\n"
        "more than two classes get anyway");
    import_.Declare(flags);
    backend_.Declare(flags);
    DeclareWeights(flags, &backend_.weights);
    self_test_.Declare(flags);
    profile_.Declare(flags);
    job_.Declare(flags);
    flags.Footer(
        "Texts are encoded by the model's own vocabulary; of series the columns are found that it\n"
        "was trained on, and beside its metrics stand those of guessing without a model.\n"
        "With --distributed, started by mpirun or srun, the ranks share the batches; all of them\n"
        "read the data, and the numbers are those of one rank in every bit.\n\nExamples:\n"
        "  seqgraph evaluate imdb-embedding.pb --data=aclImdb_v1.tar.gz\n"
        "  seqgraph evaluate notes-embedding.pb --data=test.csv --confusion\n"
        "  seqgraph evaluate sunspots.pb --data=sunspots.csv --part=test");
  }

  absl::StatusOr<int> Run(Output& out) override {
    SEQ_ASSIGN_OR_RETURN(communicator_, job_.Join());
    if (!communicator_->is_root()) out.Mute();
    const absl::StatusOr<int> status = profile_.Around("evaluate", [&]() -> absl::StatusOr<int> {
      if (job_.distributed && profile_.given()) {
        return InvalidArgument("--profile is of one process: leave out it or --distributed");
      }
      return Evaluate(out);
    });
    return sharing_ ? StatusAtRank(*communicator_, status) : status;
  }

 private:
  absl::StatusOr<int> Evaluate(Output& out) {
    SEQ_ASSIGN_OR_RETURN(TestedModel tested,
                         LoadTestedModel(path_, import_, self_test_.on(), backend_,
                                         {{"evaluate", batch_}}, profile_.trace()));
    Model& model = tested.model;
    const bool series = !model.series.task.empty();
    if (!series) SEQ_RETURN_IF_ERROR(VocabularyToRun(model, path_).status());
    // Before the data are read: a backend that is not there, a model of another kind.
    SEQ_ASSIGN_OR_RETURN(const PassList passes, ChoosePasses(backend_.passes, backend_.weights));
    RunnerOptions run = RunOn(tested.backends, backend_.threads, passes);
    run.profile = profile_.profile();
    ModelRunner runner(&model, run);
    SEQ_ASSIGN_OR_RETURN(const CompiledFunction* compiled,
                         Annotate(runner.Compile("evaluate", batch_), path_));
    const InterruptIfProfiling interrupt(profile_.profile() != nullptr || job_.distributed);
    const absl::Status status = series                  ? EvaluateSeries(model, run, interrupt, out)
                                : TellsNextToken(model) ? EvaluateNext(runner, interrupt, out)
                                                        : EvaluateTexts(runner, interrupt, out);
    if (absl::IsCancelled(status)) {
      return interrupt.interrupted() ? interrupt.exit_status() : 128 + SIGTERM;  // another rank was
    }
    SEQ_RETURN_IF_ERROR(status);
    const std::vector<const Backend*> backends = ListOf(tested.backends);
    if (backends.size() > 1) {
      out.Write(BackendLine("evaluate", compiled->assignments(), backends));
    }
    return 0;
  }

  // ModelRunner::Evaluate(), shared among the ranks of a job; only the root has the numbers then,
  // and the predictions.
  absl::StatusOr<Logs> Judge(ModelRunner& runner, const Examples& examples,
                             const EvaluateOptions& options) {
    if (communicator_->size() == 1) return runner.Evaluate(examples, options);
    SEQ_ASSIGN_OR_RETURN(
        Facts facts, FactsOfAnswers(path_, runner.model(), backend_, runner.DescribeBackends()));
    facts["data"] = HashOfExamples(examples);
    facts["--batch"] = absl::StrCat(options.batch);
    SEQ_RETURN_IF_ERROR(CheckSame(*communicator_, facts));
    sharing_ = true;
    predictions_.clear();
    return EvaluateOnRanks(runner, *communicator_, examples, options,
                           [this](const JudgedBatch& batch) {
                             const MetricBatch judged = batch.metric_batch(/*weighted=*/false);
                             predictions_.insert(predictions_.end(), judged.predictions.begin(),
                                                 judged.predictions.end());
                           });
  }

  absl::Status EvaluateTexts(ModelRunner& runner, const InterruptIfProfiling& interrupt,
                             Output& out) {
    Model& model = runner.model();
    if (part_ == "all") {
      return InvalidArgument("--part=all is for series; of texts without splits test is all");
    }
    SEQ_ASSIGN_OR_RETURN(const data::Vocabulary vocabulary, VocabularyToRun(model, path_));
    SEQ_ASSIGN_OR_RETURN(data_.rest.csv, data_.ColumnsFor(model));
    TraceSpan read(profile_.trace(), "read and encode reviews", "data");
    DataOrigin origin;
    SEQ_ASSIGN_OR_RETURN(
        const data::TokenSet set,
        data_.EncodePart(part_, vocabulary, model.preprocessing.maxlen, model.labels, &origin));
    read.End();
    const std::vector<std::string> labels = ClassNames(model, set);
    const bool synthetic = data_.synthetic();
    out.Print("Data: %s%s, %s: %s reviews, %s\n", data_.data, synthetic ? " (made-up reviews)" : "",
              part_, WithThousands(set.rows), ClassCounts(set, labels));
    out.Write(OriginLine(origin));
    SEQ_RETURN_IF_ERROR(out.Flush());
    const TextExamples rows = data_.ExamplesOf(set);
    SEQ_ASSIGN_OR_RETURN(
        const Logs logs,
        Judge(runner, rows.examples(),
              {.batch = batch_, .metrics = {Accuracy()}, .interrupt = interrupt.flag()}));
    if (!communicator_->is_root()) return absl::OkStatus();
    out.Print("loss: %.6f - accuracy: %.6f%s\n", logs.at("loss"), logs.at("accuracy"),
              synthetic ? " (synthetic data)" : "");
    return ReportClasses(runner, rows.examples(), labels, "reviews", out);
  }

  // Of a text, whose parts are windows of it.
  absl::Status EvaluateNext(ModelRunner& runner, const InterruptIfProfiling& interrupt,
                            Output& out) {
    const std::string given = data_.GivenOfLabelledTexts();
    if (!given.empty() || confusion_) {
      return InvalidArgument(given.empty() ? "--confusion" : given, " is for labelled texts, and ",
                             path_, " tells the next token of any");
    }
    SEQ_ASSIGN_OR_RETURN(const data::Vocabulary vocabulary, VocabularyToRun(runner.model(), path_));
    SEQ_ASSIGN_OR_RETURN(
        const std::string text,
        data::ReadPlainText(data_.data, data_.Options().text_policy, vocabulary.rule()));
    const bool whole = part_ == "test" || part_ == "all";
    SEQ_ASSIGN_OR_RETURN(
        const NextTokenRows rows,
        NextTokenRowsOf(data_.data, data::CodesOfText(text, vocabulary),
                        runner.model().preprocessing.maxlen, whole ? 0 : data_.rest.validation));
    const Examples judged = rows.Part(part_);
    if (judged.rows == 0) {
      return InvalidArgument("the part ", part_, " of ", data_.data,
                             " is empty; --part names another");
    }
    out.Print("Data: %s, %s: %s windows of %d tokens\n", data_.data, part_,
              WithThousands(judged.rows), judged.maxlen);
    SEQ_ASSIGN_OR_RETURN(
        const Logs logs,
        Judge(runner, judged,
              {.batch = batch_, .metrics = {Accuracy()}, .interrupt = interrupt.flag()}));
    if (!communicator_->is_root()) return absl::OkStatus();
    out.Print("loss: %.6f - accuracy: %.6f\n", logs.at("loss"), logs.at("accuracy"));
    out.Write(
        FrequencyBaseline(rows.Part(whole ? part_ : "train"), judged, vocabulary.num_words()));
    return absl::OkStatus();
  }

  absl::Status EvaluateSeries(Model& model, const RunnerOptions& run,
                              const InterruptIfProfiling& interrupt, Output& out) {
    const std::string of_texts = data_.GivenOfTexts();
    if (!of_texts.empty()) {
      return InvalidArgument(of_texts, " is for texts, and ", path_, " takes series of numbers");
    }
    TraceSpan read(profile_.trace(), "read series", "data");
    SEQ_ASSIGN_OR_RETURN(const JudgedSeries judged,
                         JudgedSeries::Read(model, data_, part_, data_.skip_bad_rows));
    read.End();
    out.Write(judged.Lines());
    SEQ_RETURN_IF_ERROR(out.Flush());
    ModelRunner runner(judged.judge(&model), run);
    const int64_t batch = BatchFor(model, runner.model(), batch_);
    SEQ_ASSIGN_OR_RETURN(const std::string table,
                         judged.Table(
                             [&](const Examples& examples, const EvaluateOptions& options) {
                               return Judge(runner, examples, options);
                             },
                             batch, interrupt.flag()));
    if (!communicator_->is_root()) return absl::OkStatus();
    out.Write(table);
    if (judged.has_classes()) {
      return ReportClasses(runner, judged.examples(), runner.model().labels, "series", out);
    }
    if (confusion_) return InvalidArgument("--confusion is for classes of whole series or texts");
    return absl::OkStatus();
  }

  absl::Status ReportClasses(ModelRunner& runner, const Examples& examples,
                             const std::vector<std::string>& labels, const std::string& rows_are,
                             Output& out) const {
    if (!confusion_ && labels.size() <= 2) return absl::OkStatus();
    std::vector<float> predictions = predictions_;
    if (communicator_->size() == 1) {
      SEQ_ASSIGN_OR_RETURN(predictions,
                           runner.Predict(examples, {.batch = batch_, .function = "evaluate"}));
    }
    SEQ_ASSIGN_OR_RETURN(const ConfusionMatrix matrix,
                         ConfusionMatrix::FromPredictions(predictions, examples.targets,
                                                          static_cast<int64_t>(labels.size())));
    out.Write(ClassReport(matrix, labels, rows_are));
    if (confusion_) out.Write(ConfusionText(matrix, labels));
    return absl::OkStatus();
  }

  std::string path_;
  DataFlags data_{.data = ""};  // Has to be named.
  std::string part_ = "test";
  int64_t batch_ = 64;
  bool confusion_ = false;
  ImportFlags import_;
  BackendFlags backend_;
  SelfTestFlag self_test_;
  ProfileFlag profile_;
  JobFlags job_;
  std::unique_ptr<Communicator> communicator_;
  bool sharing_ = false;            // The ranks are at their common work,
  std::vector<float> predictions_;  // and these are what it gave.
};

}  // namespace

CommandDef DefineEvaluate() {
  return DefineCommand<EvaluateCommand>(
      "evaluate", "Loss, metrics and confusion of a saved model on labelled texts or series");
}

}  // namespace seqgraph::tools
