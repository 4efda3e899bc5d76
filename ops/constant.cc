#include "ops/constant.h"

#include <cmath>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"
#include "graph/bound_rules.h"
#include "graph/constant_text.h"
#include "ops/examples.h"
#include "ops/shape_rules.h"

namespace seqgraph::ops {
namespace {

// Attributes: shape, values, dtype.

// One number for all elements, or one for each.
absl::StatusOr<std::vector<double>> ParseValues(absl::string_view text, int64_t elements) {
  // Before it is split: a model file may hold any text.
  constexpr size_t kMaxText = 32 * kMaxConstantElements;
  if (text.size() > kMaxText) {
    return Violation("C2", "attribute values must have at most ", kMaxText, " characters, got ",
                     text.size());
  }
  std::vector<double> values;
  for (absl::string_view word : absl::StrSplit(text, ' ')) {
    double value = 0;
    if (!absl::SimpleAtod(word, &value) || !std::isfinite(value)) {
      return Violation("C2",
                       "attribute values must be finite numbers with one space between, got \"",
                       word, "\"");
    }
    values.push_back(value);
  }
  const int64_t count = static_cast<int64_t>(values.size());
  if (count != 1 && (count != elements || count > kMaxConstantElements)) {
    return Violation("C2", "attribute values must hold one number, or one for each of the ",
                     elements, " elements where these are at most ", kMaxConstantElements, "; got ",
                     count);
  }
  return values;
}

// A whole number that the type has and a double holds exactly.
bool IsExactInteger(double value, DType dtype) {
  const double limit = dtype == DType::kInt32 ? 0x1p31 : 0x1p53;
  return value == std::trunc(value) && value >= -limit && value < limit;
}

// Shape rule.

Types ConstantShape(const ShapeContext& c) {
  const std::vector<int64_t>& extents = c.attributes().GetInts("shape");
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
  SEQ_ASSIGN_OR_RETURN(const std::vector<double> values,
                       ParseValues(c.attributes().GetString("values"), shape.num_elements()));
  const DType dtype = c.attributes().GetDType("dtype");
  for (double value : values) {
    if (IsReal(dtype) || IsExactInteger(value, dtype)) continue;
    return Violation("C3", "attribute values of dtype ", DTypeName(dtype),
                     " must be whole numbers of that type below 2^53, got ", value);
  }
  return std::vector<TensorType>{{dtype, shape}};
}

// Reference computation.

template <typename T>
absl::Status ComputeConstant(const ReferenceContext& c) {
  const auto y = c.output<T>(0);
  if (!y) return absl::OkStatus();
  SEQ_ASSIGN_OR_RETURN(const std::vector<double> values,
                       ParseValues(c.attributes().GetString("values"), y.size()));
  for (int64_t i = 0; i < y.size(); ++i) {
    y[i] = static_cast<T>(values.size() == 1 ? values[0] : values[i]);
  }
  return absl::OkStatus();
}

absl::Status ComputeAnyConstant(const ReferenceContext& c) {
  switch (c.output_type(0).dtype) {
    case DType::kFloat32:
      return ComputeConstant<float>(c);
    case DType::kFloat64:
      return ComputeConstant<double>(c);
    case DType::kInt32:
      return ComputeConstant<int32_t>(c);
    case DType::kInt64:
      return ComputeConstant<int64_t>(c);
  }
  return absl::InternalError("unknown element type");
}

// Gradient rule: none, there is no input.

}  // namespace

// Definition.

OpDef ConstantOp() {
  return OpDef("Constant", 1)
      .Doc("y = values, which are one number for all elements, or one for each in row-major order.")
      .Output({.name = "y",
               .type = TypeRule::kNumber,
               .doc = "the shape and type that the attributes say"})
      .Attribute({.name = "shape",
                  .kind = AttributeKind::kInts,
                  .default_value = Ints({}),
                  .doc = "extents; none: a scalar"})
      .Attribute({.name = "values",
                  .kind = AttributeKind::kString,
                  .doc = "decimal numbers with one space between: \"0.5 -1\""})
      .Attribute({.name = "dtype",
                  .kind = AttributeKind::kDType,
                  .default_value = DType::kFloat32,
                  .doc = "element type of y; reals are rounded to it"})
      .Constrain("C1", "shape is a static shape")
      .Constrain("C2", "values are finite: one, or as many as elements and at most 256")
      .Constrain("C3", "values of an integer dtype are whole numbers of it, below 2^53")
      .Shapes(ConstantShape)
      .Reject({"C1", {{"shape", Ints({2, -1})}, {"values", "1"}}, {}})
      .Reject({"C1", {{"shape", Ints(std::vector<int64_t>(40, 1))}, {"values", "1"}}, {}})
      .Reject({"C1", {{"shape", Ints({1 << 30, 1 << 30})}, {"values", "1"}}, {}})
      .Reject({"C2", {{"shape", Ints({3})}, {"values", "1 2"}}, {}})
      .Reject({"C2", {{"values", ""}}, {}})
      .Reject({"C2", {{"shape", Ints({2})}, {"values", "1  2"}}, {}})
      .Reject({"C2", {{"values", "inf"}}, {}})
      .Reject({"C2", {{"values", "nan"}}, {}})
      .Reject({"C3", {{"values", "1.5"}, {"dtype", DType::kInt32}}, {}})
      .Reject({"C3", {{"values", "2147483648"}, {"dtype", DType::kInt32}}, {}})
      .Reject({"C3", {{"values", "1e16"}, {"dtype", DType::kInt64}}, {}})
      .Reference(ComputeAnyConstant)
      .Bound(OutputBound(1))
      .Cost("FLOPs: none. Nothing is read.", [](const CostContext& c) { return c.Moving(0, {}); })
      .Example({"two_by_two",
                {{"shape", Ints({2, 2})}, {"values", "1 -0.5 1e-3 0"}},
                {},
                {Reals({2, 2}, {1, -0.5, 0.001, 0})}})
      .Example({"integers",
                {{"shape", Ints({3})}, {"values", "7 0 -2"}, {"dtype", DType::kInt32}},
                {},
                {Ids({3}, {7, 0, -2})}})
      .Example({"one_number_for_all",
                {{"shape", Ints({3})}, {"values", "0.25"}},
                {},
                {Reals({3}, {0.25, 0.25, 0.25})}})
      .Samples([](SampleSource& source) {
        const Tensor content = source.Reals(RandomShape(source, 0, 3));
        std::vector<int64_t> extents;
        for (Dim dim : content.shape().dims()) extents.push_back(dim.size());
        return OpSample{{{"shape", extents}, {"values", ConstantText(content).value_or("0.5")}},
                        {}};
      });
}

Value Constant(FunctionBuilder& g, const Tensor& content, std::string name) {
  const std::optional<std::string> text = ConstantText(content);
  if (!text.has_value()) {
    g.Fail(absl::InvalidArgumentError(absl::StrCat("a constant holds finite numbers, at most ",
                                                   kMaxConstantElements, " where they differ; got ",
                                                   content.type().ToString())));
    return {};
  }
  std::vector<int64_t> extents;
  for (Dim dim : content.shape().dims()) extents.push_back(dim.size());
  return g.AddNode("Constant", {},
                   {{"shape", extents}, {"values", *text}, {"dtype", content.dtype()}},
                   std::move(name))[0];
}

}  // namespace seqgraph::ops
