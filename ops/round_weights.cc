#include "ops/round_weights.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "graph/bound_rules.h"
#include "ops/examples.h"
#include "ops/shape_rules.h"

namespace seqgraph::ops {
namespace {

// Attributes: format, axis.

// Shape rule.

Types RoundWeightsShape(const ShapeContext& c) {
  SEQ_RETURN_IF_ERROR(CheckAxis(c, "w", c.shape(0)));
  return std::vector<TensorType>{c.type(0)};
}

// Reference computation, in double in any case: a float has the same y in both.

// A row is where the index of the axis is one number.
template <typename T>
void RoundRows(const T* w, const AxisExtents& e, T* y) {
  for (int64_t row = 0; row < e.extent; ++row) {
    const auto for_elements = [&](auto f) {
      for (int64_t o = 0; o < e.outer; ++o) {
        for (int64_t i = 0; i < e.inner; ++i) f((o * e.extent + row) * e.inner + i);
      }
    };
    double largest = 0;
    for_elements([&](int64_t at) {
      const double magnitude = std::abs(static_cast<double>(w[at]));
      if (!std::isnan(largest) && !(magnitude <= largest)) largest = magnitude;  // NaN stays
    });
    const double scale = Int8Scale(largest);
    for_elements([&](int64_t at) {
      y[at] = static_cast<T>(scale == 0 ? 0 : RoundToInt8(static_cast<double>(w[at]), scale));
    });
  }
}

template <typename T>
absl::Status ComputeRoundWeights(const ReferenceContext& c) {
  const auto w = c.input<T>(0);
  const auto y = c.output<T>(0);
  if (!y) return absl::OkStatus();
  if (ParseWeightFormat(c.attributes().GetString("format")) == WeightFormat::kInt8) {
    RoundRows(w.data, AxisExtents(w.shape, c.attributes().GetInt("axis")), y.data);
  } else {
    std::transform(w.data, w.data + w.size(), y.data,
                   [](T x) { return static_cast<T>(RoundToBf16(static_cast<double>(x))); });
  }
  return absl::OkStatus();
}

OpSample RandomWeights(SampleSource& source) {
  const Shape shape = RandomShape(source, 1, 3);
  const Attributes attributes = {{"format", source.OneOf<std::string>({"bf16", "int8"})},
                                 {"axis", source.Int(0, shape.rank() - 1)}};
  return {attributes, {source.Reals(shape)}};
}

}  // namespace

// Definition.

OpDef RoundWeightsOp() {
  return OpDef("RoundWeights", 1)
      .Doc(
          "y = the nearest to w that the format holds, for weights of inference. bf16: 8 "
          "significant bits, of two that are as near the even one, so |y - w| <= |w| / 256; what "
          "rounds to 2^128 becomes infinite. int8: q s with a whole number q in "
          "[-127, 127] and a scale s for each index of the axis, 1/127 of the largest |w| there, "
          "rounded up to 16 significant bits; so |y - w| <= s / 2, a 253rd of that largest. Where "
          "s would be below the normal floats all is 0, where some w is not finite all is NaN. "
          "Rounding y again gives y.")
      .Input({.name = "w", .doc = "any shape with an axis", .differentiable = false})
      .Output({.name = "y", .doc = "the shape of w"})
      .Attribute({.name = "format",
                  .kind = AttributeKind::kString,
                  .default_value = std::nullopt,
                  .doc = "what y fits",
                  .one_of = {"bf16", "int8"}})
      .Attribute(AxisDef())
      .Constrain("C1", "axis is an axis of w whose extent is a number")
      .Shapes(RoundWeightsShape)
      .Reject({"C1", {{"format", "int8"}, {"axis", 2}}, {RealType({2, 3})}})
      .Reject({"C1", {{"format", "bf16"}, {"axis", -1}}, {RealType({2, 3})}})
      .Reject({"C1", {{"format", "int8"}, {"axis", 0}}, {RealType({Dim::Batch()})}})
      .Reference(ComputeRoundWeights<float>, ComputeRoundWeights<double>)
      .Bound(ExactBound())
      // 1 + 2^-8 and 1 + 3 2^-8 are half-way, 2^-20 more is not.
      .Example({"bf16_to_even",
                {{"format", "bf16"}, {"axis", 0}},
                {Reals({6}, {1.00390625, 1.01171875, -1.00390720, 0.15625, 0.2, 0})},
                {Reals({6}, {1, 1.015625, -1.0078125, 0.15625, 0.2001953125, 0})}})
      // The scales are 0.25 and 4, and those of the rows 4, 2 and 0.25.
      .Example({"int8_columns",
                {{"format", "int8"}, {"axis", 1}},
                {Reals({3, 2}, {-31.75, 508, 0.3, 250, 0.1, -9})},
                {Reals({3, 2}, {-31.75, 508, 0.25, 248, 0, -8})}})
      .Example({"int8_rows",
                {{"format", "int8"}, {"axis", 0}},
                {Reals({3, 2}, {-31.75, 508, 3.5, 254, 0.1, -31.75})},
                {Reals({3, 2}, {-32, 508, 4, 254, 0, -31.75})}})
      .Samples(RandomWeights);
}

Value RoundWeights(FunctionBuilder& g, Value w, WeightFormat format, int64_t axis,
                   std::string name) {
  return g.AddNode("RoundWeights", {w}, {{"format", WeightFormatName(format)}, {"axis", axis}},
                   std::move(name))[0];
}

}  // namespace seqgraph::ops
