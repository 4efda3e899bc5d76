// Operators that compute each element from the same element of their inputs, which broadcast.

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/status_macros.h"
#include "graph/op_def.h"
#include "serialization/onnx/node_import.h"
#include "serialization/onnx/tensor.h"

namespace seqgraph::onnx {
namespace {

using Operands = std::vector<Operand>;

absl::StatusOr<Operands> Inputs(NodeImport& node, int count) {
  if (node.num_inputs() != count) {
    return InvalidArgument("it has ", node.num_inputs(), " inputs, not ", count);
  }
  Operands inputs;
  for (int i = 0; i < count; ++i) {
    SEQ_ASSIGN_OR_RETURN(inputs.emplace_back(), node.input(i));
  }
  return inputs;
}

absl::StatusOr<Operand> RealInput(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operands inputs, Inputs(node, 1));
  const DType dtype = inputs[0].type.dtype;
  if (IsReal(dtype)) return inputs[0];
  return Unimplemented("it computes on ", DTypeName(dtype));
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
      if (op == "Divide" && b[i] == 0) return InvalidArgument("it divides by 0");
      // Extents and the like: far from overflow, or refused.
      if (std::max(std::abs(a[i]), std::abs(b[i])) > (int64_t{1} << 30)) {
        return InvalidArgument("an extent is too large");
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
      return Unimplemented(
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

// One of our ops on an operand that may be an error.
absl::StatusOr<Operand> Apply(NodeImport& node, absl::string_view op, absl::StatusOr<Operand> x,
                              const Attributes& attributes = {}) {
  if (!x.ok()) return x;
  return node.graph().Emit(op, {*std::move(x)}, attributes);
}

// One of our ops on two operands that broadcast.
absl::StatusOr<Operand> Pair(NodeImport& node, absl::string_view op, absl::StatusOr<Operand> a,
                             absl::StatusOr<Operand> b) {
  SEQ_RETURN_IF_ERROR(a.status());
  SEQ_RETURN_IF_ERROR(b.status());
  SEQ_ASSIGN_OR_RETURN(const Operands inputs,
                       node.graph().Broadcast({*std::move(a), *std::move(b)}));
  if (AnyHoldsBatch(inputs)) return WithBatch(op, inputs);
  return node.graph().Emit(op, inputs);
}

absl::StatusOr<Operand> ConvertUnary(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operands inputs, Inputs(node, 1));
  return node.graph().Emit(node.ours(), inputs);
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
  SEQ_ASSIGN_OR_RETURN(const Operands inputs, Inputs(node, 2));
  SEQ_ASSIGN_OR_RETURN(Operand y, DenseWithBias(node, inputs[0], inputs[1]));
  if (!y.present()) {
    SEQ_ASSIGN_OR_RETURN(y, DenseWithBias(node, inputs[1], inputs[0]));
  }
  return y.present() ? y : Pair(node, "Add", inputs[0], inputs[1]);
}

absl::StatusOr<Operand> ConvertBinary(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operands inputs, Inputs(node, 2));
  return Pair(node, node.ours(), inputs[0], inputs[1]);
}

absl::StatusOr<Operand> Chain(NodeImport& node, absl::string_view op) {
  SEQ_ASSIGN_OR_RETURN(Operand y, node.input(0));
  for (int i = 1; i < node.num_inputs(); ++i) {
    SEQ_ASSIGN_OR_RETURN(const Operand x, node.input(i));
    SEQ_ASSIGN_OR_RETURN(y, Pair(node, op, y, x));
  }
  return y;
}

absl::StatusOr<Operand> ConvertVariadic(NodeImport& node) { return Chain(node, node.ours()); }

absl::StatusOr<Operand> ConvertMean(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operand sum, Chain(node, "Add"));
  const double count = node.num_inputs();
  return Pair(node, "Divide", sum, node.graph().Scalar(count, sum.type.dtype));
}

// The result has the type of the base. Other types of exponent are computed in double.
absl::StatusOr<Operand> ConvertPow(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(Operands inputs, Inputs(node, 2));
  const DType base = inputs[0].type.dtype, exponent = inputs[1].type.dtype;
  if (base != exponent) {
    const DType common = IsReal(base) ? base : DType::kFloat64;
    for (Operand& input : inputs) {
      SEQ_ASSIGN_OR_RETURN(input, node.graph().Cast(input, common));
    }
  }
  SEQ_ASSIGN_OR_RETURN(const Operand y, Pair(node, "Power", inputs[0], inputs[1]));
  return node.graph().Cast(y, base);
}

absl::StatusOr<Operand> ConvertMod(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operands inputs, Inputs(node, 2));
  SEQ_ASSIGN_OR_RETURN(const int64_t fmod, node.Int("fmod", 0));
  return Pair(node, fmod != 0 ? "Remainder" : "Modulo", inputs[0], inputs[1]);
}

// min(max(x, low), high); bounds are attributes before opset 11.
absl::StatusOr<Operand> ConvertClip(NodeImport& node) {
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
    SEQ_ASSIGN_OR_RETURN(y, Pair(node, "Maximum", y, low));
  }
  return high.present() ? Pair(node, "Minimum", y, high) : y;
}

// Booleans are 0 and 1 in int32.

absl::StatusOr<Operand> Not(NodeImport& node, const Operand& x) {
  return WithBoolean(Pair(node, "Equal", x, node.graph().Scalar(0, x.type.dtype)), true);
}

absl::StatusOr<Operand> ConvertBoolean(NodeImport& node) {
  return WithBoolean(ConvertBinary(node), true);
}

// a < b, or with `swap` b < a. (a <= b is no opposite of b < a: NaN is in no order.)
template <bool swap, bool or_equal>
absl::StatusOr<Operand> ConvertOrder(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(Operands inputs, Inputs(node, 2));
  if (swap) std::swap(inputs[0], inputs[1]);
  absl::StatusOr<Operand> y = Pair(node, "Less", inputs[0], inputs[1]);
  if (or_equal && y.ok()) y = Pair(node, "Maximum", y, Pair(node, "Equal", inputs[0], inputs[1]));
  return WithBoolean(std::move(y), true);
}

absl::StatusOr<Operand> ConvertNot(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operands inputs, Inputs(node, 1));
  return Not(node, inputs[0]);
}

absl::StatusOr<Operand> ConvertXor(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operands inputs, Inputs(node, 2));
  SEQ_ASSIGN_OR_RETURN(const Operand same, Pair(node, "Equal", inputs[0], inputs[1]));
  return Not(node, same);
}

absl::StatusOr<Operand> ConvertWhere(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(Operands inputs, Inputs(node, 3));
  SEQ_ASSIGN_OR_RETURN(inputs, node.graph().Broadcast(std::move(inputs)));
  return WithBoolean(node.graph().Emit("Where", inputs), inputs[1].boolean);
}

absl::StatusOr<Operand> ToType(NodeImport& node, const Operand& x, int32_t type) {
  SEQ_RETURN_IF_ERROR(node.Int("saturate", 1).status());  // of 8-bit floats only
  SEQ_ASSIGN_OR_RETURN(const DType dtype, DTypeFromOnnx(type));
  if (type == onnx_proto::TensorProto::BOOL) {
    if (x.boolean) return x;
    SEQ_ASSIGN_OR_RETURN(const Operand zero, Not(node, x));
    return Not(node, zero);
  }
  return WithBoolean(node.graph().Cast(x, dtype), false);
}

absl::StatusOr<Operand> ConvertCast(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operands inputs, Inputs(node, 1));
  SEQ_ASSIGN_OR_RETURN(const int64_t to, node.Int("to", 0));
  return ToType(node, inputs[0], static_cast<int32_t>(to));
}

absl::StatusOr<Operand> ConvertCastLike(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operands inputs, Inputs(node, 2));
  return ToType(
      node, inputs[0],
      inputs[1].boolean ? onnx_proto::TensorProto::BOOL : DTypeToOnnx(inputs[1].type.dtype));
}

absl::StatusOr<Operand> ConvertIdentity(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operands inputs, Inputs(node, 1));
  return inputs[0];
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
    SEQ_ASSIGN_OR_RETURN(Operands both,
                         node.graph().Broadcast({x, node.graph().Scalar(1, DType::kInt32)}));
    both[1].boolean = true;
    node.SetOutput(1, std::move(both[1]));
  }
  return x;
}

// log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|)), which does not overflow.
absl::StatusOr<Operand> ConvertSoftplus(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operand x, RealInput(node));
  absl::StatusOr<Operand> y = Apply(node, "Exp", Apply(node, "Negative", Apply(node, "Abs", x)));
  y = Apply(node, "Log", Pair(node, "Add", y, node.graph().Scalar(1, x.type.dtype)));
  if (!y.ok()) return y;
  return Pair(node, "Add", Apply(node, "Relu", x), y);
}

// max(0, min(1, alpha x + beta))
absl::StatusOr<Operand> ConvertHardSigmoid(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operand x, RealInput(node));
  SEQ_ASSIGN_OR_RETURN(const double alpha, node.Float("alpha", double{0.2f}));
  SEQ_ASSIGN_OR_RETURN(const double beta, node.Float("beta", 0.5));
  const auto scalar = [&](double value) { return node.graph().Scalar(value, x.type.dtype); };
  const auto y = Pair(node, "Add", Apply(node, "Scale", x, {{"factor", alpha}}), scalar(beta));
  return Pair(node, "Maximum", Pair(node, "Minimum", y, scalar(1)), scalar(0));
}

// max(x, 0) + alpha min(x, 0)
absl::StatusOr<Operand> ConvertLeakyRelu(NodeImport& node) {
  SEQ_ASSIGN_OR_RETURN(const Operand x, RealInput(node));
  SEQ_ASSIGN_OR_RETURN(const double alpha, node.Float("alpha", double{0.01f}));
  const auto least = Pair(node, "Minimum", x, node.graph().Scalar(0, x.type.dtype));
  SEQ_ASSIGN_OR_RETURN(const Operand y, Apply(node, "Scale", least, {{"factor", alpha}}));
  return Pair(node, "Add", Apply(node, "Relu", x), y);
}

constexpr ConverterRow kRows[] = {
    {"Abs", ConvertUnary, "Abs"},
    {"Add", ConvertAdd},
    {"And", ConvertBoolean, "Minimum"},
    {"Cast", ConvertCast},
    {"CastLike", ConvertCastLike},
    {"Ceil", ConvertUnary, "Ceil"},
    {"Clip", ConvertClip},
    {"Div", ConvertBinary, "Divide"},
    {"Dropout", ConvertDropout},
    {"Equal", ConvertBoolean, "Equal"},
    {"Erf", ConvertUnary, "Erf"},
    {"Exp", ConvertUnary, "Exp"},
    {"Floor", ConvertUnary, "Floor"},
    {"Greater", ConvertOrder<true, false>},
    {"GreaterOrEqual", ConvertOrder<true, true>},
    {"HardSigmoid", ConvertHardSigmoid},
    {"Identity", ConvertIdentity},
    {"LeakyRelu", ConvertLeakyRelu},
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
    {"Softplus", ConvertSoftplus},
    {"Sqrt", ConvertUnary, "Sqrt"},
    {"Sub", ConvertBinary, "Subtract"},
    {"Sum", ConvertVariadic, "Add"},
    {"Tanh", ConvertUnary, "Tanh"},
    {"Where", ConvertWhere},
    {"Xor", ConvertXor},
};

}  // namespace

absl::Span<const ConverterRow> ElementwiseConverters() { return kRows; }

}  // namespace seqgraph::onnx
