// Operators that compute each element from the same element of their inputs, which broadcast.

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "graph/op_def.h"
#include "serialization/onnx/node_import.h"
#include "serialization/onnx/tensor.h"

namespace seqgraph::onnx {
namespace {

using Operands = std::vector<Operand>;

absl::StatusOr<Operands> Inputs(NodeImport& node, int count) {
  if (node.num_inputs() != count) {
    return absl::InvalidArgumentError(
        absl::StrCat("it has ", node.num_inputs(), " inputs, not ", count));
  }
  Operands inputs;
  for (int i = 0; i < count; ++i) {
    SEQ_ASSIGN_OR_RETURN(Operand input, node.input(i));
    inputs.push_back(std::move(input));
  }
  return inputs;
}

absl::Status CheckReal(const Operand& x) {
  if (IsReal(x.type.dtype)) return absl::OkStatus();
  return absl::UnimplementedError(absl::StrCat("it computes on ", DTypeName(x.type.dtype)));
}

// Shapes on which exporters compute: elements that are the batch stay so under x + 0, x - 0, x 1
// and x / 1, and the batch differs from whatever is not positive.
absl::StatusOr<Operand> WithBatch(absl::string_view op, const Operands& inputs) {
  const auto a = inputs[0].known->Elements<int64_t>(), b = inputs[1].known->Elements<int64_t>();
  std::vector<int64_t> y(a.size());
  const bool sum = op == "Add" || op == "Subtract", scale = op == "Multiply" || op == "Divide";
  const bool commutes = op == "Add" || op == "Multiply";
  for (size_t i = 0; i < y.size(); ++i) {
    const bool batch_a = a[i] == kBatchElement, batch_b = b[i] == kBatchElement;
    const int64_t other = batch_a ? b[i] : a[i];
    if (!batch_a && !batch_b && (sum || scale)) {
      if (op == "Divide" && b[i] == 0) return absl::InvalidArgumentError("it divides by 0");
      // Extents and the like: far from overflow, or refused.
      if (std::max(std::abs(a[i]), std::abs(b[i])) > (int64_t{1} << 30)) {
        return absl::InvalidArgumentError("an extent is too large");
      }
      y[i] = op == "Add"        ? a[i] + b[i]
             : op == "Subtract" ? a[i] - b[i]
             : op == "Multiply" ? a[i] * b[i]
                                : a[i] / b[i];
    } else if (op == "Equal" && (!batch_a || !batch_b) && (!(batch_a || batch_b) || other < 1)) {
      y[i] = a[i] == b[i];
    } else if (op == "Equal" && batch_a && batch_b) {
      y[i] = 1;
    } else if (batch_a != batch_b && (batch_a || commutes) && (sum || scale) &&
               other == (sum ? 0 : 1)) {
      y[i] = kBatchElement;
    } else {
      return absl::UnimplementedError(
          "it computes with the batch as a number, which is known only when a function is "
          "compiled");
    }
  }
  Tensor result = Tensor::Of<int64_t>(inputs[0].shape(), y);
  return Operand::Of(op == "Equal" ? result.Cast(DType::kInt32) : result);
}

bool AnyHoldsBatch(const Operands& inputs) {
  return std::all_of(inputs.begin(), inputs.end(),
                     [](const Operand& x) { return x.known != nullptr; }) &&
         std::any_of(inputs.begin(), inputs.end(),
                     [](const Operand& x) { return HoldsBatch(*x.known); });
}

// One of our ops on two operands that broadcast.
absl::StatusOr<Operand> Pair(NodeImport& node, absl::string_view op, Operands inputs) {
  SEQ_ASSIGN_OR_RETURN(inputs, node.graph().Broadcast(std::move(inputs)));
  if (AnyHoldsBatch(inputs)) return WithBatch(op, inputs);
  return node.graph().Emit(op, inputs);
}

constexpr char kAdd[] = "Add", kSubtract[] = "Subtract", kMultiply[] = "Multiply";
constexpr char kDivide[] = "Divide", kMaximum[] = "Maximum", kMinimum[] = "Minimum";
constexpr char kAbs[] = "Abs", kNegative[] = "Negative", kSign[] = "Sign", kExp[] = "Exp";
constexpr char kLog[] = "Log", kSqrt[] = "Sqrt", kReciprocal[] = "Reciprocal", kErf[] = "Erf";
constexpr char kFloor[] = "Floor", kCeil[] = "Ceil", kRound[] = "Round", kTanh[] = "Tanh";
constexpr char kSigmoid[] = "Sigmoid", kRelu[] = "Relu";

template <const char* op>
absl::Status ConvertUnary(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operands inputs, Inputs(node, 1));
  SEQ_ASSIGN_OR_RETURN(Operand y, node.graph().Emit(op, inputs));
  node.SetOutput(0, std::move(y));
  return absl::OkStatus();
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

absl::Status ConvertAdd(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(Operands inputs, Inputs(node, 2));
  SEQ_ASSIGN_OR_RETURN(Operand y, DenseWithBias(node, inputs[0], inputs[1]));
  if (!y.present()) {
    SEQ_ASSIGN_OR_RETURN(y, DenseWithBias(node, inputs[1], inputs[0]));
  }
  if (!y.present()) {
    SEQ_ASSIGN_OR_RETURN(y, Pair(node, kAdd, std::move(inputs)));
  }
  node.SetOutput(0, std::move(y));
  return absl::OkStatus();
}

template <const char* op>
absl::Status ConvertBinary(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(Operands inputs, Inputs(node, 2));
  SEQ_ASSIGN_OR_RETURN(Operand y, Pair(node, op, std::move(inputs)));
  node.SetOutput(0, std::move(y));
  return absl::OkStatus();
}

absl::StatusOr<Operand> Chain(NodeImport& node, absl::string_view op) {
  SEQ_ASSIGN_OR_RETURN(Operand y, node.input(0));
  for (int i = 1; i < node.num_inputs(); ++i) {
    SEQ_ASSIGN_OR_RETURN(const Operand x, node.input(i));
    SEQ_ASSIGN_OR_RETURN(y, Pair(node, op, {y, x}));
  }
  return y;
}

template <const char* op>
absl::Status ConvertVariadic(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(Operand y, Chain(node, op));
  node.SetOutput(0, std::move(y));
  return absl::OkStatus();
}

absl::Status ConvertMean(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(Operand y, Chain(node, kAdd));
  const double count = node.num_inputs();
  SEQ_ASSIGN_OR_RETURN(y, Pair(node, kDivide, {y, node.graph().Scalar(count, y.type.dtype)}));
  node.SetOutput(0, std::move(y));
  return absl::OkStatus();
}

// The result has the type of the base. Other types of exponent are computed in double.
absl::Status ConvertPow(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(Operands inputs, Inputs(node, 2));
  const DType base = inputs[0].type.dtype, exponent = inputs[1].type.dtype;
  if (base != exponent) {
    const DType common = IsReal(base) ? base : DType::kFloat64;
    for (Operand& input : inputs) {
      SEQ_ASSIGN_OR_RETURN(input, node.graph().Cast(input, common));
    }
  }
  SEQ_ASSIGN_OR_RETURN(Operand y, Pair(node, "Power", std::move(inputs)));
  SEQ_ASSIGN_OR_RETURN(y, node.graph().Cast(y, base));
  node.SetOutput(0, std::move(y));
  return absl::OkStatus();
}

absl::Status ConvertMod(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(Operands inputs, Inputs(node, 2));
  SEQ_ASSIGN_OR_RETURN(const int64_t fmod, node.Int("fmod", 0));
  SEQ_ASSIGN_OR_RETURN(Operand y,
                       Pair(node, fmod != 0 ? "Remainder" : "Modulo", std::move(inputs)));
  node.SetOutput(0, std::move(y));
  return absl::OkStatus();
}

// min(max(x, low), high); bounds are attributes before opset 11.
absl::Status ConvertClip(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(Operand y, node.input(0));
  Operand low = node.optional_input(1), high = node.optional_input(2);
  if (node.opset() < 11) {
    constexpr double kMost = std::numeric_limits<float>::max();
    SEQ_ASSIGN_OR_RETURN(const double min, node.Float("min", -kMost));
    SEQ_ASSIGN_OR_RETURN(const double max, node.Float("max", kMost));
    low = node.graph().Scalar(min, y.type.dtype);
    high = node.graph().Scalar(max, y.type.dtype);
  }
  if (low.present()) {
    SEQ_ASSIGN_OR_RETURN(y, Pair(node, kMaximum, {y, low}));
  }
  if (high.present()) {
    SEQ_ASSIGN_OR_RETURN(y, Pair(node, kMinimum, {y, high}));
  }
  node.SetOutput(0, std::move(y));
  return absl::OkStatus();
}

// Booleans are 0 and 1 in int32.

absl::Status SetBoolean(NodeImport& node, absl::StatusOr<Operand> y) {
  SEQ_RETURN_IF_ERROR(y.status());
  y->boolean = true;
  node.SetOutput(0, *std::move(y));
  return absl::OkStatus();
}

absl::StatusOr<Operand> Not(NodeImport& node, const Operand& x) {
  return Pair(node, "Equal", {x, node.graph().Scalar(0, x.type.dtype)});
}

absl::Status ConvertEqual(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(Operands inputs, Inputs(node, 2));
  return SetBoolean(node, Pair(node, "Equal", std::move(inputs)));
}

// a < b, or with `swap` b < a. (a <= b is no opposite of b < a: NaN is in no order.)
template <bool swap, bool or_equal>
absl::Status ConvertOrder(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(Operands inputs, Inputs(node, 2));
  if (swap) std::swap(inputs[0], inputs[1]);
  SEQ_ASSIGN_OR_RETURN(Operand y, Pair(node, "Less", inputs));
  if (or_equal) {
    SEQ_ASSIGN_OR_RETURN(const Operand equal, Pair(node, "Equal", inputs));
    SEQ_ASSIGN_OR_RETURN(y, Pair(node, kMaximum, {y, equal}));
  }
  return SetBoolean(node, std::move(y));
}

absl::Status ConvertNot(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operands inputs, Inputs(node, 1));
  return SetBoolean(node, Not(node, inputs[0]));
}

template <const char* op>
absl::Status ConvertLogical(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(Operands inputs, Inputs(node, 2));
  return SetBoolean(node, Pair(node, op, std::move(inputs)));
}

absl::Status ConvertXor(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(Operands inputs, Inputs(node, 2));
  SEQ_ASSIGN_OR_RETURN(const Operand same, Pair(node, "Equal", std::move(inputs)));
  return SetBoolean(node, Not(node, same));
}

absl::Status ConvertWhere(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(Operands inputs, Inputs(node, 3));
  SEQ_ASSIGN_OR_RETURN(inputs, node.graph().Broadcast(std::move(inputs)));
  const bool boolean = inputs[1].boolean;
  SEQ_ASSIGN_OR_RETURN(Operand y, node.graph().Emit("Where", inputs));
  y.boolean = boolean;
  node.SetOutput(0, std::move(y));
  return absl::OkStatus();
}

absl::StatusOr<Operand> ToType(NodeImport& node, const Operand& x, int32_t type) {
  SEQ_ASSIGN_OR_RETURN(const DType dtype, DTypeFromOnnx(type));
  if (type == onnx_proto::TensorProto::BOOL) {
    if (x.boolean) return x;
    SEQ_ASSIGN_OR_RETURN(const Operand zero, Not(node, x));
    SEQ_ASSIGN_OR_RETURN(Operand y, Not(node, zero));
    y.boolean = true;
    return y;
  }
  SEQ_ASSIGN_OR_RETURN(Operand y, node.graph().Cast(x, dtype));
  y.boolean = false;
  return y;
}

absl::Status ConvertCast(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operands inputs, Inputs(node, 1));
  SEQ_ASSIGN_OR_RETURN(const int64_t to, node.Int("to", 0));
  SEQ_RETURN_IF_ERROR(node.Int("saturate", 1).status());  // of 8-bit floats only
  SEQ_ASSIGN_OR_RETURN(Operand y, ToType(node, inputs[0], static_cast<int32_t>(to)));
  node.SetOutput(0, std::move(y));
  return absl::OkStatus();
}

absl::Status ConvertCastLike(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operands inputs, Inputs(node, 2));
  SEQ_RETURN_IF_ERROR(node.Int("saturate", 1).status());
  const int32_t to =
      inputs[1].boolean ? onnx_proto::TensorProto::BOOL : DTypeToOnnx(inputs[1].type.dtype);
  SEQ_ASSIGN_OR_RETURN(Operand y, ToType(node, inputs[0], to));
  node.SetOutput(0, std::move(y));
  return absl::OkStatus();
}

absl::Status ConvertIdentity(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operands inputs, Inputs(node, 1));
  node.SetOutput(0, inputs[0]);
  return absl::OkStatus();
}

// At inference it is the identity; what would be dropped is only known in training.
absl::Status ConvertDropout(NodeImport& node) {
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
      return absl::UnimplementedError("training_mode is true: what it drops is random");
    }
  }
  if (node.wants_output(1)) {
    Operand mask = node.graph().Scalar(1, DType::kInt32);
    Operand x_like = x;
    SEQ_ASSIGN_OR_RETURN(const Operands both, node.graph().Broadcast({x_like, mask}));
    mask = both[1];
    mask.boolean = true;
    node.SetOutput(1, std::move(mask));
  }
  node.SetOutput(0, x);
  return absl::OkStatus();
}

// log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|)), which does not overflow.
absl::Status ConvertSoftplus(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operands inputs, Inputs(node, 1));
  SEQ_RETURN_IF_ERROR(CheckReal(inputs[0]));
  GraphImport& g = node.graph();
  SEQ_ASSIGN_OR_RETURN(Operand y, g.Emit(kAbs, inputs));
  for (const char* op : {kNegative, kExp}) {
    SEQ_ASSIGN_OR_RETURN(y, g.Emit(op, {y}));
  }
  SEQ_ASSIGN_OR_RETURN(y, Pair(node, kAdd, {y, g.Scalar(1, y.type.dtype)}));
  SEQ_ASSIGN_OR_RETURN(y, g.Emit(kLog, {y}));
  SEQ_ASSIGN_OR_RETURN(const Operand relu, g.Emit(kRelu, inputs));
  SEQ_ASSIGN_OR_RETURN(y, Pair(node, kAdd, {relu, y}));
  node.SetOutput(0, std::move(y));
  return absl::OkStatus();
}

// max(0, min(1, alpha x + beta))
absl::Status ConvertHardSigmoid(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operands inputs, Inputs(node, 1));
  SEQ_RETURN_IF_ERROR(CheckReal(inputs[0]));
  SEQ_ASSIGN_OR_RETURN(const double alpha, node.Float("alpha", double{0.2f}));
  SEQ_ASSIGN_OR_RETURN(const double beta, node.Float("beta", 0.5));
  GraphImport& g = node.graph();
  const DType dtype = inputs[0].type.dtype;
  SEQ_ASSIGN_OR_RETURN(Operand y, g.Emit("Scale", inputs, {{"factor", alpha}}));
  SEQ_ASSIGN_OR_RETURN(y, Pair(node, kAdd, {y, g.Scalar(beta, dtype)}));
  SEQ_ASSIGN_OR_RETURN(y, Pair(node, kMinimum, {y, g.Scalar(1, dtype)}));
  SEQ_ASSIGN_OR_RETURN(y, Pair(node, kMaximum, {y, g.Scalar(0, dtype)}));
  node.SetOutput(0, std::move(y));
  return absl::OkStatus();
}

// max(x, 0) + alpha min(x, 0)
absl::Status ConvertLeakyRelu(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operands inputs, Inputs(node, 1));
  SEQ_RETURN_IF_ERROR(CheckReal(inputs[0]));
  SEQ_ASSIGN_OR_RETURN(const double alpha, node.Float("alpha", double{0.01f}));
  GraphImport& g = node.graph();
  SEQ_ASSIGN_OR_RETURN(Operand y,
                       Pair(node, kMinimum, {inputs[0], g.Scalar(0, inputs[0].type.dtype)}));
  SEQ_ASSIGN_OR_RETURN(y, g.Emit("Scale", {y}, {{"factor", alpha}}));
  SEQ_ASSIGN_OR_RETURN(const Operand relu, g.Emit(kRelu, inputs));
  SEQ_ASSIGN_OR_RETURN(y, Pair(node, kAdd, {relu, y}));
  node.SetOutput(0, std::move(y));
  return absl::OkStatus();
}

constexpr ConverterRow kRows[] = {
    {"Abs", ConvertUnary<kAbs>},
    {"Add", ConvertAdd},
    {"And", ConvertLogical<kMinimum>},
    {"Cast", ConvertCast},
    {"CastLike", ConvertCastLike},
    {"Ceil", ConvertUnary<kCeil>},
    {"Clip", ConvertClip},
    {"Div", ConvertBinary<kDivide>},
    {"Dropout", ConvertDropout},
    {"Equal", ConvertEqual},
    {"Erf", ConvertUnary<kErf>},
    {"Exp", ConvertUnary<kExp>},
    {"Floor", ConvertUnary<kFloor>},
    {"Greater", ConvertOrder<true, false>},
    {"GreaterOrEqual", ConvertOrder<true, true>},
    {"HardSigmoid", ConvertHardSigmoid},
    {"Identity", ConvertIdentity},
    {"LeakyRelu", ConvertLeakyRelu},
    {"Less", ConvertOrder<false, false>},
    {"LessOrEqual", ConvertOrder<false, true>},
    {"Log", ConvertUnary<kLog>},
    {"Max", ConvertVariadic<kMaximum>},
    {"Mean", ConvertMean},
    {"Min", ConvertVariadic<kMinimum>},
    {"Mod", ConvertMod},
    {"Mul", ConvertBinary<kMultiply>},
    {"Neg", ConvertUnary<kNegative>},
    {"Not", ConvertNot},
    {"Or", ConvertLogical<kMaximum>},
    {"Pow", ConvertPow},
    {"Reciprocal", ConvertUnary<kReciprocal>},
    {"Relu", ConvertUnary<kRelu>},
    {"Round", ConvertUnary<kRound>},
    {"Sigmoid", ConvertUnary<kSigmoid>},
    {"Sign", ConvertUnary<kSign>},
    {"Softplus", ConvertSoftplus},
    {"Sqrt", ConvertUnary<kSqrt>},
    {"Sub", ConvertBinary<kSubtract>},
    {"Sum", ConvertVariadic<kAdd>},
    {"Tanh", ConvertUnary<kTanh>},
    {"Where", ConvertWhere},
    {"Xor", ConvertXor},
};

}  // namespace

absl::Span<const ConverterRow> ElementwiseConverters() { return kRows; }

}  // namespace seqgraph::onnx
