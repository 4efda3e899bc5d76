#include "serialization/onnx/onnx_writer.h"

#include <climits>

#include "absl/strings/str_cat.h"
#include "base/atomic_file.h"
#include "base/status_macros.h"
#include "graph/op_def.h"
#include "graph/verifier.h"
#include "serialization/onnx/metadata.h"
#include "serialization/onnx/node_export.h"
#include "serialization/onnx/tensor.h"
#include "serialization/proto_guard.h"

namespace seqgraph {
namespace onnx {
namespace {

constexpr int64_t kIrVersion = 7, kOpset = 14;  // both of ONNX 1.9

void SetType(const std::string& name, const TensorType& type, onnx_proto::ValueInfoProto* info) {
  info->set_name(name);
  auto* tensor = info->mutable_type()->mutable_tensor_type();
  tensor->set_elem_type(DTypeToOnnx(type.dtype));
  tensor->mutable_shape();
  for (Dim dim : type.shape.dims()) {
    auto* extent = tensor->mutable_shape()->add_dim();
    if (dim.is_batch()) {
      extent->set_dim_param("batch");
    } else {
      extent->set_dim_value(dim.size());
    }
  }
}

const ExporterRow* FindExporter(absl::string_view op) {
  for (const auto& table : {PlainExporters(), RecurrentExporters(), WindowExporters()}) {
    for (const ExporterRow& row : table) {
      if (op == row.op) return &row;
    }
  }
  return nullptr;
}

absl::Status WriteGraph(const Model& model, const Function& function,
                        onnx_proto::GraphProto* graph) {
  if (!function.updates().empty()) {
    return Unimplemented("function ", function.name(),
                         " updates variables, as a stateful layer "
                         "keeps its states in, which ONNX cannot say: build the model without "
                         "stateful, with the same weights");
  }
  for (const NamedValue& result : function.results()) {
    for (Value input : function.inputs()) {
      if (result.name != function.info(input).name || result.value == input) continue;
      return Unimplemented("an input and a result are both called ", result.name,
                           ", which ONNX does not allow");
    }
  }
  graph->set_name(model.name.empty() ? "model" : model.name);
  GraphExport exported(model, function, graph);
  for (Value input : function.inputs()) {
    SetType(exported.NameOf(input), function.type(input), graph->add_input());
  }
  for (const Node& node : function.nodes()) {
    const ExporterRow* row = FindExporter(node.op->name());
    const std::string where = absl::StrCat("node ", node.name, " (", node.op->name(), ")");
    if (row == nullptr) return Unimplemented(where, ": no operator of ONNX stands for it");
    NodeExport context(exported, *row, node);
    SEQ_RETURN_IF_ERROR(Annotate(row->write(context).status(), where));
  }
  for (const NamedValue& result : function.results()) {
    const std::string name = exported.NameOf(result.value);
    if (name != result.name) exported.Add("Identity", {name}, result.name);
    SetType(result.name, function.type(result.value), graph->add_output());
  }
  exported.NameNodes();
  return absl::OkStatus();
}

}  // namespace
}  // namespace onnx

absl::StatusOr<std::string> SerializeOnnx(const Model& model, const OnnxWriteOptions& options) {
  SEQ_RETURN_IF_ERROR(VerifyModel(model));
  SEQ_ASSIGN_OR_RETURN(const Function* function, model.GetFunction(options.function));
  onnx_proto::ModelProto proto;
  proto.set_ir_version(onnx::kIrVersion);
  proto.add_opset_import()->set_version(onnx::kOpset);
  proto.set_producer_name("seqgraph");
  SEQ_RETURN_IF_ERROR(onnx::WriteGraph(model, *function, proto.mutable_graph()));
  onnx::WriteMetadata(model, &proto);
  SEQ_RETURN_IF_ERROR(CheckStringsAreUtf8(proto));
  if (proto.ByteSizeLong() > INT_MAX) {
    return InvalidArgument("the model has more than 2 GiB: a protobuf cannot hold it");
  }
  return SerializeDeterministically(proto);
}

absl::Status SaveOnnx(const Model& model, const std::string& path,
                      const OnnxWriteOptions& options) {
  SEQ_ASSIGN_OR_RETURN(const std::string bytes,
                       Annotate(SerializeOnnx(model, options), absl::StrCat("cannot save ", path)));
  return AtomicWriteFile(path, bytes);
}

}  // namespace seqgraph
