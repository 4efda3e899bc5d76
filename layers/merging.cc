#include "layers/merging.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

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
#include "ops/slice.h"

namespace seqgraph {
namespace {

struct MergeKind {
  const char* class_name;
  const char* op;
  const char* doc;
  int most_inputs;
  double of_two_and_one;  // what it makes of 2 and 1
};
constexpr int kAny = kMaxStackLayers;
constexpr MergeKind kMergeKinds[] = {
    {"Add", "Add", "the sum", kAny, 3},
    {"Subtract", "Subtract", "the first less the second", 2, 1},
    {"Multiply", "Multiply", "the product", kAny, 2},
    {"Average", "Add", "the mean", kAny, 1.5},
    {"Maximum", "Maximum", "the largest", kAny, 2},
    {"Minimum", "Minimum", "the smallest", kAny, 1},
};

const MergeKind* FindKind(absl::string_view class_name) {
  for (const MergeKind& kind : kMergeKinds) {
    if (class_name == kind.class_name) return &kind;
  }
  return nullptr;
}

std::vector<LayerFlow> Inputs(const LayerContext& c) {
  std::vector<LayerFlow> inputs = {{c.x(), c.mask()}};
  inputs.insert(inputs.end(), c.more().begin(), c.more().end());
  return inputs;
}

// All inputs must be real numbers.
bool AreReal(LayerContext& c) {
  for (const LayerFlow& input : c.more()) {
    const TensorType& type = c.g().type(input.value);
    if (type.dtype == c.real()) continue;
    c.Fail(absl::StrCat("it takes real numbers but one of its inputs is ", type.ToString()));
    return false;
  }
  return true;
}

// Axis of x from the front; nullopt, with the mistake said, for the batch and what x does not have.
std::optional<int> AxisOf(LayerContext& c, Value x, int64_t axis) {
  const int rank = c.g().type(x).shape.rank();
  const int64_t from_front = axis < 0 ? axis + rank : axis;
  if (from_front >= 1 && from_front < rank) return static_cast<int>(from_front);
  c.Fail(absl::StrCat("it has no axis ", axis, " beside the batch in ", c.g().type(x).ToString()));
  return std::nullopt;
}

// What numpy makes of both shapes; nullopt: they do not go together.
std::optional<Shape> Broadcast(const Shape& a, const Shape& b) {
  if (a.rank() != b.rank()) return std::nullopt;
  Shape shape;
  for (int i = 0; i < a.rank(); ++i) {
    const Dim one(1);
    if (a[i] != b[i] && a[i] != one && b[i] != one) return std::nullopt;
    shape.Append(a[i] == one ? b[i] : a[i]);
  }
  return shape;
}

// 1 where a step is masked.
Value Padded(LayerContext& c, Value mask) {
  return ops::Binary(c.g(), "Equal", mask, ops::Subtract(c.g(), mask, mask, c.Part("zero")),
                     c.Part("padded"));
}

// The mask of what is merged element by element. Keras 3: a step counts if it does in some input,
// and all steps do if one input bears no mask; Keras 2: if it does in all inputs that bear one.
Value MergedMask(LayerContext& c, const std::vector<LayerFlow>& inputs) {
  std::vector<Value> masks;
  for (const LayerFlow& input : inputs) {
    if (!input.mask.present()) {
      if (c.masks() == CallMasks::kKeras3) return {};
    } else if (std::find(masks.begin(), masks.end(), input.mask) == masks.end()) {
      masks.push_back(input.mask);
    }
  }
  if (masks.size() < 2) return masks.empty() ? Value() : masks[0];
  Value padded = Padded(c, masks[0]);
  for (size_t i = 1; i < masks.size(); ++i) {
    padded = ops::Binary(c.g(), c.masks() == CallMasks::kKeras3 ? "Minimum" : "Maximum", padded,
                         Padded(c, masks[i]), c.Part("masks"));
  }
  return Padded(c, padded);
}

LayerFlow EmitMerge(LayerContext& c, const MergeLayer& layer) {
  FunctionBuilder& g = c.g();
  if (!AreReal(c)) return {};
  const MergeKind& kind = *FindKind(layer.kind);
  const std::vector<LayerFlow> inputs = Inputs(c);
  Shape shape = c.type().shape;
  for (const LayerFlow& input : inputs) {
    const Shape& other = g.type(input.value).shape;
    const std::optional<Shape> both = Broadcast(shape, other);
    if (!both.has_value()) {
      c.Fail(absl::StrCat("shapes ", shape.ToString(), " and ", other.ToString(),
                          " do not go together"));
      return {};
    }
    shape = *both;
  }
  const auto whole = [&](Value x) {
    return g.type(x).shape == shape ? x : ops::BroadcastTo(g, x, shape, c.Part("broadcast"));
  };
  Value y = whole(inputs[0].value);
  const bool average = layer.kind == "Average";
  const Value mask = MergedMask(c, inputs);
  const bool zeroed = layer.kind == "Multiply" && mask.present() && c.masks() == CallMasks::kKeras3;
  for (size_t i = 1; i < inputs.size(); ++i) {
    const bool last = i + 1 == inputs.size() && !average && !zeroed;
    y = ops::Binary(g, kind.op, y, whole(inputs[i].value), last ? c.name() : c.Part("part"));
  }
  if (average) y = ops::Scale(g, y, 1.0 / static_cast<double>(inputs.size()), c.name());
  // Keras 3 multiplies the steps that count, and gives 0 for others.
  if (zeroed) {
    for (const LayerFlow& input : inputs) {
      if (input.mask == mask) continue;
      c.Fail("its inputs bear different masks, whose product is not known here");
      return {};
    }
    y = ops::ZeroMasked(g, y, mask, c.name());
  }
  return {y, mask};
}

LayerFlow EmitConcatenate(LayerContext& c, const ConcatenateLayer& layer) {
  FunctionBuilder& g = c.g();
  if (!AreReal(c)) return {};
  const std::optional<int> axis = AxisOf(c, c.x(), layer.axis);
  if (!axis.has_value()) return {};
  const std::vector<LayerFlow> inputs = Inputs(c);
  const bool along_time = *axis == 1 && c.type().shape.rank() > 2;
  const bool masked = std::any_of(inputs.begin(), inputs.end(),
                                  [](const LayerFlow& input) { return input.mask.present(); });
  // Along time masks go side by side; one that is not there counts all steps.
  const auto mask_of = [&](const LayerFlow& input) {
    if (input.mask.present()) return input.mask;
    const Value first = ops::Slice(g, input.value, {.axis = 2, .end = 1, .name = c.Part("first")});
    const Shape& shape = g.type(input.value).shape;
    const Value flat = ops::Reshape(g, first, {shape[0], shape[1]}, c.Part("steps"));
    const Value whole = ops::Cast(g, flat, DType::kInt32, c.Part("whole"));
    return ops::Binary(g, "Equal", whole, whole, c.Part("unmasked"));
  };
  Value y = inputs[0].value;
  Value mask = along_time && masked ? mask_of(inputs[0]) : Value();
  for (size_t i = 1; i < inputs.size(); ++i) {
    const Value next = inputs[i].value;
    y = ops::Concat(g, y, next, *axis, i + 1 == inputs.size() ? c.name() : c.Part("part"));
    if (mask.present()) mask = ops::Concat(g, mask, mask_of(inputs[i]), 1, c.Part("mask"));
  }
  return {y, along_time ? mask : MergedMask(c, inputs)};
}

// x / |x| along the axis. Source of the least length: TensorFlow's l2_normalize.
Value Normalized(LayerContext& c, Value x, int axis) {
  constexpr double kLeastSquare = 1e-12;
  FunctionBuilder& g = c.g();
  const ScopedDefaultName scope(g, c.Part("normalize"));
  const Value squares =
      ops::ReduceSum(g, ops::Multiply(g, x, x), {.axes = {axis}, .keep_dims = true});
  const ops::Expr sum = {&g, squares};
  const ops::Expr length = Sqrt(Max(sum, Constant(kLeastSquare, sum)));
  return (ops::Expr{&g, x} / ops::Expr{&g, ops::BroadcastLike(g, length.value, x, {axis})}).value;
}

// x as [batch, rows, k] or, with `columns`, [batch, k, columns]: k is the axis.
Value AsMatrix(LayerContext& c, Value x, int axis, bool columns) {
  FunctionBuilder& g = c.g();
  const Shape& shape = g.type(x).shape;
  if (shape.rank() == 2) {
    return ops::Reshape(g, x, columns ? Shape{shape[0], shape[1], 1} : Shape{shape[0], 1, shape[1]},
                        c.Part("matrix"));
  }
  const bool there = axis == (columns ? 1 : 2);
  return there ? x : ops::Transpose(g, x, {0, 2, 1}, c.Part("transposed"));
}

LayerFlow EmitDot(LayerContext& c, const DotLayer& layer) {
  FunctionBuilder& g = c.g();
  if (!AreReal(c)) return {};
  Value a = c.x(), b = c.more()[0].value;
  const int rank_a = g.type(a).shape.rank(), rank_b = g.type(b).shape.rank();
  if (rank_a > 3 || rank_b > 3) {
    c.Fail("it takes vectors and sequences");
    return {};
  }
  const std::optional<int> i = AxisOf(c, a, layer.axis), j = AxisOf(c, b, layer.other_axis);
  if (!i.has_value() || !j.has_value()) return {};
  if (layer.normalize) {
    a = Normalized(c, a, *i);
    b = Normalized(c, b, *j);
  }
  a = AsMatrix(c, a, *i, /*columns=*/false);
  b = AsMatrix(c, b, *j, /*columns=*/true);
  const bool product_is_all = rank_a == 3 && rank_b == 3;
  const Value y = ops::MatMul(g, a, b, product_is_all ? c.name() : c.Part("product"));
  if (product_is_all || !g.status().ok()) return c.Drop(y);
  // The rows or columns of a vector are no axis; one is left.
  const Shape& shape = g.type(y).shape;
  return c.Drop(ops::Reshape(g, y, {shape[0], rank_a == 3 ? shape[1] : shape[2]}, c.name()));
}

LayerDef MergeDef(const char* class_name) {
  const MergeKind& kind = *FindKind(class_name);
  return DefineLayer<MergeLayer>(MergeLayer{kind.class_name})
      .Doc(absl::StrCat("Inputs of one shape -> the same: ", kind.doc,
                        ", element by element. Extents of 1 are repeated, as numpy does it."))
      .Inputs(2, kind.most_inputs)
      .Emit(EmitMerge)
      .Example({.name = "two",
                .layer = MergeLayer{kind.class_name},
                .input = ops::Reals({1, 2}, {2, 2}),
                .output = ops::Reals({1, 2}, {kind.of_two_and_one, kind.of_two_and_one}),
                .more_inputs = {ops::Reals({1, 2}, {1, 1})}})
      .Example({.name = "broadcast",
                .layer = MergeLayer{kind.class_name},
                .input = ops::Reals({1, 1}, {2}),
                .output = ops::Reals({1, 2}, {kind.of_two_and_one, kind.of_two_and_one}),
                .more_inputs = {ops::Reals({1, 2}, {1, 1})}});
}

}  // namespace

bool MergeLayer::SetClass(const std::string& name) {
  kind = name;
  return FindKind(name) != nullptr;
}

LayerDef AddDef() { return MergeDef("Add"); }
LayerDef SubtractDef() { return MergeDef("Subtract"); }
LayerDef MultiplyDef() { return MergeDef("Multiply"); }
LayerDef AverageDef() { return MergeDef("Average"); }
LayerDef MaximumDef() { return MergeDef("Maximum"); }
LayerDef MinimumDef() { return MergeDef("Minimum"); }

LayerDef ConcatenateDef() {
  return DefineLayer<ConcatenateLayer>()
      .Doc("Inputs that differ along one axis at most -> one behind the other along it.")
      .Inputs(1, kAny)
      .Emit(EmitConcatenate)
      .FitSample([](ConcatenateLayer& layer, SampleSource&) { layer.axis = -1; })
      .Example({.name = "features",
                .layer = ConcatenateLayer{},
                .input = ops::Reals({1, 2}, {1, 2}),
                .output = ops::Reals({1, 3}, {1, 2, 3}),
                .more_inputs = {ops::Reals({1, 1}, {3})}})
      .Example({.name = "time",
                .layer = ConcatenateLayer{.axis = 1},
                .input = ops::Reals({1, 1, 2}, {1, 2}),
                .output = ops::Reals({1, 3, 2}, {1, 2, 3, 4, 5, 6}),
                .more_inputs = {ops::Reals({1, 2, 2}, {3, 4, 5, 6})}});
}

LayerDef DotDef() {
  return DefineLayer<DotLayer>()
      .Doc(
          "[batch, .., k, ..] and [batch, .., k, ..] -> the sums of products over k, [batch, rows "
          "of the first, rows of the second], where vectors have no rows; of two [batch, 1].")
      .Inputs(2, 2)
      .Keras({.lists = {{"axes", {"axis", "other_axis"}}}})
      .Emit(EmitDot)
      .FitSample([](DotLayer& layer, SampleSource&) { layer.axis = layer.other_axis = -1; })
      .Example({.name = "vectors",
                .layer = DotLayer{},
                .input = ops::Reals({1, 2}, {1, 2}),
                .output = ops::Reals({1, 1}, {11}),
                .more_inputs = {ops::Reals({1, 2}, {3, 4})}})
      .Example({.name = "normalized",
                .layer = DotLayer{.normalize = true},
                .input = ops::Reals({1, 2}, {3, 4}),
                .output = ops::Reals({1, 1}, {0.96}),
                .more_inputs = {ops::Reals({1, 2}, {4, 3})}})
      // Weights of two steps, and the sum of the steps by them.
      .Example({.name = "weighted_steps",
                .layer = DotLayer{.axis = 2, .other_axis = 1},
                .input = ops::Reals({1, 1, 2}, {2, 10}),
                .output = ops::Reals({1, 1, 1}, {64}),
                .more_inputs = {ops::Reals({1, 2, 1}, {2, 6})}});
}

}  // namespace seqgraph
