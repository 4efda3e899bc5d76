#include "tests/parity/parity_run.h"

#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"
#include "training/model_runner.h"
#include "training/sequential.h"

namespace seqgraph::parity {
namespace {

// Bars on absolute differences; an independent float64 computation of the same runs differs from
// Keras's float32 by 3e-7 (losses) and 2e-6 (weights).
constexpr double kLossBar = 2e-6;
constexpr double kWeightBar = 5e-6;
constexpr double kPredictionBar = 2e-6;
// Both count rows; Keras divides in float32.
constexpr double kAccuracyBar = 1e-6;

Difference MakeDifference(std::string what, double bar) { return {std::move(what), 0, bar, "", 0}; }

void Compare(Difference& difference, double found, double expected, const std::string& where) {
  double distance = std::fabs(found - expected);
  if (std::isnan(distance)) distance = std::numeric_limits<double>::infinity();
  if (difference.compared++ == 0 || distance > difference.largest) {
    difference.largest = distance;
    difference.where = absl::StrCat(where, ": got ", found, ", Keras ", expected);
  }
}

// What the bars are for: a percentage is a hundred times the number that it tells.
double UnitOf(absl::string_view loss_or_metric) {
  return absl::EndsWith(loss_or_metric, "percentage_error") ? 100 : 1;
}

// The first elements of a tensor of T, if it is one.
template <typename T>
absl::Span<const T> First(const Tensor& tensor, int64_t rows) {
  if (tensor.dtype() != DTypeOf<T>) return {};
  const int64_t each = tensor.num_elements() / tensor.shape()[0].size();
  return tensor.Elements<T>().first(static_cast<size_t>(rows * each));
}

// "y_accuracy" is the metric accuracy of y, where there are several outputs.
std::pair<std::string, std::string> OutputAndMetric(const ParityCase& parity_case,
                                                    const std::string& name) {
  for (const CaseOutput& output : parity_case.outputs) {
    absl::string_view metric = name;
    if (parity_case.outputs.size() == 1) return {output.name, name};
    if (absl::ConsumePrefix(&metric, absl::StrCat(output.name, "_"))) {
      return {output.name, std::string(metric)};
    }
  }
  return {"", name};
}

class ParityRun {
 public:
  ParityRun(const ParityCase& parity_case, Model* model, const std::string& backends)
      : case_(parity_case), model_(*model), runner_(model, {.backend = backends}) {}

  absl::StatusOr<std::vector<Difference>> Run() {
    for (const CaseWeight& weight : case_.weights) {
      SEQ_RETURN_IF_ERROR(model_.variables.Assign(weight.variable, weight.initial));
    }
    SEQ_RETURN_IF_ERROR(
        ComparePredictions("predictions before training", &CaseOutput::predict_initial));
    if (case_.epochs > 0) {
      SEQ_RETURN_IF_ERROR(Train());
      CompareWeights();
      SEQ_RETURN_IF_ERROR(
          ComparePredictions("predictions after training", &CaseOutput::predict_trained));
    }
    SEQ_RETURN_IF_ERROR(CompareEvaluation());
    return std::move(differences_);
  }

 private:
  // The first rows as examples, with labels and weights; good until the next call.
  Examples FirstRows(int64_t rows, std::optional<Tensor> CaseOutput::*weights) {
    named_.clear();
    const std::vector<LayerInput> inputs = InputsOf(case_.stack);
    for (size_t i = 0; i < inputs.size(); ++i) {
      const Tensor& given = case_.inputs[i];
      const bool vector = inputs[i].time == 0;
      named_.push_back({inputs[i].name,
                        {.tokens = First<int32_t>(given, rows),
                         .rows = rows,
                         .maxlen = vector ? 1 : given.shape()[1].size(),
                         .features = First<float>(given, rows)}});
    }
    Examples single = {.rows = rows};
    for (const CaseOutput& output : case_.outputs) {
      if (!output.judged) continue;
      Examples labels = {.rows = rows,
                         .targets = First<int32_t>(output.targets, rows),
                         .values = First<float>(output.targets, rows)};
      if ((output.*weights).has_value()) labels.weights = First<float>(*(output.*weights), rows);
      if (case_.outputs.size() == 1) {
        single = labels;
      } else {
        named_.push_back({output.name, labels});
      }
    }
    single.more = named_;
    return single;
  }

  absl::Status Train() {
    Difference losses = MakeDifference("loss of each step", kLossBar);
    SEQ_ASSIGN_OR_RETURN(
        DataPass pass,
        DataPass::Create(runner_, kTrainStep, FirstRows(case_.rows(), &CaseOutput::train_weights),
                         case_.batch, ""));
    const int64_t steps = pass.steps() * case_.epochs;
    if (steps != static_cast<int64_t>(case_.step_losses.size())) {
      return absl::InvalidArgumentError(absl::StrCat(
          "training takes ", steps, " steps, expected.npz has ", case_.step_losses.size()));
    }
    const double unit = UnitOf(case_.training.loss.name);
    for (int64_t step = 0; step < steps; ++step) {
      if (step % pass.steps() == 0) SEQ_RETURN_IF_ERROR(ResetStates(model_));
      SEQ_ASSIGN_OR_RETURN(const BatchRunner* batch, pass.Run(step % pass.steps()));
      Compare(losses, batch->loss() / unit, case_.step_losses[step] / unit,
              absl::StrCat("step ", step));
    }
    differences_.push_back(std::move(losses));
    return absl::OkStatus();
  }

  void CompareWeights() {
    Difference difference = MakeDifference("trained weights", kWeightBar);
    for (const CaseWeight& weight : case_.weights) {
      const Tensor& found = model_.variables.Find(weight.variable)->value;
      for (int64_t i = 0; i < found.num_elements(); ++i) {
        Compare(difference, found.Elements<float>()[i], weight.trained.Elements<float>()[i],
                absl::StrCat(weight.variable, " element ", i));
      }
    }
    differences_.push_back(std::move(difference));
  }

  absl::Status ComparePredictions(const char* what, std::vector<double> CaseOutput::*recorded) {
    Difference difference = MakeDifference(what, kPredictionBar);
    SEQ_ASSIGN_OR_RETURN(const Function* predict, model_.GetFunction(kPredict));
    for (const CaseOutput& output : case_.outputs) {
      const std::vector<double>& expected = output.*recorded;
      int64_t each = 1;  // numbers of a row, all steps
      const Value result = predict->FindResult(output.name);
      for (const Dim dim : predict->type(result).shape.dims().subspan(1)) each *= dim.size();
      const int64_t rows = static_cast<int64_t>(expected.size()) / each;
      if (rows < 1 || rows > case_.rows() || rows * each != static_cast<int64_t>(expected.size())) {
        return absl::InvalidArgumentError(absl::StrCat("expected.npz has ", expected.size(),
                                                       " numbers predicted, for ", case_.rows(),
                                                       " rows of ", each));
      }
      SEQ_RETURN_IF_ERROR(ResetStates(model_));
      // Stateful layers fix the batch; other models take all rows at once.
      SEQ_ASSIGN_OR_RETURN(const std::vector<float> found,
                           runner_.Predict(FirstRows(rows, &CaseOutput::evaluate_weights),
                                           {.batch = case_.stack.input.batch.value_or(rows),
                                            .prediction = output.name}));
      for (size_t i = 0; i < expected.size(); ++i) {
        Compare(difference, found[i], expected[i],
                absl::StrCat(output.name, " row ", static_cast<int64_t>(i) / each));
      }
    }
    differences_.push_back(std::move(difference));
    return absl::OkStatus();
  }

  // In the batches of Keras: of a masked loss each has its own number of steps.
  absl::Status CompareEvaluation() {
    EvaluateOptions options = {.batch = case_.batch, .metrics = {}};
    for (const auto& [name, value] : case_.evaluation) {
      if (absl::EndsWith(name, kLossResult)) continue;
      const auto [output, metric] = OutputAndMetric(case_, name);
      SEQ_ASSIGN_OR_RETURN(Metric found, MetricByName(metric));
      options.output_metrics[output].push_back(std::move(found));
    }
    SEQ_RETURN_IF_ERROR(ResetStates(model_));
    SEQ_ASSIGN_OR_RETURN(
        const Logs logs,
        runner_.Evaluate(FirstRows(case_.rows(), &CaseOutput::evaluate_weights), options));
    Difference loss = MakeDifference("loss on all rows after training", kLossBar);
    Difference accuracy = MakeDifference("accuracy on all rows after training", kAccuracyBar);
    Difference others = MakeDifference("other metrics on all rows after training", kLossBar);
    for (const auto& [name, value] : case_.evaluation) {
      const auto found = logs.find(name);
      if (found == logs.end()) return NotFound("Evaluate says nothing of ", name);
      Difference& difference = absl::EndsWith(name, kLossResult)  ? loss
                               : absl::EndsWith(name, "accuracy") ? accuracy
                                                                  : others;
      const double unit = UnitOf(name == kLossResult ? case_.training.loss.name : name);
      Compare(difference, found->second / unit, value / unit, name);
    }
    for (Difference* difference : {&loss, &accuracy, &others}) {
      if (difference->compared > 0) differences_.push_back(std::move(*difference));
    }
    return absl::OkStatus();
  }

  const ParityCase& case_;
  Model& model_;
  ModelRunner runner_;
  std::vector<NamedExamples> named_;
  std::vector<Difference> differences_;
};

}  // namespace

absl::StatusOr<std::vector<Difference>> RunParity(const ParityCase& parity_case,
                                                  const std::string& backends) {
  SEQ_ASSIGN_OR_RETURN(Model model, BuildModel(parity_case.stack, parity_case.training));
  return ParityRun(parity_case, &model, backends).Run();
}

}  // namespace seqgraph::parity
