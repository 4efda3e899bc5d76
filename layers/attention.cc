#include "layers/attention.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "graph/function_builder.h"
#include "layers/layer_context.h"
#include "ops/binary.h"
#include "ops/broadcast_to.h"
#include "ops/cast.h"
#include "ops/elementwise.h"
#include "ops/examples.h"
#include "ops/formula.h"
#include "ops/mask.h"
#include "ops/matmul.h"
#include "ops/reductions.h"
#include "ops/reshape.h"
#include "ops/softmax.h"

namespace seqgraph {
namespace {

using ops::Expr;

struct Operands {
  Value q, v, k;
  Value v_mask;
};

// Absent values, with the mistake said, where they do not go together.
Operands OperandsOf(LayerContext& c) {
  const LayerFlow& v = c.more()[0];
  const Operands operands = {c.x(), v.value, c.more().size() > 1 ? c.more()[1].value : v.value,
                             v.mask};
  const FunctionBuilder& g = c.g();
  for (const Value value : {operands.v, operands.k}) {
    const TensorType& type = g.type(value);
    if (type.dtype == c.real() && type.shape.rank() == 3) continue;
    c.Fail(absl::StrCat("it takes sequences but one of its inputs is ", type.ToString()));
    return {};
  }
  const Shape &q = g.type(operands.q).shape, &k = g.type(operands.k).shape;
  if (q[2] == k[2] && k[1] == g.type(operands.v).shape[1]) return operands;
  c.Fail(absl::StrCat("its query is ", q.ToString(), ", its value ",
                      g.type(operands.v).shape.ToString(), " and its key ", k.ToString(),
                      ": features of query and key must be as many, and steps of value and key"));
  return {};
}

// tanh(q + k) of each step of q with each of k: [batch, steps of q, steps of k, features].
Value SumsOfSteps(LayerContext& c, const Operands& of) {
  FunctionBuilder& g = c.g();
  const Shape q = g.type(of.q).shape, k = g.type(of.k).shape;
  const Shape all = {q[0], q[1], k[1], q[2]};
  const auto each = [&](Value x, const Shape& shape) {
    return Expr{&g, ops::BroadcastTo(g, ops::Reshape(g, x, shape), all)};
  };
  return Unary("Tanh",
               each(of.q, {q[0], q[1], Dim(1), q[2]}) + each(of.k, {k[0], Dim(1), k[1], k[2]}))
      .value;
}

// softmax(scores) v; masked steps of v get no share, masked steps of q give 0.
LayerFlow Attend(LayerContext& c, const Operands& of, Value scores, double dropout) {
  constexpr double kFar = 1e9;  // as in Keras
  FunctionBuilder& g = c.g();
  if (of.v_mask.present()) {
    const Value padded = ops::Binary(g, "Equal", of.v_mask, ops::Subtract(g, of.v_mask, of.v_mask));
    const Value away = ops::Scale(g, ops::Cast(g, padded, c.real()), kFar);
    scores = ops::Subtract(g, scores, ops::BroadcastLike(g, away, scores, {1}));
  }
  const Value shares = c.Dropout(ops::Softmax(g, scores, c.Part("shares")), dropout);
  const bool masked = c.mask().present();
  const Value y = ops::MatMul(g, shares, of.v, masked ? c.Part("mean") : c.name());
  return c.Pass(masked ? ops::ZeroMasked(g, y, c.mask(), c.name()) : y);
}

LayerFlow EmitAttention(LayerContext& c, const AttentionLayer& layer) {
  FunctionBuilder& g = c.g();
  const Operands of = OperandsOf(c);
  if (!of.q.present()) return {};
  const ScopedDefaultName scope(g, c.Part("scores"));
  Expr scale{&g, {}};
  if (layer.use_scale) scale.value = c.Weight("scale", {}, Initializer::Constant(1));
  if (layer.score_mode == "concat") {
    const Expr weight{&g, c.Weight("concat_score_weight", {}, Initializer::Constant(1))};
    // tanh(scale (q + k)): the scale goes to both before they meet.
    Operands scaled = of;
    if (layer.use_scale) {
      scaled.q = (scale * Expr{&g, of.q}).value;
      scaled.k = (scale * Expr{&g, of.k}).value;
    }
    const Value sums = ops::ReduceSum(g, SumsOfSteps(c, scaled), {.axes = {3}});
    return Attend(c, of, (weight * Expr{&g, sums}).value, layer.dropout);
  }
  Expr scores{&g, ops::MatMul(g, of.q, ops::Transpose(g, of.k, {0, 2, 1}))};
  if (layer.use_scale) scores = scale * scores;
  return Attend(c, of, scores.value, layer.dropout);
}

LayerFlow EmitAdditive(LayerContext& c, const AdditiveAttentionLayer& layer) {
  FunctionBuilder& g = c.g();
  const Operands of = OperandsOf(c);
  if (!of.q.present()) return {};
  const ScopedDefaultName scope(g, c.Part("scores"));
  Value terms = SumsOfSteps(c, of);
  if (layer.use_scale) {
    const Value scale = c.Weight("scale", {c.features()}, Initializer::GlorotUniform());
    terms = ops::Multiply(g, terms, ops::BroadcastLike(g, scale, terms, {0, 1, 2}));
  }
  return Attend(c, of, ops::ReduceSum(g, terms, {.axes = {3}}), layer.dropout);
}

KerasFacts AttentionFacts() { return {.ignored = {"seed"}}; }

}  // namespace

LayerDef AttentionDef() {
  return DefineLayer<AttentionLayer>()
      .Doc(
          "Sequences q [batch, time, features], v [batch, steps, values] and perhaps k [batch, "
          "steps, features], else v -> [batch, time, values]: softmax(q k) v, the mean of the "
          "steps "
          "of v weighted by q k. Masked steps of v do not count, those of q give 0.")
      .Takes(LayerTakes::kSequence)
      .Inputs(2, 3)
      .Keras(AttentionFacts())
      .Emit(EmitAttention)
      // Scores 0 and ln 3: shares 1/4 and 3/4.
      .Example({.name = "dot",
                .layer = AttentionLayer{},
                .input = ops::Reals({1, 1, 1}, {1.0986122886681098}),
                .output = ops::Reals({1, 1, 1}, {0.75}),
                .more_inputs = {ops::Reals({1, 2, 1}, {0, 1})}})
      .Example(
          {.name = "scaled_keys",
           .layer = AttentionLayer{.use_scale = true},
           .input = ops::Reals({1, 1, 1}, {0.5493061443340549}),
           .weights = {ops::Reals({}, {2})},
           .output = ops::Reals({1, 1, 2}, {4.75, 7}),
           .more_inputs = {ops::Reals({1, 2, 2}, {4, 7, 5, 7}), ops::Reals({1, 2, 1}, {0, 1})}})
      // tanh(0) and tanh(0.5493..) = 0.5, by the weight ln 9 a score of ln 3.
      .Example({.name = "concat",
                .layer = AttentionLayer{.score_mode = "concat"},
                .input = ops::Reals({1, 1, 1}, {0}),
                .weights = {ops::Reals({}, {2.1972245773362196})},
                .output = ops::Reals({1, 1, 1}, {0.75 * 0.5493061443340549}),
                .more_inputs = {ops::Reals({1, 2, 1}, {0, 0.5493061443340549})}});
}

LayerDef AdditiveAttentionDef() {
  return DefineLayer<AdditiveAttentionLayer>()
      .Doc(
          "Sequences q [batch, time, features], v [batch, steps, values] and perhaps k [batch, "
          "steps, features], else v -> [batch, time, values]: the mean of the steps of v by "
          "softmax(sum of scale tanh(q + k)). Masked steps of v do not count, those of q give 0.")
      .Takes(LayerTakes::kSequence)
      .Inputs(2, 3)
      .Keras(AttentionFacts())
      .Emit(EmitAdditive)
      // tanh(0) and tanh(0.5493..) = 0.5, by the scale ln 9 a score of ln 3.
      .Example({.name = "scaled",
                .layer = AdditiveAttentionLayer{},
                .input = ops::Reals({1, 1, 1}, {0}),
                .weights = {ops::Reals({1}, {2.1972245773362196})},
                .output = ops::Reals({1, 1, 1}, {0.75 * 0.5493061443340549}),
                .more_inputs = {ops::Reals({1, 2, 1}, {0, 0.5493061443340549})}})
      .Example({.name = "plain",
                .layer = AdditiveAttentionLayer{.use_scale = false},
                .input = ops::Reals({1, 1, 1}, {0}),
                .output = ops::Reals({1, 1, 1}, {0}),
                .more_inputs = {ops::Reals({1, 2, 1}, {0, 0})}});
}

}  // namespace seqgraph
