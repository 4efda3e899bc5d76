#include "ops/dropout.h"

#include <algorithm>
#include <utility>

#include "base/status_macros.h"
#include "graph/bound_rules.h"
#include "graph/dropout_bits.h"
#include "ops/elementwise.h"
#include "ops/examples.h"
#include "ops/shape_rules.h"

namespace seqgraph::ops {
namespace {

// Attributes: rate, stream, shape.
enum { kSeed, kStep, kLike };

// Shape rule.

Types DropoutMaskShape(const ShapeContext& c) {
  const Shape& like = c.shape(kLike);
  for (const auto& [name, input] : {std::pair("seed", kSeed), std::pair("step", kStep)}) {
    SEQ_RETURN_IF_ERROR(CheckShape("C1", name, c.shape(input), "the shape of a scalar", {}));
  }
  const double rate = c.attributes().GetFloat("rate");
  if (!(rate >= 0 && rate < 1)) {
    return Violation("C2", "attribute rate must be in [0, 1), got ", rate);
  }
  const std::vector<int64_t>& given = c.attributes().GetInts("shape");
  if (given.empty()) return std::vector<TensorType>{{c.real(), like}};
  Shape shape;
  for (int64_t extent : given) {
    if (extent < -1 || (extent == -1 && like.rank() == 0)) {
      return Violation("C3",
                       "attribute shape must have extents of at least 0, or -1 for the first "
                       "extent of like ",
                       like.ToString());
    }
    shape.Append(extent == -1 ? like[0] : Dim(extent));
  }
  if (const absl::Status valid = shape.Validate(); !valid.ok()) {
    return Violation("C3", "attribute shape: ", valid.message());
  }
  return std::vector<TensorType>{{c.real(), shape}};
}

// Reference computation.

template <typename T>
absl::Status ComputeDropoutMask(const ReferenceContext& c) {
  const auto y = c.output<T>(0);
  if (!y) return absl::OkStatus();
  const double rate = c.attributes().GetFloat("rate");
  const DropoutBits bits(c.input<int64_t>(kSeed)[0], c.input<int64_t>(kStep)[0],
                         c.attributes().GetInt("stream"));
  const uint64_t threshold = DropoutThreshold(rate);
  const T kept = static_cast<T>(1 / (1 - rate));
  const int64_t n = y.size();
  for (int64_t i = 0; i < n; i += 4) {
    const PhiloxCounter block = bits.Block(i / 4);
    for (int64_t j = 0; j < std::min<int64_t>(4, n - i); ++j) {
      y[i + j] = block[j] < threshold ? T{0} : kept;
    }
  }
  return absl::OkStatus();
}

}  // namespace

// Definitions.

OpDef DropoutMaskOp() {
  const TensorType counter = CounterType(), like = RealType({2, 3});
  return OpDef("DropoutMask", 1)
      .Doc(
          "y[i] = 0 with probability rate, else 1 / (1 - rate): the factors of inverted dropout. "
          "The random number of element i is 32 bits of Philox4x32-10 with counter (i / 4, stream) "
          "under the key that block (step, stream) under the key seed begins with; an element is "
          "dropped where it is below rate 2^32. So the mask is a function of seed, step, stream "
          "and shape alone.")
      .Input(
          {.name = "seed", .type = TypeRule::kCounter, .doc = "a scalar", .differentiable = false})
      .Input(
          {.name = "step", .type = TypeRule::kCounter, .doc = "a scalar", .differentiable = false})
      .Input({.name = "like",
              .doc = "any shape; its elements are not read",
              .differentiable = false,
              .shape_only = true})
      .Output({.name = "y", .doc = "the attribute shape; the shape of like where that is empty"})
      .Attribute("rate", AttributeKind::kFloat, "in [0, 1)")
      .Attribute("stream", int64_t{0}, "tells the masks of one model apart")
      .Attribute("shape", std::vector<int64_t>{},
                 "of y, where -1 is the first extent of like; empty: the shape of like")
      .Constrain("C1", "seed and step are scalars")
      .Constrain("C2", "rate is in [0, 1)")
      .Constrain("C3", "shape has extents of at least 0, or -1 where like has an axis")
      .Shapes(DropoutMaskShape)
      .Reject({"C1", {{"rate", 0.5}}, {CounterType({1}), counter, like}})
      .Reject({"C1", {{"rate", 0.5}}, {counter, CounterType({2}), like}})
      .Reject({"C2", {{"rate", 1.0}}, {counter, counter, like}})
      .Reject({"C2", {{"rate", -0.25}}, {counter, counter, like}})
      .Reject({"C3", {{"rate", 0.5}, {"shape", Ints({-2})}}, {counter, counter, like}})
      .Reject({"C3", {{"rate", 0.5}, {"shape", Ints({-1})}}, {counter, counter, RealType({})}})
      .Reject({"C3",
               {{"rate", 0.5}, {"shape", Ints({1, 1, 1, 1, 1, 1, 1, 1, 1})}},
               {counter, counter, like}})
      .Reference(ComputeDropoutMask<float>, ComputeDropoutMask<double>)
      .Bound(OutputBound(1))
      .Cost("FLOPs: 1 for each element. like is not read.",
            [](const CostContext& c) {
              return c.Moving(c.output_size(0), {kSeed, kStep});
            })
      .Example(
          {"half",
           {{"rate", 0.5}},
           {CounterScalar(42), CounterScalar(0), Reals({2, 5}, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0})},
           {Reals({2, 5}, {0, 0, 2, 0, 0, 2, 2, 2, 0, 0})}})
      .Example(
          {"next_step",
           {{"rate", 0.5}},
           {CounterScalar(42), CounterScalar(1), Reals({2, 5}, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0})},
           {Reals({2, 5}, {2, 0, 2, 0, 2, 0, 0, 2, 2, 0})}})
      .Example({"one_mask_for_all_steps",
                {{"rate", 0.75}, {"stream", 3}, {"shape", Ints({-1, 3})}},
                {CounterScalar(-1), CounterScalar(7), Reals({2, 1}, {0, 0})},
                {Reals({2, 3}, {0, 0, 4, 0, 4, 0})}})
      .Example({"rate_zero_keeps_all",
                {{"rate", 0.0}},
                {CounterScalar(1), CounterScalar(1), Reals({2}, {0, 0})},
                {Reals({2}, {1, 1})}})
      .Samples([](SampleSource& source) {
        OpSample sample;
        sample.attributes = {{"rate", source.Real(0, 0.9)}, {"stream", source.Int(0, 1000)}};
        const Tensor like = source.Reals(RandomShape(source, 1, 3));
        if (source.Coin()) sample.attributes.Set("shape", Ints({-1, source.Dimension()}));
        sample.inputs = {CounterScalar(source.Int(-5, 1 << 20)), CounterScalar(source.Int(0, 99)),
                         like};
        return sample;
      });
}

Value DropoutMask(FunctionBuilder& g, Value seed, Value step, Value like,
                  const DropoutMaskOptions& options) {
  return g.AddNode("DropoutMask", {seed, step, like},
                   {{"rate", options.rate}, {"stream", options.stream}, {"shape", options.shape}},
                   options.name)[0];
}

Value Dropout(FunctionBuilder& g, Value x, Value seed, Value step, const DropoutOptions& options) {
  const Value mask = DropoutMask(
      g, seed, step, x, {.rate = options.rate, .stream = options.stream, .name = options.name});
  return Multiply(g, x, mask, options.name);
}

}  // namespace seqgraph::ops
