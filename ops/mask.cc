#include "ops/mask.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "graph/gradient.h"
#include "ops/examples.h"
#include "ops/operand_shapes.h"
#include "ops/step_rules.h"

namespace seqgraph::ops {
namespace {

// Attributes: SequenceMask has time.

// Reference computation.

absl::Status ComputeSequenceMask(const ReferenceContext& c) {
  const auto lengths = c.input<int32_t>(0);
  const auto mask = c.output<int32_t>(0);
  const int64_t time = c.attributes().GetInt("time"), batch = lengths.size();
  for (int64_t n = 0; n < batch; ++n) {
    if (lengths[n] < 0 || lengths[n] > time) {
      return InvalidArgument("lengths[", n, "] is ", lengths[n], ", must be in [0, ", time, "]");
    }
    if (!mask) continue;
    int32_t* row = mask.data + n * time;
    std::fill(std::fill_n(row, lengths[n], 1), row + time, 0);
  }
  return absl::OkStatus();
}

template <typename T>
absl::Status ComputeZeroMasked(const ReferenceContext& c) {
  const auto x = c.input<T>(0);
  const auto mask = c.input<int32_t>(1);
  const auto y = c.output<T>(0);
  if (!y) return absl::OkStatus();
  const int64_t steps = mask.size(), width = steps == 0 ? 0 : x.size() / steps;
  for (int64_t i = 0; i < steps; ++i) {
    for (int64_t j = i * width; j < (i + 1) * width; ++j) y[j] = mask[i] == 0 ? T{0} : x[j];
  }
  return absl::OkStatus();
}

// Gradient rule.

absl::Status ZeroMaskedGradient(GradientContext& c) {
  c.SetInputGradient(0, ZeroMasked(c.builder(), c.output_gradient(0), c.input(1)));
  return absl::OkStatus();
}

}  // namespace

// Definitions.

OpDef SequenceMaskOp() {
  return OpDef("SequenceMask", 1)
      .Doc(
          "mask[n, t] = 1 where t < lengths[n], else 0. A length that is not in [0, time] fails "
          "the run.")
      .Input({.name = "lengths",
              .type = TypeRule::kIndex,
              .doc = "[batch]; each in [0, time]",
              .differentiable = false})
      .Output({.name = "mask", .type = TypeRule::kIndex, .doc = "[batch, time]"})
      .Attribute("time", AttributeKind::kInt, "steps of the mask")
      .With(ShapesByDoc({{"C1", {"lengths"}}}))
      .Require("C2", "time is in [1, 2^31 - 1]",  // lengths are int32
               [](const ShapeContext& c) -> std::string {
                 const int64_t time = c.attributes().GetInt("time");
                 if (time >= 1 && time <= INT32_MAX) return "";
                 return absl::StrCat("attribute time must be in [1, ", INT32_MAX, "], got ", time);
               })
      .Reject({"C2", {{"time", 0}}, {IndexType({2})}})
      .Reject({"C2", {{"time", int64_t{1} << 31}}, {IndexType({2})}})
      .Reference(ComputeSequenceMask, ComputeSequenceMask)
      .Bound(ExactBound())
      .Example({"none_some_all",
                {{"time", 3}},
                {Ids({3}, {0, 2, 3})},
                {Ids({3, 3}, {0, 0, 0, 1, 1, 0, 1, 1, 1})}})
      .Samples([](SampleSource& source) {
        const int64_t time = source.Dimension();
        return OpSample{{{"time", time}}, {source.Indices({source.Dimension()}, time + 1)}};
      });
}

OpDef ZeroMaskedOp() {
  return OpDef("ZeroMasked", 1)
      .Doc("y[n, t, ..] = x[n, t, ..] where mask[n, t] is not 0, else 0.")
      .Input({.name = "x", .doc = "[batch, time, ...]"})
      .Input({.name = "mask",
              .type = TypeRule::kIndex,
              .doc = "[batch, time]; 0: masked",
              .differentiable = false})
      .Output({.name = "y", .doc = "the shape of x"})
      .With(ShapesByDoc({{"C1", {"x"}}, {"C2", {"mask"}}}))
      .InPlace({0, 0})
      .Reference(ComputeZeroMasked<float>, ComputeZeroMasked<double>)
      .Bound(ExactBound())
      .Gradient(ZeroMaskedGradient)
      .Steps(SameAxisSteps())
      .Cost("FLOPs: none.", [](const CostContext& c) { return c.Moving(0); })
      .Example({"two_steps_of_three",
                {},
                {Reals({1, 3, 2}, {1, 2, 3, 4, 5, 6}), Ids({1, 3}, {7, 0, -1})},
                {Reals({1, 3, 2}, {1, 2, 0, 0, 5, 6})}})
      .Samples([](SampleSource& source) {
        const Shape shape = RandomShape(source, 2, 4);
        return OpSample{{}, {source.Reals(shape), source.Indices({shape[0], shape[1]}, 2)}};
      });
}

Value SequenceMask(FunctionBuilder& g, Value lengths, int64_t time, std::string name) {
  return g.AddNode("SequenceMask", {lengths}, {{"time", time}}, std::move(name))[0];
}

Value ZeroMasked(FunctionBuilder& g, Value x, Value mask, std::string name) {
  return g.AddNode("ZeroMasked", {x, mask}, {}, std::move(name))[0];
}

}  // namespace seqgraph::ops
