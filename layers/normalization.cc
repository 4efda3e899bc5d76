#include "layers/normalization.h"

#include <numeric>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "layers/layer_context.h"
#include "layers/stack_recognizer.h"
#include "ops/constant.h"
#include "ops/elementwise.h"
#include "ops/examples.h"
#include "ops/formula.h"
#include "ops/mask.h"
#include "ops/reductions.h"

namespace seqgraph {
namespace {

using ops::Expr;
using ops::Reals;

bool AxisIsLast(LayerContext& c, int64_t axis) {
  const int last = c.type().shape.rank() - 1 - c.outer_axes();
  if (axis == -1 || axis == last) return true;
  c.Fail(absl::StrCat("it normalizes along axis ", axis, "; of its input ", c.type().ToString(),
                      " it can be -1 or ", last));
  return false;
}

// All axes of x but the last, or the last alone.
std::vector<int64_t> Axes(LayerContext& c, bool last) {
  const int rank = c.type().shape.rank();
  if (last) return {rank - 1};
  std::vector<int64_t> axes(rank - 1);
  std::iota(axes.begin(), axes.end(), 0);
  return axes;
}

Expr InverseRoot(Expr x) { return ops::Unary("Reciprocal", ops::Sqrt(x)); }

// A value that is the same along `axes`, for each element of x.
Expr Spread(LayerContext& c, Expr value, const std::vector<int64_t>& axes) {
  return {&c.g(), ops::BroadcastLike(c.g(), value.value, c.x(), axes)};
}

// The means of x and of the squares of its distances from it, both over `axes`.
struct Moments {
  Expr mean, variance;
};

Moments MomentsOf(LayerContext& c, const std::vector<int64_t>& axes) {
  FunctionBuilder& g = c.g();
  const Expr mean{&g, ops::ReduceMean(g, c.x(), {.axes = axes})};
  const Expr squares = ops::Square(Expr{&g, c.x()} - Spread(c, mean, axes));
  return {mean, {&g, ops::ReduceMean(g, squares.value, {.axes = axes})}};
}

// The same over the steps that are not masked. Keras adds 1e-7 to their number.
Moments MaskedMoments(LayerContext& c, const std::vector<int64_t>& axes) {
  FunctionBuilder& g = c.g();
  const auto sum = [&](Expr x) {
    return Expr{&g, ops::ReduceSum(g, ops::ZeroMasked(g, x.value, c.mask()), {.axes = axes})};
  };
  const Expr x{&g, c.x()};
  const Expr count = sum(ops::Constant(1, x)) + 1e-7;
  const Expr mean = sum(x) / count;
  return {mean, sum(ops::Square(x - Spread(c, mean, axes))) / count};
}

// gamma and beta, each of which may be missing; both along the last axis.
struct Affine {
  Value gamma, beta;
};

template <typename T>
Affine AffineOf(LayerContext& c, const T& layer) {
  Affine affine;
  if (layer.scale) {
    affine.gamma =
        c.Weight("gamma", {c.features()}, layer.gamma_initializer, layer.gamma_regularizer);
  }
  if (layer.center) {
    affine.beta = c.Weight("beta", {c.features()}, layer.beta_initializer, layer.beta_regularizer);
  }
  return affine;
}

// (x - mean) / sqrt(variance + epsilon) gamma + beta with moments that are the same along `axes`.
Value Normalized(LayerContext& c, const Moments& moments, double epsilon, const Affine& affine,
                 const std::vector<int64_t>& axes) {
  const std::vector<int64_t> rows = Axes(c, /*last=*/false);
  Expr y = (Expr{&c.g(), c.x()} - Spread(c, moments.mean, axes)) *
           Spread(c, InverseRoot(moments.variance + epsilon), axes);
  if (affine.gamma.present()) y = y * Spread(c, {&c.g(), affine.gamma}, rows);
  if (affine.beta.present()) y = y + Spread(c, {&c.g(), affine.beta}, rows);
  return y.value;
}

LayerFlow EmitBatch(LayerContext& c, const BatchNormalizationLayer& layer) {
  if (!AxisIsLast(c, layer.axis)) return {};
  FunctionBuilder& g = c.g();
  const ScopedDefaultName name(g, c.name());
  const std::vector<int64_t> rows = Axes(c, /*last=*/false);
  const Affine affine = AffineOf(c, layer);
  const Moments moving{
      {&g, c.Statistic("moving_mean", {c.features()}, layer.moving_mean_initializer)},
      {&g, c.Statistic("moving_variance", {c.features()}, layer.moving_variance_initializer)}};
  if (!c.training()) return c.Pass(Normalized(c, moving, layer.epsilon, affine, rows));
  const Moments batch = c.mask().present() ? MaskedMoments(c, rows) : MomentsOf(c, rows);
  const auto moved = [&](Expr from, Expr to) {
    return (layer.momentum * from + (1 - layer.momentum) * to).value;
  };
  c.Update("moving_mean", moved(moving.mean, batch.mean));
  c.Update("moving_variance", moved(moving.variance, batch.variance));
  return c.Pass(Normalized(c, batch, layer.epsilon, affine, rows));
}

LayerFlow EmitLayerNormalization(LayerContext& c, const LayerNormalizationLayer& layer) {
  if (!AxisIsLast(c, layer.axis)) return {};
  const ScopedDefaultName name(c.g(), c.name());
  const std::vector<int64_t> axes = Axes(c, /*last=*/true);
  const Affine affine = AffineOf(c, layer);
  return c.Pass(Normalized(c, MomentsOf(c, axes), layer.epsilon, affine, axes));
}

LayerFlow EmitUnit(LayerContext& c, const UnitNormalizationLayer& layer) {
  if (!AxisIsLast(c, layer.axis)) return {};
  FunctionBuilder& g = c.g();
  const ScopedDefaultName name(g, c.name());
  const std::vector<int64_t> axes = Axes(c, /*last=*/true);
  const Expr x{&g, c.x()};
  const Expr sum{&g, ops::ReduceSum(g, ops::Square(x).value, {.axes = axes})};
  return c.Pass((x * Spread(c, InverseRoot(ops::Max(sum, ops::Constant(1e-24, sum))), axes)).value);
}

// Keras's backend.epsilon().
constexpr double kLeastDeviation = 1e-7;

absl::Status CheckNormalization(const NormalizationLayer& layer) {
  if (layer.mean.empty() == layer.variance.empty()) return absl::OkStatus();
  return InvalidArgument("mean and variance must both be given or both be left out");
}

// A weight or, with values, a constant.
Expr Measured(LayerContext& c, const char* part, const std::vector<double>& values, double start) {
  FunctionBuilder& g = c.g();
  if (values.empty()) return {&g, c.Fixed(part, {c.features()}, Initializer::Constant(start))};
  if (static_cast<int64_t>(values.size()) != c.features() && values.size() != 1) {
    c.Fail(absl::StrCat("its ", part, " has ", values.size(), " numbers, and its input ",
                        c.type().ToString(), " has ", c.features(), " features"));
    return {&g, {}};
  }
  Tensor content = *Tensor::Zeros({DType::kFloat64, {c.features()}});
  const absl::Span<double> elements = content.Elements<double>();
  for (size_t i = 0; i < elements.size(); ++i) elements[i] = values[values.size() == 1 ? 0 : i];
  return {&g, ops::Constant(g, content.Cast(c.real()), c.Part(part))};
}

LayerFlow EmitNormalization(LayerContext& c, const NormalizationLayer& layer) {
  if (!AxisIsLast(c, layer.axis)) return {};
  FunctionBuilder& g = c.g();
  const ScopedDefaultName name(g, c.name());
  const std::vector<int64_t> rows = Axes(c, /*last=*/false);
  const Expr mean = Measured(c, "mean", layer.mean, 0);
  const Expr variance = Measured(c, "variance", layer.variance, 1);
  if (layer.mean.empty()) c.Count("count");
  if (!g.status().ok()) return {};
  const Expr x{&g, c.x()}, root = ops::Sqrt(variance);
  const Expr deviation = Spread(c, ops::Max(root, ops::Constant(kLeastDeviation, root)), rows);
  return c.Pass(layer.invert ? (x * deviation + Spread(c, mean, rows)).value
                             : ((x - Spread(c, mean, rows)) / deviation).value);
}

// The node that gives the value; null if it is none of that op.
const Node* Maker(const StackRecognizer& r, Value value, absl::string_view op) {
  const ValueInfo& info = r.function().info(value);
  if (info.origin != Origin::kNode) return nullptr;
  const Node& node = r.function().nodes()[info.source];
  return node.op->name() == op ? &node : nullptr;
}

// Sets what a constant holds, or notes the weight.
absl::Status TakeMeasured(StackRecognizer& r, const Node& node, const std::string& weight,
                          Value value, std::vector<double>* values) {
  const Node* constant = Maker(r, value, "Constant");
  bool trainable = true;
  if (constant == nullptr) return r.Weight(node, weight, value, &trainable);
  const Tensor content = constant->attributes.GetTensor("value").Cast(DType::kFloat64);
  const auto elements = content.Elements<double>();
  values->assign(elements.begin(), elements.end());
  return absl::OkStatus();
}

// (x - mean) / deviation or x deviation + mean, where both are repeated for all rows and the
// deviation is max(sqrt(variance), 1e-7).
absl::StatusOr<std::optional<RecognizedLayer>> RecognizeNormalization(StackRecognizer& r) {
  const bool invert = r.Reader("Multiply") != nullptr;
  const Node* first = r.Reader(invert ? "Multiply" : "Subtract");
  const Node* second = first == nullptr ? nullptr : r.OnlyReader(first->outputs[0]);
  if (second == nullptr || second->op->name() != (invert ? "Add" : "Divide") ||
      second->inputs[0] != first->outputs[0]) {
    return std::nullopt;
  }
  const Node* deviation = Maker(r, (invert ? first : second)->inputs[1], "BroadcastLike");
  const Node* mean = Maker(r, (invert ? second : first)->inputs[1], "BroadcastLike");
  if (deviation == nullptr || mean == nullptr) return std::nullopt;
  const Node* largest = Maker(r, deviation->inputs[0], "Maximum");
  const Node* root = largest == nullptr ? nullptr : Maker(r, largest->inputs[0], "Sqrt");
  const Node* least = largest == nullptr ? nullptr : Maker(r, largest->inputs[1], "FillLike");
  const int64_t features = r.function().type(second->outputs[0]).shape.back().size();
  const auto one_a_feature = [&](Value value) {
    const Shape& shape = r.function().type(value).shape;
    return shape.rank() == 1 && shape[0] == features;
  };
  if (root == nullptr || least == nullptr ||
      least->attributes.GetFloat("value") != kLeastDeviation || !one_a_feature(mean->inputs[0]) ||
      !one_a_feature(root->inputs[0])) {
    return std::nullopt;
  }
  NormalizationLayer found{.invert = invert};
  Layer layer{.name = r.Name(Maker(r, mean->inputs[0], "Constant") ? Value() : mean->inputs[0],
                             "normalization")};
  SEQ_RETURN_IF_ERROR(
      TakeMeasured(r, *first, absl::StrCat(layer.name, "/mean"), mean->inputs[0], &found.mean));
  SEQ_RETURN_IF_ERROR(TakeMeasured(r, *first, absl::StrCat(layer.name, "/variance"),
                                   root->inputs[0], &found.variance));
  if (found.mean.empty() != found.variance.empty()) {
    return r.Refuse(*first, "of mean and variance only one is a constant");
  }
  layer.kind = found;
  return RecognizedLayer{std::move(layer), second->outputs[0]};
}

template <typename T>
void FitAxis(T& layer, SampleSource&) {
  layer.axis = -1;
}
// Samples are divided by the root of a variance that may be 0.
template <typename T>
void FitEpsilon(T& layer, SampleSource& random) {
  FitAxis(layer, random);
  layer.epsilon = 0.25;
}

std::vector<std::string> Constraints(std::vector<std::string> more) {
  more.insert(more.end(), {"beta_constraint", "gamma_constraint"});
  return more;
}

}  // namespace

LayerDef BatchNormalizationDef() {
  return DefineLayer<BatchNormalizationLayer>()
      .Doc(
          "Any shape -> the same: y = (x - mean) / sqrt(variance + epsilon) gamma + beta, each "
          "feature by itself (Ioffe and Szegedy 2015). In training mean and variance are those of "
          "the batch (of the steps that are not masked), and moving_mean and moving_variance go to "
          "momentum times what they were plus 1 - momentum times these; otherwise, and where the "
          "layer is frozen, they are moving_mean and moving_variance. Masks pass.")
      .Keras({.ignored = {"renorm_momentum", "renorm_clipping"},
              .unset = Constraints({"synchronized", "renorm", "virtual_batch_size", "adjustment"})})
      .AllSteps(StepsAtOnce::kInference)
      .Emit(EmitBatch)
      .LastActivation(
          [](const BatchNormalizationLayer&) -> std::optional<std::string> { return ""; })
      .FitSample(FitEpsilon<BatchNormalizationLayer>)
      // (3 - 1) / sqrt(3 + 1) 10 + 5, (-1 - 1) / 2 10 + 5.
      .Example({"outside_training",
                BatchNormalizationLayer{.epsilon = 1},
                Reals({2, 1}, {3, -1}),
                {Reals({1}, {10}), Reals({1}, {5}), Reals({1}, {1}), Reals({1}, {3})},
                Reals({2, 1}, {15, -5})})
      .Example({"plain",
                BatchNormalizationLayer{.epsilon = 0, .center = false, .scale = false},
                Reals({1, 2, 2}, {1, 2, 3, 4}),
                {Reals({2}, {1, 0}), Reals({2}, {4, 1})},
                Reals({1, 2, 2}, {0, 2, 1, 4})});
}

LayerDef NormalizationDef() {
  return DefineLayer<NormalizationLayer>()
      .Doc(
          "Any shape -> the same: y = (x - mean) / max(sqrt(variance), 1e-7), each feature by "
          "itself; with invert y = x max(sqrt(variance), 1e-7) + mean. Mean and variance are those "
          "of a data set: weights that training does not change (0 and 1 at first), or given. "
          "Masks pass.")
      .RowWise()
      .Keras({.lists = {{"axis", {"axis"}}}})
      .Check(CheckNormalization)
      .Emit(EmitNormalization)
      .Recognize(RecognizeNormalization)
      .LastActivation([](const NormalizationLayer&) -> std::optional<std::string> { return ""; })
      .FitSample(FitAxis<NormalizationLayer>)
      // (5 - 1) / 2, (0 - 3) / 1e-7.
      .Example({"weights",
                NormalizationLayer{},
                Reals({1, 2}, {5, 0}),
                {Reals({2}, {1, 3}), Reals({2}, {4, 0})},
                Reals({1, 2}, {2, -3e7})})
      .Example({"given",
                NormalizationLayer{.mean = {1, 3}, .variance = {4, 0.25}},
                Reals({1, 2, 2}, {5, 3, 0, 4}),
                {},
                Reals({1, 2, 2}, {2, 0, -0.5, 2})})
      .Example({"back",
                NormalizationLayer{.invert = true, .mean = {1}, .variance = {4}},
                Reals({2, 2}, {2, 0, -0.5, 1}),
                {},
                Reals({2, 2}, {5, 1, 0, 3})});
}

LayerDef LayerNormalizationDef() {
  return DefineLayer<LayerNormalizationLayer>()
      .Doc(
          "Any shape -> the same: y = (x - mean) / sqrt(variance + epsilon) gamma + beta with the "
          "mean and variance of the features of each row (Ba, Kiros and Hinton 2016). Masks pass.")
      .RowWise()
      .Keras({.unset = Constraints({"rms_scaling"})})
      .Emit(EmitLayerNormalization)
      .LastActivation(
          [](const LayerNormalizationLayer&) -> std::optional<std::string> { return ""; })
      .FitSample(FitEpsilon<LayerNormalizationLayer>)
      // Mean 2, variance 3: -1 / 2, 1 / 2, times 10 and 100, plus 1 and 2.
      .Example({"row",
                LayerNormalizationLayer{.epsilon = 3},
                Reals({1, 2}, {1, 3}),
                {Reals({2}, {10, 100}), Reals({2}, {1, 2})},
                Reals({1, 2}, {-4, 52})});
}

LayerDef UnitNormalizationDef() {
  return DefineLayer<UnitNormalizationLayer>()
      .Doc("Any shape -> the same: x / |x|, the norm being that of a row of features. Masks pass.")
      .RowWise()
      .Emit(EmitUnit)
      .LastActivation(
          [](const UnitNormalizationLayer&) -> std::optional<std::string> { return ""; })
      .FitSample(FitAxis<UnitNormalizationLayer>)
      .Example({"row",
                UnitNormalizationLayer{},
                Reals({2, 2}, {3, -4, 0, 0}),
                {},
                Reals({2, 2}, {0.6, -0.8, 0, 0})});
}

}  // namespace seqgraph
