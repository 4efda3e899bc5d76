#include "layers/operation.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "layers/activation.h"
#include "layers/layer_context.h"
#include "layers/operation_index.h"
#include "ops/binary.h"
#include "ops/constant.h"
#include "ops/elementwise.h"
#include "ops/examples.h"
#include "ops/formula.h"
#include "ops/matmul.h"
#include "ops/reductions.h"
#include "ops/reshape.h"
#include "ops/slice.h"

namespace seqgraph {
namespace {

using ops::Expr;
using ops::Reals;

// Operations of one tensor and perhaps numbers, as formulas.

Expr OperationX(LayerContext& c) { return {&c.g(), c.x()}; }

template <const char* kOp>
Value EmitUnaryOperation(LayerContext& c, const OperationLayer&) {
  return ops::Unary(kOp, OperationX(c)).value;
}
constexpr char kAbs[] = "Abs", kLog[] = "Log", kSqrt[] = "Sqrt", kReciprocal[] = "Reciprocal",
               kSin[] = "Sin", kCos[] = "Cos", kMaximum[] = "Maximum", kMinimum[] = "Minimum";

Value EmitSquare(LayerContext& c, const OperationLayer&) {
  return ops::Square(OperationX(c)).value;
}
Value EmitRsqrt(LayerContext& c, const OperationLayer&) {
  return ops::Unary(kReciprocal, ops::Sqrt(OperationX(c))).value;
}
// Keras's default, which none of its activations by name is.
Value EmitGeluByTanh(LayerContext& c, const OperationLayer&) {
  return EmitActivation(c.g(), "gelu_tanh", c.x(), c.name());
}
template <const char* kOp>
Value EmitWithNumber(LayerContext& c, const OperationLayer& layer) {
  const Expr x = OperationX(c);
  return ops::Binary(kOp, x, ops::Constant(layer.numbers[0], x)).value;
}
Value EmitPower(LayerContext& c, const OperationLayer& layer) {
  const Expr x = OperationX(c);
  if (layer.numbers[0] == 2) return ops::Square(x).value;
  return ops::Power(x, ops::Constant(layer.numbers[0], x)).value;
}
Value EmitNumberDivided(LayerContext& c, const OperationLayer& layer) {
  const Expr x = OperationX(c);
  return (ops::Constant(layer.numbers[0], x) / x).value;
}
Value EmitClip(LayerContext& c, const OperationLayer& layer) {
  const Expr x = OperationX(c);
  const Expr low = ops::Binary(kMaximum, x, ops::Constant(layer.numbers[0], x));
  return ops::Binary(kMinimum, low, ops::Constant(layer.numbers[1], x)).value;
}

// x and an array, which is repeated along the axes that it does not have, or has with extent 1. The
// batch is one of these.
struct ArrayOperation {
  const char* function;
  const char* op;
};
constexpr ArrayOperation kArrayOperations[] = {
    {"Add", "Add"},           {"Subtract", "Subtract"}, {"Multiply", "Multiply"},
    {"TrueDivide", "Divide"}, {"Maximum", "Maximum"},   {"Minimum", "Minimum"},
};

Value EmitWithArray(LayerContext& c, const OperationLayer& layer) {
  FunctionBuilder& g = c.g();
  const Shape& x = c.type().shape;
  const int front = x.rank() - static_cast<int>(layer.shape.size());
  Shape kept;
  std::vector<int64_t> axes;
  bool fits = front >= 0;
  for (int i = 0; fits && i < x.rank(); ++i) {
    const int64_t extent = i < front ? 1 : layer.shape[i - front];
    if (extent == 1) {
      axes.push_back(i);
    } else {
      kept.Append(extent);
      fits = x[i] == Dim(extent);
    }
  }
  if (!fits) {
    c.Fail(absl::StrCat("its array of shape [", absl::StrJoin(layer.shape, ", "),
                        "] does not go with ", c.type().ToString()));
    return {};
  }
  Tensor content = *Tensor::Zeros({DType::kFloat64, kept});
  std::copy(layer.numbers.begin(), layer.numbers.end(), content.Elements<double>().begin());
  Value array = ops::Constant(g, content.Cast(c.real()), c.Part("array"));
  if (!axes.empty()) array = ops::BroadcastLike(g, array, c.x(), axes, c.Part("broadcast"));
  for (const ArrayOperation& row : kArrayOperations) {
    if (layer.function != row.function) continue;
    return layer.first ? ops::Binary(g, row.op, array, c.x(), c.name())
                       : ops::Binary(g, row.op, c.x(), array, c.name());
  }
  return {};
}

// Axes from the front, ascending; nullopt, with the mistake said, where one is the batch, is none
// or is there twice.
std::optional<std::vector<int64_t>> OperationAxes(LayerContext& c, const OperationLayer& layer,
                                                  int rank) {
  std::vector<int64_t> axes;
  for (const int64_t axis : layer.axes) axes.push_back(axis < 0 ? axis + rank : axis);
  std::sort(axes.begin(), axes.end());
  const bool once = std::adjacent_find(axes.begin(), axes.end()) == axes.end();
  if (!axes.empty() && axes.front() > 0 && axes.back() < rank && once) return axes;
  c.Fail(absl::StrCat("axes [", absl::StrJoin(layer.axes, ", "),
                      "] must be of those behind the batch, each once, of ", c.type().ToString()));
  return std::nullopt;
}

using ReduceFunction = Value (*)(FunctionBuilder&, Value, const ops::ReduceOptions&);

template <const char* kOp>
Value ReduceByName(FunctionBuilder& g, Value x, const ops::ReduceOptions& options) {
  return g.AddNode(kOp, {x}, {{"axes", options.axes}, {"keep_dims", options.keep_dims}},
                   options.name)[0];
}
constexpr char kReduceMax[] = "ReduceMax", kReduceMin[] = "ReduceMin", kReduceProd[] = "ReduceProd";

// The mean of the squares of distances from the mean.
Value ReduceVariance(FunctionBuilder& g, Value x, const ops::ReduceOptions& options) {
  const Expr mean{&g, ops::ReduceMean(g, x, {.axes = options.axes})};
  const Expr from{&g, ops::BroadcastLike(g, mean.value, x, options.axes)};
  return ops::ReduceMean(g, ops::Square(Expr{&g, x} - from).value, options);
}
Value ReduceDeviation(FunctionBuilder& g, Value x, const ops::ReduceOptions& options) {
  return ops::Sqrt(Expr{&g, ReduceVariance(g, x, options)}).value;
}

template <ReduceFunction kReduce>
Value EmitReduction(LayerContext& c, const OperationLayer& layer) {
  const auto axes = OperationAxes(c, layer, c.type().shape.rank());
  if (!axes.has_value()) return {};
  return kReduce(c.g(), c.x(), {.axes = *axes, .keep_dims = layer.keepdims, .name = c.name()});
}

// Operations that move elements.

Value EmitExpandDims(LayerContext& c, const OperationLayer& layer) {
  const Shape& from = c.type().shape;
  const auto axes = OperationAxes(c, layer, from.rank() + 1);
  if (!axes.has_value()) return {};
  Shape to;
  for (int i = 0; i <= from.rank(); ++i) {
    to.Append(i == (*axes)[0] ? Dim(1) : from[i < (*axes)[0] ? i : i - 1]);
  }
  return ops::Reshape(c.g(), c.x(), to, c.name());
}

Value EmitSqueeze(LayerContext& c, const OperationLayer& layer) {
  const Shape& from = c.type().shape;
  OperationLayer of = layer;
  for (int i = 1; layer.axes.empty() && i < from.rank(); ++i) {
    if (from[i] == Dim(1)) of.axes.push_back(i);
  }
  const auto axes = OperationAxes(c, of, from.rank());
  if (!axes.has_value()) return {};
  Shape to;
  for (int i = 0; i < from.rank(); ++i) {
    if (std::find(axes->begin(), axes->end(), i) == axes->end()) {
      to.Append(from[i]);
    } else if (from[i] != Dim(1)) {
      c.Fail(absl::StrCat("axis ", i, " of ", c.type().ToString(), " is not of extent 1"));
      return {};
    }
  }
  return ops::Reshape(c.g(), c.x(), to, c.name());
}

Value EmitSwapaxes(LayerContext& c, const OperationLayer& layer) {
  const int rank = c.type().shape.rank();
  const auto axes = OperationAxes(c, layer, rank);
  if (!axes.has_value()) return {};
  std::vector<int64_t> permutation;
  for (int i = 0; i < rank; ++i) permutation.push_back(i);
  std::swap(permutation[(*axes)[0]], permutation[(*axes)[1]]);
  return ops::Transpose(c.g(), c.x(), permutation, c.name());
}

Value EmitFlip(LayerContext& c, const OperationLayer& layer) {
  const auto axes = OperationAxes(c, layer, c.type().shape.rank());
  if (!axes.has_value()) return {};
  Value y = c.x();
  for (const int64_t axis : *axes) y = ops::Reverse(c.g(), y, axis, c.name());
  return y;
}

Value EmitStack(LayerContext& c, const OperationLayer& layer) {
  FunctionBuilder& g = c.g();
  const Shape shape = c.type().shape;
  Value y = EmitExpandDims(c, layer);
  for (const LayerFlow& input : c.more()) {
    if (!g.status().ok()) return {};
    if (g.type(input.value) != c.type()) {
      c.Fail(absl::StrCat("it stacks ", c.type().ToString(), " and ",
                          g.type(input.value).ToString(), ", which differ"));
      return {};
    }
    LayerContext next = c.With(input);
    const int rank = shape.rank() + 1;
    const int64_t axis = layer.axes[0] < 0 ? layer.axes[0] + rank : layer.axes[0];
    y = ops::Concat(g, y, EmitExpandDims(next, layer), axis, c.name());
  }
  return y;
}

Value EmitGetItem(LayerContext& c, const OperationLayer& layer) {
  return EmitIndex(c, layer.index);
}

// Operations of two tensors.

Value EmitDivide(LayerContext& c, const OperationLayer&) {
  FunctionBuilder& g = c.g();
  const Value divisor = c.more()[0].value;
  const Shape& shape = c.type().shape;
  const Shape& other = g.type(divisor).shape;
  if (shape == other) return ops::Binary(g, "Divide", c.x(), divisor, c.name());
  std::vector<int64_t> axes;
  bool fits = shape.rank() == other.rank();
  for (int i = 0; fits && i < shape.rank(); ++i) {
    if (shape[i] == other[i]) continue;
    fits = other[i] == Dim(1);
    axes.push_back(i);
  }
  if (!fits) {
    c.Fail(absl::StrCat("it divides ", c.type().ToString(), " by ", g.type(divisor).ToString(),
                        ", which does not go with it"));
    return {};
  }
  const Value whole = ops::BroadcastLike(g, divisor, c.x(), axes, c.Part("broadcast"));
  return ops::Binary(g, "Divide", c.x(), whole, c.name());
}

Value EmitMatmul(LayerContext& c, const OperationLayer&) {
  return ops::MatMul(c.g(), c.x(), c.more()[0].value, c.name());
}

// The table: Keras's class, its module, what it takes, and how it is emitted.
struct OperationRow {
  const char* name;
  OperationFacts facts;
  Value (*emit)(LayerContext&, const OperationLayer&);
};
using Takes = OperationTakes;
constexpr OperationRow kOperationRows[] = {
    {"Absolute", {"numpy", Takes::kNothing}, EmitUnaryOperation<kAbs>},
    {"Log", {"numpy", Takes::kNothing}, EmitUnaryOperation<kLog>},
    {"Sqrt", {"numpy", Takes::kNothing}, EmitUnaryOperation<kSqrt>},
    {"Square", {"numpy", Takes::kNothing}, EmitSquare},
    {"Reciprocal", {"numpy", Takes::kNothing}, EmitUnaryOperation<kReciprocal>},
    {"Rsqrt", {"math", Takes::kNothing}, EmitRsqrt},
    {"Sin", {"numpy", Takes::kNothing}, EmitUnaryOperation<kSin>},
    {"Cos", {"numpy", Takes::kNothing}, EmitUnaryOperation<kCos>},
    {"Gelu", {"nn", Takes::kNothing}, EmitGeluByTanh},
    {"Mean", {"numpy", Takes::kReducedAxes}, EmitReduction<ops::ReduceMean>},
    {"Sum", {"numpy", Takes::kReducedAxes}, EmitReduction<ops::ReduceSum>},
    {"Max", {"numpy", Takes::kReducedAxes}, EmitReduction<ReduceByName<kReduceMax>>},
    {"Min", {"numpy", Takes::kReducedAxes}, EmitReduction<ReduceByName<kReduceMin>>},
    {"Prod", {"numpy", Takes::kReducedAxes}, EmitReduction<ReduceByName<kReduceProd>>},
    {"Var", {"numpy", Takes::kReducedAxes}, EmitReduction<ReduceVariance>},
    {"Std", {"numpy", Takes::kReducedAxes}, EmitReduction<ReduceDeviation>},
    {"Add", {"numpy", Takes::kArray}, EmitWithArray},
    {"Subtract", {"numpy", Takes::kArray}, EmitWithArray},
    {"Multiply", {"numpy", Takes::kArray}, EmitWithArray},
    {"Power", {"numpy", Takes::kNumber}, EmitPower},
    {"Maximum", {"numpy", Takes::kNumber}, EmitWithNumber<kMaximum>},
    {"Minimum", {"numpy", Takes::kNumber}, EmitWithNumber<kMinimum>},
    {"TrueDivide", {"numpy", Takes::kNumberFirst}, EmitNumberDivided},
    {"Clip", {"numpy", Takes::kLimits}, EmitClip},
    {"ExpandDims", {"numpy", Takes::kAxis}, EmitExpandDims},
    {"Squeeze", {"numpy", Takes::kAxis}, EmitSqueeze},
    {"Swapaxes", {"numpy", Takes::kTwoAxes}, EmitSwapaxes},
    {"Flip", {"numpy", Takes::kAxis}, EmitFlip},
    {"Stack", {"numpy", Takes::kTensors}, EmitStack},
    {"GetItem", {"numpy", Takes::kIndex}, EmitGetItem},
    {"Divide", {"numpy", Takes::kTensor}, EmitDivide},
    {"Matmul", {"numpy", Takes::kTensor}, EmitMatmul},
};

const OperationRow* FindOperationRow(const std::string& function) {
  for (const OperationRow& row : kOperationRows) {
    if (function == row.name) return &row;
  }
  return nullptr;
}

// Masks end at operations, as in Keras.
LayerFlow EmitOperation(LayerContext& c, const OperationLayer& layer) {
  const OperationRow& row = *FindOperationRow(layer.function);
  const size_t more = row.facts.takes == Takes::kTensor ? 1 : 0;
  if (c.more().size() != more && row.facts.takes != Takes::kTensors) {
    c.Fail(absl::StrCat(row.name, " takes ", 1 + more, " tensors, got ", 1 + c.more().size()));
    return {};
  }
  for (const LayerFlow& input : c.more()) {
    if (c.g().type(input.value).dtype == c.real()) continue;
    c.Fail("it takes real numbers");
    return {};
  }
  const ScopedDefaultName name(c.g(), c.name());
  return c.Drop(layer.shape.empty() ? row.emit(c, layer) : EmitWithArray(c, layer));
}

absl::Status CheckOperation(const OperationLayer& layer) {
  const OperationTakes takes = FindOperationRow(layer.function)->facts.takes;
  const auto needs = [&](const char* what, size_t have, size_t want, size_t most) {
    if (have >= want && have <= most) return absl::OkStatus();
    return InvalidArgument(layer.function, " takes ", want, want == most ? "" : " or more", " ",
                           what, ", got ", have);
  };
  if (takes == Takes::kArray || !layer.shape.empty()) {
    if (!TakesArray(layer.function)) return InvalidArgument(layer.function, " takes no array");
    int64_t elements = 1;
    for (const int64_t extent : layer.shape) {
      elements *= extent;
      if (elements > kMaxLayerExtent) break;
    }
    if (elements != static_cast<int64_t>(layer.numbers.size())) {
      return InvalidArgument(layer.function, " has ", layer.numbers.size(),
                             " numbers for an array of shape [", absl::StrJoin(layer.shape, ", "),
                             "]");
    }
    return layer.axes.empty() && layer.index.empty()
               ? absl::OkStatus()
               : InvalidArgument(layer.function, " takes no axes and no index");
  }
  size_t numbers = takes == Takes::kNumber || takes == Takes::kNumberFirst ? 1 : 0;
  if (takes == Takes::kLimits) numbers = 2;
  SEQ_RETURN_IF_ERROR(needs("numbers", layer.numbers.size(), numbers, numbers));
  size_t axes = takes == Takes::kAxis || takes == Takes::kTensors ? 1 : 0, most = axes;
  if (takes == Takes::kReducedAxes) axes = 1, most = Shape::kMaxRank;
  if (takes == Takes::kTwoAxes) axes = most = 2;
  if (layer.function == "Squeeze") axes = 0, most = Shape::kMaxRank;
  if (layer.function == "Flip") most = Shape::kMaxRank;
  SEQ_RETURN_IF_ERROR(needs("axes", layer.axes.size(), axes, most));
  if (takes != Takes::kIndex && !layer.index.empty()) {
    return InvalidArgument(layer.function, " takes no index, got \"", layer.index, "\"");
  }
  return takes == Takes::kIndex ? ParseIndex(layer.index).status() : absl::OkStatus();
}

void FitOperation(OperationLayer& layer, SampleSource& random) {
  layer = {.function = random.OneOf<std::string>(
               {"Square", "Mean", "Flip", "ExpandDims", "GetItem", "Sin", "Sum"})};
  const OperationTakes takes = FindOperationRow(layer.function)->facts.takes;
  if (takes == Takes::kReducedAxes || takes == Takes::kAxis) layer.axes = {-1};
  if (takes == Takes::kReducedAxes) layer.keepdims = random.Coin();
  if (takes == Takes::kIndex) {
    layer.index = random.OneOf<std::string>({":, -1", "..., 0:1", ":, None", ":, ::2", ":"});
  }
}

}  // namespace

std::vector<std::string> OperationLayer::OperationNames() {
  std::vector<std::string> names;
  for (const OperationRow& row : kOperationRows) names.push_back(row.name);
  return names;
}

bool TakesArray(const std::string& function) {
  for (const ArrayOperation& row : kArrayOperations) {
    if (function == row.function) return true;
  }
  return false;
}

const OperationFacts* FindOperation(const std::string& function) {
  const OperationRow* row = FindOperationRow(function);
  return row == nullptr ? nullptr : &row->facts;
}

LayerDef OperationDef() {
  const auto two = [](const char* function, std::initializer_list<double> b,
                      std::initializer_list<double> y) {
    return LayerExample{.name = SnakeCase(function),
                        .layer = OperationLayer{.function = function},
                        .input = Reals({1, 2, 2}, {1, 2, 3, 4}),
                        .output = Reals({1, 2, 2}, y),
                        .more_inputs = {Reals({1, 2, 2}, b)}};
  };
  const auto of = [](const char* name, const OperationLayer& layer, Shape to,
                     std::initializer_list<double> y) {
    return LayerExample{name, layer, Reals({1, 2, 2}, {1, 2, 3, 4}), {}, Reals(to, y)};
  };
  return DefineLayer<OperationLayer>()
      .Doc(
          "An operation of Keras on tensors that is no layer, by its class: x[:, -1] is GetItem. "
          "Masks end here, as in Keras. Of Keras's files, only .keras of Keras 3 has it.")
      .Inputs(1, kMaxStackLayers)
      .Keras({.takes_trainable = false, .operation = true})
      .Emit(EmitOperation)
      .Check(CheckOperation)
      .LastActivation([](const OperationLayer&) -> std::optional<std::string> { return ""; })
      .FitSample(FitOperation)
      .Example(of("last_step", {.function = "GetItem", .index = ":, -1"}, {1, 2}, {3, 4}))
      .Example(of("new_axis", {.function = "GetItem", .index = "..., None, 1"}, {1, 2, 1}, {2, 4}))
      .Example(
          of("strided", {.function = "GetItem", .index = ":, ::-1, -2:9:2"}, {1, 2, 1}, {3, 1}))
      .Example(of("mean", {.function = "Mean", .axes = {1}}, {1, 2}, {2, 3}))
      .Example(
          of("largest", {.function = "Max", .axes = {-1}, .keepdims = true}, {1, 2, 1}, {2, 4}))
      .Example(of("variance", {.function = "Var", .axes = {1, 2}}, {1}, {1.25}))
      .Example(of("product", {.function = "Prod", .axes = {2}}, {1, 2}, {2, 12}))
      .Example(of("power", {.function = "Power", .numbers = {3}}, {1, 2, 2}, {1, 8, 27, 64}))
      .Example(
          of("at_least", {.function = "Maximum", .numbers = {2.5}}, {1, 2, 2}, {2.5, 2.5, 3, 4}))
      .Example(
          of("twelve_by", {.function = "TrueDivide", .numbers = {12}}, {1, 2, 2}, {12, 6, 4, 3}))
      .Example(of("add_of_steps", {.function = "Add", .numbers = {10, 20}, .shape = {2, 1}},
                  {1, 2, 2}, {11, 12, 23, 24}))
      .Example(of("array_by",
                  {.function = "TrueDivide", .numbers = {12, 24}, .shape = {2}, .first = true},
                  {1, 2, 2}, {12, 12, 4, 6}))
      .Example(of("clip", {.function = "Clip", .numbers = {2, 3}}, {1, 2, 2}, {2, 2, 3, 3}))
      .Example(of("swap", {.function = "Swapaxes", .axes = {-1, 1}}, {1, 2, 2}, {1, 3, 2, 4}))
      .Example(of("flip", {.function = "Flip", .axes = {2}}, {1, 2, 2}, {2, 1, 4, 3}))
      .Example(of("expand", {.function = "ExpandDims", .axes = {-1}}, {1, 2, 2, 1}, {1, 2, 3, 4}))
      .Example({.name = "squeeze",
                .layer = OperationLayer{.function = "Squeeze"},
                .input = Reals({1, 1, 2}, {5, 6}),
                .output = Reals({1, 2}, {5, 6})})
      .Example({.name = "stack",
                .layer = OperationLayer{.function = "Stack", .axes = {1}},
                .input = Reals({1, 2}, {1, 2}),
                .output = Reals({1, 3, 2}, {1, 2, 3, 4, 5, 6}),
                .more_inputs = {Reals({1, 2}, {3, 4}), Reals({1, 2}, {5, 6})}})
      .Example(two("Divide", {1, 4, 2, 8}, {1, 0.5, 1.5, 0.5}))
      // [1 2; 3 4] [0 1; 1 1].
      .Example(two("Matmul", {0, 1, 1, 1}, {2, 3, 4, 7}));
}

}  // namespace seqgraph
