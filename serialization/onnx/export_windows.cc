// Conv1D, MaxPool1D, AveragePool1D and Pad. ONNX has channels before time.

#include "base/status_macros.h"
#include "serialization/onnx/node_export.h"

namespace seqgraph::onnx {
namespace {

using onnx_proto::NodeProto;

// The operator on [batch, channels, time] between transpositions, with the attributes of windows.
NodeProto* WriteOverTime(NodeExport& node, std::vector<std::string> inputs, int64_t width) {
  const Attributes& attributes = node.attributes();
  const std::string x = node.Between("channels_first"), y = node.Between("windows");
  SetInts(node.graph().Add("Transpose", {node.input(0)}, x), "perm", {0, 2, 1});
  inputs.insert(inputs.begin(), x);
  NodeProto* proto = node.graph().Add(node.row().onnx, inputs, y);
  SetInts(proto, "kernel_shape", {width});
  SetInts(proto, "strides", {attributes.GetInt("stride")});
  SetInts(proto, "pads", {attributes.GetInt("pad_before"), attributes.GetInt("pad_after")});
  SetInts(node.Write("Transpose", {y}), "perm", {0, 2, 1});
  return proto;
}

NodeProto* SetDilation(NodeExport& node, NodeProto* proto) {
  return SetInts(proto, "dilations", {node.attributes().GetInt("dilation")});
}

// Weights [width, channels, filters] as [filters, channels, width].
absl::StatusOr<NodeProto*> WriteConv1D(NodeExport& node) {
  const std::string w = node.Between("filters_first");
  SetInts(node.graph().Add("Transpose", {node.input(1)}, w), "perm", {2, 1, 0});
  std::vector<std::string> inputs = {w};
  if (node.has_input(2)) inputs.push_back(node.input(2));
  NodeProto* proto = WriteOverTime(node, inputs, node.input_type(1).shape[0].size());
  SetInt(proto, "group", node.attributes().GetInt("groups"));
  return SetDilation(node, proto);
}

absl::StatusOr<NodeProto*> WritePool1D(NodeExport& node) {
  NodeProto* proto = WriteOverTime(node, {}, node.attributes().GetInt("width"));
  const AttributeValue* counts = node.attributes().Find("count_include_pad");
  if (counts == nullptr) return SetDilation(node, proto);
  if (node.attributes().GetInt("dilation") != 1) {
    return Unimplemented("an average with gaps, which ONNX has from opset 19 on");
  }
  return SetInt(proto, "count_include_pad", std::get<bool>(*counts) ? 1 : 0);
}

absl::StatusOr<NodeProto*> WritePad(NodeExport& node) {
  const auto axis = static_cast<size_t>(node.attributes().GetInt("axis"));
  const auto rank = static_cast<size_t>(node.input_type(0).shape.rank());
  std::vector<int64_t> pads(2 * rank, 0);
  pads[axis] = node.attributes().GetInt("before");
  pads[rank + axis] = node.attributes().GetInt("after");
  const std::string value = node.Initializer(
      Tensor::Scalar(node.attributes().GetFloat("value")).Cast(node.input_type(0).dtype), "value");
  return node.Write("Pad", {node.input(0), node.Ints(pads, "pads"), value});
}

constexpr ExporterRow kWindowExporterRows[] = {
    {"AveragePool1D", WritePool1D, "AveragePool"},
    {"Conv1D", WriteConv1D, "Conv"},
    {"MaxPool1D", WritePool1D, "MaxPool"},
    {"Pad", WritePad},
};

}  // namespace

absl::Span<const ExporterRow> WindowExporters() { return kWindowExporterRows; }

}  // namespace seqgraph::onnx
