#include "ops/reductions.h"

#include <algorithm>
#include <utility>

#include "base/status_macros.h"
#include "graph/bound_rules.h"
#include "graph/gradient.h"
#include "ops/examples.h"
#include "ops/numbers.h"
#include "ops/reduction_def.h"
#include "ops/shape_rules.h"
#include "ops/step_rules.h"

namespace seqgraph::ops {
namespace {

// Attributes: axes, and keep_dims for the reductions.

// Shape rules.

Types MeanShape(const ShapeContext& c) {
  SEQ_ASSIGN_OR_RETURN(std::vector<TensorType> types, ReducedShape(c));
  SEQ_RETURN_IF_ERROR(CheckNotEmpty("C2", "a mean", AxesOf(c.attributes()), c.shape(0)));
  return types;
}

Types RepeatedShape(const ShapeContext& c) {
  const Axes& axes = AxesOf(c.attributes());
  const Shape& like = c.shape(1);
  SEQ_RETURN_IF_ERROR(CheckAxes(axes, "like", like));
  const Shape dropped = Without(axes, like, false), kept = Without(axes, like, true);
  if (c.shape(0) != dropped && c.shape(0) != kept) {
    return Violation("C2", "the first input must have the shape of like without the axes, ",
                     dropped.ToString(), " or ", kept.ToString(), ", got ", c.shape(0).ToString());
  }
  SEQ_RETURN_IF_ERROR(CheckSameType("C3", c, 0, "x", 1, "like"));
  return std::vector<TensorType>{c.type(1)};
}

Types RepeatedMeanShape(const ShapeContext& c) {
  SEQ_ASSIGN_OR_RETURN(std::vector<TensorType> types, RepeatedShape(c));
  SEQ_RETURN_IF_ERROR(CheckNotEmpty("C3", "a mean", AxesOf(c.attributes()), c.shape(1)));
  return types;
}

// Reference computation.

int64_t NumTerms(const Shape& shape, const Axes& axes) {
  int64_t terms = 1;
  for (int64_t axis : axes) terms *= shape[axis].size();
  return terms;
}

template <typename T>
absl::Status ComputeSum(const ReferenceContext& c) {
  const auto x = c.input<T>(0);
  const auto y = c.output<T>(0);
  if (!y) return absl::OkStatus();
  std::fill_n(y.data, y.size(), T{0});
  ForEachStrided(x.shape, Reduced(x.shape, AxesOf(c.attributes())),
                 [&](int64_t i, int64_t j) { y[j] = WrappingAdd(y[j], x[i]); });
  return absl::OkStatus();
}

template <typename T>
absl::Status ComputeMean(const ReferenceContext& c) {
  SEQ_RETURN_IF_ERROR(ComputeSum<T>(c));
  const auto y = c.output<T>(0);
  if (!y) return absl::OkStatus();
  const T terms = static_cast<T>(NumTerms(c.input<T>(0).shape, AxesOf(c.attributes())));
  for (int64_t j = 0; j < y.size(); ++j) y[j] /= terms;
  return absl::OkStatus();
}

Strided RepeatedOverAxes(const ReferenceContext& c) {
  return Reduced(c.output_type(0).shape, AxesOf(c.attributes()));
}

template <typename T>
absl::Status ComputeMeanGrad(const ReferenceContext& c) {
  const auto dy = c.input<T>(0);
  const auto dx = c.output<T>(0);
  if (!dx) return absl::OkStatus();
  const T terms = static_cast<T>(NumTerms(dx.shape, AxesOf(c.attributes())));
  ForEachStrided(dx.shape, RepeatedOverAxes(c),
                 [&](int64_t i, int64_t j) { dx[i] = dy[j] / terms; });
  return absl::OkStatus();
}

// Costs. (The elements of `like` are not read.)

OpCost SumCost(const CostContext& c) { return c.Moving(c.input_size(0)); }
OpCost MeanCost(const CostContext& c) { return c.Moving(c.input_size(0) + c.output_size(0)); }
OpCost BroadcastCost(const CostContext& c) { return c.Moving(0, {0}); }
OpCost MeanGradCost(const CostContext& c) { return c.Moving(c.output_size(0), {0}); }

// Gradient rules.

absl::Status SumGradient(GradientContext& c) {
  c.SetInputGradient(
      0, BroadcastLike(c.builder(), c.output_gradient(0), c.input(0), AxesOf(c.attributes())));
  return absl::OkStatus();
}

// The options that reduce an output of the node back to the shape of its input 0.
ReduceOptions ReduceBack(GradientContext& c) {
  const bool keep_dims =
      c.builder().type(c.input(0)).shape.rank() == c.builder().type(c.input(1)).shape.rank();
  return {.axes = AxesOf(c.attributes()), .keep_dims = keep_dims};
}

absl::Status BroadcastGradient(GradientContext& c) {
  if (c.wanted(0)) {
    c.SetInputGradient(0, ReduceSum(c.builder(), c.output_gradient(0), ReduceBack(c)));
  }
  return absl::OkStatus();
}

absl::Status MeanGradGradient(GradientContext& c) {
  if (c.wanted(0)) {
    c.SetInputGradient(0, ReduceMean(c.builder(), c.output_gradient(0), ReduceBack(c)));
  }
  return absl::OkStatus();
}

// The steps are those of like, along which x is repeated or has as many.
absl::Status BroadcastLikeSteps(StepContext& c) {
  const TimeLayout& like = c.layout(1);
  if (!like.is_steps()) return c.Refuse("like does not come step by step");
  if (Contains(AxesOf(c.attributes()), like.axis)) {
    SEQ_RETURN_IF_ERROR(c.RequireSteady(0));
  } else if (!c.layout(0).is_steps() || c.layout(0).period != like.period) {
    return c.Refuse("x does not come step by step with like");
  }
  c.SetOutput(0, c.Emit({c.input(0), c.input(1)})[0], like);
  return absl::OkStatus();
}

// Definitions.

OpDef RepetitionDef(std::string name, std::string doc, TypeRule type, std::string input,
                    std::string output) {
  return OpDef(std::move(name), 1)
      .Doc(std::move(doc))
      .Input({.name = std::move(input),
              .type = type,
              .doc = "the shape of like without the axes, or with extent 1 in their places"})
      .Input({.name = "like", .type = type, .doc = "any shape; its gradient is zero"})
      .Output({.name = std::move(output), .type = type, .doc = "the shape of like"})
      .Attribute("axes", AttributeKind::kInts, "axes of like to repeat along, ascending")
      .Constrain("C1", "the axes are ascending and in [0, rank of like)")
      .Constrain("C2", "the first input has the shape of like without the axes, or with extent 1")
      .Reject({"C1", {{"axes", Ints({2})}}, {RealType({2}), RealType({2, 3})}})
      .Reject({"C1", {{"axes", Ints({1, 0})}}, {RealType({}), RealType({2, 3})}})
      .Reject({"C2", {{"axes", Ints({1})}}, {RealType({3}), RealType({2, 3})}})
      .Reject({"C2", {{"axes", Ints({1})}}, {RealType({1, 2}), RealType({2, 3})}})
      .Samples([](SampleSource& source) {
        const Shape shape = RandomShape(source, 0, 4);
        const Axes axes = RandomAxes(source, shape);
        const Tensor x = source.Reals(Without(axes, shape, source.Coin()));
        return OpSample{{{"axes", axes}}, {x, source.Reals(shape)}};
      });
}

}  // namespace

OpDef ReduceSumOp() {
  return ReductionDef(
             "ReduceSum",
             "y = the sum of x over the axes, added in the order of indices; integers wrap "
             "around.",
             TypeRule::kNumber)
      .Shapes(ReducedShape)
      .Reference(ByType([](auto x, auto& c) { return ComputeSum<decltype(x)>(c); }))
      .Bound(ReductionBound())
      .Gradient(SumGradient)
      .Cost("FLOPs: 1 for each element of x.", SumCost)
      .Example({"rows",
                {{"axes", Ints({1})}},
                {Reals({2, 3}, {1, 2, 3, 10, 20, 40})},
                {Reals({2}, {6, 70})}})
      .Example({"columns_kept",
                {{"axes", Ints({0})}, {"keep_dims", true}},
                {Reals({2, 3}, {1, 2, 3, 10, 20, 40})},
                {Reals({1, 3}, {11, 22, 43})}})
      .Example({"integers",
                {{"axes", Ints({1})}},
                {Ids({2, 2}, {1, 2, 3, 2147483647})},
                {Ids({2}, {3, -2147483646})}})
      .Example({"outer_and_inner",
                {{"axes", Ints({0, 2})}},
                {Reals({2, 2, 2}, {1, 2, 3, 4, 50, 60, 70, 80})},
                {Reals({2}, {113, 157})}});
}

OpDef ReduceMeanOp() {
  return ReductionDef("ReduceMean", "y = the mean of x over the axes.", TypeRule::kReal)
      .Constrain("C2", "the reduced axes are not empty")
      .Reject({"C2", {{"axes", Ints({0})}}, {RealType({0, 3})}})
      .Shapes(MeanShape)
      .Reference(ComputeMean<float>, ComputeMean<double>)
      .Bound(ReductionBound())
      .Gradient(GradientOp("ReduceMeanGrad"))
      .Cost("FLOPs: 1 for each element of x and of y.", MeanCost)
      .Example({"columns",
                {{"axes", Ints({0})}},
                {Reals({2, 3}, {1, 2, 3, 10, 20, 40})},
                {Reals({3}, {5.5, 11, 21.5})}})
      .Example({"all", {{"axes", Ints({0, 1})}}, {Reals({2, 2}, {1, 2, 3, 10})}, {RealScalar(4)}});
}

OpDef BroadcastLikeOp() {
  return RepetitionDef("BroadcastLike",
                       "y = x repeated along the axes of like, whose elements are not read.",
                       TypeRule::kNumber, "x", "y")
      .Constrain("C3", "like has the element type of x")
      .Reject({"C3", {{"axes", Ints({0})}}, {RealType({3}), IndexType({2, 3})}})
      .Shapes(RepeatedShape)
      .Reference(TakeStrided(RepeatedOverAxes))
      .Moves()
      .Gradient(BroadcastGradient)
      .Steps(BroadcastLikeSteps)
      .Cost("FLOPs: none. Only x is read.", BroadcastCost)
      .Example({"rows",
                {{"axes", Ints({0})}},
                {Reals({3}, {1, 2, 3}), Reals({2, 3}, {0, 0, 0, 0, 0, 0})},
                {Reals({2, 3}, {1, 2, 3, 1, 2, 3})}})
      .Example({"columns_kept",
                {{"axes", Ints({1})}},
                {Reals({2, 1}, {1, 2}), Reals({2, 3}, {0, 0, 0, 0, 0, 0})},
                {Reals({2, 3}, {1, 1, 1, 2, 2, 2})}});
}

OpDef ReduceMeanGradOp() {
  return RepetitionDef("ReduceMeanGrad",
                       "dx = dy repeated along the axes of like, divided by the number of "
                       "repetitions: the gradient of ReduceMean.",
                       TypeRule::kReal, "dy", "dx")
      .Constrain("C3", "the axes of like are not empty")
      .Reject({"C3", {{"axes", Ints({0})}}, {RealType({3}), RealType({0, 3})}})
      .Shapes(RepeatedMeanShape)
      .Reference(ComputeMeanGrad<float>, ComputeMeanGrad<double>)
      .Bound(OutputBound(2))
      .Gradient(MeanGradGradient)
      .Cost("FLOPs: 1 for each element of dx. Only dy is read.", MeanGradCost)
      .Example({"rows",
                {{"axes", Ints({0})}},
                {Reals({3}, {1, 2, 3}), Reals({2, 3}, {0, 0, 0, 0, 0, 0})},
                {Reals({2, 3}, {0.5, 1, 1.5, 0.5, 1, 1.5})}});
}

Value ReduceSum(FunctionBuilder& g, Value x, const ReduceOptions& options) {
  return g.AddNode("ReduceSum", {x}, {{"axes", options.axes}, {"keep_dims", options.keep_dims}},
                   options.name)[0];
}

Value ReduceMean(FunctionBuilder& g, Value x, const ReduceOptions& options) {
  return g.AddNode("ReduceMean", {x}, {{"axes", options.axes}, {"keep_dims", options.keep_dims}},
                   options.name)[0];
}

Value BroadcastLike(FunctionBuilder& g, Value x, Value like, std::vector<int64_t> axes,
                    std::string name) {
  return g.AddNode("BroadcastLike", {x, like}, {{"axes", std::move(axes)}}, std::move(name))[0];
}

}  // namespace seqgraph::ops
