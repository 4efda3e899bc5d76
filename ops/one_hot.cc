#include "ops/one_hot.h"

#include <algorithm>

#include "base/status_macros.h"
#include "ops/examples.h"
#include "ops/index_check.h"
#include "ops/shape_rules.h"
#include "ops/step_rules.h"

namespace seqgraph::ops {
namespace {

// Attributes: depth, dtype.

// Shape rule.

Types OneHotShape(const ShapeContext& c) {
  const int64_t depth = c.attributes().GetInt("depth");
  if (depth < 1 || depth > Shape::kMaxElements) {
    return Violation("C1", "attribute depth must be in [1, ", Shape::kMaxElements, "], got ",
                     depth);
  }
  const DType dtype = c.attributes().GetDType("dtype");
  if (!IsReal(dtype)) {
    return Violation("C2", "attribute dtype must be float32 or float64, got ", DTypeName(dtype));
  }
  Shape y = c.shape(0);
  y.Append(depth);
  return std::vector<TensorType>{{dtype, y}};
}

// Reference computation.

template <typename T>
absl::Status ComputeOneHot(const ReferenceContext& c) {
  const auto ids = c.input<int32_t>(0);
  const auto y = c.output<T>(0);
  const int64_t depth = c.attributes().GetInt("depth"), n = ids.size();
  SEQ_RETURN_IF_ERROR(CheckIndices("ids", ids, depth));
  if (!y) return absl::OkStatus();
  std::fill_n(y.data, y.size(), T{0});
  for (int64_t i = 0; i < n; ++i) y[i * depth + ids[i]] = T{1};
  return absl::OkStatus();
}

// Gradient rule: none, ids have no derivative.

}  // namespace

// Definition.

OpDef OneHotOp() {
  return OpDef("OneHot", 1)
      .Doc(
          "y[..., k] = 1 where k = ids[...], else 0. An id that is not in [0, depth) fails the "
          "run.")
      .Input({.name = "ids",
              .type = TypeRule::kIndex,
              .doc = "any shape; each in [0, depth)",
              .differentiable = false,
              .below = "depth"})
      .Output({.name = "y", .doc = "[shape of ids..., depth]"})
      .Attribute("depth", AttributeKind::kInt, "number of classes")
      .Attribute("dtype", DType::kFloat32, "element type of y")
      .Constrain("C1", "depth is in [1, 2^40]")
      .Constrain("C2", "dtype is float32 or float64")
      .Shapes(OneHotShape)
      .Reject({"C1", {{"depth", 0}}, {IndexType({2})}})
      .Reject({"C1", {{"depth", -1}}, {IndexType({2})}})
      .Reject({"C2", {{"depth", 3}, {"dtype", DType::kInt32}}, {IndexType({2})}})
      .Reference(ComputeOneHot<float>, ComputeOneHot<double>)
      .Bound(ExactBound())
      .Steps(RowSteps(/*uses_last=*/false))
      .Cost("FLOPs: none.", [](const CostContext& c) { return c.Moving(0); })
      .Example({"three_classes",
                {{"depth", 3}},
                {Ids({1, 2}, {2, 0})},
                {Reals({1, 2, 3}, {0, 0, 1, 1, 0, 0})}})
      .Samples([](SampleSource& source) {
        const int64_t depth = source.Dimension();
        return OpSample{{{"depth", depth}}, {source.Indices(RandomShape(source, 0, 3), depth)}};
      });
}

Value OneHot(FunctionBuilder& g, Value ids, int64_t depth, const OneHotOptions& options) {
  return g.AddNode("OneHot", {ids}, {{"depth", depth}, {"dtype", options.dtype}}, options.name)[0];
}

}  // namespace seqgraph::ops
