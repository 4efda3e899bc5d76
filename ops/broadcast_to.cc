#include "ops/broadcast_to.h"

#include <utility>

#include "graph/gradient.h"
#include "ops/examples.h"
#include "ops/reductions.h"
#include "ops/reshape.h"
#include "ops/shape_rules.h"
#include "ops/step_rules.h"
#include "ops/strided.h"

namespace seqgraph::ops {
namespace {

// Attribute: shape, where -1 stands for the extent of x.

// Shape rule.

Types BroadcastShape(const ShapeContext& c) {
  const Shape& x = c.shape(0);
  const std::vector<int64_t>& extents = c.attributes().GetInts("shape");
  const int rank = static_cast<int>(extents.size()), lead = rank - x.rank();
  if (rank > Shape::kMaxRank || lead < 0) {
    return Violation("C1", "attribute shape must have from ", x.rank(), ", the rank of x, to ",
                     Shape::kMaxRank, " extents, got ", rank);
  }
  Shape y;
  for (int i = 0; i < rank; ++i) {
    const Dim from = i < lead ? Dim(1) : x[i - lead];
    const bool fits =
        extents[i] == -1 ? i >= lead : extents[i] >= 0 && (from == 1 || from == extents[i]);
    if (!fits) {
      return Violation("C2", "attribute shape ", AttributeToString(*c.attributes().Find("shape")),
                       " must have the extents of x ", x.ToString(),
                       " at its end, or any where x has 1; -1 keeps that of x");
    }
    y.Append(extents[i] == -1 ? from : Dim(extents[i]));
  }
  if (const absl::Status valid = y.Validate(); !valid.ok()) {
    return Violation("C1", "attribute shape: ", valid.message());
  }
  return std::vector<TensorType>{{c.type(0).dtype, y}};
}

// Reference computation.

Strided Repeated(const ReferenceContext& c) {
  const Shape& x = c.input_type(0).shape;
  const int lead = c.output_type(0).shape.rank() - x.rank();
  const Strided in_x(x);
  Strided strided;
  for (int d = 0; d < x.rank(); ++d) strided.strides[lead + d] = x[d] == 1 ? 0 : in_x.strides[d];
  return strided;
}

// Gradient rule: the sum over what was repeated.

absl::Status BroadcastToGradient(GradientContext& c) {
  FunctionBuilder& g = c.builder();
  const Shape x = g.type(c.input(0)).shape, y = g.type(c.output(0)).shape;
  const int lead = y.rank() - x.rank();
  std::vector<int64_t> axes;
  for (int i = 0; i < y.rank(); ++i) {
    if (i < lead || x[i - lead] != y[i]) axes.push_back(i);
  }
  const Value sum = ReduceSum(g, c.output_gradient(0), {.axes = axes});
  c.SetInputGradient(0, g.type(sum).shape == x ? sum : Reshape(g, sum, x));
  return absl::OkStatus();
}

absl::Status BroadcastToSteps(StepContext& c) {
  TimeLayout layout = c.layout(0);
  const Shape& y = c.whole_output(0).shape;
  if (layout.lead != 0) return c.Refuse("it reads padding in front of the steps");
  layout.axis += y.rank() - c.whole_input(0).shape.rank();
  std::vector<int64_t> shape;
  for (const Dim dim : y.dims()) shape.push_back(dim.size());
  shape[layout.axis] = c.Extent(y, layout);
  Attributes attributes = c.attributes();
  attributes.Set("shape", std::move(shape));
  c.SetOutput(0, c.Emit({c.input(0)}, attributes)[0], layout);
  return absl::OkStatus();
}

}  // namespace

// Definition.

OpDef BroadcastToOp() {
  return OpDef("BroadcastTo", 1)
      .Doc(
          "y has the shape that is given; x is repeated along axes that it does not have, in "
          "front, "
          "and where its extent is 1.")
      .Input({.name = "x", .type = TypeRule::kNumber, .doc = "any shape"})
      .Output({.name = "y", .type = TypeRule::kNumber, .doc = "the attribute shape"})
      .Attribute("shape", AttributeKind::kInts,
                 "of y; -1 keeps the extent of x, which may be the batch")
      .Constrain("C1", "shape is a shape of at least the rank of x")
      .Constrain("C2", "shape ends in the extents of x, but where these are 1")
      .Shapes(BroadcastShape)
      .Reject({"C1", {{"shape", Ints({3})}}, {RealType({2, 3})}})
      .Reject({"C1", {{"shape", Ints(std::vector<int64_t>(9, 1))}}, {RealType({1})}})
      .Reject({"C1", {{"shape", Ints({1 << 30, 1 << 30})}}, {RealType({1, 1})}})
      .Reject({"C2", {{"shape", Ints({2, 4})}}, {RealType({2, 3})}})
      .Reject({"C2", {{"shape", Ints({-1, 2, 3})}}, {RealType({2, 3})}})
      .Reject({"C2", {{"shape", Ints({-2, 3})}}, {RealType({1, 3})}})
      .Reject({"C2", {{"shape", Ints({2, 3})}}, {RealType({Dim::Batch(), 3})}})
      .Reference(TakeStrided(Repeated))
      .Moves()
      .Gradient(BroadcastToGradient)
      .Steps(BroadcastToSteps)
      .Cost("FLOPs: none.", [](const CostContext& c) { return c.Moving(0); })
      .Example({"rows",
                {{"shape", Ints({2, -1})}},
                {Reals({3}, {1, 2, 3})},
                {Reals({2, 3}, {1, 2, 3, 1, 2, 3})}})
      .Example({"columns",
                {{"shape", Ints({-1, 3})}},
                {Ids({2, 1}, {1, 2})},
                {Ids({2, 3}, {1, 1, 1, 2, 2, 2})}})
      .Samples([](SampleSource& source) {
        const Shape y = RandomShape(source, 0, 4);
        Shape x;
        std::vector<int64_t> extents;
        const int64_t lead = source.Int(0, y.rank());
        for (int i = 0; i < y.rank(); ++i) {
          const bool repeated = source.Coin();
          if (i >= lead) x.Append(repeated ? Dim(1) : y[i]);
          extents.push_back(i >= lead && !repeated && source.Coin() ? -1 : y[i].size());
        }
        return OpSample{{{"shape", extents}}, {source.Reals(x)}};
      });
}

Value BroadcastTo(FunctionBuilder& g, Value x, const Shape& shape, std::string name) {
  std::vector<int64_t> extents;
  for (Dim dim : shape.dims()) extents.push_back(dim.is_batch() ? -1 : dim.size());
  return g.AddNode("BroadcastTo", {x}, {{"shape", std::move(extents)}}, std::move(name))[0];
}

}  // namespace seqgraph::ops
