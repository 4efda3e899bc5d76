#include "training/sequential.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "ops/all_ops.h"

namespace seqgraph {
namespace {

constexpr char kDropoutSeed[] = "optimizer/dropout_seed";

// The forward pass with dropout.
FunctionBuilder TrainingForward(const LayerStack& stack, uint64_t seed,
                                const LayerRegistry& registry) {
  FunctionBuilder g(kPredict, AllOps());
  std::vector<Value> inputs;
  for (const LayerInput& input : InputsOf(stack)) {
    inputs.push_back(g.Input(input.name, InputType(input)));
  }
  // A double holds 53 bits.
  const double start = static_cast<double>(seed & ((uint64_t{1} << 53) - 1));
  const DropoutCounters counters = {g.Variable({kDropoutSeed,
                                                {DType::kInt64, {}},
                                                Initializer::Constant(start),
                                                VariableRole::kOptimizer,
                                                /*trainable=*/false}),
                                    g.Variable(IterationVariable())};
  const EmittedStack output = EmitStack(g, stack, inputs, counters, registry);
  const std::vector<std::string> names = ResultNames(stack, registry);
  for (size_t i = 0; i < output.outputs.size(); ++i) g.Result(names[i], output.outputs[i].value);
  return g;
}

// What regularizers add to the loss, in the order of the weights; those of frozen layers add
// nothing.
std::vector<WeightPenalty> Penalties(const EmittedStack& stack) {
  std::vector<WeightPenalty> penalties;
  for (const EmittedLayer& layer : stack.layers) {
    for (const LayerWeight& weight : layer.weights) {
      if (weight.trainable && weight.regularizer.present()) {
        penalties.push_back({weight.variable, weight.regularizer});
      }
    }
  }
  return penalties;
}

void AmendStarts(const EmittedStack& stack, VariableStore& variables) {
  for (const EmittedLayer& layer : stack.layers) {
    for (const LayerWeight& weight : layer.weights) {
      if (weight.amend_start == nullptr) continue;
      variables.Mutate<float>(*variables.Find(weight.variable), weight.amend_start);
    }
  }
}

}  // namespace

FunctionBuilder StackPredict(const LayerStack& stack, const LayerRegistry& registry) {
  return StackFunction(kPredict, stack, registry);
}

absl::StatusOr<Model> BuildModel(const LayerStack& stack, const TrainableOptions& options,
                                 const LayerRegistry& registry) {
  EmittedStack emitted;
  FunctionBuilder predict = StackFunction(kPredict, stack, registry, &emitted);
  SEQ_RETURN_IF_ERROR(predict.status());
  TrainableOptions of_stack = options;
  of_stack.penalties = Penalties(emitted);
  of_stack.penalties.insert(of_stack.penalties.end(), options.penalties.begin(),
                            options.penalties.end());
  const std::vector<std::string> names = ResultNames(stack, registry);
  for (size_t i = 0; i < names.size(); ++i) {
    if (!emitted.outputs[i].mask.present()) continue;
    const std::string& mask = predict.function().info(emitted.outputs[i].mask).name;
    if (i == 0) of_stack.mask = mask;
    for (OutputLoss& each : of_stack.losses) {
      if (each.loss.prediction == names[i]) each.mask = mask;
    }
  }
  std::optional<FunctionBuilder> training;
  if (emitted.drops || emitted.updates)
    training.emplace(TrainingForward(stack, options.seed, registry));
  SEQ_ASSIGN_OR_RETURN(Model model,
                       MakeTrainable(std::move(predict), std::move(training), of_stack));
  AmendStarts(emitted, model.variables);
  model.layers = stack;
  return model;
}

absl::Status ResetStates(Model& model, const LayerRegistry& registry) {
  if (!model.layers.has_value()) {
    return FailedPrecondition("model ", model.name,
                              " was not made from layers, so its states are not known");
  }
  SEQ_ASSIGN_OR_RETURN(const EmittedStack emitted, DescribeStack(*model.layers, registry));
  for (const EmittedLayer& layer : emitted.layers) {
    for (const LayerWeight& weight : layer.weights) {
      if (!weight.state) continue;
      SEQ_ASSIGN_OR_RETURN(const Variable* state, model.variables.Get(weight.variable));
      SEQ_ASSIGN_OR_RETURN(const Tensor zeros, Tensor::Zeros(state->def.type));
      SEQ_RETURN_IF_ERROR(model.variables.Assign(weight.variable, zeros));
    }
  }
  return absl::OkStatus();
}

LayerCollection::LayerCollection(std::string name, const LayerRegistry& registry)
    : registry_(registry) {
  stack_.name = std::move(name);
}

std::string LayerCollection::Number(const std::string& name) {
  const int before = used_[name]++;
  return before == 0 ? name : absl::StrCat(name, "_", before);
}

void LayerCollection::Collect(LayerKind layer, LayerOptions options) {
  // One of an unknown class is refused by Build().
  if (const LayerDef* def = registry_.Find(layer.class_name)) {
    if (def->name_inner) {
      def->name_inner(layer, [this](const std::string& name) { return Number(name); });
    }
    if (def->complete) def->complete(layer);
  }
  if (options.name.empty()) options.name = Number(SnakeCase(layer.class_name));
  stack_.layers.push_back({std::move(options.name), options.trainable, std::move(layer)});
}

absl::StatusOr<Model> LayerCollection::Build(TrainableOptions options) const {
  options.name = stack_.name;
  return BuildModel(stack_, options, registry_);
}

Sequential::Sequential(LayerInput input, std::string name, const LayerRegistry& registry)
    : LayerCollection(std::move(name), registry) {
  stack_.input = std::move(input);
}

Sequential& Sequential::Add(LayerKind layer, LayerOptions options) {
  Collect(std::move(layer), std::move(options));
  return *this;
}

Functional::Functional(std::string name, const LayerRegistry& registry)
    : LayerCollection(std::move(name), registry) {}

LayerValue Functional::Input(LayerInput input) {
  if (!has_input_) {
    has_input_ = true;
    stack_.input = std::move(input);
    return {};
  }
  stack_.more_inputs.push_back(std::move(input));
  return {.output = static_cast<int>(stack_.more_inputs.size())};
}

int Functional::Layer(LayerKind layer, LayerOptions options) {
  Collect(std::move(layer), std::move(options));
  return static_cast<int>(stack_.layers.size()) - 1;
}

LayerValue Functional::Call(int layer, std::vector<LayerValue> inputs) {
  stack_.calls.push_back({.layer = layer, .inputs = std::move(inputs)});
  return {.call = static_cast<int>(stack_.calls.size()) - 1};
}

void Functional::Outputs(std::vector<LayerValue> outputs) {
  stack_.outputs = std::move(outputs);
  stack_ = AsStack(std::move(stack_));
}

}  // namespace seqgraph
