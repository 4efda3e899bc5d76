#include "layers/time_distributed.h"

#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "layers/convolution.h"
#include "layers/dense.h"
#include "layers/embedding.h"
#include "layers/layer_context.h"
#include "layers/normalization.h"
#include "layers/recurrent.h"
#include "layers/repeat_vector.h"
#include "ops/examples.h"

namespace seqgraph {
namespace {

using ops::Reals;

// More steps would make functions of more nodes than anything here is meant for.
constexpr int64_t kMostSteps = 1024;

// Whether it takes each row of the last axis by itself, however many axes stand in front. An axis
// that is counted from the front is one of a step.
bool TakesAllSteps(LayerContext& c, const Layer& layer) {
  const auto axis = layer.kind.settings.find("axis");
  const bool counted = axis != layer.kind.settings.end() &&
                       std::holds_alternative<int64_t>(axis->second) &&
                       std::get<int64_t>(axis->second) > 0;
  return c.DefOf(layer).row_wise && !counted;
}

// Whether it can be given the inputs of all steps as one value, as can all layers that it holds.
bool TakesAllInputs(LayerContext& c, const Layer& layer) {
  const LayerDef& def = c.DefOf(layer);
  // The mask that tokens are belongs to the steps one by one.
  const auto mask_zero = layer.kind.settings.find("mask_zero");
  if (mask_zero != layer.kind.settings.end() && mask_zero->second == LayerSetting(true)) {
    return false;
  }
  const bool kept = def.all_steps == StepsAtOnce::kAlways ||
                    (def.all_steps == StepsAtOnce::kInference && !c.training());
  if (!kept && !TakesAllSteps(c, layer)) return false;
  for (const auto& [name, inner] : InnerLayers(layer.kind)) {
    if (!TakesAllInputs(c, inner)) return false;
  }
  return true;
}

// A layer that takes each row of the last axis by itself does so for every step at once, and one
// for which steps are like rows of the batch takes all of them as one value. Any other is called
// for one step after the other, as Keras 3 calls it: its states and the moving statistics of a
// normalization go from step to step.
LayerFlow EmitTimeDistributed(LayerContext& c, const TimeDistributedLayer& layer) {
  constexpr char kField[] = "layer";
  if (TakesAllSteps(c, layer.layer)) {
    return c.Pass(c.EmitInner(layer.layer, kField, {c.x(), c.mask()}).value);
  }
  if (TakesAllInputs(c, layer.layer)) {
    LayerContext over = c.OverSteps();
    return c.Pass(over.EmitInner(layer.layer, kField, {c.x(), {}}).value);
  }
  if (c.outer_axes() > 0) {
    c.Fail("it holds what takes one step after the other, in a layer that takes all at once");
    return {};
  }
  const int64_t time = c.type().shape[1].size();
  if (time < 1 || time > kMostSteps) {
    c.Fail(absl::StrCat("it has ", time, " steps; a layer ", layer.layer.kind.class_name,
                        " takes 1 to ", kMostSteps, ", one after the other"));
    return {};
  }
  const std::vector<Value> steps = c.EmitInnerForEach(layer.layer, kField, c.Steps());
  return steps.empty() ? LayerFlow() : c.Pass(c.Join(steps, c.name()));
}

void NameInner(TimeDistributedLayer& layer, const NumberName& number) {
  if (layer.layer.name != TimeDistributedLayer().layer.name) return;
  layer.layer.name = number(SnakeCase(layer.layer.kind.class_name));
}

LayerFlow EmitInnerStack(LayerContext& c, const InnerStackLayer& stack) {
  LayerFlow flow = {c.x(), c.mask()};
  NumberedNames names;
  for (const Layer& layer : stack.layers) {
    flow = c.EmitInner(layer, absl::StrCat("layers/", names.Next(layer.kind)), flow);
    if (!c.g().status().ok()) return {};
  }
  return flow;
}

absl::Status CheckInnerStack(const InnerStackLayer& stack) {
  std::set<std::string> names;
  for (const Layer& layer : stack.layers) {
    if (!names.insert(layer.name).second) {
      return InvalidArgument("two of its layers have the name ", layer.name);
    }
  }
  return absl::OkStatus();
}

void FitInnerStack(InnerStackLayer& stack, SampleSource& random) {
  stack = InnerStack({DenseLayer{.units = random.Dimension()}, BatchNormalizationLayer{}});
}

void FitSample(TimeDistributedLayer& layer, SampleSource& random) {
  InnerStackLayer stack;
  FitInnerStack(stack, random);
  const LayerKind inner = random.OneOf<LayerKind>(
      {layer.layer.kind, RepeatVectorLayer{.n = random.Dimension()}, stack});
  layer.layer.kind = inner;
}

}  // namespace

TimeDistributedLayer TimeDistributed(LayerKind layer) {
  TimeDistributedLayer wrapper;
  wrapper.layer.kind = std::move(layer);
  return wrapper;
}

InnerStackLayer InnerStack(const std::vector<LayerKind>& layers) {
  InnerStackLayer stack;
  NumberedNames names;
  for (const LayerKind& layer : layers) {
    stack.layers.push_back({.name = names.Next(layer), .kind = layer});
  }
  return stack;
}

LayerDef TimeDistributedDef() {
  return DefineLayer<TimeDistributedLayer>()
      .Doc(
          "[batch, time, ...] -> [batch, time, ...]: a layer applied to each step by itself, also "
          "to steps that are sequences. Layers for which steps are like rows, such as Dense, a "
          "convolution or a pooling, take all steps at once, others, such as LSTM, one after the "
          "other (at most 1024), as in Keras 3: in "
          "training, a BatchNormalization takes the moments of each step (Keras 2: of all). Masks "
          "pass by the layer.")
      .Takes(LayerTakes::kSteps)
      .AllSteps(StepsAtOnce::kAlways)
      .Emit(EmitTimeDistributed)
      .NameInner(NameInner)
      .FitSample(FitSample)
      .Example({"dense",
                TimeDistributed(DenseLayer{.units = 1, .use_bias = false}),
                Reals({1, 2, 2}, {1, 2, 3, 4}),
                {Reals({2, 1}, {1, 10})},
                Reals({1, 2, 1}, {21, 43})})
      // y_t = x_t + 10 x_{t+1} in either half.
      .Example({"convolution",
                TimeDistributed(Conv1DLayer{.filters = 1, .kernel_size = 2, .use_bias = false}),
                Reals({1, 2, 3, 1}, {1, 2, 3, 4, 5, 6}),
                {Reals({2, 1, 1}, {1, 10})},
                Reals({1, 2, 2, 1}, {21, 32, 54, 65})})
      // h = relu(2 x + h'): the first row's 2 1, 2 2 + 2; 6, 8 + 6; 10, 12 + 10.
      .Example({"recurrent",
                TimeDistributed(SimpleRNN(1, {.activation = "relu", .use_bias = false})),
                Reals({1, 3, 2, 1}, {1, 2, 3, 4, 5, 6}),
                {Reals({1, 1}, {2}), Reals({1, 1}, {1})},
                Reals({1, 3, 1}, {6, 14, 22})})
      // Rows 2 and 0 of 1, 2, 3, which the layer behind it adds up: 3 + 1; 2 + 3.
      .Example(
          {"tokens",
           TimeDistributed(InnerStack({EmbeddingLayer{.input_dim = 3, .output_dim = 1},
                                       SimpleRNN(1, {.activation = "relu", .use_bias = false})})),
           ops::Ids({1, 2, 2}, {2, 0, 1, 2}),
           {Reals({3, 1}, {1, 2, 3}), Reals({1, 1}, {1}), Reals({1, 1}, {1})},
           Reals({1, 2, 1}, {4, 5})})
      .Example({"masked_tokens",
                TimeDistributed(
                    InnerStack({EmbeddingLayer{.input_dim = 3, .output_dim = 1, .mask_zero = true},
                                SimpleRNN(1, {.activation = "relu", .use_bias = false})})),
                ops::Ids({1, 2, 2}, {2, 0, 1, 2}),
                {Reals({3, 1}, {1, 2, 3}), Reals({1, 1}, {1}), Reals({1, 1}, {1})},
                Reals({1, 2, 1}, {3, 5})})
      .Example({"vectors",
                TimeDistributed(RepeatVectorLayer{.n = 2}),
                Reals({1, 2, 2}, {1, 2, 3, 4}),
                {},
                Reals({1, 2, 2, 2}, {1, 2, 1, 2, 3, 4, 3, 4})});
}

LayerDef InnerStackDef() {
  const DenseLayer dense{.units = 1, .use_bias = false};
  return DefineLayer<InnerStackLayer>()
      .Doc(
          "Layers one after the other as one, for a wrapper: TimeDistributed of a model. In a "
          "stack "
          "of its own their layers lie beside the others.")
      .Keras({.module = "keras"})
      .AllSteps(StepsAtOnce::kAlways)
      .Emit(EmitInnerStack)
      .Check(CheckInnerStack)
      .FitSample(FitInnerStack)
      .Example({"two",
                InnerStack({dense, dense}),
                Reals({1, 2}, {1, 2}),
                {Reals({2, 1}, {1, 10}), Reals({1, 1}, {3})},
                Reals({1, 1}, {63})});
}

}  // namespace seqgraph
