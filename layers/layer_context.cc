#include "layers/layer_context.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "ops/dropout.h"
#include "ops/elementwise.h"
#include "ops/random_normal.h"
#include "ops/reductions.h"
#include "ops/reshape.h"
#include "ops/slice.h"

namespace seqgraph {

LayerContext::LayerContext(EmissionState& state, LayerFlow input, bool trainable,
                           std::string prefix, std::string inner, std::string store,
                           EmittedLayer& layer)
    : state_(state),
      input_(input),
      trainable_(trainable),
      prefix_(std::move(prefix)),
      path_(inner),
      inner_(std::move(inner)),
      store_(std::move(store)),
      group_(absl::StrCat(store_, "vars")),
      layer_(&layer) {}

std::string LayerContext::Part(absl::string_view part) const {
  return absl::StrCat(prefix_, "/", part);
}

Value LayerContext::Weight(absl::string_view part, Shape shape, const Initializer& initializer,
                           const Regularizer& regularizer, AmendStart amend_start) {
  return AddWeight(part, std::move(shape), initializer, trainable_, regularizer, amend_start);
}

Value LayerContext::Statistic(absl::string_view part, Shape shape, const Initializer& initializer) {
  if (trainable_) state_.updates = true;
  return Begun(part,
               AddWeight(part, std::move(shape), initializer, /*trainable=*/false, {}, nullptr));
}

Value LayerContext::Fixed(absl::string_view part, Shape shape, const Initializer& initializer) {
  return AddWeight(part, std::move(shape), initializer, /*trainable=*/false, {}, nullptr);
}

void LayerContext::Count(absl::string_view part) {
  layer_->counts.push_back({.trainable = false,
                            .path = absl::StrCat(path_, part),
                            .store = absl::StrCat(group_, "/", NumberInGroup())});
}

int LayerContext::NumberInGroup() const {
  int number = 0;
  for (const LayerWeight& weight : layer_->weights) {
    number += !weight.state && absl::StartsWith(weight.store, absl::StrCat(group_, "/"));
  }
  return number;
}

Value LayerContext::AddWeight(absl::string_view part, Shape shape, const Initializer& initializer,
                              bool trainable, const Regularizer& regularizer,
                              AmendStart amend_start) {
  layer_->weights.push_back({.variable = Part(part),
                             .shape = shape,
                             .trainable = trainable,
                             .regularizer = regularizer,
                             .amend_start = amend_start,
                             .path = absl::StrCat(path_, part),
                             .store = absl::StrCat(group_, "/", NumberInGroup())});
  return state_.g.Variable(
      {Part(part), {state_.real, std::move(shape)}, initializer, VariableRole::kWeight, trainable});
}

void LayerContext::EnterGroup(absl::string_view store, absl::string_view name) {
  group_ = absl::StrCat(store_, store, "/vars");
  path_ = absl::StrCat(inner_, name, "/");
  layer_->stores.push_back({group_, std::string(name)});
}

Value LayerContext::State(absl::string_view part, int64_t units) {
  const Dim batch = type().shape[0];
  if (batch.is_batch()) {
    Fail("it is stateful, so the number of rows must be fixed: set batch of the stack's input");
    return {};
  }
  const Shape shape = {batch.size(), units};
  layer_->weights.push_back(
      {.variable = Part(part), .shape = shape, .trainable = false, .state = true});
  return Begun(part, state_.g.Variable({Part(part),
                                        {state_.real, shape},
                                        Initializer::Zeros(),
                                        VariableRole::kWeight,
                                        /*trainable=*/false}));
}

// What the variable has become in an earlier call, else what it holds.
Value LayerContext::Begun(absl::string_view part, Value stored) const {
  for (const auto& [variable, value] : state_.updated) {
    if (variable == Part(part)) return value;
  }
  return stored;
}

void LayerContext::Update(absl::string_view part, Value value) {
  for (auto& [variable, updated] : state_.updated) {
    if (variable == Part(part)) {
      updated = value;
      return;
    }
  }
  state_.updated.push_back({Part(part), value});
}

Value LayerContext::Dropout(Value x, double rate) {
  if (rate > 0) state_.drops = true;
  if (!state_.dropout.has_value() || rate == 0) return x;
  return ops::Dropout(state_.g, x, state_.dropout->seed, state_.dropout->step,
                      {.rate = rate, .stream = state_.stream++, .name = prefix_});
}

Value LayerContext::DropoutFactors(double rate, std::vector<int64_t> shape,
                                   const std::string& name) {
  if (rate > 0) state_.drops = true;
  if (!state_.dropout.has_value() || rate == 0) return {};
  return ops::DropoutMask(
      state_.g, state_.dropout->seed, state_.dropout->step, input_.value,
      {.rate = rate, .stream = state_.stream++, .shape = std::move(shape), .name = name});
}

Value LayerContext::Noise(double mean, double stddev, const std::string& name) {
  if (stddev > 0) state_.drops = true;
  if (!state_.dropout.has_value() || stddev == 0) return {};
  return ops::RandomNormal(
      state_.g, state_.dropout->seed, state_.dropout->step, input_.value,
      {.mean = mean, .stddev = stddev, .stream = state_.stream++, .name = name});
}

Value LayerContext::DropForAllSteps(Value x, double rate, const std::string& name) {
  const Value factors =
      DropoutFactors(rate, {-1, state_.g.type(x).shape.back().size()}, absl::StrCat(name, "/mask"));
  if (!factors.present()) return x;
  return ops::Multiply(state_.g, x, ops::BroadcastLike(state_.g, factors, x, {1}, name), name);
}

LayerContext LayerContext::Inner(const Layer& layer, const std::string& store, LayerFlow input) {
  const std::string below = absl::StrCat(store_, store, "/");
  layer_->stores.push_back({absl::StrCat(below, "vars"), layer.name});
  LayerContext context(state_, input, trainable_, Part(layer.name),
                       absl::StrCat(inner_, layer.name, "/"), below, *layer_);
  context.outer_axes_ = outer_axes_;
  return context;
}

const LayerDef& LayerContext::DefOf(const Layer& layer) const {
  return *state_.registry.Find(layer.kind.class_name);
}

LayerFlow LayerContext::EmitInner(const Layer& layer, const std::string& store, LayerFlow input) {
  const LayerDef& def = DefOf(layer);
  LayerContext context = Inner(layer, store, input);
  if (def.least_inputs > 1) {
    context.Fail(
        absl::StrCat("a layer ", def.class_name, " takes several inputs, and is given one"));
    return {};
  }
  const LayerFlow output = EmitLayer(context, def, layer.kind);
  if (!context.also_given().empty()) {
    context.Fail("it gives its states as well, which nothing takes: leave return_state away");
  }
  return output;
}

std::vector<Value> LayerContext::EmitInnerForEach(const Layer& layer, const std::string& store,
                                                  const std::vector<Value>& inputs) {
  std::vector<Value> outputs;
  EmittedLayer again;  // what the layer becomes is noted at the first
  LayerContext context = *this;
  for (const Value input : inputs) {
    outputs.push_back(context.EmitInner(layer, store, {input, {}}).value);
    if (!state_.g.status().ok()) return {};
    context.layer_ = &again;
  }
  return outputs;
}

namespace {

// The steps of x [batch, steps, ...]. Halves are halved again, so that no element is copied more
// than log2(steps) times, here and where gradients come together.
void TakeSteps(FunctionBuilder& g, Value x, const std::string& name, std::vector<Value>& steps) {
  const Shape& shape = g.type(x).shape;
  const int64_t count = shape[1].size();
  if (count == 1) {
    Shape step = {shape[0]};
    for (const Dim dim : shape.dims().subspan(2)) step.Append(dim);
    steps.push_back(ops::Reshape(g, x, step, name));
    return;
  }
  TakeSteps(g, ops::Slice(g, x, {.axis = 1, .begin = 0, .end = count / 2, .name = name}), name,
            steps);
  TakeSteps(g, ops::Slice(g, x, {.axis = 1, .begin = count / 2, .end = count, .name = name}), name,
            steps);
}

// The other way.
Value JoinSteps(FunctionBuilder& g, absl::Span<const Value> steps, const std::string& name) {
  if (steps.size() > 1) {
    const size_t half = steps.size() / 2;
    const Value first = JoinSteps(g, steps.subspan(0, half), name);
    return ops::Concat(g, first, JoinSteps(g, steps.subspan(half), name), 1, name);
  }
  const Shape& shape = g.type(steps[0]).shape;
  Shape one = {shape[0], 1};
  for (const Dim dim : shape.dims().subspan(1)) one.Append(dim);
  return ops::Reshape(g, steps[0], one, name);
}

}  // namespace

std::vector<Value> LayerContext::Steps() {
  const auto known = state_.steps.find(x());
  if (known != state_.steps.end()) return known->second;
  std::vector<Value> steps;
  TakeSteps(state_.g, x(), Part("step"), steps);
  return steps;
}

Value LayerContext::Join(const std::vector<Value>& steps, const std::string& name) {
  const Value whole = JoinSteps(state_.g, steps, name);
  state_.steps[whole] = steps;
  return whole;
}

void LayerContext::Fail(absl::string_view why) {
  state_.g.Fail(InvalidArgument("layer ", prefix_, ": ", why));
}

LayerFlow EmitLayer(LayerContext& context, const LayerDef& def, const LayerKind& layer) {
  struct Row {
    DType dtype;
    int least_rank, most_rank;
    const char* needed;
    const char* advice;
  };
  const auto needs = [real = context.real()](LayerTakes takes) -> Row {
    switch (takes) {
      case LayerTakes::kTokens:
        return {DType::kInt32, 2, Shape::kMaxRank - 1, "tokens int32[batch, time]",
                "it must be the first layer, with an input without features"};
      case LayerTakes::kNumbers:
        return {real, 2, Shape::kMaxRank, "real numbers", "put an embedding in front of it"};
      case LayerTakes::kSequence:
        return {real, 3, 3, "float32[batch, time, features]",
                "the layer in front must give sequences: return_sequences of a recurrent layer, or "
                "an embedding"};
      case LayerTakes::kSteps:
        return {real, 3, Shape::kMaxRank, "float32[batch, time, ...]",
                "the layer in front must give sequences"};
      case LayerTakes::kImage:
        return {real, 4, 4, "images, float32[batch, height, width, channels]",
                "a layer Reshape or TimeDistributed may be missing"};
      case LayerTakes::kVector:
        break;
    }
    return {real, 2, 2, "float32[batch, features]",
            "the layer in front must give one vector: a recurrent layer without return_sequences, "
            "or a pooling"};
  };
  Row row = needs(def.takes);
  if (TakesTokens(layer, context.registry())) row.dtype = DType::kInt32;
  const TensorType& type = context.type();
  const int rank = type.shape.rank() - context.outer_axes();
  if (type.dtype != row.dtype || rank < row.least_rank || rank > row.most_rank) {
    context.Fail(absl::StrCat("it takes ", row.needed, " but its input is ", type.ToString(), "; ",
                              row.advice));
    return {};
  }
  return def.emit(context, layer);
}

std::string NumberedNames::Next(const LayerKind& kind) {
  const std::string name = SnakeCase(kind.class_name);
  const int number = used_[name]++;
  return number == 0 ? name : absl::StrCat(name, "_", number);
}

}  // namespace seqgraph
