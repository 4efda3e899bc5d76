#include "serialization/onnx/onnx_reader.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/atomic_file.h"
#include "base/status_macros.h"
#include "graph/op_def.h"
#include "graph/rewrite.h"
#include "graph/verifier.h"
#include "serialization/onnx/graph_import.h"
#include "serialization/onnx/metadata.h"
#include "serialization/onnx/node_import.h"
#include "serialization/onnx/tensor.h"
#include "serialization/proto_guard.h"

namespace seqgraph {
namespace onnx {
namespace {

using onnx_proto::GraphProto;
using onnx_proto::ModelProto;
using onnx_proto::NodeProto;
using onnx_proto::TensorProto;
using onnx_proto::ValueInfoProto;

constexpr int64_t kOldestOpset = 7, kNewestOpset = 22;
constexpr int64_t kOldestIr = 3, kNewestIr = 11;
constexpr int kMaxNodes = 100000, kMaxTensors = 100000;
constexpr int kMaxSubgraphs = 8;  // one in the other
constexpr size_t kMaxNameBytes = 1000, kMaxShownName = 200;
constexpr int64_t kFileBytes = int64_t{2} << 30;  // what a protobuf may have
// What may be computed beforehand: for each byte of the file, and besides.
constexpr int64_t kFoldingFactor = 16, kFoldingBase = int64_t{64} << 20;

// A name as it is shown and used for nodes and variables: no control characters, not too long.
std::string Shown(absl::string_view name) {
  name = absl::StripPrefix(name, "/");
  // What is cut could end within a character.
  return name.size() <= kMaxShownName ? absl::Utf8SafeCEscape(name)
                                      : absl::CEscape(name.substr(0, kMaxShownName));
}

// Names that are looked up in the graphs around, too.
struct Scope {
  const Scope* outer = nullptr;
  absl::flat_hash_map<std::string, Operand> values;

  const Operand* Find(const std::string& name) const {
    for (const Scope* scope = this; scope != nullptr; scope = scope->outer) {
      const auto found = scope->values.find(name);
      if (found != scope->values.end()) return &found->second;
    }
    return nullptr;
  }
};

// Whether the operator reads that input as indices, or not at all, so that int32 will do.
bool TakesIndex(const NodeProto& node, int input) {
  const std::string& op = node.op_type();
  return (op == "Gather" && input == 1) || (op == "OneHot" && input == 0) ||
         (input == 0 && (op == "Cast" || op == "Shape" || op == "Size"));
}

class Reader {
 public:
  Reader(const ModelProto& model, const OpRegistry& registry, const OnnxReadOptions& options,
         int64_t file_bytes)
      : model_(model),
        registry_(registry),
        options_(options),
        external_{options.folder, options.max_bytes, options.before_external},
        graph_("predict", registry, file_bytes * kFoldingFactor + kFoldingBase) {}

  absl::StatusOr<Model> Read() {
    SEQ_RETURN_IF_ERROR(ReadVersions());
    Scope scope;
    SEQ_RETURN_IF_ERROR(ReadInitializers(model_.graph(), scope));
    SEQ_RETURN_IF_ERROR(ReadInputs(scope));
    SEQ_RETURN_IF_ERROR(ReadNodes(model_.graph(), scope, 0));
    for (const ValueInfoProto& output : model_.graph().output()) {
      SEQ_ASSIGN_OR_RETURN(const Value value, Output(output.name(), scope));
      graph_.builder().Result(output.name(), value);
    }
    SEQ_ASSIGN_OR_RETURN(const Function whole, std::move(graph_.builder()).Build());
    SEQ_ASSIGN_OR_RETURN(Function predict, EliminateDeadCode(whole, registry_));
    return MakeModel(std::move(predict));
  }

 private:
  absl::Status ReadVersions() {
    if (model_.ir_version() < kOldestIr || model_.ir_version() > kNewestIr) {
      return Unimplemented("not an ONNX model of IR version ", kOldestIr, " to ", kNewestIr,
                           ": it says ", model_.ir_version());
    }
    for (const auto& import : model_.opset_import()) {
      if (import.domain().empty() || import.domain() == "ai.onnx") opset_ = import.version();
    }
    if (opset_ < kOldestOpset || opset_ > kNewestOpset) {
      return Unimplemented("opset ", opset_, " of the default domain; ", kOldestOpset, " to ",
                           kNewestOpset, " are supported");
    }
    if (!model_.has_graph()) return InvalidArgument("it has no graph");
    return absl::OkStatus();
  }

  absl::Status Define(Scope& scope, const std::string& name, Operand operand) {
    if (name.empty() || name.size() > kMaxNameBytes) {
      return InvalidArgument("a name of ", name.size(), " bytes");
    }
    if (scope.Find(name) != nullptr) return InvalidArgument(Shown(name), " is there twice");
    scope.values.emplace(name, std::move(operand));
    return absl::OkStatus();
  }

  // Numbers with axes are weights, unless only shapes come of them; scalars are constants.
  absl::Status ReadInitializers(const GraphProto& graph, Scope& scope) {
    if (graph.sparse_initializer_size() > 0) return Unimplemented("sparse initializers");
    tensors_ += graph.initializer_size();
    if (tensors_ > kMaxTensors) return ResourceExhausted("more than ", kMaxTensors, " tensors");
    for (const TensorProto& proto : graph.initializer()) {
      const std::string where = absl::StrCat("initializer ", Shown(proto.name()));
      absl::StatusOr<Tensor> tensor = TensorFromOnnx(proto, &external_);
      // A type that graphs do not have only matters where a node reads it.
      if (absl::IsUnimplemented(tensor.status())) {
        refused_[proto.name()] = tensor.status();
        continue;
      }
      if (!tensor.ok()) return Annotate(tensor.status(), where);
      if (HoldsBatch(*tensor)) return Unimplemented(where, " has an int64 of -2^63");
      const bool weight = IsReal(tensor->dtype()) && tensor->shape().rank() > 0;
      Operand operand = Operand::Of(*std::move(tensor), weight ? Shown(proto.name()) : "");
      operand.boolean = proto.data_type() == TensorProto::BOOL;
      SEQ_RETURN_IF_ERROR(Define(scope, proto.name(), std::move(operand)));
    }
    return absl::OkStatus();
  }

  // The name of the extent that is the batch: the first one of the first input that is symbolic
  // there, or the only symbol of all. Anonymous ones are "".
  std::optional<std::string> FindBatch(const Scope& scope) const {
    std::vector<std::string> others;
    for (const ValueInfoProto& input : model_.graph().input()) {
      if (scope.Find(input.name()) != nullptr || options_.constants.contains(input.name()))
        continue;
      const auto& dims = input.type().tensor_type().shape().dim();
      for (int i = 0; i < dims.size(); ++i) {
        if (dims[i].has_dim_value() || options_.dims.contains(dims[i].dim_param())) continue;
        if (i == 0) return dims[i].dim_param();
        others.push_back(dims[i].dim_param());
      }
    }
    std::sort(others.begin(), others.end());
    others.erase(std::unique(others.begin(), others.end()), others.end());
    if (others.size() == 1 && !others[0].empty()) return others[0];
    return std::nullopt;
  }

  absl::StatusOr<Shape> InputShape(const ValueInfoProto& input,
                                   const std::optional<std::string>& batch) const {
    const auto& type = input.type().tensor_type();
    if (!type.has_shape()) return Unimplemented("its number of axes is not known");
    if (type.shape().dim_size() > Shape::kMaxRank) {
      return Unimplemented("more than ", Shape::kMaxRank, " axes");
    }
    Shape shape;
    for (int i = 0; i < type.shape().dim_size(); ++i) {
      const auto& dim = type.shape().dim(i);
      const auto given = options_.dims.find(dim.dim_param());
      if (dim.has_dim_value()) {
        shape.Append(dim.dim_value());
      } else if (given != options_.dims.end()) {
        shape.Append(given->second);
      } else if (batch == dim.dim_param() && (!batch->empty() || i == 0)) {
        shape.Append(Dim::Batch());
      } else {
        return Unimplemented("extent ", i, " is \"", Shown(dim.dim_param()),
                             "\", which is not the batch: give it a value (dims: ",
                             dim.dim_param().empty() ? "NAME" : Shown(dim.dim_param()), "=NUMBER)");
      }
    }
    SEQ_RETURN_IF_ERROR(shape.Validate());
    return shape;
  }

  bool OnlyIndexes(const std::string& name) const {
    for (const ValueInfoProto& output : model_.graph().output()) {
      if (output.name() == name) return false;
    }
    for (const NodeProto& node : model_.graph().node()) {
      for (int i = 0; i < node.input_size(); ++i) {
        if (node.input(i) == name && !TakesIndex(node, i)) return false;
      }
      for (const auto& attribute : node.attribute()) {
        if (attribute.has_g()) return false;  // who knows what a subgraph reads
      }
    }
    return true;
  }

  absl::Status ReadInput(const ValueInfoProto& input, const std::optional<std::string>& batch,
                         Scope& scope) {
    if (!input.type().has_tensor_type()) {
      return Unimplemented("it is no tensor (a sequence, a map, an optional value)");
    }
    const int32_t element = input.type().tensor_type().elem_type();
    SEQ_ASSIGN_OR_RETURN(DType dtype, DTypeFromOnnx(element));
    Operand operand;
    if (const auto found = options_.constants.find(input.name());
        found != options_.constants.end()) {
      operand = Operand::Of(found->second);
    } else {
      SEQ_ASSIGN_OR_RETURN(const Shape shape, InputShape(input, batch));
      if (dtype == DType::kInt64 && OnlyIndexes(input.name())) dtype = DType::kInt32;
      operand.type = {dtype, shape};
      operand.value = graph_.builder().Input(input.name(), operand.type);
      SEQ_RETURN_IF_ERROR(graph_.builder().status());
    }
    operand.boolean = element == TensorProto::BOOL;
    return Define(scope, input.name(), std::move(operand));
  }

  absl::Status ReadInputs(Scope& scope) {
    if (model_.graph().input_size() > kMaxTensors) {
      return ResourceExhausted("more than ", kMaxTensors, " inputs");
    }
    const std::optional<std::string> batch = FindBatch(scope);
    for (const ValueInfoProto& input : model_.graph().input()) {
      // Older files list initializers among the inputs.
      if (scope.Find(input.name()) != nullptr || refused_.contains(input.name())) continue;
      SEQ_RETURN_IF_ERROR(
          Annotate(ReadInput(input, batch, scope), absl::StrCat("input ", Shown(input.name()))));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<Operand> Lookup(const std::string& name, const Scope& scope) const {
    if (name.empty()) return Absent();
    const Operand* found = scope.Find(name);
    if (found != nullptr) return *found;
    if (const auto refused = refused_.find(name); refused != refused_.end()) {
      return Annotate(refused->second, absl::StrCat("initializer ", Shown(name)));
    }
    return InvalidArgument("it reads ", Shown(name), ", which nothing computes before");
  }

  absl::Status ReadNodes(const GraphProto& graph, Scope& scope, int depth) {
    nodes_ += graph.node_size();
    if (nodes_ > kMaxNodes) return ResourceExhausted("more than ", kMaxNodes, " nodes");
    for (const NodeProto& node : graph.node()) {
      const std::string name = NameOf(node);
      graph_.builder().set_default_name(name);
      SEQ_RETURN_IF_ERROR(Annotate(ReadNode(node, name, scope, depth),
                                   absl::StrCat("node ", name, " (", Shown(node.op_type()), ")")));
    }
    return absl::OkStatus();
  }

  // Its own, or that of its first output.
  static std::string NameOf(const NodeProto& node) {
    std::string name = Shown(node.name());
    if (name.empty() && node.output_size() > 0) name = Shown(node.output(0));
    return name.empty() ? "node" : name;
  }

  absl::Status ReadNode(const NodeProto& node, const std::string& name, Scope& scope, int depth) {
    if (!node.domain().empty() && node.domain() != "ai.onnx") {
      return Unimplemented("operators of domain ", Shown(node.domain()), " are not supported");
    }
    if (node.op_type() == "If") return ReadBranch(node, scope, depth);
    const ConverterRow* row = FindConverter(node.op_type());
    if (row == nullptr) return Unimplemented("the operator is not supported (opset ", opset_, ")");
    std::vector<Operand> inputs;
    for (const std::string& input : node.input()) {
      SEQ_ASSIGN_OR_RETURN(inputs.emplace_back(), Lookup(input, scope));
    }
    NodeImport context(graph_, node, row->ours, opset_, std::move(inputs), name);
    SEQ_ASSIGN_OR_RETURN(Operand first, row->convert(context));
    context.SetOutput(0, std::move(first));
    SEQ_RETURN_IF_ERROR(context.CheckAllRead());
    for (int i = 0; i < node.output_size(); ++i) {
      if (node.output(i).empty()) continue;
      if (!context.outputs()[i].present()) return Unimplemented("output ", i, " is not supported");
      SEQ_RETURN_IF_ERROR(Define(scope, node.output(i), context.outputs()[i]));
    }
    return absl::OkStatus();
  }

  // The branch that is taken, where that is known.
  absl::Status ReadBranch(const NodeProto& node, Scope& scope, int depth) {
    if (depth == kMaxSubgraphs) {
      return ResourceExhausted("more than ", kMaxSubgraphs, " graphs one in the other");
    }
    if (node.input_size() != 1) return InvalidArgument("it needs one input");
    SEQ_ASSIGN_OR_RETURN(const Operand condition, Lookup(node.input(0), scope));
    if (condition.known == nullptr || condition.known->num_elements() != 1) {
      return Unimplemented("which branch is taken depends on the inputs");
    }
    const char* taken = IsZero(condition) ? "else_branch" : "then_branch";
    for (const auto& attribute : node.attribute()) {
      if (attribute.name() != taken || !attribute.has_g()) continue;
      const GraphProto& branch = attribute.g();
      if (branch.output_size() != node.output_size()) {
        return InvalidArgument("a branch has not as many outputs as the node");
      }
      Scope inner{&scope, {}};
      SEQ_RETURN_IF_ERROR(ReadInitializers(branch, inner));
      SEQ_RETURN_IF_ERROR(ReadNodes(branch, inner, depth + 1));
      for (int i = 0; i < branch.output_size(); ++i) {
        SEQ_ASSIGN_OR_RETURN(Operand result, Lookup(branch.output(i).name(), inner));
        SEQ_RETURN_IF_ERROR(Define(scope, node.output(i), std::move(result)));
      }
      return absl::OkStatus();
    }
    return InvalidArgument("it has no ", taken);
  }

  absl::StatusOr<Value> Output(const std::string& name, const Scope& scope) {
    const std::string where = absl::StrCat("output ", Shown(name));
    SEQ_ASSIGN_OR_RETURN(Operand operand, Annotate(Lookup(name, scope), where));
    if (!operand.present()) return InvalidArgument("an output without a name");
    graph_.builder().set_default_name(Shown(name));
    return Annotate(graph_.Materialize(operand), where);
  }

  absl::StatusOr<Model> MakeModel(Function predict) {
    Model model;
    model.name = Shown(model_.graph().name());
    model.description =
        absl::StrCat("imported from an ONNX model of ", model_.producer_name().empty()
                                                            ? std::string("an unnamed producer")
                                                            : Shown(model_.producer_name()));
    SEQ_RETURN_IF_ERROR(model.AddFunction(std::move(predict)));
    for (const ImportedVariable& variable : graph_.variables()) {
      if (model.variables.Find(variable.def.name) == nullptr) continue;  // nothing reads it
      SEQ_RETURN_IF_ERROR(model.variables.Assign(variable.def.name, variable.value));
    }
    SEQ_RETURN_IF_ERROR(ReadMetadata(model_, &model));
    SEQ_RETURN_IF_ERROR(VerifyModel(model));
    return model;
  }

  const ModelProto& model_;
  const OpRegistry& registry_;
  const OnnxReadOptions& options_;
  ExternalData external_;
  GraphImport graph_;
  int64_t opset_ = 0;
  int64_t nodes_ = 0, tensors_ = 0;
  absl::flat_hash_map<std::string, absl::Status> refused_;  // initializers, by name
};

}  // namespace
}  // namespace onnx

absl::StatusOr<Model> ParseOnnx(absl::string_view bytes, const OpRegistry& registry,
                                const OnnxReadOptions& options) {
  onnx_proto::ModelProto model;
  SEQ_RETURN_IF_ERROR(ParseForeignProto(bytes, &model));
  return onnx::Reader(model, registry, options, static_cast<int64_t>(bytes.size())).Read();
}

absl::StatusOr<Model> LoadOnnx(const std::string& path, const OpRegistry& registry,
                               OnnxReadOptions options) {
  SEQ_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path, onnx::kFileBytes));
  const size_t slash = path.rfind('/');
  options.folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  return Annotate(ParseOnnx(bytes, registry, options), absl::StrCat("cannot load ", path));
}

}  // namespace seqgraph
