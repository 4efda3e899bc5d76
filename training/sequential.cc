#include "training/sequential.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "ops/all_ops.h"
#include "training/layer_graph.h"

namespace seqgraph {
namespace {

constexpr char kDropoutSeed[] = "optimizer/dropout_seed";

RecurrentLayer OfKind(RecurrentKind kind, int64_t units, RecurrentLayer layer) {
  layer.kind = kind;
  layer.units = units;
  return layer;
}

absl::string_view LastActivation(const LayerStack& stack) {
  for (size_t i = stack.layers.size(); i-- > 0;) {
    const LayerKind& kind = stack.layers[i].kind;
    if (const auto* dense = std::get_if<DenseLayer>(&kind)) return dense->activation;
    if (const auto* alone = std::get_if<ActivationLayer>(&kind)) {
      if (alone->activation != "linear") return alone->activation;
    } else if (!std::holds_alternative<DropoutLayer>(kind)) {
      break;
    }
  }
  return "";
}

// The forward pass, with dropout if it is for training.
FunctionBuilder Forward(const LayerStack& stack, bool training, uint64_t seed, std::string* mask) {
  FunctionBuilder g(kPredict, AllOps());
  if (absl::Status status = CheckStack(stack); !status.ok()) {
    g.Fail(std::move(status));
    return g;
  }
  const Value input = g.Input(stack.input.name, InputType(stack.input));
  std::optional<DropoutCounters> counters;
  if (training) {
    // A double holds 53 bits.
    const double start = static_cast<double>(seed & ((uint64_t{1} << 53) - 1));
    counters = {g.Variable({kDropoutSeed,
                            {DType::kInt64, {}},
                            Initializer::Constant(start),
                            VariableRole::kOptimizer,
                            /*trainable=*/false}),
                g.Variable(IterationVariable())};
  }
  const StackOutput output = EmitStack(g, stack, input, counters);
  if (mask != nullptr && output.mask.present()) *mask = g.function().info(output.mask).name;
  g.Result(ResultName(stack), output.value);
  return g;
}

void SetForgetBiases(const LayerStack& stack, VariableStore& variables) {
  for (const std::string& name : ForgetBiases(stack)) {
    Variable* bias = variables.Find(name);
    const absl::Span<float> content = bias->value.Elements<float>();
    const size_t units = content.size() / 4;
    std::fill_n(content.begin() + units, units, 1.0f);
    ++bias->version;
  }
}

}  // namespace

std::string ResultName(const LayerStack& stack) {
  const absl::string_view last = LastActivation(stack);
  return last == "sigmoid" || last == "softmax" ? "probability" : "output";
}

FunctionBuilder StackPredict(const LayerStack& stack) {
  return Forward(stack, /*training=*/false, 0, nullptr);
}

absl::StatusOr<Model> BuildModel(const LayerStack& stack, const TrainableOptions& options) {
  TrainableOptions of_stack = options;
  std::vector<WeightPenalty> penalties = Penalties(stack);
  penalties.insert(penalties.end(), options.penalties.begin(), options.penalties.end());
  of_stack.penalties = std::move(penalties);
  FunctionBuilder predict = Forward(stack, /*training=*/false, 0, &of_stack.mask);
  std::optional<FunctionBuilder> training;
  if (HasDropout(stack)) training.emplace(Forward(stack, /*training=*/true, options.seed, nullptr));
  SEQ_ASSIGN_OR_RETURN(Model model,
                       MakeTrainable(std::move(predict), std::move(training), of_stack));
  SetForgetBiases(stack, model.variables);
  model.layers = stack;
  return model;
}

absl::Status ResetStates(Model& model) {
  if (!model.layers.has_value()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "model ", model.name, " was not made from layers, so its states are not known"));
  }
  for (const std::string& name : StateVariables(*model.layers)) {
    SEQ_ASSIGN_OR_RETURN(const Variable* state, model.variables.Get(name));
    SEQ_ASSIGN_OR_RETURN(const Tensor zeros, Tensor::Zeros(state->def.type));
    SEQ_RETURN_IF_ERROR(model.variables.Assign(name, zeros));
  }
  return absl::OkStatus();
}

RecurrentLayer SimpleRNN(int64_t units, RecurrentLayer options) {
  return OfKind(RecurrentKind::kSimpleRNN, units, std::move(options));
}
RecurrentLayer LSTM(int64_t units, RecurrentLayer options) {
  return OfKind(RecurrentKind::kLSTM, units, std::move(options));
}
RecurrentLayer GRU(int64_t units, RecurrentLayer options) {
  return OfKind(RecurrentKind::kGRU, units, std::move(options));
}

BidirectionalLayer Bidirectional(const RecurrentLayer& layer, MergeMode mode) {
  BidirectionalLayer both{.forward = layer, .backward = layer, .merge_mode = mode};
  both.backward.go_backwards = !layer.go_backwards;
  return both;
}

Sequential::Sequential(LayerInput input, std::string name) {
  stack_.name = std::move(name);
  stack_.input = std::move(input);
}

std::string Sequential::Number(const std::string& name) {
  const int before = used_[name]++;
  return before == 0 ? name : absl::StrCat(name, "_", before);
}

Sequential& Sequential::Add(LayerKind layer, LayerOptions options) {
  if (auto* both = std::get_if<BidirectionalLayer>(&layer)) {
    const BidirectionalLayer unnamed;
    if (both->forward_name == unnamed.forward_name &&
        both->backward_name == unnamed.backward_name) {
      const std::string inner = Number(KerasName(both->forward));
      both->forward_name = absl::StrCat("forward_", inner);
      both->backward_name = absl::StrCat("backward_", inner);
    }
  }
  if (options.name.empty()) options.name = Number(KerasName(layer));
  stack_.layers.push_back({std::move(options.name), options.trainable, std::move(layer)});
  return *this;
}

absl::StatusOr<Model> Sequential::Build(TrainableOptions options) const {
  options.name = stack_.name;
  return BuildModel(stack_, options);
}

}  // namespace seqgraph
