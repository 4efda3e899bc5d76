// Operators on shapes, and constants.

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/status_macros.h"
#include "serialization/onnx/node_import.h"
#include "serialization/onnx/tensor.h"

namespace seqgraph::onnx {
namespace {

// An extent as an element; `dims` are one axis to ONNX.
int64_t ExtentOf(absl::Span<const Dim> dims) {
  const ElementCount count{Shape(dims)};
  return count.batches > 0 && count.product > 0 ? BatchNumber<int64_t>(count.product)
                                                : count.product;
}

absl::StatusOr<Operand> ConvertShape(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operand x, node.input(0));
  std::vector<int64_t> all;
  if (x.merged > 0) all.push_back(ExtentOf(x.shape().dims().first(x.merged)));
  for (int i = x.merged; i < x.rank(); ++i) all.push_back(ExtentOf(x.shape().dims().subspan(i, 1)));
  if (x.row_first) ++all.back();
  const auto rank = static_cast<int64_t>(all.size());
  SEQ_ASSIGN_OR_RETURN(int64_t start, node.Int("start", 0));
  SEQ_ASSIGN_OR_RETURN(int64_t end, node.Int("end", rank));
  start = std::clamp<int64_t>(start < 0 ? start + rank : start, 0, rank);
  end = std::clamp<int64_t>(end < 0 ? end + rank : end, start, rank);
  return Operand::Of(Tensor::Of<int64_t>(Shape{end - start},
                                         absl::MakeConstSpan(all).subspan(start, end - start)));
}

absl::StatusOr<Operand> ConvertSize(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operand x, node.input(0));
  const ElementCount count(x.shape());
  if (count.batches > 1 || (count.batches == 1 && count.product > kMaxBatchFactor)) {
    return Unimplemented("the number of elements depends on the batch");
  }
  return Operand::Of(Tensor::Scalar<int64_t>(ExtentOf(x.shape().dims())));
}

absl::StatusOr<Operand> ConstantOf(NodeImport& node) {
  if (const auto* attribute = node.Attribute("value"); attribute != nullptr) {
    SEQ_ASSIGN_OR_RETURN(Tensor tensor, TensorFromOnnx(attribute->t(), nullptr));
    return OperandOfType(std::move(tensor), attribute->t().data_type());
  }
  if (node.Attribute("value_float") != nullptr) {
    SEQ_ASSIGN_OR_RETURN(const double value, node.Float("value_float", 0));
    return Operand::Of(Tensor::Scalar(static_cast<float>(value)));
  }
  if (node.Attribute("value_int") != nullptr) {
    SEQ_ASSIGN_OR_RETURN(const int64_t value, node.Int("value_int", 0));
    return Operand::Of(Tensor::Scalar(value));
  }
  SEQ_ASSIGN_OR_RETURN(const std::optional<std::vector<int64_t>> ints, node.Ints("value_ints"));
  if (ints.has_value()) {
    return Operand::Of(Tensor::Of<int64_t>(Shape{static_cast<int64_t>(ints->size())}, *ints));
  }
  SEQ_ASSIGN_OR_RETURN(const std::optional<std::vector<double>> floats,
                       node.Floats("value_floats"));
  if (floats.has_value()) {
    return Operand::Of(Tensor::Of<double>(Shape{static_cast<int64_t>(floats->size())}, *floats)
                           .Cast(DType::kFloat32));
  }
  return Unimplemented("a constant that is no tensor of numbers");
}

absl::StatusOr<Operand> ConvertConstant(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(Operand y, ConstantOf(node));
  if (y.known != nullptr && HoldsBatch(*y.known)) {
    return Unimplemented("a number that stands for the batch");
  }
  return y;
}

absl::StatusOr<Operand> ConvertConstantOfShape(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const std::vector<int64_t> extents, node.KnownInts(0, "the shape"));
  Operand y;
  y.type.dtype = DType::kFloat32;
  y.fill = 0;
  if (const auto* attribute = node.Attribute("value"); attribute != nullptr) {
    SEQ_ASSIGN_OR_RETURN(const Tensor tensor, TensorFromOnnx(attribute->t(), nullptr));
    if (tensor.num_elements() != 1) return InvalidArgument("value must be one number");
    y.type.dtype = tensor.dtype();
    y.fill = tensor.Cast(DType::kFloat64).Elements<double>()[0];
    const Operand typed = OperandOfType(tensor, attribute->t().data_type());
    y.boolean = typed.boolean;
    y.narrow = typed.narrow;
  }
  SEQ_ASSIGN_OR_RETURN(y.type.shape, ShapeOf(extents));
  // Small ones become known to the element, so that whatever follows can be computed beforehand.
  constexpr int64_t kSmall = 1 << 20;
  if (y.shape().is_static() && y.shape().num_elements() <= kSmall) {
    SEQ_RETURN_IF_ERROR(node.graph().Charge(y.shape().num_elements() * 8));
    const std::vector<double> elements(y.shape().num_elements(), *y.fill);
    y.known = Operand::Of(Tensor::Of<double>(y.shape(), elements).Cast(y.type.dtype)).known;
    y.fill.reset();
  }
  return y;
}

// The numbers of the rows.
absl::StatusOr<Operand> RangeOfBatch(DType dtype) {
  Operand y;
  y.type = {dtype, Shape{Dim::Batch()}};
  y.fill = 0;
  y.per_row = 1;
  return y;
}

absl::StatusOr<Operand> ConvertRange(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operand first, node.input(0));
  SEQ_ASSIGN_OR_RETURN(const Operand end, node.input(1));
  SEQ_ASSIGN_OR_RETURN(const Operand step, node.input(2));
  const auto is_one = [](const Operand& x) {
    return x.known != nullptr && x.known->num_elements() == 1 &&
           x.known->Cast(DType::kFloat64).Elements<double>()[0] == 1;
  };
  if (end.known != nullptr && end.known->num_elements() == 1 && IsZero(first) && is_one(step) &&
      CastWithBatch(*end.known, DType::kInt64).Elements<int64_t>()[0] == kBatchElement) {
    return RangeOfBatch(first.type.dtype);
  }
  SEQ_ASSIGN_OR_RETURN(const double start, node.KnownScalar(0, "start"));
  SEQ_ASSIGN_OR_RETURN(const double limit, node.KnownScalar(1, "limit"));
  SEQ_ASSIGN_OR_RETURN(const double delta, node.KnownScalar(2, "delta"));
  constexpr double kMost = 1 << 20;
  const double count = std::ceil((limit - start) / delta);
  if (!(count <= kMost)) return InvalidArgument("its length is not known, or too large");
  SEQ_RETURN_IF_ERROR(node.graph().Charge(count > 0 ? static_cast<int64_t>(count) * 8 : 0));
  std::vector<double> elements(count > 0 ? static_cast<size_t>(count) : 0);
  for (size_t i = 0; i < elements.size(); ++i) elements[i] = start + static_cast<double>(i) * delta;
  const Shape shape{static_cast<int64_t>(elements.size())};
  return Operand::Of(Tensor::Of<double>(shape, elements).Cast(first.type.dtype));
}

// Ones on diagonal k of a matrix like the operand.
absl::StatusOr<Operand> ConvertEyeLike(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operand x, node.input(0));
  SEQ_ASSIGN_OR_RETURN(const int64_t k, node.Int("k", 0));
  SEQ_ASSIGN_OR_RETURN(const int64_t type, node.Int("dtype", DTypeToOnnx(x.type.dtype)));
  SEQ_ASSIGN_OR_RETURN(const DType dtype, DTypeFromOnnx(static_cast<int32_t>(type)));
  if (x.rank() != 2 || !x.shape().is_static()) return Unimplemented("of ", x.shape().ToString());
  const int64_t columns = x.shape()[1].size();
  SEQ_RETURN_IF_ERROR(node.graph().Charge(x.shape().num_elements() * 8));
  std::vector<double> eye(x.shape().num_elements());
  for (int64_t i = 0; i < static_cast<int64_t>(eye.size()); ++i) {
    eye[i] = i % columns - i / columns == k;
  }
  return OperandOfType(Tensor::Of<double>(x.shape(), eye).Cast(dtype), static_cast<int32_t>(type));
}

constexpr ConverterRow kShapeRows[] = {
    {"Constant", ConvertConstant}, {"ConstantOfShape", ConvertConstantOfShape},
    {"EyeLike", ConvertEyeLike},   {"Range", ConvertRange},
    {"Shape", ConvertShape},       {"Size", ConvertSize},
};

}  // namespace

absl::Span<const ConverterRow> ShapeConverters() { return kShapeRows; }

}  // namespace seqgraph::onnx
