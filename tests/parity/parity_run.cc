#include "tests/parity/parity_run.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>

#include "absl/strings/str_cat.h"
#include "backends/compiled_function.h"
#include "graph/function_builder.h"
#include "graph/model.h"
#include "graph/status_macros.h"
#include "ops/all_ops.h"
#include "ops/dense.h"
#include "ops/embedding.h"
#include "ops/one_hot.h"
#include "ops/rewrites/all_rewrites.h"
#include "ops/rnn_cell.h"
#include "training/model_builder.h"

namespace seqgraph::parity {
namespace {

// Bars on absolute differences; an independent float64 computation of the same runs differs from
// Keras's float32 by 3e-7 (losses) and 2e-6 (weights).
constexpr double kLossBar = 2e-6;
constexpr double kWeightBar = 5e-6;
constexpr double kPredictionBar = 2e-6;

Difference MakeDifference(std::string what, double bar) { return {std::move(what), 0, bar, "", 0}; }

void Compare(Difference& difference, double found, double expected, const std::string& where) {
  double distance = std::fabs(found - expected);
  if (std::isnan(distance)) distance = std::numeric_limits<double>::infinity();
  if (difference.compared++ == 0 || distance > difference.largest) {
    difference.largest = distance;
    difference.where = absl::StrCat(where, ": got ", found, ", Keras ", expected);
  }
}

// Appends layers to a function and keeps the names of the weights in Keras's order.
class LayerBuilder {
 public:
  LayerBuilder(FunctionBuilder& g, Value tokens) : g_(g), x_(tokens) {}

  void Add(const Layer& layer) {
    name_ = layer.name;
    std::visit([this](const auto& kind) { AddKind(kind); }, layer.kind);
  }
  Value output() const { return x_; }
  const std::vector<std::string>& weights() const { return weights_; }

 private:
  int64_t features() const { return g_.type(x_).shape.back().size(); }

  Value Weight(const std::string& name, Shape shape) {
    weights_.push_back(absl::StrCat(name_, "/", name));
    return g_.Variable(weights_.back(), std::move(shape), Initializer::Zeros());
  }

  void AddKind(const EmbeddingLayer& layer) {
    x_ = ops::Embedding(g_, x_, Weight("embeddings", {layer.input_dim, layer.output_dim}), name_);
  }
  void AddKind(const OneHotLayer& layer) { x_ = ops::OneHot(g_, x_, layer.depth); }
  void AddKind(const SimpleRNNLayer& layer) {
    const Value w = Weight("kernel", {features(), layer.units});
    const Value u = Weight("recurrent_kernel", {layer.units, layer.units});
    ops::RNNCellOptions options{.activation = layer.activation, .name = name_};
    if (layer.use_bias) options.bias = Weight("bias", {layer.units});
    const ops::RNNCellOutputs outputs = ops::RNNCell(g_, x_, w, u, options);
    x_ = layer.return_sequences ? outputs.sequence : outputs.last;
  }
  void AddKind(const DenseLayer& layer) {
    const Value w = Weight("kernel", {features(), layer.units});
    ops::DenseOptions options{.activation = layer.activation, .name = name_};
    if (layer.use_bias) options.bias = Weight("bias", {layer.units});
    x_ = ops::Dense(g_, x_, w, options);
  }

  FunctionBuilder& g_;
  Value x_;
  std::string name_;
  std::vector<std::string> weights_;
};

class ParityRun {
 public:
  ParityRun(const ParityCase& parity_case, const std::vector<const Backend*>& backends)
      : case_(parity_case), backends_(backends) {}

  absl::StatusOr<std::vector<Difference>> Run() {
    SEQ_RETURN_IF_ERROR(BuildModel());
    Difference before = MakeDifference("predictions before training", kPredictionBar);
    SEQ_RETURN_IF_ERROR(ComparePredictions(case_.predict_initial, before));
    Difference losses = MakeDifference("loss of each step", kLossBar);
    SEQ_RETURN_IF_ERROR(Train(losses));
    Difference weights = MakeDifference("trained weights", kWeightBar);
    CompareWeights(weights);
    Difference after = MakeDifference("predictions after training", kPredictionBar);
    SEQ_RETURN_IF_ERROR(ComparePredictions(case_.predict_trained, after));
    Difference evaluation = MakeDifference("loss on all rows after training", kLossBar);
    SEQ_RETURN_IF_ERROR(CompareEvaluation(evaluation));
    return std::vector<Difference>{before, losses, weights, after, evaluation};
  }

 private:
  using Compiled = std::unique_ptr<CompiledFunction>;

  absl::Status BuildModel() {
    FunctionBuilder g("predict", AllOps());
    const Value tokens = g.Input("tokens", {DType::kInt32, {Dim::Batch(), case_.time()}});
    LayerBuilder layers(g, tokens);
    for (const Layer& layer : case_.layers) layers.Add(layer);
    g.Result("probability", layers.output());
    weight_names_ = layers.weights();
    SEQ_ASSIGN_OR_RETURN(model_, MakeTrainable(std::move(g), {.optimizer = case_.optimizer}));
    if (weight_names_.size() != case_.initial_weights.size()) {
      return absl::InvalidArgumentError(absl::StrCat("the layers have ", weight_names_.size(),
                                                     " weights, expected.npz has ",
                                                     case_.initial_weights.size()));
    }
    for (size_t i = 0; i < weight_names_.size(); ++i) {
      SEQ_RETURN_IF_ERROR(model_.variables.Assign(weight_names_[i], case_.initial_weights[i]));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<Compiled> Compile(const std::string& name, int64_t batch) {
    SEQ_ASSIGN_OR_RETURN(const Function* function, model_.GetFunction(name));
    return CompiledFunction::Compile(
        *function, AllOps(), &model_.variables,
        {.backends = backends_, .batch = batch, .passes = StandardPasses()});
  }

  // Copies rows [first, first + batch) into the function's inputs.
  void SetRows(CompiledFunction& function, int64_t first) {
    const int64_t batch = function.batch();
    std::memcpy(function.input(function.FindInput("tokens")),
                case_.tokens.Elements<int32_t>().data() + first * case_.time(),
                batch * case_.time() * sizeof(int32_t));
    const int labels = function.FindInput("labels");
    if (labels >= 0) {
      std::memcpy(function.input(labels), case_.targets.Elements<float>().data() + first,
                  batch * sizeof(float));
    }
  }

  absl::Status Train(Difference& losses) {
    const int64_t partial = case_.rows() % case_.batch;
    SEQ_ASSIGN_OR_RETURN(Compiled full, Compile("train_step", case_.batch));
    Compiled last;
    if (partial > 0) {
      SEQ_ASSIGN_OR_RETURN(last, Compile("train_step", partial));
    }
    size_t step = 0;
    for (int64_t epoch = 0; epoch < case_.epochs; ++epoch) {
      for (int64_t row = 0; row < case_.rows(); row += case_.batch, ++step) {
        CompiledFunction& function = row + case_.batch <= case_.rows() ? *full : *last;
        SetRows(function, row);
        SEQ_RETURN_IF_ERROR(function.Run());
        if (step >= case_.step_losses.size()) break;
        Compare(losses, Loss(function), case_.step_losses[step], absl::StrCat("step ", step));
      }
    }
    if (step == case_.step_losses.size()) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat(
        "training took ", step, " steps, expected.npz has ", case_.step_losses.size()));
  }

  static double Loss(const CompiledFunction& function) {
    return *static_cast<const float*>(function.result(function.FindResult("loss")));
  }

  void CompareWeights(Difference& weights) {
    for (size_t i = 0; i < weight_names_.size(); ++i) {
      const Tensor& found = model_.variables.Find(weight_names_[i])->value;
      const Tensor& expected = case_.trained_weights[i];
      for (int64_t j = 0; j < found.num_elements(); ++j) {
        Compare(weights, found.Elements<float>()[j], expected.Elements<float>()[j],
                absl::StrCat(weight_names_[i], " element ", j));
      }
    }
  }

  absl::Status ComparePredictions(const std::vector<double>& expected, Difference& difference) {
    SEQ_ASSIGN_OR_RETURN(Compiled predict,
                         Compile("predict", static_cast<int64_t>(expected.size())));
    SetRows(*predict, 0);
    SEQ_RETURN_IF_ERROR(predict->Run());
    const float* found = static_cast<const float*>(predict->result(0));
    for (size_t i = 0; i < expected.size(); ++i) {
      Compare(difference, found[i], expected[i], absl::StrCat("row ", i));
    }
    return absl::OkStatus();
  }

  absl::Status CompareEvaluation(Difference& difference) {
    SEQ_ASSIGN_OR_RETURN(Compiled evaluate, Compile("evaluate", case_.rows()));
    SetRows(*evaluate, 0);
    SEQ_RETURN_IF_ERROR(evaluate->Run());
    Compare(difference, Loss(*evaluate), case_.evaluate_loss, "loss");
    return absl::OkStatus();
  }

  const ParityCase& case_;
  const std::vector<const Backend*>& backends_;
  Model model_;
  std::vector<std::string> weight_names_;
};

}  // namespace

absl::StatusOr<std::vector<Difference>> RunParity(const ParityCase& parity_case,
                                                  const std::vector<const Backend*>& backends) {
  return ParityRun(parity_case, backends).Run();
}

}  // namespace seqgraph::parity
