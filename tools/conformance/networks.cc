#include "tools/conformance/networks.h"

#include <cmath>
#include <utility>

#include "absl/strings/match.h"
#include "base/status_macros.h"
#include "graph/function_builder.h"
#include "graph/gradient.h"
#include "graph/rewrite.h"
#include "ops/activations.h"
#include "ops/bce.h"
#include "ops/dense.h"
#include "ops/elementwise.h"
#include "ops/embedding.h"
#include "ops/rewrites/all_rewrites.h"
#include "ops/rnn_cell.h"
#include "training/initializers.h"

namespace seqgraph::conformance {
namespace {

// Writes one Network into a builder, and its contents beside.
class NetworkWriter {
 public:
  NetworkWriter(const Network& network, const OpRegistry& registry, uint64_t seed)
      : n_(network), g_("network", registry), source_(seed) {}

  absl::StatusOr<Problem> Write() {
    const int64_t width = n_.projected ? n_.units : n_.width;
    const Value x =
        n_.dense_input
            ? Input("x", source_.Reals({n_.batch, n_.time, width}))
            : ops::Embedding(g_, Input("ids", source_.Indices({n_.batch, n_.time}, n_.vocabulary)),
                             Variable("table", {n_.vocabulary, width}, 1));
    ops::RNNCellOutputs h = Recurrence("rnn", x, width, n_.projected);
    if (n_.sequence_result) g_.Result("sequence", h.sequence);
    if (n_.relu_after) h.sequence = ops::Relu(g_, h.sequence);
    if (n_.stacked) h = Recurrence("rnn2", h.sequence, n_.units, /*projected=*/false);
    Value loss = Loss("head", h.last);
    if (n_.sequence_loss) loss = ops::Add(g_, loss, Loss("steps", h.sequence));
    g_.Result("loss", loss);
    const std::vector<Value> weights = weights_;
    SEQ_RETURN_IF_ERROR(Gradients("d ", loss, weights));
    if (n_.twice) SEQ_RETURN_IF_ERROR(Gradients("d2 ", Loss("second", h.last), weights));
    SEQ_ASSIGN_OR_RETURN(problem_.function, std::move(g_).Build());
    return std::move(problem_);
  }

 private:
  Value Input(const std::string& name, const Tensor& tensor) {
    Tensor content = IsReal(tensor.dtype()) ? tensor.Cast(DType::kFloat32) : tensor;
    const Value value = g_.Input(name, content.type());
    problem_.contents[name] = std::move(content);
    return value;
  }

  Value Variable(const std::string& name, const Shape& shape, double limit) {
    weights_.push_back(g_.Variable(name, shape, Initializer::Zeros()));
    problem_.contents[name] = source_.Reals(shape, -limit, limit).Cast(DType::kFloat32);
    return weights_.back();
  }

  ops::RNNCellOutputs Recurrence(const std::string& name, Value x, int64_t width, bool projected) {
    ops::RNNCellOptions options;
    options.activation = n_.activation;
    options.bias = Variable(name + "/b", {n_.units}, 0.3);
    if (n_.initial_state) {
      options.initial_state = Variable(name + "/h0", {n_.batch, n_.units}, 0.5);
    }
    const Value w = projected ? Value{}
                              : Variable(name + "/w", {width, n_.units},
                                         1 / std::sqrt(static_cast<double>(width)));
    const Value u =
        Variable(name + "/u", {n_.units, n_.units}, 1 / std::sqrt(static_cast<double>(n_.units)));
    return ops::RNNCell(g_, x, w, u, options);
  }

  Value Loss(const std::string& name, Value state) {
    Shape shape;
    const Shape& of = g_.type(state).shape;
    for (int d = 0; d + 1 < of.rank(); ++d) shape.Append(of[d]);
    shape.Append(1);
    const Value w = Variable(name + "/w", {n_.units, 1}, 1 / std::sqrt(n_.units * 1.0));
    const Value labels = Input(name + "/labels", source_.Reals(shape, 0, 1));
    return ops::BCEWithLogits(g_, ops::Dense(g_, state, w), labels);
  }

  absl::Status Gradients(const std::string& prefix, Value loss, const std::vector<Value>& wrt) {
    SEQ_RETURN_IF_ERROR(g_.status());
    SEQ_ASSIGN_OR_RETURN(const std::vector<Value> gradients, AddGradients(g_, loss, wrt));
    for (size_t i = 0; i < wrt.size(); ++i) {
      g_.Result(prefix + g_.function().info(wrt[i]).name, gradients[i]);
    }
    return absl::OkStatus();
  }

  const Network n_;
  FunctionBuilder g_;
  SampleSource source_;
  Problem problem_;
  std::vector<Value> weights_;
};

}  // namespace

absl::StatusOr<Problem> MakeNetwork(const Network& network, const OpRegistry& registry,
                                    uint64_t seed) {
  return NetworkWriter(network, registry, seed).Write();
}

TensorMap RandomBatch(const Function& function, const TextModelOptions& options, int64_t batch,
                      SampleSource& source) {
  TensorMap contents;
  for (Value input : function.inputs()) {
    const ValueInfo& info = function.info(input);
    const Shape shape = info.type.shape.Bind(batch);
    if (info.type.dtype == DType::kInt32) {
      contents[info.name] = source.Indices(shape, options.num_words);
      continue;
    }
    Tensor labels = *Tensor::Zeros({DType::kFloat32, shape});
    for (float& label : labels.Elements<float>()) label = source.Coin() ? 1.0f : 0.0f;
    contents[info.name] = std::move(labels);
  }
  return contents;
}

absl::StatusOr<Model> MakeTutorialModel(const TextModelOptions& options,
                                        const TrainableOptions& trainable, uint64_t seed) {
  SEQ_ASSIGN_OR_RETURN(Model model, MakeTextModel(options, trainable));
  SampleSource source(seed);
  for (const Variable& variable : model.variables.all()) {
    if (variable.def.role != VariableRole::kWeight ||
        !absl::StrContains(variable.def.name, "bias")) {
      continue;
    }
    const Tensor bias = source.Reals(variable.def.type.shape, -0.2, 0.2).Cast(DType::kFloat32);
    SEQ_RETURN_IF_ERROR(model.variables.Assign(variable.def.name, bias));
  }
  return model;
}

absl::StatusOr<Problem> TutorialProblem(const TextModelOptions& options,
                                        const std::string& function, int64_t batch, bool rewritten,
                                        const OpRegistry& registry, uint64_t seed) {
  SEQ_ASSIGN_OR_RETURN(const Model model, MakeTutorialModel(options, {}, seed));
  SEQ_ASSIGN_OR_RETURN(const Function* found, model.GetFunction(function));
  SEQ_ASSIGN_OR_RETURN(Function bound, BindBatch(*found, registry, batch));
  if (rewritten) {
    SEQ_ASSIGN_OR_RETURN(bound, ApplyRewrites(bound, registry, StandardRewrites()));
  }
  SampleSource source(seed);
  Problem problem{bound, VariablesOf(bound, model.variables)};
  problem.contents.merge(RandomBatch(bound, options, batch, source));
  return problem;
}

TensorMap VariablesOf(const Function& function, const VariableStore& variables) {
  TensorMap contents;
  for (const VariableRead& read : function.variables()) {
    contents[read.def.name] = variables.Find(read.def.name)->value;
  }
  return contents;
}

}  // namespace seqgraph::conformance
