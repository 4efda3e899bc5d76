#include <array>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "data/text_dataset.h"
#include "tools/backend_choice.h"
#include "tools/backend_line.h"
#include "tools/command.h"
#include "tools/data_flags.h"
#include "tools/profile/profile_flag.h"
#include "tools/tested_model.h"
#include "tools/text_table.h"
#include "training/confusion_matrix.h"
#include "training/model_runner.h"
#include "training/preprocessing.h"
#include "training/summary.h"

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

// A line a class: precision, recall, F1, and how many there are; then their means, each class
// alike (macro) and by size.
std::string ClassReport(const ConfusionMatrix& matrix, const std::vector<std::string>& labels) {
  TextTable table({"class", "precision", "recall", "f1", "reviews"});
  const double classes = static_cast<double>(matrix.classes());
  const double all = static_cast<double>(matrix.rows());
  using Scores = std::array<double, 3>;
  Scores macro{};
  Scores weighted{};
  const auto add = [&table](const std::string& name, const Scores& scores, int64_t rows) {
    table.AddRow({name, absl::StrFormat("%.4f", scores[0]), absl::StrFormat("%.4f", scores[1]),
                  absl::StrFormat("%.4f", scores[2]), WithThousands(rows)});
  };
  for (int64_t c = 0; c < matrix.classes(); ++c) {
    const Scores scores = {matrix.precision(c), matrix.recall(c), matrix.f1(c)};
    const int64_t rows = matrix.rows_of(c);
    for (size_t i = 0; i < scores.size(); ++i) {
      macro[i] += scores[i] / classes;
      weighted[i] += scores[i] * static_cast<double>(rows) / all;
    }
    add(labels[static_cast<size_t>(c)], scores, rows);
  }
  add("macro average", macro, matrix.rows());
  add("weighted average", weighted, matrix.rows());
  return table.Text(1, 4);
}

// A line a class, a column for what its rows were taken for.
std::string ConfusionText(const ConfusionMatrix& matrix, const std::vector<std::string>& labels) {
  std::vector<std::string> header = {"is \\ taken for"};
  header.insert(header.end(), labels.begin(), labels.end());
  TextTable table(header);
  for (int64_t t = 0; t < matrix.classes(); ++t) {
    std::vector<std::string> row = {labels[static_cast<size_t>(t)]};
    for (int64_t p = 0; p < matrix.classes(); ++p) row.push_back(absl::StrCat(matrix.count(t, p)));
    table.AddRow(std::move(row));
  }
  return table.Text(1, labels.size());
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
        "--part", &part_, {"test", "train", "validation"},
        "The test split (of data without splits: all), or what train made of the training\n"
        "split");
    flags.Real("--validation", &data_.rest.validation, 0, 1,
               "The share that was split off for validation");
    data_.DeclareStratify(flags);
    flags.Int("--batch", &batch_, 1, 1'000'000, "Reviews computed together");
    flags.Switch(
        "--confusion", &confusion_,
        "How many of each class were taken for each; also precision, recall and F1, which\n"
        "more than two classes get anyway");
    backend_.Declare(flags);
    DeclareWeights(flags, &backend_.weights);
    self_test_.Declare(flags);
    profile_.Declare(flags);
    flags.Footer("Reviews are encoded by the model's own vocabulary.");
  }

  absl::StatusOr<int> Run(Output& out) override {
    return profile_.Around("evaluate", [&] { return Evaluate(out); });
  }

 private:
  absl::StatusOr<int> Evaluate(Output& out) {
    SEQ_ASSIGN_OR_RETURN(TestedModel tested,
                         LoadTestedModel(path_, self_test_.on(), backend_, {{"evaluate", batch_}},
                                         profile_.trace()));
    Model& model = tested.model;
    SEQ_ASSIGN_OR_RETURN(const data::Vocabulary vocabulary, VocabularyToRun(model, path_));
    // Before the data are read: a backend that is not there, a model of another kind.
    SEQ_ASSIGN_OR_RETURN(const PassList passes, ChoosePasses(backend_.passes, backend_.weights));
    RunnerOptions run = RunOn(tested.backends, backend_.threads, passes);
    run.profile = profile_.profile();
    ModelRunner runner(&model, std::move(run));
    SEQ_ASSIGN_OR_RETURN(const CompiledFunction* compiled,
                         Annotate(runner.Compile("evaluate", batch_), path_));
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
    const InterruptIfProfiling interrupt(profile_.profile() != nullptr);
    const absl::StatusOr<Logs> logs =
        runner.Evaluate(data_.ExamplesOf(set),
                        {.batch = batch_, .metrics = {Accuracy()}, .interrupt = interrupt.flag()});
    if (absl::IsCancelled(logs.status())) return interrupt.exit_status();
    SEQ_RETURN_IF_ERROR(logs.status());
    out.Print("loss: %.6f - accuracy: %.6f%s\n", logs->at("loss"), logs->at("accuracy"),
              synthetic ? " (synthetic data)" : "");
    if (confusion_ || labels.size() > 2) {
      SEQ_ASSIGN_OR_RETURN(
          const std::vector<float> predictions,
          runner.Predict(data_.ExamplesOf(set), {.batch = batch_, .function = "evaluate"}));
      SEQ_ASSIGN_OR_RETURN(const ConfusionMatrix matrix,
                           ConfusionMatrix::FromPredictions(predictions, set.targets,
                                                            static_cast<int64_t>(labels.size())));
      out.Write(ClassReport(matrix, labels));
      if (confusion_) out.Write(ConfusionText(matrix, labels));
    }
    const std::vector<const Backend*> backends = ListOf(tested.backends);
    if (backends.size() > 1) {
      out.Write(BackendLine("evaluate", compiled->assignments(), backends));
    }
    return 0;
  }

  std::string path_;
  DataFlags data_{.data = ""};  // Has to be named.
  std::string part_ = "test";
  int64_t batch_ = 64;
  bool confusion_ = false;
  BackendFlags backend_;
  SelfTestFlag self_test_;
  ProfileFlag profile_;
};

}  // namespace

CommandDef DefineEvaluate() {
  return DefineCommand<EvaluateCommand>(
      "evaluate", "Loss, accuracy and confusion of a saved model on labelled texts");
}

}  // namespace seqgraph::tools
