#include "ops/take_step.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "graph/gradient.h"
#include "ops/examples.h"
#include "ops/operand_shapes.h"
#include "ops/step_rules.h"
#include "ops/strided.h"

namespace seqgraph::ops {
namespace {

// Attributes: step.

// C2, of a sequence that is input `x`.
std::function<void(OpDef&)> ConstrainStep(int x) {
  return [x](OpDef& op) {
    op.Require("C2", "step is in [-time, time)", [x](const ShapeContext& c) -> std::string {
      const int64_t step = c.attributes().GetInt("step"), time = c.shape(x)[1].size();
      if (step >= -time && step < time) return "";
      return absl::StrCat("attribute step must be in [", -time, ", ", time, "), got ", step);
    });
  };
}

// Reference computation.

// Of the step in the sequence, which is input `whole`.
auto Taken(int whole) {
  return [whole](const ReferenceContext& c) {
    const Shape& x = c.input_type(whole).shape;
    const int64_t step = c.attributes().GetInt("step");
    Strided strided(x);
    strided.first = (step < 0 ? step + x[1].size() : step) * strided.strides[1];
    std::copy(strided.strides.begin() + 2, strided.strides.end(), strided.strides.begin() + 1);
    return strided;
  };
}

// Samples.

Shape RandomSequence(SampleSource& source) {
  Shape shape{source.Dimension(), source.Dimension()};
  for (int64_t more = source.Int(0, 2); more > 0; --more) shape.Append(source.Dimension());
  return shape;
}

int64_t RandomStep(SampleSource& source, const Shape& shape) {
  const int64_t time = shape[1].size();
  return source.Coin() ? -1 : source.Int(-time, time - 1);
}

// Only the last step is one that a sequence of any length has.
absl::Status TakeLastOfSteps(StepContext& c) {
  const TimeLayout& x = c.layout(0);
  const int64_t step = c.attributes().GetInt("step");
  if (x.axis != 1 || x.inner != 1 || x.lead != 0) return c.Refuse("time is not axis 1 of x");
  if (step != -1 && step != x.whole - 1) {
    return c.Refuse("it takes a step by its number, and not the last");
  }
  Attributes attributes = c.attributes();
  attributes.Set("step", int64_t{-1});
  c.SetEnd(0, c.Emit({c.input(0)}, attributes)[0]);
  return absl::OkStatus();
}

}  // namespace

// Definitions.

OpDef TakeStepOp() {
  return OpDef("TakeStep", 1)
      .Doc("y[n, ...] = x[n, step, ...]: one step of each sequence; step -1 is the last.")
      .Input({.name = "x", .doc = "[batch, time, ...]"})
      .Output({.name = "y", .doc = "[batch, ...]"})
      .Attribute("step", int64_t{-1}, "which one; negative: from the end")
      .With(ShapesByDoc({{"C1", {"x"}}}))
      .With(ConstrainStep(0))
      .Reject({"C2", {{"step", 4}}, {RealType({2, 4})}})
      .Reject({"C2", {{"step", -5}}, {RealType({2, 4, 3})}})
      .Reject({"C2", {}, {RealType({2, 0, 3})}})
      .Reference(TakeStrided(Taken(0)))
      .Moves()
      .Gradient(GradientOp("TakeStepGrad"))
      .Steps(TakeLastOfSteps)
      .Cost("FLOPs: none. Only that step of x is read.", TakenCost)
      .Example({"last",
                {},
                {Reals({2, 2, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})},
                {Reals({2, 3}, {4, 5, 6, 10, 11, 12})}})
      .Example({"first_of_scalars",
                {{"step", 0}},
                {Reals({2, 3}, {1, 2, 3, 4, 5, 6})},
                {Reals({2}, {1, 4})}})
      .Samples([](SampleSource& source) {
        const Shape shape = RandomSequence(source);
        const int64_t step = RandomStep(source, shape);
        return OpSample{{{"step", step}}, {source.Reals(shape)}};
      });
}

OpDef TakeStepGradOp() {
  return OpDef("TakeStepGrad", 1)
      .Doc("dx[n, step, ...] = dy[n, ...] and zero at all other steps: the gradient of TakeStep.")
      .Input({.name = "dy", .doc = "[batch, ...]"})
      .Input({.name = "like", .doc = "[batch, time, ...]; its elements are not read"})
      .Output({.name = "dx", .doc = "the shape of like"})
      .Attribute("step", int64_t{-1}, "which one; negative: from the end")
      .With(ShapesByDoc({{"C1", {"like"}}, {"C3", {"dy"}}}))
      .With(ConstrainStep(1))
      .Reject({"C2", {{"step", 4}}, {RealType({2}), RealType({2, 4})}})
      .Reference(PutStrided(Taken(1)))
      .Bound(ExactBound())
      .Gradient(GradientOp("TakeStep"))
      .Cost("FLOPs: none. Only dy is read.", [](const CostContext& c) { return c.Moving(0, {0}); })
      .Example(
          {"second_of_three",
           {{"step", 1}},
           {Reals({2, 2}, {1, 2, 3, 4}), Reals({2, 3, 2}, {9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9})},
           {Reals({2, 3, 2}, {0, 0, 1, 2, 0, 0, 0, 0, 3, 4, 0, 0})}})
      .Samples([](SampleSource& source) {
        const Shape shape = RandomSequence(source);
        const int64_t step = RandomStep(source, shape);
        Shape dy{shape[0]};
        for (Dim dim : shape.dims().subspan(2)) dy.Append(dim);
        return OpSample{{{"step", step}}, {source.Reals(dy), source.Reals(shape)}};
      });
}

Value TakeStep(FunctionBuilder& g, Value x, int64_t step, std::string name) {
  return g.AddNode("TakeStep", {x}, {{"step", step}}, std::move(name))[0];
}

}  // namespace seqgraph::ops
