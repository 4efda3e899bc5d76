#include "serialization/onnx/onnx_reader.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "base/atomic_file.h"
#include "base/status_macros.h"
#include "graph/op_def.h"
#include "graph/rewrite.h"
#include "graph/verifier.h"
#include "serialization/onnx/graph_import.h"
#include "serialization/onnx/metadata.h"
#include "serialization/onnx/node_reader.h"
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

constexpr int64_t kOldestOpset = 1, kNewestOpset = 28;
constexpr int64_t kOldestIr = 3, kNewestIr = 14;
constexpr int kMaxInputs = 100000;
constexpr int kMaxOutputs = 10000;                // as our own files
constexpr int64_t kFileBytes = int64_t{2} << 30;  // what a protobuf may have
// What may be computed beforehand: for each byte of the file, and besides.
constexpr int64_t kFoldingFactor = 16, kFoldingBase = int64_t{64} << 20;

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
        graph_("predict", registry, file_bytes * kFoldingFactor + kFoldingBase),
        nodes_(graph_, {options.folder, options.max_bytes, options.before_external}) {}

  absl::StatusOr<Model> Read() {
    SEQ_RETURN_IF_ERROR(ReadVersions());
    Scope scope;
    SEQ_RETURN_IF_ERROR(nodes_.ReadInitializers(model_.graph(), scope));
    SEQ_RETURN_IF_ERROR(ReadInputs(scope));
    SEQ_RETURN_IF_ERROR(nodes_.ReadNodes(model_.graph(), scope));
    if (model_.graph().output_size() > kMaxOutputs) {
      return ResourceExhausted("more than ", kMaxOutputs, " outputs");
    }
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
    // A model of other domains alone says nothing of the default one.
    int64_t opset = model_.opset_import_size() > 0 ? kNewestOpset : 0;
    for (const auto& import : model_.opset_import()) {
      if (import.domain().empty() || import.domain() == "ai.onnx") opset = import.version();
    }
    if (opset < kOldestOpset || opset > kNewestOpset) {
      return Unimplemented("opset ", opset, " of the default domain; ", kOldestOpset, " to ",
                           kNewestOpset, " are supported");
    }
    nodes_.set_opset(opset);
    nodes_.SetFunctions(model_);
    if (!model_.has_graph()) return InvalidArgument("it has no graph");
    return absl::OkStatus();
  }

  // Of an input that is given when the function runs, extent i: a number, or open.
  struct Extent {
    std::optional<int64_t> number;
    std::string symbol;  // of an open one; may be empty
  };
  Extent ExtentOf(const ValueInfoProto& input, int i) const {
    const auto& dim = input.type().tensor_type().shape().dim(i);
    const auto place = options_.dims.find(absl::StrCat(input.name(), ":", i));
    if (place != options_.dims.end()) return {place->second, ""};
    if (dim.has_dim_value() && dim.dim_value() >= 0) return {dim.dim_value(), ""};
    const auto named = options_.dims.find(dim.dim_param());
    if (named != options_.dims.end() && !dim.dim_param().empty()) return {named->second, ""};
    return {std::nullopt, dim.dim_param()};
  }

  bool IsInput(const ValueInfoProto& input, const Scope& scope) const {
    return scope.Find(input.name()) == nullptr && !nodes_.IsRefused(input.name());
  }

  // What is the batch: each first extent that is open, and what has the name of such a one; or, if
  // no first extent is open, the only name that there is, be it none.
  struct Batch {
    std::set<std::string> symbols;
    bool first = false;
  };
  Batch FindBatch(const Scope& scope) const {
    Batch batch;
    std::set<std::string> others;
    for (const ValueInfoProto& input : model_.graph().input()) {
      if (!IsInput(input, scope) || options_.constants.contains(input.name())) continue;
      for (int i = 0; i < input.type().tensor_type().shape().dim_size(); ++i) {
        const Extent extent = ExtentOf(input, i);
        if (extent.number.has_value()) continue;
        batch.first |= i == 0;
        (i == 0 ? batch.symbols : others).insert(extent.symbol);
      }
    }
    if (batch.first) {
      batch.symbols.erase("");
    } else if (others.size() == 1) {
      batch.symbols = others;
    }
    return batch;
  }

  absl::StatusOr<Shape> InputShape(const ValueInfoProto& input, const Batch& batch) const {
    const auto& type = input.type().tensor_type();
    if (!type.has_shape()) return Unimplemented("its number of axes is not known");
    if (type.shape().dim_size() > Shape::kMaxRank) {
      return Unimplemented("more than ", Shape::kMaxRank, " axes");
    }
    Shape shape;
    bool has_batch = false;
    for (int i = 0; i < type.shape().dim_size(); ++i) {
      const Extent extent = ExtentOf(input, i);
      const bool may_be_batch = (batch.first && i == 0) || batch.symbols.contains(extent.symbol);
      if (extent.number.has_value()) {
        shape.Append(*extent.number);
      } else if (may_be_batch && !has_batch) {
        has_batch = true;
        shape.Append(Dim::Batch());
      } else {
        return OpenExtent(input, i, extent.symbol);
      }
    }
    SEQ_RETURN_IF_ERROR(shape.Validate());
    return shape;
  }

  static absl::Status OpenExtent(const ValueInfoProto& input, int i, const std::string& symbol) {
    const std::string place = absl::StrCat("--dim=", Shown(input.name()), ":", i, "=NUMBER");
    if (symbol.empty()) {
      return Unimplemented("extent ", i, " is open and not the batch: give it a number, ", place);
    }
    return Unimplemented("extent ", i, " is \"", Shown(symbol),
                         "\", which is open and not the batch: give it a number, --dim=",
                         Shown(symbol), "=NUMBER or ", place);
  }

  // A number for what is not there helps nobody.
  absl::Status CheckOptions() const {
    for (const auto& [name, content] : options_.constants) {
      const auto& inputs = model_.graph().input();
      if (std::none_of(inputs.begin(), inputs.end(),
                       [&](const ValueInfoProto& input) { return input.name() == name; })) {
        return InvalidArgument("--constant: there is no input ", Shown(name));
      }
    }
    for (const auto& [name, number] : options_.dims) {
      bool found = false;
      for (const ValueInfoProto& input : model_.graph().input()) {
        const auto& dims = input.type().tensor_type().shape().dim();
        for (int i = 0; i < dims.size(); ++i) {
          found |= dims[i].dim_param() == name || name == absl::StrCat(input.name(), ":", i);
        }
      }
      if (!found) return InvalidArgument("--dim: no input has an extent ", Shown(name));
      if (number < 0 || number > Shape::kMaxElements) {
        return InvalidArgument("--dim: ", Shown(name), " is ", number);
      }
    }
    return absl::OkStatus();
  }

  // The values that are given or read as numbers, not as indices; nothing if a subgraph may read
  // any.
  std::optional<absl::flat_hash_set<absl::string_view>> ReadAsNumbers() const {
    absl::flat_hash_set<absl::string_view> names;
    for (const ValueInfoProto& output : model_.graph().output()) names.insert(output.name());
    for (const NodeProto& node : model_.graph().node()) {
      for (int i = 0; i < node.input_size(); ++i) {
        if (!TakesIndex(node, i)) names.insert(node.input(i));
      }
      for (const auto& attribute : node.attribute()) {
        if (attribute.has_g()) return std::nullopt;
      }
    }
    return names;
  }

  // One number also for an input that has an axis for it.
  absl::StatusOr<Operand> Constant(const ValueInfoProto& input, const Tensor& content,
                                   DType dtype) {
    Operand operand = Operand::Of(content.Cast(dtype));
    const auto& dims = input.type().tensor_type().shape().dim();
    if (dims.size() != 1 || content.shape().rank() != 0) return operand;
    return graph_.Reshape(operand, Shape{1});
  }

  absl::Status ReadInput(const ValueInfoProto& input, const Batch& batch, bool only_indexes,
                         Scope& scope) {
    if (!input.type().has_tensor_type()) {
      return Unimplemented("it is no tensor (a sequence, a map, an optional value)");
    }
    const int32_t element = input.type().tensor_type().elem_type();
    SEQ_ASSIGN_OR_RETURN(DType dtype, DTypeFromOnnx(element));
    Operand operand;
    if (const auto found = options_.constants.find(input.name());
        found != options_.constants.end()) {
      SEQ_ASSIGN_OR_RETURN(operand, Constant(input, found->second, dtype));
    } else {
      SEQ_ASSIGN_OR_RETURN(const Shape shape, InputShape(input, batch));
      if (dtype == DType::kInt64 && only_indexes) dtype = DType::kInt32;
      operand.type = {dtype, shape};
      operand.value = graph_.builder().Input(input.name(), operand.type);
      SEQ_RETURN_IF_ERROR(graph_.builder().status());
    }
    operand.boolean = element == TensorProto::BOOL;
    operand.narrow = NarrowType(element);
    return Define(scope, input.name(), std::move(operand));
  }

  absl::Status ReadInputs(Scope& scope) {
    if (model_.graph().input_size() > kMaxInputs) {
      return ResourceExhausted("more than ", kMaxInputs, " inputs");
    }
    SEQ_RETURN_IF_ERROR(CheckOptions());
    const Batch batch = FindBatch(scope);
    const auto numbers = ReadAsNumbers();
    for (const ValueInfoProto& input : model_.graph().input()) {
      // Older files list initializers among the inputs.
      if (!IsInput(input, scope)) continue;
      const bool only_indexes = numbers.has_value() && !numbers->contains(input.name());
      SEQ_RETURN_IF_ERROR(Annotate(ReadInput(input, batch, only_indexes, scope),
                                   absl::StrCat("input ", Shown(input.name()))));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<Value> Output(const std::string& name, const Scope& scope) {
    const std::string where = absl::StrCat("output ", Shown(name));
    SEQ_ASSIGN_OR_RETURN(Operand operand, Annotate(nodes_.Lookup(name, scope), where));
    if (!operand.present()) return InvalidArgument("an output without a name");
    if (operand.merged > 0 || operand.per_row != 0 || operand.row_first) {
      return Unimplemented(where, ": its extents or elements depend on the batch");
    }
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
    model.labels = graph_.labels;
    SEQ_RETURN_IF_ERROR(ReadMetadata(model_, &model));
    SEQ_RETURN_IF_ERROR(VerifyModel(model));
    return model;
  }

  const ModelProto& model_;
  const OpRegistry& registry_;
  const OnnxReadOptions& options_;
  GraphImport graph_;
  NodeReader nodes_;
};

}  // namespace
}  // namespace onnx

absl::StatusOr<Model> ParseOnnx(absl::string_view bytes, const OpRegistry& registry,
                                const OnnxReadOptions& options) {
  onnx_proto::ModelProto model;
  SEQ_RETURN_IF_ERROR(ParseForeignProto(bytes, &model));
  return onnx::Reader(model, registry, options, static_cast<int64_t>(bytes.size())).Read();
}

absl::StatusOr<std::vector<OnnxInput>> OnnxInputs(const std::string& path) {
  SEQ_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path, onnx::kFileBytes));
  onnx_proto::ModelProto model;
  SEQ_RETURN_IF_ERROR(
      Annotate(ParseForeignProto(bytes, &model), absl::StrCat("cannot load ", path)));
  std::set<std::string> initializers;
  for (const auto& tensor : model.graph().initializer()) initializers.insert(tensor.name());
  std::vector<OnnxInput> inputs;
  for (const auto& info : model.graph().input()) {
    if (initializers.contains(info.name())) continue;
    const auto& type = info.type().tensor_type();
    OnnxInput& input = inputs.emplace_back();
    input.name = info.name();
    const absl::StatusOr<DType> dtype = onnx::DTypeFromOnnx(type.elem_type());
    input.is_integer = dtype.ok() && !IsReal(*dtype);
    for (const auto& dim : type.shape().dim()) {
      const bool known = dim.has_dim_value() && dim.dim_value() >= 0;
      input.extents.push_back({known ? std::optional(dim.dim_value()) : std::nullopt,
                               known ? std::string() : dim.dim_param()});
    }
  }
  return inputs;
}

absl::StatusOr<Model> LoadOnnx(const std::string& path, const OpRegistry& registry,
                               OnnxReadOptions options) {
  SEQ_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path, onnx::kFileBytes));
  const size_t slash = path.rfind('/');
  options.folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  return Annotate(ParseOnnx(bytes, registry, options), absl::StrCat("cannot load ", path));
}

}  // namespace seqgraph
