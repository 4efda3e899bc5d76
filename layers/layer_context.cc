#include "layers/layer_context.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "ops/dropout.h"
#include "ops/elementwise.h"
#include "ops/random_normal.h"
#include "ops/reductions.h"

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
      layer_(layer) {}

std::string LayerContext::Part(absl::string_view part) const {
  return absl::StrCat(prefix_, "/", part);
}

Value LayerContext::Weight(absl::string_view part, Shape shape, const Initializer& initializer,
                           const Regularizer& regularizer, AmendStart amend_start) {
  return AddWeight(part, std::move(shape), initializer, trainable_, regularizer, amend_start);
}

Value LayerContext::Statistic(absl::string_view part, Shape shape, const Initializer& initializer) {
  if (trainable_) state_.updates = true;
  return AddWeight(part, std::move(shape), initializer, /*trainable=*/false, {}, nullptr);
}

Value LayerContext::Fixed(absl::string_view part, Shape shape, const Initializer& initializer) {
  return AddWeight(part, std::move(shape), initializer, /*trainable=*/false, {}, nullptr);
}

void LayerContext::Count(absl::string_view part) {
  layer_.counts.push_back({.trainable = false,
                           .path = absl::StrCat(path_, part),
                           .store = absl::StrCat(group_, "/", NumberInGroup())});
}

int LayerContext::NumberInGroup() const {
  int number = 0;
  for (const LayerWeight& weight : layer_.weights) {
    number += !weight.state && absl::StartsWith(weight.store, absl::StrCat(group_, "/"));
  }
  return number;
}

Value LayerContext::AddWeight(absl::string_view part, Shape shape, const Initializer& initializer,
                              bool trainable, const Regularizer& regularizer,
                              AmendStart amend_start) {
  layer_.weights.push_back({.variable = Part(part),
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
  layer_.stores.push_back({group_, std::string(name)});
}

Value LayerContext::State(absl::string_view part, int64_t units) {
  const Dim batch = type().shape[0];
  if (batch.is_batch()) {
    Fail("it is stateful, so the number of rows must be fixed: set batch of the stack's input");
    return {};
  }
  const Shape shape = {batch.size(), units};
  layer_.weights.push_back(
      {.variable = Part(part), .shape = shape, .trainable = false, .state = true});
  return state_.g.Variable({Part(part),
                            {state_.real, shape},
                            Initializer::Zeros(),
                            VariableRole::kWeight,
                            /*trainable=*/false});
}

void LayerContext::Update(absl::string_view part, Value value) {
  state_.g.Update(Part(part), value);
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
  layer_.stores.push_back({absl::StrCat(below, "vars"), layer.name});
  return LayerContext(state_, input, trainable_, Part(layer.name),
                      absl::StrCat(inner_, layer.name, "/"), below, layer_);
}

LayerFlow LayerContext::EmitInner(const Layer& layer, const std::string& store, LayerFlow input,
                                  bool row_wise) {
  const LayerDef& def = *state_.registry.Find(layer.kind.class_name);
  if (row_wise && !def.row_wise) {
    Fail(absl::StrCat("a layer ", def.class_name, " cannot be distributed over time here"));
    return {};
  }
  LayerContext context = Inner(layer, store, input);
  return EmitLayer(context, def, layer.kind);
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
        return {DType::kInt32, 2, 2, "tokens int32[batch, time]",
                "it must be the first layer, with an input without features"};
      case LayerTakes::kNumbers:
        return {real, 2, Shape::kMaxRank, "real numbers", "put an embedding in front of it"};
      case LayerTakes::kSequence:
        return {real, 3, 3, "float32[batch, time, features]",
                "the layer in front must give sequences: return_sequences of a recurrent layer, or "
                "an embedding"};
      case LayerTakes::kVector:
        break;
    }
    return {real, 2, 2, "float32[batch, features]",
            "the layer in front must give one vector: a recurrent layer without return_sequences, "
            "or a pooling"};
  };
  const Row row = needs(def.takes);
  const TensorType& type = context.type();
  const int rank = type.shape.rank();
  if (type.dtype != row.dtype || rank < row.least_rank || rank > row.most_rank) {
    context.Fail(absl::StrCat("it takes ", row.needed, " but its input is ", type.ToString(), "; ",
                              row.advice));
    return {};
  }
  return def.emit(context, layer);
}

}  // namespace seqgraph
