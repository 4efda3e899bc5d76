#include "ops/extrema.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/status_macros.h"
#include "graph/bound_rules.h"
#include "graph/gradient.h"
#include "ops/binary.h"
#include "ops/cast.h"
#include "ops/elementwise.h"
#include "ops/examples.h"
#include "ops/numbers.h"
#include "ops/reduction_def.h"

namespace seqgraph::ops {
namespace {

// Shape rule: ReducedShape, and what is reduced is not empty.

Types ExtremumShape(const ShapeContext& c) {
  SEQ_ASSIGN_OR_RETURN(std::vector<TensorType> types, ReducedShape(c));
  SEQ_RETURN_IF_ERROR(CheckNotEmpty("C2", "an extremum", AxesOf(c.attributes()), c.shape(0)));
  return types;
}

// Reference computation: y = f(.. f(f(start or x_0, x_0), x_1) ..).

template <typename T, typename F>
absl::Status Reduce(const ReferenceContext& c, bool from_one, F f) {
  const auto x = c.input<T>(0);
  const auto y = c.output<T>(0);
  if (!y) return absl::OkStatus();
  std::vector<bool> begun(y.size(), from_one);
  std::fill_n(y.data, y.size(), T{1});
  ForEachStrided(x.shape, Reduced(x.shape, AxesOf(c.attributes())), [&](int64_t i, int64_t j) {
    y[j] = begun[j] ? f(y[j], x[i]) : x[i];
    begun[j] = true;
  });
  return absl::OkStatus();
}

template <typename T>
absl::Status ComputeMaximum(const ReferenceContext& c) {
  return Reduce<T>(c, false, [](T y, T x) { return x > y || x != x ? x : y; });
}

template <typename T>
absl::Status ComputeMin(const ReferenceContext& c) {
  return Reduce<T>(c, false, [](T y, T x) { return x < y || x != x ? x : y; });
}

template <typename T>
absl::Status ComputeProd(const ReferenceContext& c) {
  return Reduce<T>(c, true, [](T y, T x) { return WrappingMultiply(y, x); });
}

// Gradient rule: dx = dy / ties where x = y, else 0.

absl::Status ExtremumGradient(GradientContext& c) {
  FunctionBuilder& g = c.builder();
  const Value x = c.input(0), dy = c.output_gradient(0);
  const Axes& axes = AxesOf(c.attributes());
  const ReduceOptions options{
      .axes = axes, .keep_dims = c.attributes().GetBool("keep_dims"), .name = ""};
  const Value taken =
      Cast(g, Binary(g, "Equal", x, BroadcastLike(g, c.output(0), x, axes)), g.type(x).dtype);
  const Value share = Binary(g, "Divide", dy, ReduceSum(g, taken, options));
  c.SetInputGradient(0, Multiply(g, taken, BroadcastLike(g, share, x, axes)));
  return absl::OkStatus();
}

// Definitions.

OpDef ExtremumDef(std::string name, std::string doc) {
  return ReductionDef(std::move(name), std::move(doc), TypeRule::kNumber)
      .Constrain("C2", "the reduced axes are not empty")
      .Reject({"C2", {{"axes", Ints({0})}}, {RealType({0, 3})}})
      .Shapes(ExtremumShape)
      .Gradient(ExtremumGradient)
      .Cost("FLOPs: 1 for each element of x.",
            [](const CostContext& c) { return c.Moving(c.input_size(0)); });
}

}  // namespace

OpDef ReduceMaxOp() {
  return ExtremumDef("ReduceMax", "y = the largest x over the axes; NaN where one is among them.")
      .Reference(ByType([](auto x, auto& c) { return ComputeMaximum<decltype(x)>(c); }))
      .Bound(ExactBound())
      .Example({"rows",
                {{"axes", Ints({1})}},
                {Reals({2, 3}, {1, 5, -3, -10, -20, -40})},
                {Reals({2}, {5, -10})}})
      .Example({"integers", {{"axes", Ints({0})}}, {Ids({3}, {-7, 2, 1})}, {Ids({}, {2})}});
}

OpDef ReduceMinOp() {
  return ExtremumDef("ReduceMin", "y = the smallest x over the axes; NaN where one is among them.")
      .Reference(ByType([](auto x, auto& c) { return ComputeMin<decltype(x)>(c); }))
      .Bound(ExactBound())
      .Example({"columns_kept",
                {{"axes", Ints({0})}, {"keep_dims", true}},
                {Reals({2, 3}, {1, 5, -3, -10, -20, -40})},
                {Reals({1, 3}, {-10, -20, -40})}});
}

OpDef ReduceProdOp() {
  OpDef op = ReductionDef("ReduceProd",
                          "y = the product of x over the axes, multiplied in the order of indices; "
                          "1 over nothing; integers wrap around.",
                          TypeRule::kNumber);
  return op.Shapes(ReducedShape)
      .Reference(ByType([](auto x, auto& c) { return ComputeProd<decltype(x)>(c); }))
      .Bound(OutputBound([](const BoundContext& c, int o) {  // as for a sum, of the exponents
        return SumRoundings(1 + c.input(0).num_elements() /
                                    std::max<int64_t>(c.output(o).num_elements(), 1));
      }))
      .Cost("FLOPs: 1 for each element of x.",
            [](const CostContext& c) { return c.Moving(c.input_size(0)); })
      .Example({"rows",
                {{"axes", Ints({1})}},
                {Reals({2, 3}, {1, 5, -3, -10, -20, 0.5})},
                {Reals({2}, {-15, 100})}});
}

Value ReduceMin(FunctionBuilder& g, Value x, const ReduceOptions& options) {
  return g.AddNode("ReduceMin", {x}, {{"axes", options.axes}, {"keep_dims", options.keep_dims}},
                   options.name)[0];
}

}  // namespace seqgraph::ops
