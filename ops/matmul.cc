#include "ops/matmul.h"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "graph/bound_rules.h"
#include "graph/gradient.h"
#include "ops/examples.h"
#include "ops/matrix_loops.h"
#include "ops/reshape.h"
#include "ops/shape_rules.h"
#include "ops/step_rules.h"

namespace seqgraph::ops {
namespace {

// Shape rule.

Types MatMulShape(const ShapeContext& c) {
  const Shape &a = c.shape(0), &b = c.shape(1);
  if (a.rank() < 2) return Violation("C1", "a must be [..., m, k], got ", a.ToString());
  const int lead = a.rank() - 2;
  bool fits = b.rank() == a.rank() && b[lead] == a[lead + 1] && !b[lead].is_batch();
  for (int i = 0; fits && i < lead; ++i) fits = a[i] == b[i];
  if (!fits) {
    return Violation("C2", "b must be [..., k, n] with the extents of a ", a.ToString(),
                     " in front, got ", b.ToString());
  }
  Shape y(a.dims().first(lead + 1));
  y.Append(b.back());
  return std::vector<TensorType>{{c.type(0).dtype, y}};
}

// Reference computation.

template <typename T>
absl::Status ComputeMatMul(const ReferenceContext& c) {
  const auto a = c.input<T>(0), b = c.input<T>(1);
  const auto y = c.output<T>(0);
  if (!y) return absl::OkStatus();
  const int rank = a.shape.rank();
  const int64_t m = a.dim(rank - 2), k = a.dim(rank - 1), n = y.dim(rank - 1);
  std::fill_n(y.data, y.size(), T{0});
  const int64_t rows = n == 0 ? 0 : y.size() / n;
  for (int64_t row = 0; row < rows; ++row) {
    AddVectorTimesMatrix(a.data + row * k, b.data + row / m * k * n, k, n, y.data + row * n);
  }
  return absl::OkStatus();
}

// Cost.

OpCost MatMulCost(const CostContext& c) {
  return c.Moving(2 * c.output_size(0) * c.dim(0, c.shape(0).rank() - 1));
}

// Gradient rule: da = dy b^T, db = a^T dy.

Value Transposed(FunctionBuilder& g, Value x) {
  std::vector<int64_t> permutation(g.type(x).shape.rank());
  std::iota(permutation.begin(), permutation.end(), 0);
  std::swap(permutation[permutation.size() - 2], permutation.back());
  return Transpose(g, x, permutation);
}

absl::Status MatMulGradient(GradientContext& c) {
  FunctionBuilder& g = c.builder();
  const Value dy = c.output_gradient(0);
  if (c.wanted(0)) c.SetInputGradient(0, MatMul(g, dy, Transposed(g, c.input(1))));
  if (c.wanted(1)) c.SetInputGradient(1, MatMul(g, Transposed(g, c.input(0)), dy));
  return absl::OkStatus();
}

// Time is an axis of both in front, or the rows of a, or the columns of b.
absl::Status MatMulSteps(StepContext& c) {
  const int rank = c.whole_output(0).shape.rank();
  const bool a = c.layout(0).is_steps(), b = c.layout(1).is_steps();
  const TimeLayout& layout = c.layout(a ? 0 : 1);
  if (layout.axis < rank - 2 && a && b) return SameAxisSteps()(c);
  if (layout.axis < rank - 2 || (a && b)) {
    return c.Refuse("each step is multiplied by all others");
  }
  if (layout.axis != (a ? rank - 2 : rank - 1)) return c.Refuse("it adds over all steps");
  SEQ_RETURN_IF_ERROR(c.RequireSteady(a ? 1 : 0));
  if (layout.lead != 0) return c.Refuse("it reads padding in front of the steps");
  c.SetOutput(0, c.Emit({c.input(0), c.input(1)})[0], layout);
  return absl::OkStatus();
}

}  // namespace

// Definition.

OpDef MatMulOp() {
  return OpDef("MatMul", 1)
      .Doc("y = a b, a product of matrices for each index of the axes in front.")
      .Input({.name = "a", .doc = "[..., m, k]"})
      .Input({.name = "b", .doc = "[..., k, n]"})
      .Output({.name = "y", .doc = "[..., m, n]"})
      .Constrain("C1", "a is [..., m, k]")
      .Constrain("C2", "b is [..., k, n] with the extents of a in front")
      .Shapes(MatMulShape)
      .Reject({"C1", {}, {RealType({3}), RealType({3, 2})}})
      .Reject({"C2", {}, {RealType({2, 3}), RealType({2, 3})}})
      .Reject({"C2", {}, {RealType({2, 3}), RealType({3})}})
      .Reject({"C2", {}, {RealType({5, 2, 3}), RealType({4, 3, 2})}})
      .Reference(ComputeMatMul<float>, ComputeMatMul<double>)
      .Bound(SumBound(
          [](const BoundContext& c, int) { return static_cast<double>(c.shape(0).back().size()); }))
      .Gradient(MatMulGradient)
      .Steps(MatMulSteps)
      .Cost("FLOPs: 2 k for each element of y.", MatMulCost)
      .Example({"one",
                {},
                {Reals({2, 3}, {1, 2, 3, 4, 5, 6}), Reals({3, 1}, {1, 10, 100})},
                {Reals({2, 1}, {321, 654})}})
      .Example({"two",
                {},
                {Reals({2, 1, 2}, {1, 2, 3, 4}), Reals({2, 2, 1}, {1, 10, 100, 1000})},
                {Reals({2, 1, 1}, {21, 4300})}})
      .Samples([](SampleSource& source) {
        Shape a = RandomShape(source, 0, 2), b = a;
        const int64_t m = source.Dimension(), k = source.Dimension(), n = source.Dimension();
        for (int64_t extent : {m, k}) a.Append(extent);
        for (int64_t extent : {k, n}) b.Append(extent);
        const Tensor first = source.Reals(a);
        return OpSample{{}, {first, source.Reals(b)}};
      });
}

Value MatMul(FunctionBuilder& g, Value a, Value b, std::string name) {
  return g.AddNode("MatMul", {a, b}, {}, std::move(name))[0];
}

}  // namespace seqgraph::ops
