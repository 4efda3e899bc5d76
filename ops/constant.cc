#include "ops/constant.h"

#include <cmath>
#include <cstddef>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"
#include "graph/bound_rules.h"
#include "graph/constant_attributes.h"
#include "ops/examples.h"
#include "ops/shape_rules.h"

namespace seqgraph::ops {
namespace {

// Attributes: value, shape.

// Shape rule.

Types ConstantShape(const ShapeContext& c) {
  const Tensor& value = c.attributes().GetTensor("value");
  const std::vector<int64_t>& extents = c.attributes().GetInts("shape");
  if (extents.empty()) return std::vector<TensorType>{value.type()};
  if (value.shape().rank() > 0) {
    return Violation("C2", "attribute value must be a scalar where shape is given, got ",
                     value.type().ToString());
  }
  if (extents.size() > static_cast<size_t>(Shape::kMaxRank)) {
    return Violation("C1", "attribute shape must have at most ", Shape::kMaxRank, " extents, got ",
                     extents.size());
  }
  Shape shape;
  for (int64_t extent : extents) {
    if (extent < 0 || extent > Shape::kMaxElements) {
      return Violation("C1", "attribute shape must have extents in [0, ", Shape::kMaxElements,
                       "], got ", extent);
    }
    shape.Append(extent);
  }
  if (absl::Status valid = shape.Validate(); !valid.ok()) {
    return Violation("C1", valid.message());
  }
  return std::vector<TensorType>{{value.dtype(), shape}};
}

// Reference computation.

absl::Status ComputeConstant(const ReferenceContext& c) {
  const Tensor& value = c.attributes().GetTensor("value");
  std::byte* const y = c.output_data(0);
  if (y == nullptr) return absl::OkStatus();
  const int64_t size = c.output_type(0).num_bytes(), step = value.num_bytes();
  for (int64_t at = 0; at < size; at += step) std::memcpy(y + at, value.data(), step);
  return absl::OkStatus();
}

// Gradient rule: none, there is no input.

// Version 1: shape, dtype, and `values`, decimal numbers with one space between, one for all or one
// for each of at most 256 elements.

absl::StatusOr<std::vector<double>> ParseValues(absl::string_view text, int64_t elements) {
  constexpr int64_t kMaxElements = 256;
  // Before it is split: a model file may hold any text.
  constexpr size_t kMaxText = 32 * kMaxElements;
  if (text.size() > kMaxText) {
    return InvalidArgument("attribute values must have at most ", kMaxText, " characters, got ",
                           text.size());
  }
  std::vector<double> values;
  for (absl::string_view word : absl::StrSplit(text, ' ')) {
    double value = 0;
    if (!absl::SimpleAtod(word, &value) || !std::isfinite(value)) {
      return InvalidArgument(
          "attribute values must be finite numbers with one space between, got \"", word, "\"");
    }
    values.push_back(value);
  }
  const int64_t count = static_cast<int64_t>(values.size());
  if (count == 1 || (count == elements && count <= kMaxElements)) return values;
  return InvalidArgument("attribute values must hold one number, or one for each of the ", elements,
                         " elements where these are at most ", kMaxElements, "; got ", count);
}

absl::Status UpgradeConstant(Attributes& attributes) {
  const AttributeValue* text = attributes.Find("values");
  if (text == nullptr) return absl::OkStatus();
  const AttributeValue* shape = attributes.Find("shape");
  const AttributeValue* dtype = attributes.Find("dtype");
  const auto* extents = shape == nullptr ? nullptr : std::get_if<std::vector<int64_t>>(shape);
  if (!std::holds_alternative<std::string>(*text) || (shape != nullptr && extents == nullptr) ||
      (dtype != nullptr && !std::holds_alternative<DType>(*dtype))) {
    return InvalidArgument("attributes shape, values and dtype must be ints, string, dtype");
  }
  const DType type = dtype == nullptr ? DType::kFloat32 : std::get<DType>(*dtype);
  Shape full;
  if (extents != nullptr) {
    if (extents->size() > static_cast<size_t>(Shape::kMaxRank)) {
      return InvalidArgument("attribute shape has too many extents");
    }
    for (int64_t extent : *extents) {
      if (extent < 0) return InvalidArgument("attribute shape has a negative extent");
      full.Append(extent);
    }
  }
  SEQ_RETURN_IF_ERROR(full.Validate());
  SEQ_ASSIGN_OR_RETURN(const std::vector<double> values,
                       ParseValues(std::get<std::string>(*text), full.num_elements()));
  for (double value : values) {
    const double limit = type == DType::kInt32 ? 0x1p31 : 0x1p53;
    if (IsReal(type) || (value == std::trunc(value) && value >= -limit && value < limit)) continue;
    return InvalidArgument("attribute values of dtype ", DTypeName(type),
                           " must be whole numbers of that type, got ", value);
  }
  const bool fills = values.size() == 1;
  attributes.Set("value", Tensor::Of<double>(fills ? Shape{} : full, values).Cast(type));
  attributes.Remove("values");
  attributes.Remove("dtype");
  if (!fills) attributes.Remove("shape");
  return absl::OkStatus();
}

// What is read: the content, or a scalar that stays in a register.
OpCost ConstantCost(const CostContext& c) {
  OpCost cost = c.Moving(0, {});
  const Tensor& value = c.attributes().GetTensor("value");
  if (value.num_elements() > 1) cost.bytes_read += value.num_bytes();
  return cost;
}

}  // namespace

// Definition.

OpDef ConstantOp() {
  return OpDef("Constant", 2)
      .Upgrades(1, UpgradeConstant)
      .Doc("y = value; where shape is given, value is a scalar that fills it.")
      .Output({.name = "y", .type = TypeRule::kNumber, .doc = "of the element type of value"})
      .Attribute(
          {.name = "value", .kind = AttributeKind::kTensor, .doc = "the content", .since = 2})
      .Attribute("shape", Ints({}), "extents to fill; none: those of value")
      .Constrain("C1", "shape is a static shape")
      .Constrain("C2", "value is a scalar where shape is given")
      .Shapes(ConstantShape)
      .Reject({"C1", {{"value", Tensor::Scalar<float>(1)}, {"shape", Ints({2, -1})}}, {}})
      .Reject({"C1",
               {{"value", Tensor::Scalar<float>(1)}, {"shape", Ints(std::vector<int64_t>(40, 1))}},
               {}})
      .Reject(
          {"C1", {{"value", Tensor::Scalar<float>(1)}, {"shape", Ints({1 << 30, 1 << 30})}}, {}})
      .Reject({"C2", {{"value", Tensor::Of<float>({2}, {1, 2})}, {"shape", Ints({2})}}, {}})
      .Reference(ComputeConstant)
      .Bound(OutputBound(1))
      .Cost("FLOPs: none. Read is value, unless it is a scalar.", ConstantCost)
      .Example({"two_by_two",
                {{"value", Tensor::Of<float>({2, 2}, {1, -0.5, 0.125, 0})}},
                {},
                {Reals({2, 2}, {1, -0.5, 0.125, 0})}})
      .Example({"integers",
                {{"value", Tensor::Of<int32_t>({3}, {7, 0, -2})}},
                {},
                {Ids({3}, {7, 0, -2})}})
      .Example({"one_number_for_all",
                {{"value", Tensor::Scalar<float>(0.25f)}, {"shape", Ints({3})}},
                {},
                {Reals({3}, {0.25, 0.25, 0.25})}})
      .Samples([](SampleSource& source) {
        const Shape shape = RandomShape(source, 0, 3);
        if (source.Coin() && shape.rank() > 0) {
          std::vector<int64_t> extents;
          for (Dim dim : shape.dims()) extents.push_back(dim.size());
          return OpSample{{{"value", source.Reals({}).Cast(DType::kFloat32)}, {"shape", extents}},
                          {}};
        }
        return OpSample{{{"value", source.Reals(shape).Cast(DType::kFloat32)}}, {}};
      });
}

Value Constant(FunctionBuilder& g, Tensor content, std::string name) {
  return g.AddNode("Constant", {}, ConstantAttributes(std::move(content)), std::move(name))[0];
}

}  // namespace seqgraph::ops
