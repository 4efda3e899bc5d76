// Operators on shapes, and constants.

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/status_macros.h"
#include "serialization/onnx/node_import.h"
#include "serialization/onnx/tensor.h"

namespace seqgraph::onnx {
namespace {

absl::StatusOr<Operand> ConvertShape(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operand x, node.input(0));
  const int64_t rank = x.rank();
  SEQ_ASSIGN_OR_RETURN(int64_t start, node.Int("start", 0));
  SEQ_ASSIGN_OR_RETURN(int64_t end, node.Int("end", rank));
  start = std::clamp<int64_t>(start < 0 ? start + rank : start, 0, rank);
  end = std::clamp<int64_t>(end < 0 ? end + rank : end, start, rank);
  std::vector<int64_t> extents;
  for (int64_t i = start; i < end; ++i) {
    const Dim dim = x.shape()[static_cast<int>(i)];
    extents.push_back(dim.is_batch() ? kBatchElement : dim.size());
  }
  const Shape shape{static_cast<int64_t>(extents.size())};
  return Operand::Of(Tensor::Of<int64_t>(shape, extents));
}

absl::StatusOr<Operand> ConvertSize(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operand x, node.input(0));
  if (!x.shape().is_static()) return Unimplemented("the number of elements depends on the batch");
  return Operand::Of(Tensor::Scalar<int64_t>(x.shape().num_elements()));
}

absl::StatusOr<Operand> ConstantOf(NodeImport& node) {
  if (const auto* attribute = node.Attribute("value"); attribute != nullptr) {
    SEQ_ASSIGN_OR_RETURN(Tensor tensor, TensorFromOnnx(attribute->t(), nullptr));
    Operand operand = Operand::Of(std::move(tensor));
    operand.boolean = attribute->t().data_type() == onnx_proto::TensorProto::BOOL;
    return operand;
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
  if (y.known != nullptr && HoldsBatch(*y.known)) return Unimplemented("an int64 of -2^63");
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
    y.boolean = attribute->t().data_type() == onnx_proto::TensorProto::BOOL;
  }
  SEQ_ASSIGN_OR_RETURN(y.type.shape, ShapeOf(extents));
  // Small ones become known to the element, so that whatever follows can be computed beforehand.
  constexpr int64_t kSmall = 1 << 20;
  if (y.shape().is_static() && y.shape().num_elements() <= kSmall) {
    SEQ_RETURN_IF_ERROR(node.graph().Charge(y.shape().num_elements() * 8));
    const std::vector<double> elements(y.shape().num_elements(), *y.fill);
    const bool boolean = y.boolean;
    y = Operand::Of(Tensor::Of<double>(y.shape(), elements).Cast(y.type.dtype));
    y.boolean = boolean;
  }
  return y;
}

absl::StatusOr<Operand> ConvertRange(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operand first, node.input(0));
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

constexpr ConverterRow kRows[] = {
    {"Constant", ConvertConstant}, {"ConstantOfShape", ConvertConstantOfShape},
    {"Range", ConvertRange},       {"Shape", ConvertShape},
    {"Size", ConvertSize},
};

}  // namespace

absl::Span<const ConverterRow> ShapeConverters() { return kRows; }

}  // namespace seqgraph::onnx
