#include "ops/reshape.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "graph/gradient.h"
#include "ops/examples.h"
#include "ops/shape_rules.h"
#include "ops/step_rules.h"
#include "ops/strided.h"

namespace seqgraph::ops {
namespace {

using Axes = std::vector<int64_t>;

// Attributes: Reshape has shape, Transpose has permutation.

// Shape rules.

// The product of the extents but the batch and those that are -1; 0 extents count as they are.
int64_t Product(const Shape& shape) {
  int64_t product = 1;
  for (Dim dim : shape.dims()) product *= dim.is_batch() ? 1 : dim.size();
  return product;
}

Types ReshapeShape(const ShapeContext& c) {
  const Shape& x = c.shape(0);
  Shape y;
  int open = -1;
  for (int64_t extent : c.attributes().GetInts("shape")) {
    if (extent < -1 || (extent == -1 && open >= 0) || y.rank() == Shape::kMaxRank) {
      return Violation("C1", "attribute shape must have at most ", Shape::kMaxRank,
                       " extents of at least 0, and one of them may be -1");
    }
    if (extent == -1) open = y.rank();
    y.Append(extent == -1 ? Dim(1) : Dim(extent));
  }
  if (const absl::Status valid = y.Validate(); !valid.ok()) {
    return Violation("C1", "attribute shape: ", valid.message());
  }
  const auto batches = std::count(x.dims().begin(), x.dims().end(), Dim::Batch());
  const int64_t have = Product(x), want = Product(y);
  std::vector<Dim> dims(y.dims().begin(), y.dims().end());
  if (batches == 1 && open >= 0 && have == want) {
    dims[open] = Dim::Batch();
  } else if (batches == 0 && open >= 0 && want > 0 && have % want == 0) {
    dims[open] = have / want;
  } else if (batches != 0 || open >= 0 || have != want) {
    return Violation("C2", "attribute shape ", AttributeToString(*c.attributes().Find("shape")),
                     " must have as many elements as x ", x.ToString(),
                     "; -1 stands for the batch, or for what is left");
  }
  return std::vector<TensorType>{{c.type(0).dtype, Shape(dims)}};
}

Types TransposeShape(const ShapeContext& c) {
  const Shape& x = c.shape(0);
  const Axes& permutation = c.attributes().GetInts("permutation");
  Axes sorted = permutation;
  std::sort(sorted.begin(), sorted.end());
  Axes axes(x.rank());
  std::iota(axes.begin(), axes.end(), 0);
  if (sorted != axes) {
    return Violation("C1", "attribute permutation must have each axis of x ", x.ToString(),
                     " once, got ", AttributeToString(*c.attributes().Find("permutation")));
  }
  Shape y;
  for (int64_t axis : permutation) y.Append(x[static_cast<int>(axis)]);
  return std::vector<TensorType>{{c.type(0).dtype, y}};
}

// Reference computation.

Strided Permuted(const ReferenceContext& c) {
  const Axes& permutation = c.attributes().GetInts("permutation");
  const Strided in_x(c.input_type(0).shape);
  Strided strided;
  for (size_t i = 0; i < permutation.size(); ++i) {
    strided.strides[i] = in_x.strides[permutation[i]];
  }
  return strided;
}

// Gradient rules.

absl::Status ReshapeGradient(GradientContext& c) {
  c.SetInputGradient(
      0, Reshape(c.builder(), c.output_gradient(0), c.builder().type(c.input(0)).shape));
  return absl::OkStatus();
}

absl::Status TransposeGradient(GradientContext& c) {
  const Axes& permutation = c.attributes().GetInts("permutation");
  Axes inverse(permutation.size());
  for (size_t i = 0; i < permutation.size(); ++i) inverse[permutation[i]] = i;
  c.SetInputGradient(0, Transpose(c.builder(), c.output_gradient(0), inverse));
  return absl::OkStatus();
}

}  // namespace

// Definitions.

OpDef ReshapeOp() {
  return OpDef("Reshape", 1)
      .Doc("y has the elements of x in row-major order, in the shape that is given.")
      .Input(
          {.name = "x", .type = TypeRule::kNumber, .doc = "any shape with the batch at most once"})
      .Output({.name = "y", .type = TypeRule::kNumber, .doc = "the attribute shape"})
      .Attribute("shape", AttributeKind::kInts,
                 "of y; -1 stands for the batch if x has it, else for what is left")
      .Constrain("C1", "shape has at most 8 extents of at least 0, and at most one -1")
      .Constrain("C2", "shape has as many elements as x")
      .Shapes(ReshapeShape)
      .Reject({"C1", {{"shape", Ints({-2, 3})}}, {RealType({2, 3})}})
      .Reject({"C1", {{"shape", Ints({-1, -1})}}, {RealType({2, 3})}})
      .Reject({"C1", {{"shape", Ints({1, 1, 1, 1, 1, 1, 1, 1, 6})}}, {RealType({2, 3})}})
      .Reject({"C1", {{"shape", Ints({int64_t{1} << 41})}}, {RealType({2, 3})}})
      .Reject({"C2", {{"shape", Ints({5})}}, {RealType({2, 3})}})
      .Reject({"C2", {{"shape", Ints({-1, 4})}}, {RealType({2, 3})}})
      .Reject({"C2", {{"shape", Ints({2, 3})}}, {RealType({Dim::Batch(), 3})}})
      .Reject({"C2", {{"shape", Ints({-1, 4})}}, {RealType({Dim::Batch(), 3})}})
      .Reject({"C2", {{"shape", Ints({-1})}}, {RealType({Dim::Batch(), Dim::Batch()})}})
      .Reference(TakeStrided([](const ReferenceContext& c) {  // in the same order
        return Strided(c.output_type(0).shape);
      }))
      .Moves()
      .Gradient(ReshapeGradient)
      .Steps(ReshapeSteps())
      .Cost("FLOPs: none.", [](const CostContext& c) { return c.Moving(0); })
      .Example({"row_major",
                {{"shape", Ints({3, 2})}},
                {Reals({2, 3}, {1, 2, 3, 4, 5, 6})},
                {Reals({3, 2}, {1, 2, 3, 4, 5, 6})}})
      .Example({"what_is_left",
                {{"shape", Ints({1, -1})}},
                {Reals({2, 2}, {1, 2, 3, 4})},
                {Reals({1, 4}, {1, 2, 3, 4})}})
      .Example(
          {"integers", {{"shape", Ints({3, 1})}}, {Ids({3}, {7, 8, 9})}, {Ids({3, 1}, {7, 8, 9})}})
      .Example({"scalar", {{"shape", Ints({})}}, {Reals({1, 1}, {7})}, {RealScalar(7)}})
      .Samples([](SampleSource& source) {
        const int64_t a = source.Dimension(), b = source.Dimension(), c = source.Dimension();
        const Axes shape = source.OneOf<Axes>({{a * b, c}, {-1}, {c, -1, b}, {b, a, c}, {1, -1}});
        return OpSample{{{"shape", shape}}, {source.Reals({a, b, c})}};
      });
}

OpDef TransposeOp() {
  return OpDef("Transpose", 1)
      .Doc("Axis i of y is axis permutation[i] of x.")
      .Input({.name = "x", .type = TypeRule::kNumber, .doc = "any shape"})
      .Output({.name = "y", .type = TypeRule::kNumber, .doc = "the extents of x, permuted"})
      .Attribute(
          {.name = "permutation", .kind = AttributeKind::kInts, .doc = "each axis of x once"})
      .Constrain("C1", "permutation has each axis of x once")
      .Shapes(TransposeShape)
      .Reject({"C1", {{"permutation", Ints({0})}}, {RealType({2, 3})}})
      .Reject({"C1", {{"permutation", Ints({0, 0})}}, {RealType({2, 3})}})
      .Reject({"C1", {{"permutation", Ints({1, 2})}}, {RealType({2, 3})}})
      .Reference(TakeStrided(Permuted))
      .Moves()
      .Gradient(TransposeGradient)
      .Steps(TransposeSteps())
      .Cost("FLOPs: none.", [](const CostContext& c) { return c.Moving(0); })
      .Example({"matrix",
                {{"permutation", Ints({1, 0})}},
                {Reals({2, 3}, {1, 2, 3, 4, 5, 6})},
                {Reals({3, 2}, {1, 4, 2, 5, 3, 6})}})
      .Example({"integers",
                {{"permutation", Ints({1, 0})}},
                {Ids({2, 2}, {1, 2, 3, 4})},
                {Ids({2, 2}, {1, 3, 2, 4})}})
      .Example({"cycle",  // y[k, i, j] = x[i, j, k]
                {{"permutation", Ints({2, 0, 1})}},
                {Reals({1, 2, 3}, {1, 2, 3, 4, 5, 6})},
                {Reals({3, 1, 2}, {1, 4, 2, 5, 3, 6})}})
      .Samples([](SampleSource& source) {
        const Shape shape = RandomShape(source, 0, 4);
        Axes permutation(shape.rank());
        std::iota(permutation.begin(), permutation.end(), 0);
        for (int i = shape.rank() - 1; i > 0; --i) {
          std::swap(permutation[i], permutation[source.Int(0, i)]);
        }
        return OpSample{{{"permutation", permutation}}, {source.Reals(shape)}};
      });
}

Value Reshape(FunctionBuilder& g, Value x, const Shape& shape, std::string name) {
  Axes extents;
  for (Dim dim : shape.dims()) extents.push_back(dim.is_batch() ? -1 : dim.size());
  return g.AddNode("Reshape", {x}, {{"shape", extents}}, std::move(name))[0];
}

Value Transpose(FunctionBuilder& g, Value x, std::vector<int64_t> permutation, std::string name) {
  return g.AddNode("Transpose", {x}, {{"permutation", std::move(permutation)}}, std::move(name))[0];
}

}  // namespace seqgraph::ops
