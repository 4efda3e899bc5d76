// Operators between real numbers and those of a scale: x = (q - zero point) scale.
// What these are added up in is float32, which is exact below 2^24.

#include <limits>
#include <string>
#include <utility>

#include "base/status_macros.h"
#include "serialization/onnx/quantization.h"
#include "serialization/onnx/tensor.h"
#include "serialization/onnx/term.h"
#include "serialization/onnx/windows.h"

namespace seqgraph::onnx {
namespace {

using onnx_proto::TensorProto;

struct Limits {
  double low = 0, high = 0;
};

absl::StatusOr<Limits> LimitsOf(int32_t type) {
  switch (type) {
    case TensorProto::UINT8:
      return Limits{0, 255};
    case TensorProto::INT8:
      return Limits{-128, 127};
    case TensorProto::UINT16:
      return Limits{0, 65535};
    case TensorProto::INT16:
      return Limits{-32768, 32767};
    default:
      return Unimplemented("quantized numbers of type ", ElementTypeName(type));
  }
}

// Input i in `dtype`, one number or one for each place along an axis that has `behind` axes behind
// it; if it is not given, `otherwise`.
Term PerPlace(NodeImport& node, int i, DType dtype, int behind, double otherwise) {
  GraphImport& g = node.graph();
  if (!node.has_input(i)) return {g, g.Scalar(otherwise, dtype)};
  const Operand given = node.optional_input(i);
  Shape shape;
  if (given.rank() > 1) return {g, Unimplemented("scales or zero points of blocks")};
  if (given.rank() == 1 && given.shape()[0] != 1) {
    shape.Append(given.shape()[0]);
    for (int axis = 0; axis < behind; ++axis) shape.Append(1);
  }
  const absl::StatusOr<Operand> shaped = g.Reshape(given, shape);
  if (!shaped.ok()) return {g, shaped.status()};
  return {g, g.Cast(*shaped, dtype)};
}

// Input i in float32 less its zero point, input `zero`. What is known becomes weights.
absl::StatusOr<Operand> Centered(NodeImport& node, int i, int zero, int behind) {
  GraphImport& g = node.graph();
  SEQ_ASSIGN_OR_RETURN(const Operand x, node.input(i));
  const Term real(g, g.Cast(x, DType::kFloat32));
  if (!node.has_input(zero) || IsZero(node.optional_input(zero))) return real.Take();
  return (real - PerPlace(node, zero, DType::kFloat32, behind, 0)).Take();
}

// min(max(round(x) + zero, low), high) in integers of that type.
absl::StatusOr<Operand> Saturated(const Term& x, const Term& zero, int32_t type) {
  GraphImport& g = x.graph();
  SEQ_ASSIGN_OR_RETURN(const Limits limits, LimitsOf(type));
  const Term y = Min(Max(Map("Round", x) + zero, limits.low), limits.high);
  SEQ_ASSIGN_OR_RETURN(const Operand real, y.Take());
  SEQ_ASSIGN_OR_RETURN(Operand q, g.Cast(real, DType::kInt32));
  q.narrow = type;
  return q;
}

// The type of a zero point, by default uint8.
int32_t TypeOf(const NodeImport& node, int zero) {
  const Operand given = node.optional_input(zero);
  return given.present() ? given.narrow : TensorProto::UINT8;
}

// How many axes lie behind the attribute axis, along which there are scales.
absl::StatusOr<int> BehindAxis(NodeImport& node, const Operand& x) {
  SEQ_ASSIGN_OR_RETURN(const int64_t block, node.Int("block_size", 0));
  if (block != 0) return Unimplemented("scales or zero points of blocks");
  SEQ_ASSIGN_OR_RETURN(const int64_t axis, node.Int("axis", 1));
  const Operand scale = node.optional_input(1);
  if (scale.rank() == 0 || scale.shape()[0] == 1) return 0;
  SEQ_ASSIGN_OR_RETURN(const int64_t place, NodeImport::Axis(axis, x.rank()));
  return x.rank() - 1 - static_cast<int>(place);
}

// saturate(round(x / scale) + zero point)
absl::StatusOr<Operand> ConvertQuantizeLinear(NodeImport& node) {
  const Term x = Real(node, 0);
  SEQ_ASSIGN_OR_RETURN(const Operand operand, x.Take());
  SEQ_RETURN_IF_ERROR(node.Int("saturate", 1).status());   // of 8-bit floats only
  SEQ_RETURN_IF_ERROR(node.Int("precision", 0).status());  // float32 serves for all
  SEQ_ASSIGN_OR_RETURN(const int64_t output, node.Int("output_dtype", 0));
  SEQ_ASSIGN_OR_RETURN(const int behind, BehindAxis(node, operand));
  const DType dtype = operand.type.dtype;
  const Term scaled = x / PerPlace(node, 1, dtype, behind, 1);
  return Saturated(scaled, PerPlace(node, 2, dtype, behind, 0),
                   output != 0 ? static_cast<int32_t>(output) : TypeOf(node, 2));
}

absl::StatusOr<Operand> ConvertDequantizeLinear(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operand x, node.input(0));
  SEQ_RETURN_IF_ERROR(node.Int("output_dtype", 0).status());
  SEQ_ASSIGN_OR_RETURN(const int behind, BehindAxis(node, x));
  SEQ_ASSIGN_OR_RETURN(const Operand centered, Centered(node, 0, 2, behind));
  const Term scale = PerPlace(node, 1, DType::kFloat32, behind, 1);
  SEQ_ASSIGN_OR_RETURN(Operand y, (Term(node.graph(), centered) * scale).Take());
  if (y.known != nullptr && y.rank() > 0) y.variable = node.name();
  return y;
}

absl::StatusOr<Operand> ConvertDynamicQuantizeLinear(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(Quantized y, QuantizeByRange(Real(node, 0)));
  node.SetOutput(1, std::move(y.scale));
  node.SetOutput(2, std::move(y.zero));
  return y.q;
}

// The product of centered inputs a and b, in float32; zero points of a are those of its rows.
absl::StatusOr<Operand> ProductOf(NodeImport& node, int a, int a_zero, int b, int b_zero) {
  SEQ_ASSIGN_OR_RETURN(const Operand left, Centered(node, a, a_zero, /*behind=*/1));
  SEQ_ASSIGN_OR_RETURN(const Operand right, Centered(node, b, b_zero, /*behind=*/0));
  return MatrixProduct(node, left, right);
}

absl::StatusOr<Operand> ConvertMatMulInteger(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operand y, ProductOf(node, 0, 2, 1, 3));
  return node.graph().Cast(y, DType::kInt32);
}

absl::StatusOr<Operand> ConvertQLinearMatMul(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operand product, ProductOf(node, 0, 2, 3, 5));
  const Term scale = PerPlace(node, 1, DType::kFloat32, 1, 1) *
                     PerPlace(node, 4, DType::kFloat32, 0, 1) /
                     PerPlace(node, 6, DType::kFloat32, 0, 1);
  return Saturated(Term(node.graph(), product) * scale, PerPlace(node, 7, DType::kFloat32, 0, 0),
                   TypeOf(node, 7));
}

// A product of quantized numbers as real ones, plus the input `bias`.
absl::StatusOr<Operand> Rescaled(NodeImport& node, const Operand& product, const Term& scale,
                                 int bias) {
  const Term y = Term(node.graph(), product) * scale;
  return (node.has_input(bias) ? y + Input(node, bias) : y).Take();
}

// Of real numbers and a quantized matrix: the former are quantized by their range.
absl::StatusOr<Operand> ConvertDynamicQuantizeMatMul(NodeImport& node) {
  GraphImport& g = node.graph();
  SEQ_ASSIGN_OR_RETURN(const Quantized a, QuantizeByRange(Real(node, 0)));
  const Term q(g, g.Cast(a.q, DType::kFloat32)), zero(g, g.Cast(a.zero, DType::kFloat32));
  SEQ_ASSIGN_OR_RETURN(const Operand left, (q - zero).Take());
  SEQ_ASSIGN_OR_RETURN(const Operand right, Centered(node, 1, 3, /*behind=*/0));
  SEQ_ASSIGN_OR_RETURN(const Operand product, MatrixProduct(node, left, right));
  return Rescaled(node, product, Term(g, a.scale) * PerPlace(node, 2, DType::kFloat32, 0, 1), 4);
}

absl::StatusOr<Operand> ConvertMatMulIntegerToFloat(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operand product, ProductOf(node, 0, 4, 1, 5));
  const Term scale =
      PerPlace(node, 2, DType::kFloat32, 1, 1) * PerPlace(node, 3, DType::kFloat32, 0, 1);
  return Rescaled(node, product, scale, 6);
}

// The convolution of centered inputs x and w, whose zero points are those of its units.
absl::StatusOr<Operand> ConvolutionOf(NodeImport& node, int x, int x_zero, int w, int w_zero) {
  SEQ_ASSIGN_OR_RETURN(const Operand weights, node.input(w));
  SEQ_ASSIGN_OR_RETURN(const Operand seen, Centered(node, x, x_zero, /*behind=*/0));
  SEQ_ASSIGN_OR_RETURN(const Operand kernel, Centered(node, w, w_zero, weights.rank() - 1));
  return Convolution(node, seen, kernel, Absent());
}

absl::StatusOr<Operand> ConvertConvInteger(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operand y, ConvolutionOf(node, 0, 2, 1, 3));
  return node.graph().Cast(y, DType::kInt32);
}

absl::StatusOr<Operand> ConvertQLinearConv(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operand operand, ConvolutionOf(node, 0, 2, 3, 5));
  const int behind = operand.rank() - 2;  // the places, behind the units
  Term y(node.graph(), operand);
  if (node.has_input(8)) y = y + PerPlace(node, 8, DType::kFloat32, behind, 0);
  const Term scale = PerPlace(node, 1, DType::kFloat32, 0, 1) *
                     PerPlace(node, 4, DType::kFloat32, behind, 1) /
                     PerPlace(node, 6, DType::kFloat32, 0, 1);
  return Saturated(y * scale, PerPlace(node, 7, DType::kFloat32, 0, 0), TypeOf(node, 7));
}

constexpr ConverterRow kQuantizationRows[] = {
    {"com.microsoft:DynamicQuantizeMatMul", ConvertDynamicQuantizeMatMul},
    {"com.microsoft:MatMulIntegerToFloat", ConvertMatMulIntegerToFloat},
    {"ConvInteger", ConvertConvInteger},
    {"DequantizeLinear", ConvertDequantizeLinear},
    {"DynamicQuantizeLinear", ConvertDynamicQuantizeLinear},
    {"MatMulInteger", ConvertMatMulInteger},
    {"QLinearConv", ConvertQLinearConv},
    {"QLinearMatMul", ConvertQLinearMatMul},
    {"QuantizeLinear", ConvertQuantizeLinear},
};

}  // namespace

absl::StatusOr<Quantized> QuantizeByRange(const Term& x) {
  GraphImport& g = x.graph();
  SEQ_ASSIGN_OR_RETURN(const Operand operand, x.Take());
  std::vector<int64_t> axes(operand.rank());
  for (size_t i = 0; i < axes.size(); ++i) axes[i] = static_cast<int64_t>(i);
  const Term low = Min(Map("ReduceMin", x, {{"axes", axes}}), 0);
  const Term high = Max(Map("ReduceMax", x, {{"axes", axes}}), 0);
  const Term range = high - low;
  const Term scale = Where(Equal(range, range.Scalar(0)), range.Scalar(1), range / 255);
  const Term zero = Map("Round", Min(Max(range.Scalar(0) - low / scale, 0), 255));
  Quantized y;
  SEQ_ASSIGN_OR_RETURN(y.q, Saturated(x / scale, zero, TensorProto::UINT8));
  SEQ_ASSIGN_OR_RETURN(y.scale, scale.Take());
  SEQ_ASSIGN_OR_RETURN(const Operand real, zero.Take());
  SEQ_ASSIGN_OR_RETURN(y.zero, g.Cast(real, DType::kInt32));
  y.zero.narrow = TensorProto::UINT8;
  return y;
}

absl::Span<const ConverterRow> QuantizationConverters() { return kQuantizationRows; }

}  // namespace seqgraph::onnx
