// All ops but the recurrent ones, in operators of opset 14.

#include <algorithm>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "graph/evaluate.h"
#include "serialization/onnx/node_export.h"
#include "serialization/onnx/tensor.h"

namespace seqgraph::onnx {
namespace {

std::vector<std::string> InputNames(NodeExport& node) {
  std::vector<std::string> names;
  for (size_t i = 0; i < node.node().inputs.size(); ++i) {
    names.push_back(node.input(static_cast<int>(i)));
  }
  return names;
}

// Ops that ONNX has under another name, or the same.
constexpr char kAbs[] = "Abs", kAdd[] = "Add", kCeil[] = "Ceil", kDiv[] = "Div", kErf[] = "Erf";
constexpr char kExp[] = "Exp", kFloor[] = "Floor", kLog[] = "Log", kMatMul[] = "MatMul";
constexpr char kMax[] = "Max", kMin[] = "Min", kMul[] = "Mul", kNeg[] = "Neg", kPow[] = "Pow";
constexpr char kReciprocal[] = "Reciprocal", kRelu[] = "Relu", kRound[] = "Round";
constexpr char kSigmoid[] = "Sigmoid", kSign[] = "Sign", kSqrt[] = "Sqrt", kSub[] = "Sub";
constexpr char kTanh[] = "Tanh", kEqual[] = "Equal", kLess[] = "Less";
constexpr char kReduceMax[] = "ReduceMax", kReduceMean[] = "ReduceMean";
constexpr char kReduceMin[] = "ReduceMin", kReduceProd[] = "ReduceProd";

template <const char* op>
absl::Status WriteSame(NodeExport& node) {
  node.graph().Add(op, InputNames(node), node.output(0));
  return absl::OkStatus();
}

// Floats: fmod; integers too have it with the attribute, without it the sign of b.
absl::Status WriteRemainder(NodeExport& node) {
  SetInt(node.graph().Add("Mod", InputNames(node), node.output(0)), "fmod", 1);
  return absl::OkStatus();
}

absl::Status WriteModulo(NodeExport& node) {
  if (IsReal(node.input_type(0).dtype)) {
    return absl::UnimplementedError("ONNX has no modulo of reals with the sign of the divisor");
  }
  SetInt(node.graph().Add("Mod", InputNames(node), node.output(0)), "fmod", 0);
  return absl::OkStatus();
}

void CastTo(NodeExport& node, const std::string& x, int32_t type, const std::string& output) {
  SetInt(node.graph().Add("Cast", {x}, output), "to", type);
}

std::string Casted(NodeExport& node, const std::string& x, int32_t type) {
  std::string name = node.Between("Cast");
  CastTo(node, x, type, name);
  return name;
}

// Comparisons give bool there, int32 here.
template <const char* op>
absl::Status WriteComparison(NodeExport& node) {
  CastTo(node, node.Emit(op, InputNames(node)), onnx_proto::TensorProto::INT32, node.output(0));
  return absl::OkStatus();
}

absl::Status WriteWhere(NodeExport& node) {
  const std::string condition = Casted(node, node.input(0), onnx_proto::TensorProto::BOOL);
  node.graph().Add("Where", {condition, node.input(1), node.input(2)}, node.output(0));
  return absl::OkStatus();
}

absl::Status WriteCast(NodeExport& node) {
  CastTo(node, node.input(0), DTypeToOnnx(node.output_type(0).dtype), node.output(0));
  return absl::OkStatus();
}

absl::Status WriteScale(NodeExport& node) {
  const std::string factor = node.graph().Initializer(
      Tensor::Scalar(node.attributes().GetFloat("factor")).Cast(node.input_type(0).dtype),
      node.node().name + "/factor");
  node.graph().Add("Mul", {node.input(0), factor}, node.output(0));
  return absl::OkStatus();
}

absl::Status WriteFillLike(NodeExport& node) {
  const std::string shape = node.Emit("Shape", {node.input(0)});
  const Tensor value = Tensor::Of<double>({1}, {node.attributes().GetFloat("value")})
                           .Cast(node.output_type(0).dtype);
  SetTensor(node.graph().Add("ConstantOfShape", {shape}, node.output(0)), "value", value);
  return absl::OkStatus();
}

absl::Status WriteConstant(NodeExport& node) {
  SEQ_ASSIGN_OR_RETURN(const OptionalTensors content,
                       Evaluate(*node.node().op, node.attributes(), OptionalTensors()));
  SetTensor(node.graph().Add("Constant", {}, node.output(0)), "value", *content[0]);
  return absl::OkStatus();
}

absl::Status WriteEmbedding(NodeExport& node) {
  SetInt(node.graph().Add("Gather", {node.input(1), node.input(0)}, node.output(0)), "axis", 0);
  return absl::OkStatus();
}

absl::Status WriteGather(NodeExport& node) {
  SetInt(node.graph().Add("Gather", InputNames(node), node.output(0)), "axis",
         node.attributes().GetInt("axis"));
  return absl::OkStatus();
}

// int64 indices: what runtimes have for float values.
absl::Status WriteOneHot(NodeExport& node) {
  const std::string ids = Casted(node, node.input(0), onnx_proto::TensorProto::INT64);
  const std::string depth = node.graph().Initializer(
      Tensor::Scalar<int64_t>(node.attributes().GetInt("depth")), node.node().name + "/depth");
  // A constant, not an initializer: nothing to train.
  const std::string values = node.Between("values");
  SetTensor(node.graph().Add("Constant", {}, values), "value",
            Tensor::Of<double>({2}, {0, 1}).Cast(node.output_type(0).dtype));
  SetInt(node.graph().Add("OneHot", {ids, depth, values}, node.output(0)), "axis", -1);
  return absl::OkStatus();
}

std::string ActivationOperator(const std::string& activation) {
  return activation == "tanh" ? "Tanh" : activation == "relu" ? "Relu" : "Sigmoid";
}

// Gemm where x is a matrix, else MatMul and Add.
absl::Status WriteDense(NodeExport& node) {
  const std::string& activation = node.attributes().GetString("activation");
  const std::string end = activation == "none" ? node.output(0) : node.Between("sum");
  if (node.input_type(0).shape.rank() == 2) {
    std::vector<std::string> inputs = InputNames(node);
    if (inputs.back().empty()) inputs.pop_back();
    node.graph().Add("Gemm", inputs, end);
  } else if (node.has_input(2)) {
    const std::string product = node.Emit("MatMul", {node.input(0), node.input(1)});
    node.graph().Add("Add", {product, node.input(2)}, end);
  } else {
    node.graph().Add("MatMul", {node.input(0), node.input(1)}, end);
  }
  if (activation != "none") {
    node.graph().Add(ActivationOperator(activation), {end}, node.output(0));
  }
  return absl::OkStatus();
}

absl::Status WriteSoftmax(NodeExport& node) {
  SetInt(node.graph().Add("Softmax", InputNames(node), node.output(0)), "axis", -1);
  return absl::OkStatus();
}

template <const char* op>
absl::Status WriteReduction(NodeExport& node) {
  onnx_proto::NodeProto* proto = node.graph().Add(op, InputNames(node), node.output(0));
  const std::vector<int64_t>& axes = node.attributes().GetInts("axes");
  if (axes.empty()) return absl::UnimplementedError("a reduction over no axis");
  SetInts(proto, "axes", axes);
  SetInt(proto, "keepdims", node.attributes().GetBool("keep_dims") ? 1 : 0);
  return absl::OkStatus();
}

absl::Status WriteReduceSum(NodeExport& node) {
  const std::string axes =
      node.graph().Ints(node.attributes().GetInts("axes"), node.node().name + "/axes");
  onnx_proto::NodeProto* proto =
      node.graph().Add("ReduceSum", {node.input(0), axes}, node.output(0));
  SetInt(proto, "keepdims", node.attributes().GetBool("keep_dims") ? 1 : 0);
  SetInt(proto, "noop_with_empty_axes", 1);
  return absl::OkStatus();
}

// Pooling over the steps of all rows.
template <const char* op>
absl::Status WritePooling(NodeExport& node) {
  if (node.has_input(1)) return absl::UnimplementedError("pooling under a mask");
  onnx_proto::NodeProto* proto = node.graph().Add(op, {node.input(0)}, node.output(0));
  SetInts(proto, "axes", {1});
  SetInt(proto, "keepdims", 0);
  return absl::OkStatus();
}

// The axes of `like` that x lacks come in with extent 1.
absl::Status WriteBroadcastLike(NodeExport& node) {
  std::string x = node.input(0);
  if (node.input_type(0).shape.rank() < node.input_type(1).shape.rank()) {
    x = node.Emit("Unsqueeze", {x, node.graph().Ints(node.attributes().GetInts("axes"),
                                                     node.node().name + "/axes")});
  }
  const std::string shape = node.Emit("Shape", {node.input(1)});
  node.graph().Add("Expand", {x, shape}, node.output(0));
  return absl::OkStatus();
}

absl::Status WriteBroadcastTo(NodeExport& node) {
  std::vector<int64_t> extents = node.attributes().GetInts("shape");
  for (int64_t& extent : extents) extent = extent == -1 ? 1 : extent;
  const std::string shape = node.graph().Ints(extents, node.node().name + "/shape");
  node.graph().Add("Expand", {node.input(0), shape}, node.output(0));
  return absl::OkStatus();
}

absl::Status WriteReshape(NodeExport& node) {
  const std::vector<int64_t>& extents = node.attributes().GetInts("shape");
  const std::string shape = node.graph().Ints(extents, node.node().name + "/shape");
  onnx_proto::NodeProto* proto =
      node.graph().Add("Reshape", {node.input(0), shape}, node.output(0));
  SetInt(proto, "allowzero", 1);
  return absl::OkStatus();
}

absl::Status WriteTranspose(NodeExport& node) {
  SetInts(node.graph().Add("Transpose", InputNames(node), node.output(0)), "perm",
          node.attributes().GetInts("permutation"));
  return absl::OkStatus();
}

absl::Status WriteConcat(NodeExport& node) {
  SetInt(node.graph().Add("Concat", InputNames(node), node.output(0)), "axis",
         node.attributes().GetInt("axis"));
  return absl::OkStatus();
}

void AddSlice(NodeExport& node, int64_t begin, int64_t end, int64_t step) {
  const std::string prefix = node.node().name;
  GraphExport& g = node.graph();
  g.Add("Slice",
        {node.input(0), g.Ints({begin}, prefix + "/starts"), g.Ints({end}, prefix + "/ends"),
         g.Ints({node.attributes().GetInt("axis")}, prefix + "/axes"),
         g.Ints({step}, prefix + "/steps")},
        node.output(0));
}

absl::Status WriteSlice(NodeExport& node) {
  AddSlice(node, node.attributes().GetInt("begin"), node.attributes().GetInt("end"),
           node.attributes().GetInt("stride"));
  return absl::OkStatus();
}

absl::Status WriteReverse(NodeExport& node) {
  AddSlice(node, -1, INT32_MIN, -1);
  return absl::OkStatus();
}

absl::Status WriteTakeStep(NodeExport& node) {
  const std::string step = node.graph().Initializer(
      Tensor::Scalar<int64_t>(node.attributes().GetInt("step")), node.node().name + "/step");
  SetInt(node.graph().Add("Gather", {node.input(0), step}, node.output(0)), "axis", 1);
  return absl::OkStatus();
}

// t < lengths[n]
absl::Status WriteSequenceMask(NodeExport& node) {
  std::vector<int32_t> steps(node.attributes().GetInt("time"));
  std::iota(steps.begin(), steps.end(), 0);
  const std::string times =
      node.graph().Initializer(Tensor::Of<int32_t>({1, static_cast<int64_t>(steps.size())}, steps),
                               node.node().name + "/times");
  const std::string column =
      node.Emit("Unsqueeze", {node.input(0), node.graph().Ints({1}, node.node().name + "/axes")});
  CastTo(node, node.Emit("Less", {times, column}), onnx_proto::TensorProto::INT32, node.output(0));
  return absl::OkStatus();
}

// Behind a recurrent operator with the same lengths it is already zero.
bool IsZeroAlready(NodeExport& node) {
  const Node* producer = node.graph().function().producer(node.node().inputs[0]);
  if (producer == nullptr || producer->op->FindOutput("sequence") != 0) return false;
  const int mask = producer->op->FindInput("mask");
  return mask >= 0 && producer->inputs[mask] == node.node().inputs[1];
}

absl::Status WriteZeroMasked(NodeExport& node) {
  GraphExport& g = node.graph();
  if (IsZeroAlready(node)) {
    g.Add("Identity", {node.input(0)}, node.output(0));
    return absl::OkStatus();
  }
  std::vector<int64_t> axes(node.input_type(0).shape.rank() - 2);
  std::iota(axes.begin(), axes.end(), 2);
  std::string condition = Casted(node, node.input(1), onnx_proto::TensorProto::BOOL);
  if (!axes.empty()) {
    condition = node.Emit("Unsqueeze", {condition, g.Ints(axes, node.node().name + "/axes")});
  }
  const std::string zero = g.Initializer(Tensor::Scalar<double>(0).Cast(node.input_type(0).dtype),
                                         node.node().name + "/zero");
  g.Add("Where", {condition, node.input(0), zero}, node.output(0));
  return absl::OkStatus();
}

constexpr ExporterRow kRows[] = {
    {"Abs", WriteSame<kAbs>},
    {"Add", WriteSame<kAdd>},
    {"BroadcastLike", WriteBroadcastLike},
    {"BroadcastTo", WriteBroadcastTo},
    {"Cast", WriteCast},
    {"Ceil", WriteSame<kCeil>},
    {"Concat", WriteConcat},
    {"Constant", WriteConstant},
    {"Dense", WriteDense},
    {"Divide", WriteSame<kDiv>},
    {"Embedding", WriteEmbedding},
    {"Equal", WriteComparison<kEqual>},
    {"Erf", WriteSame<kErf>},
    {"Exp", WriteSame<kExp>},
    {"FillLike", WriteFillLike},
    {"Floor", WriteSame<kFloor>},
    {"Gather", WriteGather},
    {"GlobalAveragePooling1D", WritePooling<kReduceMean>},
    {"GlobalMaxPooling1D", WritePooling<kReduceMax>},
    {"Less", WriteComparison<kLess>},
    {"Log", WriteSame<kLog>},
    {"MatMul", WriteSame<kMatMul>},
    {"Maximum", WriteSame<kMax>},
    {"Minimum", WriteSame<kMin>},
    {"Modulo", WriteModulo},
    {"Multiply", WriteSame<kMul>},
    {"Negative", WriteSame<kNeg>},
    {"OneHot", WriteOneHot},
    {"Power", WriteSame<kPow>},
    {"Reciprocal", WriteSame<kReciprocal>},
    {"ReduceMax", WriteReduction<kReduceMax>},
    {"ReduceMean", WriteReduction<kReduceMean>},
    {"ReduceMin", WriteReduction<kReduceMin>},
    {"ReduceProd", WriteReduction<kReduceProd>},
    {"ReduceSum", WriteReduceSum},
    {"Relu", WriteSame<kRelu>},
    {"Remainder", WriteRemainder},
    {"Reshape", WriteReshape},
    {"Reverse", WriteReverse},
    {"Round", WriteSame<kRound>},
    {"Scale", WriteScale},
    {"SequenceMask", WriteSequenceMask},
    {"Sigmoid", WriteSame<kSigmoid>},
    {"Sign", WriteSame<kSign>},
    {"Slice", WriteSlice},
    {"Softmax", WriteSoftmax},
    {"Sqrt", WriteSame<kSqrt>},
    {"Subtract", WriteSame<kSub>},
    {"TakeStep", WriteTakeStep},
    {"Tanh", WriteSame<kTanh>},
    {"Transpose", WriteTranspose},
    {"Where", WriteWhere},
    {"ZeroMasked", WriteZeroMasked},
};

}  // namespace

absl::Span<const ExporterRow> PlainExporters() { return kRows; }

}  // namespace seqgraph::onnx
