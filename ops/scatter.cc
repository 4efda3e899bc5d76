#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/status_macros.h"
#include "graph/bound_rules.h"
#include "ops/examples.h"
#include "ops/numbers.h"
#include "ops/shape_rules.h"
#include "ops/strided.h"

namespace seqgraph::ops {
namespace {

// ScatterElements: y = x, then for each element of updates, in their order,
//   y[a.., indices[a.., i, b..], b..] = updates[a.., i, b..]
// or that added, multiplied, or the smaller or larger of both; a has `axis` axes.

// Shape rule.

Types ScatterShape(const ShapeContext& c) {
  const Shape &x = c.shape(0), &indices = c.shape(1);
  SEQ_RETURN_IF_ERROR(CheckAxis(c, "x", x));
  SEQ_RETURN_IF_ERROR(CheckSameType("C2", c, 0, "x", 2, "updates"));
  SEQ_RETURN_IF_ERROR(CheckShape("C3", "updates", c.shape(2), "the shape of indices", indices));
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
  return std::vector<TensorType>{c.type(0)};
}

// Reference computation.

template <typename T>
T Combined(const std::string& reduction, T old, T update) {
  if (reduction == "add") return WrappingAdd(old, update);
  if (reduction == "mul") return WrappingMultiply(old, update);
  if (reduction == "min") return std::min(old, update);
  if (reduction == "max") return std::max(old, update);
  return update;
}

template <typename T>
absl::Status ComputeScatter(const ReferenceContext& c) {
  const auto x = c.input<T>(0);
  const auto indices = c.input<int32_t>(1);
  const auto updates = c.input<T>(2);
  const auto y = c.output<T>(0);
  const int64_t axis = c.attributes().GetInt("axis");
  const std::string& reduction = c.attributes().GetString("reduction");
  const int64_t extent = x.shape[static_cast<int>(axis)].size();
  for (int64_t i = 0; i < indices.size(); ++i) {
    if (indices[i] >= -extent && indices[i] < extent) continue;
    return InvalidArgument("indices, element ", i, ", is ", indices[i], ", must be in [", -extent,
                           ", ", extent, ")");
  }
  if (!y) return absl::OkStatus();
  std::copy_n(x.data, x.size(), y.data);
  // Where each update would go if all indices were 0.
  const Strided in_x(x.shape);
  Strided other = in_x;
  other.strides[axis] = 0;
  ForEachStrided(indices.shape, other, [&](int64_t i, int64_t j) {
    const int64_t place = indices[i] < 0 ? indices[i] + extent : indices[i];
    T& element = y.data[j + place * in_x.strides[axis]];
    element = Combined(reduction, element, updates[i]);
  });
  return absl::OkStatus();
}

// Error bound: an element of y is made of at most as many terms as there are updates of its row.

absl::StatusOr<ErrorBound> ScatterBound(const BoundContext& c, int output) {
  const std::string& reduction = c.attributes().GetString("reduction");
  if (reduction != "add" && reduction != "mul") return ExactBound()(c, output);
  const auto terms = [](const BoundContext& context, int) {
    const int axis = static_cast<int>(context.attributes().GetInt("axis"));
    return static_cast<double>(context.shape(1)[axis].size() + 1);
  };
  return SumBound(terms)(c, output);
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
      .Input({.name = "indices",
              .type = TypeRule::kIndex,
              .doc = "as many axes as x; each in [-extent, extent) of the axis",
              .differentiable = false})
      .Input({.name = "updates", .type = TypeRule::kNumber, .doc = "the shape of indices"})
      .Output({.name = "y", .type = TypeRule::kNumber, .doc = "the shape of x"})
      .Attribute(AxisDef())
      .Attribute({.name = "reduction",
                  .kind = AttributeKind::kString,
                  .default_value = std::string("none"),
                  .doc = "what becomes of the element that is there",
                  .one_of = {"none", "add", "mul", "min", "max"}})
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
      .Cost("FLOPs: 1 for each update.",
            [](const CostContext& c) { return c.Moving(c.input_size(2)); })
      .Example({"last_one_stays",
                {{"axis", 1}},
                {Reals({2, 3}, {1, 2, 3, 4, 5, 6}), Ids({1, 2}, {2, -1}), Reals({1, 2}, {7, 8})},
                {Reals({2, 3}, {1, 2, 8, 4, 5, 6})}})
      .Example({"added",
                {{"axis", 0}, {"reduction", "add"}},
                {Ids({2, 2}, {1, 2, 3, 4}), Ids({2, 1}, {1, 1}), Ids({2, 1}, {10, 20})},
                {Ids({2, 2}, {1, 2, 33, 4})}})
      .Example({"largest",
                {{"axis", 0}, {"reduction", "max"}},
                {Reals({3}, {1, 2, 3}), Ids({3}, {0, 2, 0}), Reals({3}, {5, 1, 4})},
                {Reals({3}, {5, 2, 3})}})
      .Samples([](SampleSource& source) {
        const Shape shape = RandomShape(source, 1, 3);
        const int axis = static_cast<int>(source.Int(0, shape.rank() - 1));
        Shape part;
        for (int i = 0; i < shape.rank(); ++i) {
          part.Append(i == axis ? source.Int(1, 4) : source.Int(1, shape[i].size()));
        }
        const char* reductions[] = {"none", "add", "mul", "min", "max"};
        return OpSample{
            {{"axis", int64_t{axis}}, {"reduction", std::string(reductions[source.Int(0, 4)])}},
            {source.Reals(shape), source.Indices(part, shape[axis].size()), source.Reals(part)}};
      });
}

}  // namespace seqgraph::ops
