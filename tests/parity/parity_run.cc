#include "tests/parity/parity_run.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "graph/model.h"
#include "layers/all_layers.h"
#include "ops/all_ops.h"
#include "ops/rewrites/all_rewrites.h"
#include "runtime/compiled_function.h"
#include "training/metrics.h"
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

// Rows [first, first + count) of a tensor of 4-byte elements.
Tensor Rows(const Tensor& tensor, int64_t first, int64_t count) {
  TensorType type = tensor.type();
  const int64_t row_bytes = tensor.num_bytes() / type.shape[0].size();
  std::vector<Dim> dims(type.shape.dims().begin(), type.shape.dims().end());
  dims[0] = Dim(count);
  type.shape = Shape(dims);
  return Tensor::CopyOf(type, static_cast<const char*>(tensor.data()) + first * row_bytes);
}

class ParityRun {
 public:
  ParityRun(const ParityCase& parity_case, const std::vector<const Backend*>& backends)
      : case_(parity_case), backends_(backends) {}

  absl::StatusOr<std::vector<Difference>> Run() {
    SEQ_RETURN_IF_ERROR(MakeModel());
    Difference before = MakeDifference("predictions before training", kPredictionBar);
    SEQ_RETURN_IF_ERROR(ComparePredictions(case_.predict_initial, before));
    Difference losses = MakeDifference("loss of each step", kLossBar);
    SEQ_RETURN_IF_ERROR(Train(losses));
    Difference weights = MakeDifference("trained weights", kWeightBar);
    CompareWeights(weights);
    Difference after = MakeDifference("predictions after training", kPredictionBar);
    SEQ_RETURN_IF_ERROR(ComparePredictions(case_.predict_trained, after));
    Difference loss = MakeDifference("loss on all rows after training", kLossBar);
    Difference accuracy = MakeDifference("accuracy on all rows after training", kAccuracyBar);
    SEQ_RETURN_IF_ERROR(CompareEvaluation(loss, accuracy));
    std::vector<Difference> differences = {before, losses, weights, after, loss};
    if (case_.evaluate_accuracy.has_value()) differences.push_back(accuracy);
    return differences;
  }

 private:
  using Batches = std::map<int64_t, std::unique_ptr<CompiledFunction>>;

  absl::Status MakeModel() {
    SEQ_ASSIGN_OR_RETURN(model_, BuildModel(case_.stack, case_.training));
    for (const CaseWeight& weight : case_.weights) {
      SEQ_RETURN_IF_ERROR(model_.variables.Assign(weight.variable, weight.initial));
    }
    return absl::OkStatus();
  }

  // The function for so many rows, compiled if it is the first time.
  absl::StatusOr<CompiledFunction*> Compiled(const std::string& name, int64_t rows,
                                             Batches& compiled) {
    std::unique_ptr<CompiledFunction>& function = compiled[rows];
    if (function == nullptr) {
      SEQ_ASSIGN_OR_RETURN(const Function* source, model_.GetFunction(name));
      SEQ_ASSIGN_OR_RETURN(function,
                           CompiledFunction::Compile(
                               *source, AllOps(), &model_.variables,
                               {.backends = backends_, .batch = rows, .passes = StandardPasses()}));
    }
    return function.get();
  }

  // Runs the function over the first `rows` rows in order, `batch` at a time and beginning with
  // states of zero, and calls visit(function, first row) after each.
  template <typename F>
  absl::Status ForEachBatch(const std::string& name, int64_t rows, int64_t batch,
                            const Tensor& row_weights, Batches& compiled, F visit) {
    SEQ_RETURN_IF_ERROR(ResetStates(model_));
    for (int64_t first = 0; first < rows; first += batch) {
      const int64_t count = std::min(batch, rows - first);
      SEQ_ASSIGN_OR_RETURN(CompiledFunction * function, Compiled(name, count, compiled));
      for (const auto& [input, tensor] : {std::pair{case_.stack.input.name, &case_.tokens},
                                          {std::string(kLabels), &case_.targets},
                                          {std::string(kSampleWeight), &row_weights}}) {
        const int index = function->FindInput(input);
        if (index < 0) continue;
        SEQ_RETURN_IF_ERROR(
            Annotate(function->SetInput(index, Rows(*tensor, first, count)), input));
      }
      SEQ_RETURN_IF_ERROR(function->Run());
      visit(*function, first);
    }
    return absl::OkStatus();
  }

  // Stateful layers fix the batch; other models take all rows at once.
  int64_t InferenceBatch(int64_t rows) const { return case_.stack.input.batch.value_or(rows); }

  absl::Status Train(Difference& losses) {
    const int64_t steps_per_epoch = (case_.rows() + case_.batch - 1) / case_.batch;
    const int64_t steps = steps_per_epoch * case_.epochs;
    if (steps != static_cast<int64_t>(case_.step_losses.size())) {
      return absl::InvalidArgumentError(absl::StrCat(
          "training takes ", steps, " steps, expected.npz has ", case_.step_losses.size()));
    }
    Batches compiled;
    size_t step = 0;
    for (int64_t epoch = 0; epoch < case_.epochs; ++epoch) {
      SEQ_RETURN_IF_ERROR(ForEachBatch(kTrainStep, case_.rows(), case_.batch, case_.train_weights,
                                       compiled, [&](const CompiledFunction& function, int64_t) {
                                         Compare(losses, Loss(function), case_.step_losses[step],
                                                 absl::StrCat("step ", step));
                                         ++step;
                                       }));
    }
    return absl::OkStatus();
  }

  static double Loss(const CompiledFunction& function) {
    return *static_cast<const float*>(function.result(function.FindResult(kLossResult)));
  }

  void CompareWeights(Difference& difference) {
    for (const CaseWeight& weight : case_.weights) {
      const Tensor& found = model_.variables.Find(weight.variable)->value;
      for (int64_t i = 0; i < found.num_elements(); ++i) {
        Compare(difference, found.Elements<float>()[i], weight.trained.Elements<float>()[i],
                absl::StrCat(weight.variable, " element ", i));
      }
    }
  }

  Tensor Prediction(const CompiledFunction& function) const {
    return function.Result(function.FindResult(ResultName(case_.stack, AllLayers())));
  }

  absl::Status ComparePredictions(const std::vector<double>& expected, Difference& difference) {
    SEQ_ASSIGN_OR_RETURN(const Function* predict, model_.GetFunction(kPredict));
    const Value result = predict->FindResult(ResultName(case_.stack, AllLayers()));
    int64_t outputs = 1;  // of a row, all steps
    for (const Dim dim : predict->type(result).shape.dims().subspan(1)) outputs *= dim.size();
    const int64_t rows = static_cast<int64_t>(expected.size()) / outputs;
    if (rows > case_.rows() || rows * outputs != static_cast<int64_t>(expected.size())) {
      return absl::InvalidArgumentError(absl::StrCat("expected.npz has ", expected.size(),
                                                     " numbers predicted, for ", case_.rows(),
                                                     " rows of ", outputs));
    }
    Batches compiled;
    return ForEachBatch(kPredict, rows, InferenceBatch(rows), {}, compiled,
                        [&](const CompiledFunction& function, int64_t first) {
                          const Tensor prediction = Prediction(function);
                          for (int64_t i = 0; i < prediction.num_elements(); ++i) {
                            Compare(difference, prediction.Elements<float>()[i],
                                    expected[first * outputs + i],
                                    absl::StrCat("row ", first + i / outputs));
                          }
                        });
  }

  // The batch of a function that has just run on rows that begin with `first`, as metrics see it.
  struct Seen {
    Tensor prediction, targets, mask;
    MetricBatch batch;
  };
  Seen See(const CompiledFunction& function, int64_t first) const {
    Seen seen{.prediction = Prediction(function),
              .targets = Rows(case_.targets, first, function.batch())};
    const int64_t width = seen.prediction.shape().back().size();
    seen.batch = {.rows = seen.prediction.num_elements() / width,
                  .predictions = seen.prediction.Elements<float>()};
    if (seen.targets.dtype() == DType::kInt32) {
      seen.batch.classes = seen.targets.Elements<int32_t>();
    } else {
      seen.batch.labels = seen.targets.Elements<float>();
    }
    if (const int mask = function.FindResult(kLossMask); mask >= 0) {
      seen.mask = function.Result(mask);
      seen.batch.weights = seen.mask.Elements<float>();
    }
    return seen;
  }

  // In the batches of Keras: of a masked loss each has its own number of steps.
  absl::Status CompareEvaluation(Difference& loss, Difference& accuracy) {
    const std::unique_ptr<MetricState> right = Accuracy().make();
    Mean mean;
    Batches compiled;
    SEQ_RETURN_IF_ERROR(ForEachBatch(kEvaluate, case_.rows(), case_.batch, case_.evaluate_weights,
                                     compiled,
                                     [&](const CompiledFunction& function, int64_t first) {
                                       const double count = static_cast<double>(function.batch());
                                       mean.Add(Loss(function) * count, count);
                                       if (case_.evaluate_accuracy.has_value()) {
                                         right->Add(See(function, first).batch);
                                       }
                                     }));
    Compare(loss, mean.value(), case_.evaluate_loss, "loss");
    if (case_.evaluate_accuracy.has_value()) {
      Compare(accuracy, right->value(), *case_.evaluate_accuracy, "accuracy");
    }
    return absl::OkStatus();
  }

  const ParityCase& case_;
  const std::vector<const Backend*>& backends_;
  Model model_;
};

}  // namespace

absl::StatusOr<std::vector<Difference>> RunParity(const ParityCase& parity_case,
                                                  const std::vector<const Backend*>& backends) {
  return ParityRun(parity_case, backends).Run();
}

}  // namespace seqgraph::parity
