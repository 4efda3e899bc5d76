#include "layers/activation_layers.h"

#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "layers/layer_context.h"
#include "ops/activations.h"
#include "ops/examples.h"
#include "ops/formula.h"
#include "ops/reductions.h"
#include "ops/reshape.h"
#include "ops/softmax.h"

namespace seqgraph {
namespace {

using ops::Expr;
using ops::Reals;

LayerFlow EmitReLU(LayerContext& c, const ReLULayer& layer) {
  const ScopedDefaultName name(c.g(), c.name());
  const Expr x{&c.g(), c.x()};
  Expr y = ops::Unary("Relu", x);
  if (layer.threshold > 0) {
    const Expr beyond = ops::Less(ops::Constant(layer.threshold, x), x);
    y = ops::Where(beyond, x, ops::Constant(0, x));
  }
  if (layer.max_value < ReLULayer::kUnlimited) {
    y = ops::Binary("Minimum", y, ops::Constant(layer.max_value, x));
  }
  if (layer.negative_slope > 0) {
    y = y - layer.negative_slope * ops::Unary("Relu", layer.threshold - x);
  }
  return c.Pass(y.value);
}

LayerFlow EmitELU(LayerContext& c, const ELULayer& layer) {
  return c.Pass(ops::Elu(c.g(), c.x(), layer.alpha, c.name()));
}

// relu(x) - alpha relu(-x), alpha having the shape of a row of the batch, with 1 where it is
// shared.
LayerFlow EmitPReLU(LayerContext& c, const PReLULayer& layer) {
  const Shape& shape = c.type().shape;
  std::vector<Dim> extents(shape.dims().begin(), shape.dims().end());
  std::vector<int64_t> repeated = {0};
  for (const int64_t axis : layer.shared_axes) {
    if (axis >= shape.rank()) {
      c.Fail(absl::StrCat("shared_axes has ", axis, ", and its input is ", c.type().ToString()));
      return {};
    }
    extents[axis] = 1;
  }
  for (int axis = 1; axis < shape.rank(); ++axis) {
    if (extents[axis] != shape[axis]) repeated.push_back(axis);
  }
  const ScopedDefaultName name(c.g(), c.name());
  const Value alpha = c.Weight("alpha", Shape(absl::MakeSpan(extents).subspan(1)),
                               layer.alpha_initializer, layer.alpha_regularizer);
  extents[0] = 1;
  const Value row = ops::Reshape(c.g(), alpha, Shape(extents));
  const Expr factor{&c.g(), ops::BroadcastLike(c.g(), row, c.x(), repeated)};
  const Expr x{&c.g(), c.x()};
  return c.Pass((ops::Unary("Relu", x) - factor * ops::Unary("Relu", -x)).value);
}

LayerFlow EmitSoftmax(LayerContext& c, const SoftmaxLayer& layer) {
  const int64_t rank = c.type().shape.rank();
  const int64_t axis = layer.axis < 0 ? layer.axis + rank : layer.axis;
  if (axis < 1 || axis >= rank) {
    c.Fail(absl::StrCat("axis is ", layer.axis, ", and its input is ", c.type().ToString()));
    return {};
  }
  if (axis == rank - 1) return c.Pass(ops::Softmax(c.g(), c.x(), c.name()));
  std::vector<int64_t> swapped(rank);
  std::iota(swapped.begin(), swapped.end(), 0);
  std::swap(swapped[axis], swapped[rank - 1]);
  const Value x = ops::Transpose(c.g(), c.x(), swapped, c.Part("transposed"));
  const Value y = ops::Softmax(c.g(), x, c.Part("softmax"));
  return c.Pass(ops::Transpose(c.g(), y, swapped, c.name()));
}

template <typename T>
std::optional<std::string> None(const T&) {
  return "";
}

}  // namespace

LayerDef ReLUDef() {
  return DefineLayer<ReLULayer>()
      .Doc(
          "Any shape -> the same: x where x > threshold, at most max_value; negative_slope (x - "
          "threshold) elsewhere.")
      .RowWise()
      .Emit(EmitReLU)
      .LastActivation(None<ReLULayer>)
      .Example({"plain", ReLULayer{}, Reals({1, 2}, {-3, 4}), {}, Reals({1, 2}, {0, 4})})
      .Example({"all_options",
                ReLULayer{.max_value = 6, .negative_slope = 0.5, .threshold = 1},
                Reals({1, 4}, {-3, 0.5, 4, 8}),
                {},
                Reals({1, 4}, {-2, -0.25, 4, 6})});
}

LayerDef ELUDef() {
  return DefineLayer<ELULayer>()
      .Doc(
          "Any shape -> the same: x where x > 0, alpha (exp(x) - 1) elsewhere (Clevert, "
          "Unterthiner "
          "and Hochreiter 2016).")
      .RowWise()
      .Emit(EmitELU)
      .LastActivation(None<ELULayer>)
      // e^-1 - 1 = -0.6321205588285577.
      .Example({"both_sides",
                ELULayer{.alpha = 2},
                Reals({1, 2}, {-1, 3}),
                {},
                Reals({1, 2}, {-1.2642411176571153, 3})});
}

LayerDef PReLUDef() {
  return DefineLayer<PReLULayer>()
      .Doc(
          "Any shape -> the same: x where x > 0, alpha x elsewhere (He et al. 2015), with an alpha "
          "of its own for each element of a row of the batch but along shared_axes.")
      .Keras({.unset = {"alpha_constraint"}})
      .Emit(EmitPReLU)
      .LastActivation(None<PReLULayer>)
      .Example({"own",
                PReLULayer{},
                Reals({2, 2}, {-1, -2, 3, -4}),
                {Reals({2}, {0.5, 0.25})},
                Reals({2, 2}, {-0.5, -0.5, 3, -1})})
      .Example({"shared_by_all_steps",
                PReLULayer{.shared_axes = {1}},
                Reals({1, 2, 2}, {-1, -2, 3, -4}),
                {Reals({1, 2}, {0.5, 0.25})},
                Reals({1, 2, 2}, {-0.5, -0.5, 3, -1})});
}

LayerDef SoftmaxDef() {
  return DefineLayer<SoftmaxLayer>()
      .Doc(
          "Any shape -> the same: y_i = exp(x_i) / the sum of exp(x_j) along the axis. A mask "
          "passes, and leaves nothing out.")
      .Emit(EmitSoftmax)
      .LastActivation([](const SoftmaxLayer&) -> std::optional<std::string> { return "softmax"; })
      .FitSample([](SoftmaxLayer& layer, SampleSource&) { layer.axis = -1; })
      .Example({"row", SoftmaxLayer{}, Reals({1, 2}, {7, 7}), {}, Reals({1, 2}, {0.5, 0.5})})
      // log 3 = 1.0986122886681098.
      .Example({"over_time",
                SoftmaxLayer{.axis = 1},
                Reals({1, 2, 2}, {0, 2, 1.0986122886681098, 2}),
                {},
                Reals({1, 2, 2}, {0.25, 0.5, 0.75, 0.5})});
}

}  // namespace seqgraph
