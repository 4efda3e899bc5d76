#include "ops/random_normal.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "base/status_macros.h"
#include "graph/bound_rules.h"
#include "graph/dropout_bits.h"
#include "ops/examples.h"
#include "ops/shape_rules.h"

namespace seqgraph::ops {
namespace {

// Attributes: mean, stddev, stream.
enum { kNoiseSeed, kNoiseStep, kNoiseLike };

// Shape rule.

Types RandomNormalShape(const ShapeContext& c) {
  for (const auto& [name, input] : {std::pair("seed", kNoiseSeed), std::pair("step", kNoiseStep)}) {
    SEQ_RETURN_IF_ERROR(CheckShape("C1", name, c.shape(input), "the shape of a scalar", {}));
  }
  const double stddev = c.attributes().GetFloat("stddev");
  if (!(stddev >= 0) || std::isinf(stddev) || !std::isfinite(c.attributes().GetFloat("mean"))) {
    return Violation("C2", "mean and stddev must be finite, stddev at least 0, got ",
                     c.attributes().GetFloat("mean"), " and ", stddev);
  }
  return std::vector<TensorType>{c.type(kNoiseLike)};
}

// Reference computation.

template <typename T>
absl::Status ComputeRandomNormal(const ReferenceContext& c) {
  const auto y = c.output<T>(0);
  if (!y) return absl::OkStatus();
  const double mean = c.attributes().GetFloat("mean"), stddev = c.attributes().GetFloat("stddev");
  const DropoutBits bits(c.input<int64_t>(kNoiseSeed)[0], c.input<int64_t>(kNoiseStep)[0],
                         c.attributes().GetInt("stream"));
  const int64_t n = y.size();
  for (int64_t i = 0; i < n; i += 2) {
    const PhiloxCounter block = bits.Block(i / 4);
    const double radius = std::sqrt(-2 * std::log((block[i % 4] + 1.0) * 0x1p-32));
    const double angle = 2 * std::numbers::pi * block[i % 4 + 1] * 0x1p-32;
    y[i] = static_cast<T>(mean + stddev * radius * std::cos(angle));
    if (i + 1 < n) y[i + 1] = static_cast<T>(mean + stddev * radius * std::sin(angle));
  }
  return absl::OkStatus();
}

}  // namespace

// Definition.

OpDef RandomNormalOp() {
  const TensorType counter = CounterType(), like = RealType({2, 3});
  return OpDef("RandomNormal", 1)
      .Doc(
          "y[i] = mean + stddev n[i], n[i] standard normal by the method of Box and Muller (1958): "
          "elements i and i + 1, i even, are r cos(a) and r sin(a) with r = sqrt(-2 log((u + 1) / "
          "2^32)), a = 2 pi v / 2^32, where u and v are the random numbers that DropoutMask has "
          "for them. In double, rounded at the end.")
      .Input(
          {.name = "seed", .type = TypeRule::kCounter, .doc = "a scalar", .differentiable = false})
      .Input(
          {.name = "step", .type = TypeRule::kCounter, .doc = "a scalar", .differentiable = false})
      .Input({.name = "like",
              .doc = "any shape; its elements are not read",
              .differentiable = false,
              .shape_only = true})
      .Output({.name = "y", .doc = "the shape of like"})
      .Attribute("mean", 0.0, "a finite number")
      .Attribute("stddev", 1.0, "at least 0")
      .Attribute("stream", int64_t{0}, "tells the random numbers of one model apart")
      .Constrain("C1", "seed and step are scalars")
      .Constrain("C2", "mean and stddev are finite, stddev at least 0")
      .Shapes(RandomNormalShape)
      .Reject({"C1", {}, {CounterType({1}), counter, like}})
      .Reject({"C1", {}, {counter, CounterType({2}), like}})
      .Reject({"C2", {{"stddev", -1.0}}, {counter, counter, like}})
      .Reference(ComputeRandomNormal<float>, ComputeRandomNormal<double>)
      .Bound(OutputBound(1))
      .Cost("FLOPs: 6 for each element. like is not read.",
            [](const CostContext& c) {
              return c.Moving(6 * c.output_size(0), {kNoiseSeed, kNoiseStep});
            })
      .Example({"five",
                {},
                {CounterScalar(42), CounterScalar(0), Reals({5}, {0, 0, 0, 0, 0})},
                {Reals({5}, {1.0459795335402902, 2.078244481149694, -1.110430176026547,
                             0.29803066980028753, 0.4632604693451468})}})
      .Example({"stddev_zero",
                {{"mean", 2.5}, {"stddev", 0.0}},
                {CounterScalar(1), CounterScalar(1), Reals({3}, {0, 0, 0})},
                {Reals({3}, {2.5, 2.5, 2.5})}})
      .Samples([](SampleSource& source) {
        return OpSample{{{"mean", source.Real(-1, 1)},
                         {"stddev", source.Real(0, 2)},
                         {"stream", source.Int(0, 1000)}},
                        {CounterScalar(source.Int(-5, 1 << 20)), CounterScalar(source.Int(0, 99)),
                         source.Reals(RandomShape(source, 0, 3))}};
      });
}

Value RandomNormal(FunctionBuilder& g, Value seed, Value step, Value like,
                   const RandomNormalOptions& o) {
  return g.AddNode("RandomNormal", {seed, step, like},
                   {{"mean", o.mean}, {"stddev", o.stddev}, {"stream", o.stream}}, o.name)[0];
}

}  // namespace seqgraph::ops
