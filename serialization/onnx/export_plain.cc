// All ops but the recurrent ones, in operators of opset 14.

#include <cmath>
#include <numeric>

#include "base/status_macros.h"
#include "graph/evaluate.h"
#include "serialization/onnx/export_mask.h"
#include "serialization/onnx/tensor.h"

namespace seqgraph::onnx {
namespace {

using onnx_proto::NodeProto;
using onnx_proto::TensorProto;

std::vector<std::string> InputNames(NodeExport& node) {
  std::vector<std::string> names;
  for (size_t i = 0; i < node.node().inputs.size(); ++i) {
    names.push_back(node.input(static_cast<int>(i)));
  }
  return names;
}

// Ops that ONNX has under another name, or the same; one attribute at most.
absl::StatusOr<NodeProto*> WriteSame(NodeExport& node) {
  NodeProto* proto = node.Write(node.row().onnx, InputNames(node));
  if (node.row().attribute == nullptr) return proto;
  const AttributeValue& value = *node.attributes().Find(node.row().attribute);
  if (const auto* ints = std::get_if<std::vector<int64_t>>(&value)) {
    return SetInts(proto, node.row().onnx_attribute, *ints);
  }
  return SetInt(proto, node.row().onnx_attribute, std::get<int64_t>(value));
}

// Floats: fmod; integers too have it with the attribute, without it the sign of b.
absl::StatusOr<NodeProto*> WriteRemainder(NodeExport& node) {
  return SetInt(node.Write("Mod", InputNames(node)), "fmod", 1);
}

absl::StatusOr<NodeProto*> WriteModulo(NodeExport& node) {
  if (IsReal(node.input_type(0).dtype)) {
    return Unimplemented("ONNX has no modulo of reals with the sign of the divisor");
  }
  return SetInt(node.Write("Mod", InputNames(node)), "fmod", 0);
}

std::string Casted(NodeExport& node, const std::string& x, int32_t type) {
  std::string name = node.Between("Cast");
  SetInt(node.graph().Add("Cast", {x}, name), "to", type);
  return name;
}

// Comparisons give bool there, int32 here.
absl::StatusOr<NodeProto*> WriteComparison(NodeExport& node) {
  const std::string y = node.Emit(node.row().onnx, InputNames(node));
  return SetInt(node.Write("Cast", {y}), "to", TensorProto::INT32);
}

absl::StatusOr<NodeProto*> WriteWhere(NodeExport& node) {
  const std::string condition = Casted(node, node.input(0), TensorProto::BOOL);
  return node.Write("Where", {condition, node.input(1), node.input(2)});
}

absl::StatusOr<NodeProto*> WriteCast(NodeExport& node) {
  return SetInt(node.Write("Cast", {node.input(0)}), "to", DTypeToOnnx(node.output_type(0).dtype));
}

absl::StatusOr<NodeProto*> WriteScale(NodeExport& node) {
  const double factor = node.attributes().GetFloat("factor");
  const std::string name =
      node.Initializer(Tensor::Scalar(factor).Cast(node.input_type(0).dtype), "factor");
  return node.Write("Mul", {node.input(0), name});
}

absl::StatusOr<NodeProto*> WriteElu(NodeExport& node) {
  return SetFloat(node.Write("Elu", {node.input(0)}), "alpha", node.attributes().GetFloat("alpha"));
}

absl::StatusOr<NodeProto*> WriteFillLike(NodeExport& node) {
  const std::string shape = node.Emit("Shape", {node.input(0)});
  const Tensor value = Tensor::Of<double>({1}, {node.attributes().GetFloat("value")})
                           .Cast(node.output_type(0).dtype);
  return SetTensor(node.Write("ConstantOfShape", {shape}), "value", value);
}

absl::StatusOr<NodeProto*> WriteConstant(NodeExport& node) {
  SEQ_ASSIGN_OR_RETURN(const OptionalTensors content,
                       Evaluate(*node.node().op, node.attributes(), OptionalTensors()));
  return SetTensor(node.Write("Constant", {}), "value", *content[0]);
}

absl::StatusOr<NodeProto*> WriteEmbedding(NodeExport& node) {
  return SetInt(node.Write("Gather", {node.input(1), node.input(0)}), "axis", 0);
}

// int64 indices: what runtimes have for float values.
absl::StatusOr<NodeProto*> WriteOneHot(NodeExport& node) {
  const std::string ids = Casted(node, node.input(0), TensorProto::INT64);
  const std::string depth =
      node.Initializer(Tensor::Scalar<int64_t>(node.attributes().GetInt("depth")), "depth");
  // A constant, not an initializer: nothing to train.
  const std::string values = node.Between("values");
  SetTensor(node.graph().Add("Constant", {}, values), "value",
            Tensor::Of<double>({2}, {0, 1}).Cast(node.output_type(0).dtype));
  return SetInt(node.Write("OneHot", {ids, depth, values}), "axis", -1);
}

// Gemm where x is a matrix, else MatMul and Add.
absl::StatusOr<NodeProto*> WriteDense(NodeExport& node) {
  const std::string& activation = node.attributes().GetString("activation");
  const std::string end = activation == "none" ? node.output(0) : node.Between("sum");
  NodeProto* proto = nullptr;
  if (node.input_type(0).shape.rank() == 2) {
    std::vector<std::string> inputs = InputNames(node);
    if (inputs.back().empty()) inputs.pop_back();
    proto = node.graph().Add("Gemm", inputs, end);
  } else if (node.has_input(2)) {
    const std::string product = node.Emit("MatMul", {node.input(0), node.input(1)});
    proto = node.graph().Add("Add", {product, node.input(2)}, end);
  } else {
    proto = node.graph().Add("MatMul", {node.input(0), node.input(1)}, end);
  }
  return activation == "none" ? proto : node.Write(OnnxActivation(activation), {end});
}

absl::StatusOr<NodeProto*> WriteSoftmax(NodeExport& node) {
  return SetInt(node.Write("Softmax", InputNames(node)), "axis", -1);
}

absl::StatusOr<NodeProto*> WriteReduction(NodeExport& node) {
  NodeProto* proto = node.Write(node.row().onnx, InputNames(node));
  const std::vector<int64_t>& axes = node.attributes().GetInts("axes");
  if (axes.empty()) return Unimplemented("a reduction over no axis");
  SetInts(proto, "axes", axes);
  return SetInt(proto, "keepdims", node.attributes().GetBool("keep_dims") ? 1 : 0);
}

absl::StatusOr<NodeProto*> WriteReduceSum(NodeExport& node) {
  const std::string axes = node.Ints(node.attributes().GetInts("axes"), "axes");
  NodeProto* proto = node.Write("ReduceSum", {node.input(0), axes});
  SetInt(proto, "keepdims", node.attributes().GetBool("keep_dims") ? 1 : 0);
  return SetInt(proto, "noop_with_empty_axes", 1);
}

// Of the steps that are not masked; of none 0.
absl::StatusOr<NodeProto*> WriteMaskedPooling(NodeExport& node) {
  SEQ_ASSIGN_OR_RETURN(const MaskSteps* found, StepsOf(node, 1));
  const MaskSteps& steps = *found;
  const auto real = [&](double x) {
    return node.Initializer(Tensor::Scalar(x).Cast(node.input_type(0).dtype), "number");
  };
  const std::string column =
      node.Emit("Unsqueeze", {steps.lengths, node.Ints({1}, "axes")});  // [batch, 1]
  if (node.row().onnx == std::string("ReduceMax")) {
    const std::string x = Masked(node, node.input(0), steps, -INFINITY);
    const std::string most = node.Between("ReduceMax");
    SetInt(SetInts(node.graph().Add("ReduceMax", {x}, most), "axes", {1}), "keepdims", 0);
    return node.Write("Where", {Casted(node, column, TensorProto::BOOL), most, real(0)});
  }
  const std::string x = Masked(node, node.input(0), steps, 0);
  const std::string sum = node.Between("ReduceSum");
  SetInt(node.graph().Add("ReduceSum", {x, node.Ints({1}, "axes")}, sum), "keepdims", 0);
  const std::string count = Casted(node, column, DTypeToOnnx(node.input_type(0).dtype));
  return node.Write("Div", {sum, node.Emit("Max", {count, real(1)})});
}

// Pooling over the steps of all rows.
absl::StatusOr<NodeProto*> WritePooling(NodeExport& node) {
  if (node.has_input(1)) return WriteMaskedPooling(node);
  NodeProto* proto = node.Write(node.row().onnx, {node.input(0)});
  return SetInt(SetInts(proto, "axes", {1}), "keepdims", 0);
}

// The axes of `like` that x lacks come in with extent 1.
absl::StatusOr<NodeProto*> WriteBroadcastLike(NodeExport& node) {
  std::string x = node.input(0);
  if (node.input_type(0).shape.rank() < node.input_type(1).shape.rank()) {
    x = node.Emit("Unsqueeze", {x, node.Ints(node.attributes().GetInts("axes"), "axes")});
  }
  const std::string shape = node.Emit("Shape", {node.input(1)});
  return node.Write("Expand", {x, shape});
}

absl::StatusOr<NodeProto*> WriteBroadcastTo(NodeExport& node) {
  std::vector<int64_t> extents = node.attributes().GetInts("shape");
  for (int64_t& extent : extents) extent = extent == -1 ? 1 : extent;
  const std::string shape = node.Ints(extents, "shape");
  return node.Write("Expand", {node.input(0), shape});
}

absl::StatusOr<NodeProto*> WriteReshape(NodeExport& node) {
  const std::string shape = node.Ints(node.attributes().GetInts("shape"), "shape");
  return SetInt(node.Write("Reshape", {node.input(0), shape}), "allowzero", 1);
}

NodeProto* AddSlice(NodeExport& node, int64_t begin, int64_t end, int64_t step) {
  return node.Write(
      "Slice", {node.input(0), node.Ints({begin}, "starts"), node.Ints({end}, "ends"),
                node.Ints({node.attributes().GetInt("axis")}, "axes"), node.Ints({step}, "steps")});
}

absl::StatusOr<NodeProto*> WriteSlice(NodeExport& node) {
  return AddSlice(node, node.attributes().GetInt("begin"), node.attributes().GetInt("end"),
                  node.attributes().GetInt("stride"));
}

absl::StatusOr<NodeProto*> WriteReverse(NodeExport& node) {
  return AddSlice(node, -1, INT32_MIN, -1);
}

absl::StatusOr<NodeProto*> WriteTakeStep(NodeExport& node) {
  const std::string step =
      node.Initializer(Tensor::Scalar<int64_t>(node.attributes().GetInt("step")), "step");
  return SetInt(node.Write("Gather", {node.input(0), step}), "axis", 1);
}

// t < lengths[n]
absl::StatusOr<NodeProto*> WriteSequenceMask(NodeExport& node) {
  const int64_t time = node.attributes().GetInt("time");
  SEQ_RETURN_IF_ERROR(CheckSteps(time));
  std::vector<int32_t> steps(time);
  std::iota(steps.begin(), steps.end(), 0);
  const std::string times = node.Initializer(
      Tensor::Of<int32_t>({1, static_cast<int64_t>(steps.size())}, steps), "times");
  const std::string column = node.Emit("Unsqueeze", {node.input(0), node.Ints({1}, "axes")});
  const std::string mask = node.Emit("Less", {times, column});
  return SetInt(node.Write("Cast", {mask}), "to", TensorProto::INT32);
}

// Behind a recurrent operator that took the lengths it is already zero.
bool IsZeroAlready(NodeExport& node) {
  const Node* producer = node.graph().function().producer(node.node().inputs[0]);
  return producer != nullptr && producer->op->recurrence().has_value() &&
         producer->outputs[0] == node.node().inputs[0] && TakesLengths(node.graph(), *producer);
}

absl::StatusOr<NodeProto*> WriteZeroMasked(NodeExport& node) {
  if (IsZeroAlready(node)) return node.Write("Identity", {node.input(0)});
  std::vector<int64_t> axes(node.input_type(0).shape.rank() - 2);
  std::iota(axes.begin(), axes.end(), 2);
  std::string condition = Casted(node, node.input(1), TensorProto::BOOL);
  if (!axes.empty()) condition = node.Emit("Unsqueeze", {condition, node.Ints(axes, "axes")});
  const std::string zero =
      node.Initializer(Tensor::Scalar<double>(0).Cast(node.input_type(0).dtype), "zero");
  return node.Write("Where", {condition, node.input(0), zero});
}

absl::StatusOr<NodeProto*> WriteScatterElements(NodeExport& node) {
  const std::string& reduction = node.attributes().GetString("reduction");
  if (reduction != "none") {
    return Unimplemented("ONNX has the reduction \"", reduction, "\" from opset 18 on");
  }
  return SetInt(node.Write("ScatterElements", InputNames(node)), "axis",
                node.attributes().GetInt("axis"));
}

constexpr ExporterRow kPlainExporterRows[] = {
    {"Abs", WriteSame, "Abs"},
    {"Add", WriteSame, "Add"},
    {"Atan", WriteSame, "Atan"},
    {"BroadcastLike", WriteBroadcastLike},
    {"BroadcastTo", WriteBroadcastTo},
    {"Cast", WriteCast},
    {"Ceil", WriteSame, "Ceil"},
    {"Concat", WriteSame, "Concat", "axis", "axis"},
    {"Constant", WriteConstant},
    {"Cos", WriteSame, "Cos"},
    {"Dense", WriteDense},
    {"Divide", WriteSame, "Div"},
    {"Elu", WriteElu},
    {"Embedding", WriteEmbedding},
    {"Equal", WriteComparison, "Equal"},
    {"Erf", WriteSame, "Erf"},
    {"Exp", WriteSame, "Exp"},
    {"FillLike", WriteFillLike},
    {"Floor", WriteSame, "Floor"},
    {"Gather", WriteSame, "Gather", "axis", "axis"},
    {"GlobalAveragePooling1D", WritePooling, "ReduceMean"},
    {"GlobalMaxPooling1D", WritePooling, "ReduceMax"},
    {"Less", WriteComparison, "Less"},
    {"Log", WriteSame, "Log"},
    {"MatMul", WriteSame, "MatMul"},
    {"Maximum", WriteSame, "Max"},
    {"Minimum", WriteSame, "Min"},
    {"Modulo", WriteModulo},
    {"Multiply", WriteSame, "Mul"},
    {"Negative", WriteSame, "Neg"},
    {"OneHot", WriteOneHot},
    {"Power", WriteSame, "Pow"},
    {"Reciprocal", WriteSame, "Reciprocal"},
    {"ReduceMax", WriteReduction, "ReduceMax"},
    {"ReduceMean", WriteReduction, "ReduceMean"},
    {"ReduceMin", WriteReduction, "ReduceMin"},
    {"ReduceProd", WriteReduction, "ReduceProd"},
    {"ReduceSum", WriteReduceSum},
    {"Relu", WriteSame, "Relu"},
    {"Remainder", WriteRemainder},
    {"Reshape", WriteReshape},
    {"Reverse", WriteReverse},
    {"Round", WriteSame, "Round"},
    {"Scale", WriteScale},
    {"ScatterElements", WriteScatterElements},
    {"SequenceMask", WriteSequenceMask},
    {"Sigmoid", WriteSame, "Sigmoid"},
    {"Sign", WriteSame, "Sign"},
    {"Sin", WriteSame, "Sin"},
    {"Slice", WriteSlice},
    {"Softmax", WriteSoftmax},
    {"Softplus", WriteSame, "Softplus"},
    {"Sqrt", WriteSame, "Sqrt"},
    {"Subtract", WriteSame, "Sub"},
    {"TakeStep", WriteTakeStep},
    {"Tanh", WriteSame, "Tanh"},
    {"Transpose", WriteSame, "Transpose", "permutation", "perm"},
    {"Where", WriteWhere},
    {"ZeroMasked", WriteZeroMasked},
};

}  // namespace

absl::Span<const ExporterRow> PlainExporters() { return kPlainExporterRows; }

}  // namespace seqgraph::onnx
