#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/status_macros.h"
#include "graph/bound_rules.h"
#include "graph/gradient.h"
#include "ops/examples.h"
#include "ops/numbers.h"
#include "ops/shape_rules.h"
#include "ops/strided.h"

namespace seqgraph::ops {
namespace {

// ScatterElements: y = x, then for each element of updates, in their order,
//   y[a.., indices[a.., i, b..], b..] = updates[a.., i, b..]
// or that added, multiplied, or the smaller or larger of both; a has `axis` axes.
// ScatterElementsGrad: the gradient of each element at the place of an update, backward: of an
// update that replaced what was there the whole goes to it, of a sum to both, of a product to each
// times the other.

// Shape rules.

// Of x, indices and updates, which are inputs from `first` on.
absl::Status CheckScatter(const ShapeContext& c, int first) {
  const Shape &x = c.shape(first), &indices = c.shape(first + 1);
  SEQ_RETURN_IF_ERROR(CheckAxis(c, "x", x));
  SEQ_RETURN_IF_ERROR(CheckSameType("C2", c, first, "x", first + 2, "updates"));
  SEQ_RETURN_IF_ERROR(
      CheckShape("C3", "updates", c.shape(first + 2), "the shape of indices", indices));
  const int64_t axis = c.attributes().GetInt("axis");
  bool fits = indices.rank() == x.rank();
  for (int i = 0; fits && i < x.rank(); ++i) {
    const Dim from = indices[i], to = x[i];
    fits = i == axis
               ? !from.is_batch()
               : from == to || (!from.is_batch() && !to.is_batch() && from.size() < to.size());
  }
  if (!fits) {
    return Violation("C4", "indices must have no more than x, ", x.ToString(),
                     ", has along each axis but ", axis, ", got ", indices.ToString());
  }
  return absl::OkStatus();
}

Types ScatterShape(const ShapeContext& c) {
  SEQ_RETURN_IF_ERROR(CheckScatter(c, 0));
  return std::vector<TensorType>{c.type(0)};
}

Types ScatterGradShape(const ShapeContext& c) {
  SEQ_RETURN_IF_ERROR(CheckScatter(c, 1));
  SEQ_RETURN_IF_ERROR(CheckShape("C2", "dy", c.shape(0), "the shape of x", c.shape(1)));
  return std::vector<TensorType>{c.type(1), c.type(3)};
}

// Reference computations.

template <typename T>
T Combined(const std::string& reduction, T old, T update) {
  if (reduction == "add") return WrappingAdd(old, update);
  if (reduction == "mul") return WrappingMultiply(old, update);
  if (reduction == "min") return std::min(old, update);
  if (reduction == "max") return std::max(old, update);
  return update;
}

// Calls put(i, place) for each update, in their order, with its place in x.
template <typename Put>
absl::Status ForEachUpdate(const Shape& x, TensorView<const int32_t> indices, int64_t axis,
                           Put put) {
  const int64_t extent = x[static_cast<int>(axis)].size();
  for (int64_t i = 0; i < indices.size(); ++i) {
    if (indices[i] >= -extent && indices[i] < extent) continue;
    return InvalidArgument("indices, element ", i, ", is ", indices[i], ", must be in [", -extent,
                           ", ", extent, ")");
  }
  // Where each update would go if all indices were 0.
  const Strided in_x(x);
  Strided other = in_x;
  other.strides[axis] = 0;
  ForEachStrided(indices.shape, other, [&](int64_t i, int64_t j) {
    put(i, j + (indices[i] < 0 ? indices[i] + extent : indices[i]) * in_x.strides[axis]);
  });
  return absl::OkStatus();
}

template <typename T>
absl::Status ComputeScatter(const ReferenceContext& c) {
  const auto x = c.input<T>(0);
  const auto updates = c.input<T>(2);
  const auto y = c.output<T>(0);
  const std::string& reduction = c.attributes().GetString("reduction");
  if (y) std::copy_n(x.data, x.size(), y.data);
  return ForEachUpdate(x.shape, c.input<int32_t>(1), c.attributes().GetInt("axis"),
                       [&](int64_t i, int64_t place) {
                         if (y) y.data[place] = Combined(reduction, y.data[place], updates[i]);
                       });
}

template <typename T>
absl::Status ComputeScatterGrad(const ReferenceContext& c) {
  const auto dy = c.input<T>(0);
  const auto x = c.input<T>(1);
  const auto updates = c.input<T>(3);
  const auto dx = c.output<T>(0), dupdates = c.output<T>(1);
  const std::string& reduction = c.attributes().GetString("reduction");
  std::vector<T> value(x.data, x.data + x.size()), before(updates.size());
  std::vector<int64_t> places(updates.size());
  SEQ_RETURN_IF_ERROR(ForEachUpdate(x.shape, c.input<int32_t>(2), c.attributes().GetInt("axis"),
                                    [&](int64_t i, int64_t place) {
                                      places[i] = place;
                                      before[i] = value[place];
                                      value[place] = Combined(reduction, before[i], updates[i]);
                                    }));
  std::vector<T> gradient(dy.data, dy.data + dy.size());
  for (int64_t i = updates.size() - 1; i >= 0; --i) {
    T &g = gradient[places[i]], to_update = g;
    if (reduction == "mul") {
      to_update *= before[i];
      g *= updates[i];
    } else if (reduction != "add") {
      const bool taken =
          reduction == "none" || Combined(reduction, before[i], updates[i]) != before[i];
      (taken ? g : to_update) = 0;
    }
    if (dupdates) dupdates.data[i] = to_update;
  }
  if (dx) std::copy(gradient.begin(), gradient.end(), dx.data);
  return absl::OkStatus();
}

// Error bounds: an element of y is made of at most as many terms as there are updates of its row.

template <int indices>
double Terms(const BoundContext& c, int) {
  const int axis = static_cast<int>(c.attributes().GetInt("axis"));
  return static_cast<double>(c.shape(indices)[axis].size() + 1);
}

absl::StatusOr<ErrorBound> ScatterBound(const BoundContext& c, int output) {
  const std::string& reduction = c.attributes().GetString("reduction");
  if (reduction != "add" && reduction != "mul") return ExactBound()(c, output);
  return SumBound(Terms<1>)(c, output);
}

// Of products alone, of one factor more.
absl::StatusOr<ErrorBound> ScatterGradBound(const BoundContext& c, int output) {
  if (c.attributes().GetString("reduction") != "mul") return ExactBound()(c, output);
  return OutputBound([](const BoundContext& use, int o) { return Terms<2>(use, o) + 1; })(c,
                                                                                          output);
}

// Definitions.

AttributeDef ReductionDef() {
  return {.name = "reduction",
          .kind = AttributeKind::kString,
          .default_value = std::string("none"),
          .doc = "what becomes of the element that is there",
          .one_of = {"none", "add", "mul", "min", "max"}};
}

InputDef PlacesDef() {
  return {.name = "indices",
          .type = TypeRule::kIndex,
          .doc = "as many axes as x; each in [-extent, extent) of the axis",
          .differentiable = false};
}

OpSample RandomScatter(SampleSource& source) {
  const Shape shape = RandomShape(source, 1, 3);
  const int axis = static_cast<int>(source.Int(0, shape.rank() - 1));
  Shape part;
  for (int i = 0; i < shape.rank(); ++i) {
    part.Append(i == axis ? source.Int(1, 4) : source.Int(1, shape[i].size()));
  }
  const char* reductions[] = {"none", "add", "mul", "min", "max"};
  return {{{"axis", int64_t{axis}}, {"reduction", std::string(reductions[source.Int(0, 4)])}},
          {source.Reals(shape), source.Indices(part, shape[axis].size()), source.Reals(part)}};
}

}  // namespace

OpDef ScatterElementsOp() {
  const TensorType x = RealType({2, 3}), one = RealType({2, 1});
  return OpDef("ScatterElements", 1)
      .Doc(
          "y is x with updates at the places along the axis that the indices name, in their order: "
          "the last of several at one place remains, or they are added, multiplied, or the "
          "smallest or largest remains. An index that is not in [-extent, extent) fails the run.")
      .Input({.name = "x", .type = TypeRule::kNumber, .doc = "any shape with an axis"})
      .Input(PlacesDef())
      .Input({.name = "updates", .type = TypeRule::kNumber, .doc = "the shape of indices"})
      .Output({.name = "y", .type = TypeRule::kNumber, .doc = "the shape of x"})
      .Attribute(AxisDef())
      .Attribute(ReductionDef())
      .Constrain("C1", "axis is an axis of x whose extent is a number")
      .Constrain("C2", "x and updates have one element type")
      .Constrain("C3", "updates has the shape of indices")
      .Constrain("C4",
                 "along each other axis indices has no more than x, and the batch where x has")
      .Shapes(ScatterShape)
      .Reject({"C1", {{"axis", 2}}, {x, IndexType({2, 1}), one}})
      .Reject({"C1", {{"axis", 0}}, {RealType({Dim::Batch()}), IndexType({1}), RealType({1})}})
      .Reject({"C2", {{"axis", 1}}, {x, IndexType({2, 1}), IndexType({2, 1})}})
      .Reject({"C3", {{"axis", 1}}, {x, IndexType({2, 1}), RealType({2, 2})}})
      .Reject({"C4", {{"axis", 1}}, {x, IndexType({3, 1}), RealType({3, 1})}})
      .Reject({"C4", {{"axis", 1}}, {x, IndexType({2}), RealType({2})}})
      .Reference(ByType([](auto zero, auto& c) { return ComputeScatter<decltype(zero)>(c); }))
      .Bound(ScatterBound)
      .Gradient(GradientOp("ScatterElementsGrad"))
      .Cost("FLOPs: 1 for each update.",
            [](const CostContext& c) { return c.Moving(c.input_size(2)); })
      .Example({"last_one_stays",
                {{"axis", 1}},
                {Reals({2, 3}, {1, 2, 3, 4, 5, 6}), Ids({1, 2}, {2, -1}), Reals({1, 2}, {7, 8})},
                {Reals({2, 3}, {1, 2, 8, 4, 5, 6})},
                OpCost{2, 40, 24}})
      .Example({"added",
                {{"axis", 0}, {"reduction", "add"}},
                {Ids({2, 2}, {1, 2, 3, 4}), Ids({2, 1}, {1, 1}), Ids({2, 1}, {10, 20})},
                {Ids({2, 2}, {1, 2, 33, 4})}})
      .Example({"largest",
                {{"axis", 0}, {"reduction", "max"}},
                {Reals({3}, {1, 2, 3}), Ids({3}, {0, 2, 0}), Reals({3}, {5, 1, 4})},
                {Reals({3}, {5, 2, 3})}})
      .Samples(RandomScatter);
}

OpDef ScatterElementsGradOp() {
  const TensorType x = RealType({2, 3}), ids = IndexType({2, 1}), one = RealType({2, 1});
  return OpDef("ScatterElementsGrad", 1)
      .Doc(
          "dx and dupdates, the gradients of ScatterElements: what an update replaced gets none, "
          "nor does an update that another replaced.")
      .Input({.name = "dy", .doc = "the shape of x"})
      .Input({.name = "x", .doc = "any shape with an axis"})
      .Input(PlacesDef())
      .Input({.name = "updates", .doc = "the shape of indices"})
      .Output({.name = "dx", .doc = "the shape of x"})
      .Output({.name = "dupdates", .doc = "the shape of updates"})
      .Attribute(AxisDef())
      .Attribute(ReductionDef())
      .Constrain("C1", "axis is an axis of x whose extent is a number")
      .Constrain("C2", "dy has the shape of x")
      .Constrain("C3", "updates has the shape of indices")
      .Constrain("C4",
                 "along each other axis indices has no more than x, and the batch where x has")
      .Shapes(ScatterGradShape)
      .Reject({"C1", {{"axis", 2}}, {x, x, ids, one}})
      .Reject({"C2", {{"axis", 1}}, {one, x, ids, one}})
      .Reject({"C3", {{"axis", 1}}, {x, x, ids, RealType({2, 2})}})
      .Reject({"C4", {{"axis", 1}}, {x, x, IndexType({3, 1}), RealType({3, 1})}})
      .Reference(ComputeScatterGrad<float>, ComputeScatterGrad<double>)
      .Bound(ScatterGradBound)
      .Cost("FLOPs: 1 for each update.",
            [](const CostContext& c) { return c.Moving(c.input_size(3)); })
      .Example(
          {"the_last_one_counts",
           {{"axis", 0}},
           {Reals({3}, {1, 2, 3}), Reals({3}, {5, 5, 5}), Ids({2}, {1, 1}), Reals({2}, {7, 8})},
           {Reals({3}, {1, 0, 3}), Reals({2}, {0, 2})},
           OpCost{2, 40, 20}})
      .Example({"product",  // y[1] = 5 * 2 * 4
                {{"axis", 0}, {"reduction", "mul"}},
                {Reals({2}, {1, 3}), Reals({2}, {6, 5}), Ids({2}, {1, -1}), Reals({2}, {2, 4})},
                {Reals({2}, {1, 24}), Reals({2}, {60, 30})}})
      .Example({"smallest",
                {{"axis", 0}, {"reduction", "min"}},
                {Reals({2}, {1, 3}), Reals({2}, {6, 5}), Ids({2}, {0, 1}), Reals({2}, {7, 4})},
                {Reals({2}, {1, 0}), Reals({2}, {0, 3})}})
      .Samples([](SampleSource& source) {
        OpSample sample = RandomScatter(source);
        sample.inputs.insert(sample.inputs.begin(), source.Reals(sample.inputs[0]->shape()));
        return sample;
      });
}

}  // namespace seqgraph::ops
