// Operators that compute each element from the same element of their inputs, which broadcast.

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/status_macros.h"
#include "graph/op_def.h"
#include "serialization/onnx/tensor.h"
#include "serialization/onnx/term.h"

namespace seqgraph::onnx {
namespace {

// As many inputs as the operator has.
absl::Status CheckInputs(const NodeImport& node, int count) {
  if (node.num_inputs() == count) return absl::OkStatus();
  return InvalidArgument("it has ", node.num_inputs(), " inputs, not ", count);
}

absl::StatusOr<Operand> ConvertUnary(NodeImport& node) {
  SEQ_RETURN_IF_ERROR(CheckInputs(node, 1));
  return Map(node.ours(), Input(node, 0)).Take();
}

// x w + b in two steps, as exporters write it, becomes one Dense with a bias; absent if it is not
// that. (The product alone dies if nobody else reads it.)
absl::StatusOr<Operand> DenseWithBias(NodeImport& node, const Operand& product, Operand bias) {
  GraphImport& g = node.graph();
  if (!product.value.present() || bias.known == nullptr || bias.variable.empty() ||
      bias.rank() != 1 || product.shape().back() != bias.shape()[0]) {
    return Absent();
  }
  const Node* dense = g.builder().function().producer(product.value);
  if (dense == nullptr || dense->op->name() != "Dense" || dense->inputs[2].present()) {
    return Absent();
  }
  const std::vector<Value> inputs = dense->inputs;
  SEQ_ASSIGN_OR_RETURN(const Value b, g.Materialize(bias));
  const Value sum = g.builder().AddNode("Dense", {inputs[0], inputs[1], b}, dense->attributes)[0];
  SEQ_RETURN_IF_ERROR(g.builder().status());
  Operand y = Absent();
  y.value = sum;
  y.type = g.builder().type(sum);
  return y;
}

absl::StatusOr<Operand> ConvertAdd(NodeImport& node) {
  SEQ_RETURN_IF_ERROR(CheckInputs(node, 2));
  SEQ_ASSIGN_OR_RETURN(const Operand a, node.input(0));
  SEQ_ASSIGN_OR_RETURN(const Operand b, node.input(1));
  SEQ_ASSIGN_OR_RETURN(Operand y, DenseWithBias(node, a, b));
  if (!y.present()) {
    SEQ_ASSIGN_OR_RETURN(y, DenseWithBias(node, b, a));
  }
  return y.present() ? y : node.graph().Pair("Add", a, b);
}

absl::StatusOr<Operand> ConvertBinary(NodeImport& node) {
  SEQ_RETURN_IF_ERROR(CheckInputs(node, 2));
  return Map(node.ours(), Input(node, 0), Input(node, 1)).Take();
}

Term Chain(NodeImport& node, absl::string_view op) {
  Term y = Input(node, 0);
  for (int i = 1; i < node.num_inputs(); ++i) y = Map(op, y, Input(node, i));
  return y;
}

absl::StatusOr<Operand> ConvertVariadic(NodeImport& node) {
  return Chain(node, node.ours()).Take();
}

absl::StatusOr<Operand> ConvertMean(NodeImport& node) {
  return (Chain(node, "Add") / static_cast<double>(node.num_inputs())).Take();
}

// Functions of angles, by sine, cosine and arc tangent; of their hyperbolic kin, by exponentials
// and logarithms.

// 1 - x^2, without its rounding near 1.
Term UnitLess(const Term& x) { return (1 - x) * (x + 1); }

absl::StatusOr<Operand> ConvertTan(NodeImport& node) {
  const Term x = Real(node, 0);
  return (Map("Sin", x) / Map("Cos", x)).Take();
}

absl::StatusOr<Operand> ConvertAsin(NodeImport& node) {
  const Term x = Real(node, 0);
  return Map("Atan", x / Map("Sqrt", UnitLess(x))).Take();
}

absl::StatusOr<Operand> ConvertAcos(NodeImport& node) {
  const Term x = Real(node, 0);
  return (2.0 * Map("Atan", Map("Sqrt", (1 - x) / (x + 1)))).Take();
}

absl::StatusOr<Operand> ConvertCosh(NodeImport& node) {
  const Term x = Real(node, 0);
  return (0.5 * Map("Exp", x) + 0.5 * Map("Exp", -1 * x)).Take();
}

// tanh cosh, which is exact near 0
absl::StatusOr<Operand> ConvertSinh(NodeImport& node) {
  const Term x = Real(node, 0);
  return (Map("Tanh", x) * (0.5 * Map("Exp", x) + 0.5 * Map("Exp", -1 * x))).Take();
}

// sign(x) log(|x| + sqrt(x^2 + 1))
absl::StatusOr<Operand> ConvertAsinh(NodeImport& node) {
  const Term x = Real(node, 0), size = Map("Abs", x);
  return (Map("Sign", x) * Map("Log", size + Map("Sqrt", x * x + 1))).Take();
}

absl::StatusOr<Operand> ConvertAcosh(NodeImport& node) {
  const Term x = Real(node, 0);
  return Map("Log", x + Map("Sqrt", (x - 1) * (x + 1))).Take();
}

absl::StatusOr<Operand> ConvertAtanh(NodeImport& node) {
  const Term x = Real(node, 0);
  return (0.5 * Map("Log", (x + 1) / (1 - x))).Take();
}

// 1 - erf(x): TensorFlow's, which tf2onnx leaves as it is.
absl::StatusOr<Operand> ConvertErfc(NodeImport& node) {
  return (1 - Map("Erf", Real(node, 0))).Take();
}

// The result has the type of the base. Other types of exponent are computed in double.
absl::StatusOr<Operand> ConvertPow(NodeImport& node) {
  SEQ_RETURN_IF_ERROR(CheckInputs(node, 2));
  SEQ_ASSIGN_OR_RETURN(Operand base, node.input(0));
  SEQ_ASSIGN_OR_RETURN(Operand exponent, node.input(1));
  const DType dtype = base.type.dtype;
  if (dtype != exponent.type.dtype) {
    const DType common = IsReal(dtype) ? dtype : DType::kFloat64;
    SEQ_ASSIGN_OR_RETURN(base, node.graph().Cast(base, common));
    SEQ_ASSIGN_OR_RETURN(exponent, node.graph().Cast(exponent, common));
  }
  SEQ_ASSIGN_OR_RETURN(const Operand y, node.graph().Pair("Power", base, exponent));
  return node.graph().Cast(y, dtype);
}

absl::StatusOr<Operand> ConvertMod(NodeImport& node) {
  SEQ_RETURN_IF_ERROR(CheckInputs(node, 2));
  SEQ_ASSIGN_OR_RETURN(const int64_t fmod, node.Int("fmod", 0));
  return Map(fmod != 0 ? "Remainder" : "Modulo", Input(node, 0), Input(node, 1)).Take();
}

// min(max(x, low), high); bounds are attributes before opset 11.
absl::StatusOr<Operand> ConvertClip(NodeImport& node) {
  Term y = Input(node, 0);
  if (node.opset() < 11) {
    constexpr double kMost = std::numeric_limits<float>::max();
    SEQ_ASSIGN_OR_RETURN(const double min, node.Float("min", -kMost));
    SEQ_ASSIGN_OR_RETURN(const double max, node.Float("max", kMost));
    return Min(Max(y, min), max).Take();
  }
  if (node.has_input(1)) y = Map("Maximum", y, Input(node, 1));
  if (node.has_input(2)) y = Map("Minimum", y, Input(node, 2));
  return y.Take();
}

// Booleans are 0 and 1 in int32.

absl::StatusOr<Operand> ConvertBoolean(NodeImport& node) {
  return WithBoolean(ConvertBinary(node), true);
}

// a < b, or with `swap` b < a. (a <= b is no opposite of b < a: NaN is in no order.)
template <bool swap, bool or_equal>
absl::StatusOr<Operand> ConvertOrder(NodeImport& node) {
  SEQ_RETURN_IF_ERROR(CheckInputs(node, 2));
  const Term a = Input(node, swap ? 1 : 0), b = Input(node, swap ? 0 : 1);
  const Term y = Less(a, b);
  return (or_equal ? Map("Maximum", y, Equal(a, b)) : y).TakeBoolean();
}

absl::StatusOr<Operand> ConvertNot(NodeImport& node) {
  SEQ_RETURN_IF_ERROR(CheckInputs(node, 1));
  return Not(Input(node, 0)).TakeBoolean();
}

absl::StatusOr<Operand> ConvertXor(NodeImport& node) {
  SEQ_RETURN_IF_ERROR(CheckInputs(node, 2));
  return Not(Equal(Input(node, 0), Input(node, 1))).TakeBoolean();
}

// Only a NaN is not equal to itself.
absl::StatusOr<Operand> ConvertIsNaN(NodeImport& node) {
  const Term x = Real(node, 0);
  return Not(Equal(x, x)).TakeBoolean();
}

absl::StatusOr<Operand> ConvertIsInf(NodeImport& node) {
  const Term x = Real(node, 0);
  SEQ_ASSIGN_OR_RETURN(const int64_t positive, node.Int("detect_positive", 1));
  SEQ_ASSIGN_OR_RETURN(const int64_t negative, node.Int("detect_negative", 1));
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const Term above = Equal(x, x.Scalar(positive != 0 ? kInfinity : NAN));
  const Term below = Equal(x, x.Scalar(negative != 0 ? -kInfinity : NAN));
  return Map("Maximum", above, below).TakeBoolean();
}

absl::StatusOr<Operand> ConvertWhere(NodeImport& node) {
  SEQ_RETURN_IF_ERROR(CheckInputs(node, 3));
  return Where(Input(node, 0), Input(node, 1), Input(node, 2)).Take();
}

absl::StatusOr<Operand> ToType(NodeImport& node, int32_t type) {
  SEQ_RETURN_IF_ERROR(node.Int("saturate", 1).status());          // of 8-bit floats only
  SEQ_RETURN_IF_ERROR(node.String("round_mode", "up").status());  // of 8-bit exponents only
  SEQ_ASSIGN_OR_RETURN(const Operand x, node.input(0));
  if (type == onnx_proto::TensorProto::BOOL) {
    if (x.boolean) return x;
    return Not(Not(Input(node, 0))).TakeBoolean();
  }
  SEQ_ASSIGN_OR_RETURN(const DType dtype, DTypeFromOnnx(type));
  if (x.narrow != type && DTypeToOnnx(dtype) != type) {
    return Unimplemented("a cast to ", ElementTypeName(type), ", which is computed as ",
                         DTypeName(dtype), " and not rounded");
  }
  SEQ_ASSIGN_OR_RETURN(Operand y, node.graph().Cast(x, dtype));
  y.boolean = false;
  y.narrow = x.narrow == type ? type : 0;
  return y;
}

absl::StatusOr<Operand> ConvertCast(NodeImport& node) {
  SEQ_RETURN_IF_ERROR(CheckInputs(node, 1));
  SEQ_ASSIGN_OR_RETURN(const int64_t to, node.Int("to", 0));
  return ToType(node, static_cast<int32_t>(to));
}

absl::StatusOr<Operand> ConvertCastLike(NodeImport& node) {
  SEQ_RETURN_IF_ERROR(CheckInputs(node, 2));
  SEQ_ASSIGN_OR_RETURN(const Operand like, node.input(1));
  return ToType(node, like.boolean       ? onnx_proto::TensorProto::BOOL
                      : like.narrow != 0 ? like.narrow
                                         : DTypeToOnnx(like.type.dtype));
}

absl::StatusOr<Operand> ConvertIdentity(NodeImport& node) {
  SEQ_RETURN_IF_ERROR(CheckInputs(node, 1));
  return node.input(0);
}

// At inference it is the identity; what would be dropped is only known in training.
absl::StatusOr<Operand> ConvertDropout(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operand x, node.input(0));
  SEQ_RETURN_IF_ERROR(node.Float("ratio", 0.5).status());
  SEQ_RETURN_IF_ERROR(node.Int("seed", 0).status());
  if (node.has_input(2)) {
    SEQ_ASSIGN_OR_RETURN(const double training, node.KnownScalar(2, "training_mode"));
    double ratio = 0.5;
    if (node.has_input(1)) {
      SEQ_ASSIGN_OR_RETURN(ratio, node.KnownScalar(1, "ratio"));
    }
    if (training != 0 && ratio != 0) {
      return Unimplemented("training_mode is true: what it drops is random");
    }
  }
  if (node.wants_output(1)) {
    const Term one(node.graph(), node.graph().Scalar(1, DType::kInt32));
    SEQ_ASSIGN_OR_RETURN(Operand mask, one.BroadcastWith(Input(node, 0)).TakeBoolean());
    node.SetOutput(1, std::move(mask));
  }
  return x;
}

constexpr ConverterRow kElementwiseRows[] = {
    {"Abs", ConvertUnary, "Abs"},
    {"Acos", ConvertAcos},
    {"Acosh", ConvertAcosh},
    {"Add", ConvertAdd},
    {"And", ConvertBoolean, "Minimum"},
    {"Asin", ConvertAsin},
    {"Asinh", ConvertAsinh},
    {"Atan", ConvertUnary, "Atan"},
    {"Atanh", ConvertAtanh},
    {"Cast", ConvertCast},
    {"CastLike", ConvertCastLike},
    {"Ceil", ConvertUnary, "Ceil"},
    {"Clip", ConvertClip},
    {"Cos", ConvertUnary, "Cos"},
    {"Cosh", ConvertCosh},
    {"Div", ConvertBinary, "Divide"},
    {"Dropout", ConvertDropout},
    {"Equal", ConvertBoolean, "Equal"},
    {"Erf", ConvertUnary, "Erf"},
    {"Erfc", ConvertErfc},
    {"Exp", ConvertUnary, "Exp"},
    {"Floor", ConvertUnary, "Floor"},
    {"Greater", ConvertOrder<true, false>},
    {"GreaterOrEqual", ConvertOrder<true, true>},
    {"Identity", ConvertIdentity},
    {"IsInf", ConvertIsInf},
    {"IsNaN", ConvertIsNaN},
    {"Less", ConvertOrder<false, false>},
    {"LessOrEqual", ConvertOrder<false, true>},
    {"Log", ConvertUnary, "Log"},
    {"Max", ConvertVariadic, "Maximum"},
    {"Mean", ConvertMean},
    {"Min", ConvertVariadic, "Minimum"},
    {"Mod", ConvertMod},
    {"Mul", ConvertBinary, "Multiply"},
    {"Neg", ConvertUnary, "Negative"},
    {"Not", ConvertNot},
    {"Or", ConvertBoolean, "Maximum"},
    {"Pow", ConvertPow},
    {"Reciprocal", ConvertUnary, "Reciprocal"},
    {"Relu", ConvertUnary, "Relu"},
    {"Round", ConvertUnary, "Round"},
    {"Sigmoid", ConvertUnary, "Sigmoid"},
    {"Sign", ConvertUnary, "Sign"},
    {"Sin", ConvertUnary, "Sin"},
    {"Sinh", ConvertSinh},
    {"Sqrt", ConvertUnary, "Sqrt"},
    {"Sub", ConvertBinary, "Subtract"},
    {"Sum", ConvertVariadic, "Add"},
    {"Tan", ConvertTan},
    {"Tanh", ConvertUnary, "Tanh"},
    {"Where", ConvertWhere},
    {"Xor", ConvertXor},
};

}  // namespace

absl::Span<const ConverterRow> ElementwiseConverters() { return kElementwiseRows; }

}  // namespace seqgraph::onnx
