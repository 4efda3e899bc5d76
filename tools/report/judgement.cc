#include "tools/report/judgement.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "tools/report/chart.h"

namespace seqgraph::tools {
namespace {

constexpr size_t kMostCurves = 8, kMostCurvePoints = 300;

// The probability of a class: of two that a model may tell by one number.
double ProbabilityOf(absl::Span<const float> row, int64_t label) {
  if (row.size() > 1) return row[static_cast<size_t>(label)];
  return label == 1 ? row[0] : 1 - double{row[0]};
}

std::string LabelOf(const std::vector<std::string>& labels, int64_t label) {
  const auto i = static_cast<size_t>(label);
  return i < labels.size() && !labels[i].empty() ? labels[i] : absl::StrCat("class ", label);
}

// Classes worth a curve: of two the second; of many those with the most rows, in their order.
std::vector<int64_t> ClassesToDraw(const ConfusionMatrix& matrix) {
  if (matrix.classes() == 2) return {1};
  std::vector<int64_t> classes(static_cast<size_t>(matrix.classes()));
  std::iota(classes.begin(), classes.end(), int64_t{0});
  std::stable_sort(classes.begin(), classes.end(),
                   [&](int64_t a, int64_t b) { return matrix.rows_of(a) > matrix.rows_of(b); });
  classes.resize(std::min(classes.size(), kMostCurves));
  std::sort(classes.begin(), classes.end());
  return classes;
}

// Predictions and labels of rows or, where labels belong to steps, of all steps.
struct Answers {
  std::vector<float> predictions;
  std::vector<int32_t> targets;
};

// Of rows of `maxlen` steps with labels those of the steps that they have.
Answers StepAnswers(const std::vector<float>& told, const Examples& examples) {
  Answers answers;
  const int64_t width =
      static_cast<int64_t>(told.size()) / std::max<int64_t>(1, examples.rows * examples.maxlen);
  for (int64_t row = 0; row < examples.rows; ++row) {
    for (int64_t step = 0; step < examples.StepsOf(row); ++step) {
      const auto from = told.begin() + (row * examples.maxlen + step) * width;
      answers.predictions.insert(answers.predictions.end(), from, from + width);
      answers.targets.push_back(
          examples
              .targets[static_cast<size_t>(examples.label_begin[static_cast<size_t>(row)] + step)]);
    }
  }
  return answers;
}

absl::Status AddWrong(ModelRunner& runner, const Examples& examples, absl::Span<const float> told,
                      const JudgementOptions& options, ClassJudgement& judgement) {
  const size_t width = told.size() / static_cast<size_t>(examples.rows);
  for (const int64_t row :
       SurestWrong(told, examples.targets, static_cast<size_t>(options.wrong_examples))) {
    if (options.interrupt != nullptr && options.interrupt->load()) return Cancelled("interrupted");
    const auto of_row = told.subspan(static_cast<size_t>(row) * width, width);
    const int64_t taken = PredictedClass(of_row);
    const int64_t is = examples.targets[static_cast<size_t>(row)];
    WrongExample wrong{.name = examples.NameOfRow(row),
                       .is = LabelOf(judgement.labels, is),
                       .taken_for = LabelOf(judgement.labels, taken),
                       .probability = ProbabilityOf(of_row, taken),
                       .probability_of_is = ProbabilityOf(of_row, is)};
    SEQ_ASSIGN_OR_RETURN(wrong.parts, PartsOfRow(runner.model(), examples, row));
    SEQ_ASSIGN_OR_RETURN(wrong.moved, Occlude(runner, examples, row, wrong.parts, taken));
    judgement.wrong.push_back(std::move(wrong));
  }
  return absl::OkStatus();
}

bool IsWholeNumberOf(size_t numbers, int64_t parts) {
  return parts > 0 && numbers % static_cast<size_t>(parts) == 0;
}

// Classes of rows or of steps, as many as labels of the model.
absl::Status AddClasses(ModelRunner& runner, const Examples& examples, const TrainingData& data,
                        const JudgementOptions& options, Judgement& judgement) {
  SEQ_ASSIGN_OR_RETURN(
      const std::vector<float> told,
      runner.Predict(examples, {.function = "evaluate", .interrupt = options.interrupt}));
  const bool per_step = !examples.label_begin.empty();
  if (!IsWholeNumberOf(told.size(), examples.rows * (per_step ? examples.maxlen : 1))) {
    return absl::OkStatus();  // A model of another kind than the reports that there are.
  }
  Answers of_steps;
  if (per_step) of_steps = StepAnswers(told, examples);
  SEQ_ASSIGN_OR_RETURN(
      ClassJudgement classes,
      JudgeClasses(per_step ? of_steps.predictions : told,
                   per_step ? absl::Span<const int32_t>(of_steps.targets) : examples.targets,
                   data.labels()));
  if (!per_step && (!examples.tokens.empty() || !examples.features.empty())) {
    SEQ_RETURN_IF_ERROR(AddWrong(runner, examples, told, options, classes));
  }
  judgement.classes = std::move(classes);
  return absl::OkStatus();
}

}  // namespace

std::vector<int64_t> SurestWrong(absl::Span<const float> predictions,
                                 absl::Span<const int32_t> targets, size_t most) {
  if (targets.empty()) return {};
  const size_t width = predictions.size() / targets.size();
  std::vector<std::pair<double, int64_t>> wrong;
  for (size_t row = 0; row < targets.size(); ++row) {
    const auto of_row = predictions.subspan(row * width, width);
    const int64_t taken = PredictedClass(of_row);
    if (taken == targets[row]) continue;
    wrong.emplace_back(-ProbabilityOf(of_row, taken), static_cast<int64_t>(row));
  }
  std::sort(wrong.begin(), wrong.end());
  std::vector<int64_t> rows;
  for (size_t i = 0; i < std::min(most, wrong.size()); ++i) rows.push_back(wrong[i].second);
  return rows;
}

absl::StatusOr<ClassJudgement> JudgeClasses(absl::Span<const float> predictions,
                                            absl::Span<const int32_t> targets,
                                            std::vector<std::string> labels) {
  ClassJudgement judgement;
  SEQ_ASSIGN_OR_RETURN(
      judgement.matrix,
      ConfusionMatrix::FromPredictions(predictions, targets, static_cast<int64_t>(labels.size())));
  judgement.labels = std::move(labels);
  const size_t width = predictions.size() / targets.size();
  const auto row = [&](size_t i) { return predictions.subspan(i * width, width); };
  std::vector<float> scores(targets.size());
  std::vector<uint8_t> is(targets.size());
  for (const int64_t label : ClassesToDraw(judgement.matrix)) {
    for (size_t i = 0; i < targets.size(); ++i) {
      scores[i] = static_cast<float>(ProbabilityOf(row(i), label));
      is[i] = targets[i] == label;
    }
    ClassJudgement::Curves curves{LabelOf(judgement.labels, label), Roc(scores, is),
                                  PrecisionRecall(scores, is)};
    Thin(curves.roc.x, curves.roc.y, kMostCurvePoints);
    Thin(curves.precision_recall.x, curves.precision_recall.y, kMostCurvePoints);
    judgement.curves.push_back(std::move(curves));
  }
  if (judgement.matrix.classes() > 2) {
    for (size_t i = 0; i < targets.size(); ++i) {
      const int64_t taken = PredictedClass(row(i));
      scores[i] = static_cast<float>(ProbabilityOf(row(i), taken));
      is[i] = targets[i] == taken;
    }
  }
  judgement.reliability = ReliabilityOf(scores, is);
  return judgement;
}

absl::StatusOr<Judgement> Judge(ModelRunner& runner, const RunData& run_data,
                                const JudgementOptions& options) {
  const TrainingData& data = run_data.data();
  Judgement judgement;
  const bool validates = data.validation().rows > 0;
  const Examples examples = validates ? data.validation() : data.train();
  judgement.part = validates ? "validation" : "train";
  judgement.noun = data.noun();
  judgement.caveat = data.caveat();
  judgement.rows = examples.rows;
  if (examples.rows == 0) {
    return InvalidArgument("there are no rows to judge the model by; --judge=off leaves that out");
  }
  const std::vector<Metric> metrics = data.DefaultMetrics();
  SEQ_ASSIGN_OR_RETURN(
      const Logs logs,
      runner.Evaluate(examples, {.metrics = metrics, .interrupt = options.interrupt}));
  judgement.metrics.emplace_back("loss", logs.at("loss"));
  for (const auto& [name, value] : logs) {
    if (name != "loss") judgement.metrics.emplace_back(name, value);
  }
  Logs best;
  for (const auto& [name, value] : logs) best[absl::StrCat("val_", name)] = value;
  const absl::StatusOr<std::string> lines = data.BaselineLines(best);
  if (lines.ok() && validates) judgement.baselines = *lines;
  const bool next_token = !examples.targets.empty() && data.labels().empty();
  if (next_token) return judgement;
  if (!examples.targets.empty()) {
    SEQ_RETURN_IF_ERROR(AddClasses(runner, examples, data, options, judgement));
  } else if (examples.has_labels() && !runner.model().series.many_labels) {
    SEQ_ASSIGN_OR_RETURN(judgement.numbers,
                         JudgeNumbers(runner, data.train(), examples, options.interrupt));
  }
  return judgement;
}

}  // namespace seqgraph::tools
