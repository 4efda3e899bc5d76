#include "layers/layer_emission.h"

#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "ops/all_ops.h"

namespace seqgraph {

namespace {

// What one call of a layer gives. Of a layer that was called before, what it becomes is known.
std::vector<LayerFlow> EmitCall(EmissionState& state, const LayerStack& stack,
                                const LayerCall& call, std::vector<LayerFlow> inputs,
                                EmittedLayer& to) {
  const Layer& layer = stack.layers[call.layer];
  const LayerFlow first = inputs[0];
  const bool ignored = call.masks == CallMasks::kIgnored;
  if (ignored || call.masks == CallMasks::kDropped) {
    for (LayerFlow& input : inputs) input.mask = {};
  }
  EmittedLayer again;
  const bool called = to.def != nullptr;
  if (!called) {
    to.def = state.registry.Find(layer.kind.class_name);
    to.stores.push_back({"vars", layer.name});
  }
  LayerContext context(state, inputs[0], layer.trainable, layer.name, "", "", called ? again : to);
  context.set_more({inputs.begin() + 1, inputs.end()}, call.masks);
  std::vector<LayerFlow> given = {EmitLayer(context, *to.def, layer.kind)};
  if (!state.g.status().ok()) return given;
  // What it takes no notice of still goes with a sequence.
  if (ignored && state.g.type(given[0].value).shape.rank() > 2) given[0].mask = first.mask;
  given.insert(given.end(), context.also_given().begin(), context.also_given().end());
  if (!called) to.output = state.g.type(given[0].value);
  return given;
}

}  // namespace

std::vector<LayerInput> InputsOf(const LayerStack& stack) {
  std::vector<LayerInput> inputs = {stack.input};
  inputs.insert(inputs.end(), stack.more_inputs.begin(), stack.more_inputs.end());
  return inputs;
}

std::vector<LayerCall> CallsOf(const LayerStack& stack) {
  if (stack.is_graph()) return stack.calls;
  std::vector<LayerCall> calls;
  const int count = static_cast<int>(stack.layers.size());
  for (int i = 0; i < count; ++i) calls.push_back({.layer = i, .inputs = {{.call = i - 1}}});
  return calls;
}

std::vector<LayerValue> OutputsOf(const LayerStack& stack) {
  if (stack.is_graph()) return stack.outputs;
  return {{.call = static_cast<int>(stack.layers.size()) - 1}};
}

LayerStack AsStack(LayerStack graph) {
  LayerStack chain = graph;
  chain.calls.clear();
  chain.outputs.clear();
  const bool same = chain.more_inputs.empty() && CallsOf(chain) == graph.calls &&
                    OutputsOf(chain) == graph.outputs;
  return same ? chain : graph;
}

EmittedStack EmitStack(FunctionBuilder& g, const LayerStack& stack, absl::Span<const Value> inputs,
                       const std::optional<DropoutCounters>& dropout,
                       const LayerRegistry& registry) {
  EmittedStack emitted;
  if (absl::Status status = CheckStack(stack, registry); !status.ok()) {
    g.Fail(std::move(status));
    return emitted;
  }
  for (const Layer& layer : stack.layers) emitted.layers.push_back({.name = layer.name});
  EmissionState state{.g = g, .registry = registry, .dropout = dropout};
  std::vector<std::vector<LayerFlow>> given;
  const auto flow = [&](const LayerValue& value, const std::string& reader) -> LayerFlow {
    if (value.call < 0) return {inputs[value.output], {}};
    const std::vector<LayerFlow>& outputs = given[value.call];
    if (value.output < static_cast<int>(outputs.size())) return outputs[value.output];
    g.Fail(InvalidArgument(reader, " takes output ", value.output, " of ", "a layer that gives ",
                           outputs.size()));
    return {};
  };
  for (const LayerCall& call : CallsOf(stack)) {
    std::vector<LayerFlow> taken;
    const std::string reader = absl::StrCat("layer ", stack.layers[call.layer].name, ": it");
    for (const LayerValue& value : call.inputs) taken.push_back(flow(value, reader));
    if (!g.status().ok()) return emitted;
    given.push_back(EmitCall(state, stack, call, std::move(taken), emitted.layers[call.layer]));
    if (!g.status().ok()) return emitted;
    std::vector<EmittedStack::Given>& outputs = emitted.calls.emplace_back();
    for (const LayerFlow& output : given.back()) {
      outputs.push_back({g.type(output.value), output.mask});
    }
  }
  for (const LayerValue& value : OutputsOf(stack)) {
    emitted.outputs.push_back(flow(value, "an output"));
  }
  for (auto& [variable, value] : state.updated) g.Update(variable, value);
  emitted.drops = state.drops;
  emitted.updates = state.updates;
  return emitted;
}

TensorType InputType(const LayerInput& input) {
  const Dim batch = input.batch.has_value() ? Dim(*input.batch) : Dim::Batch();
  if (input.time == 0) return {DType::kFloat32, {batch, *input.features}};
  Shape shape = {batch, input.time};
  for (const int64_t extent : input.between) shape.Append(extent);
  if (!input.features.has_value()) return {DType::kInt32, std::move(shape)};
  shape.Append(*input.features);
  return {DType::kFloat32, std::move(shape)};
}

namespace {

std::optional<std::string> LastActivationOf(const LayerKind& kind, const LayerRegistry& registry) {
  const LayerDef* def = registry.Find(kind.class_name);
  if (def != nullptr && def->last_activation) return def->last_activation(kind);
  const auto inner = InnerLayers(kind);
  if (inner.size() == 1) return LastActivationOf(inner[0].second.kind, registry);
  return "";
}

}  // namespace

std::string LastActivation(const LayerStack& stack, const LayerRegistry& registry, int output) {
  const std::vector<LayerCall> calls = CallsOf(stack);
  LayerValue value = OutputsOf(stack)[output];
  while (value.call >= 0 && value.output == 0) {
    const LayerCall& call = calls[value.call];
    const std::optional<std::string> last =
        LastActivationOf(stack.layers[call.layer].kind, registry);
    if (last.has_value()) return *last;
    value = call.inputs[0];
  }
  return "";
}

std::vector<std::string> ResultNames(const LayerStack& stack, const LayerRegistry& registry) {
  const std::vector<LayerValue> outputs = OutputsOf(stack);
  if (outputs.size() == 1) {
    const std::string last = LastActivation(stack, registry);
    return {last == "sigmoid" || last == "softmax" ? "probability" : "output"};
  }
  std::vector<std::string> names;
  std::set<std::string> taken;
  for (const LayerValue& value : outputs) {
    const std::string base = value.call < 0 ? InputsOf(stack)[value.output].name
                                            : stack.layers[stack.calls[value.call].layer].name;
    std::string name = base;
    for (int i = 1; !taken.insert(name).second; ++i) name = absl::StrCat(base, "_", i);
    names.push_back(std::move(name));
  }
  return names;
}

std::string ResultName(const LayerStack& stack, const LayerRegistry& registry) {
  return ResultNames(stack, registry)[0];
}

FunctionBuilder StackFunction(const char* name, const LayerStack& stack,
                              const LayerRegistry& registry, EmittedStack* emitted) {
  FunctionBuilder g(name, AllOps());
  if (absl::Status status = CheckStack(stack, registry); !status.ok()) {
    g.Fail(std::move(status));
    return g;
  }
  std::vector<Value> inputs;
  for (const LayerInput& input : InputsOf(stack)) {
    inputs.push_back(g.Input(input.name, InputType(input)));
  }
  EmittedStack output = EmitStack(g, stack, inputs, std::nullopt, registry);
  const std::vector<std::string> names = ResultNames(stack, registry);
  for (size_t i = 0; i < output.outputs.size(); ++i) g.Result(names[i], output.outputs[i].value);
  if (emitted != nullptr) *emitted = std::move(output);
  return g;
}

absl::StatusOr<EmittedStack> DescribeStack(const LayerStack& stack, const LayerRegistry& registry) {
  EmittedStack emitted;
  const FunctionBuilder g = StackFunction("describe", stack, registry, &emitted);
  if (!g.status().ok()) return g.status();
  return emitted;
}

}  // namespace seqgraph
