#include "layers/layer_emission.h"

#include <utility>

#include "ops/all_ops.h"

namespace seqgraph {

EmittedStack EmitStack(FunctionBuilder& g, const LayerStack& stack, Value input,
                       const std::optional<DropoutCounters>& dropout,
                       const LayerRegistry& registry) {
  EmittedStack emitted{.value = input};
  if (absl::Status status = CheckStack(stack, registry); !status.ok()) g.Fail(std::move(status));
  EmissionState state{.g = g, .registry = registry, .dropout = dropout};
  for (const Layer& layer : stack.layers) {
    if (!g.status().ok()) break;
    const LayerDef* def = registry.Find(layer.kind.class_name);
    EmittedLayer& to = emitted.layers.emplace_back(EmittedLayer{.def = def, .name = layer.name});
    to.stores.push_back({"vars", layer.name});
    LayerContext context(state, {emitted.value, emitted.mask}, layer.trainable, layer.name, "", "",
                         to);
    const LayerFlow flow = EmitLayer(context, *def, layer.kind);
    if (!g.status().ok()) break;
    emitted.value = flow.value;
    emitted.mask = flow.mask;
    to.output = g.type(flow.value);
  }
  emitted.drops = state.drops;
  return emitted;
}

TensorType InputType(const LayerInput& input) {
  const Dim batch = input.batch.has_value() ? Dim(*input.batch) : Dim::Batch();
  if (!input.features.has_value()) return {DType::kInt32, {batch, input.time}};
  return {DType::kFloat32, {batch, input.time, *input.features}};
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

std::string LastActivation(const LayerStack& stack, const LayerRegistry& registry) {
  for (size_t i = stack.layers.size(); i-- > 0;) {
    const std::optional<std::string> last = LastActivationOf(stack.layers[i].kind, registry);
    if (last.has_value()) return *last;
  }
  return "";
}

std::string ResultName(const LayerStack& stack, const LayerRegistry& registry) {
  const std::string last = LastActivation(stack, registry);
  return last == "sigmoid" || last == "softmax" ? "probability" : "output";
}

FunctionBuilder StackFunction(const char* name, const LayerStack& stack,
                              const LayerRegistry& registry, EmittedStack* emitted) {
  FunctionBuilder g(name, AllOps());
  if (absl::Status status = CheckStack(stack, registry); !status.ok()) {
    g.Fail(std::move(status));
    return g;
  }
  const Value input = g.Input(stack.input.name, InputType(stack.input));
  EmittedStack output = EmitStack(g, stack, input, std::nullopt, registry);
  g.Result(ResultName(stack, registry), output.value);
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
