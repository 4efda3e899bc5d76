#include "serialization/onnx/node_reader.h"

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"
#include "serialization/onnx/node_import.h"

namespace seqgraph::onnx {

using onnx_proto::GraphProto;
using onnx_proto::NodeProto;
using onnx_proto::TensorProto;

namespace {

constexpr int kMaxNodes = 100000, kMaxTensors = 100000;
constexpr size_t kMaxNameBytes = 1000, kMaxShownName = 200;

// One of the names, between spaces.
bool Contains(absl::string_view names, absl::string_view name) {
  return absl::StrContains(names, absl::StrCat(" ", name, " "));
}

bool IsElementwise(absl::string_view op) {
  for (const auto& table : {ElementwiseConverters(), ActivationConverters()}) {
    for (const ConverterRow& row : table) {
      if (op == row.op) return true;
    }
  }
  return false;
}

// Operators that know of axes taken together (Operand::merged), beside those of elements.
constexpr absl::string_view kTakeMerged =
    " Flatten Gather Gemm Hardmax LogSoftmax MatMul Reshape Shape Size Softmax ";
// Those that know of numbers of rows (Operand::per_row, row_first).
constexpr absl::string_view kTakeRows =
    " Add Cast Concat Expand Gather GatherND Identity Mul Reshape Shape Size Squeeze Unsqueeze ";
// Those that give of small integers what their own arithmetic gives: they compare or move.
constexpr absl::string_view kTakeNarrow =
    " ArgMax ArgMin Cast CastLike Clip Compress Concat ConvInteger DepthToSpace DequantizeLinear "
    "Equal Expand Flatten Gather GatherElements GatherND Greater GreaterOrEqual Identity Less "
    "LessOrEqual MatMulInteger Max MaxPool Min Mod NonZero OneHot Pad QLinearConv QLinearMatMul "
    "QuantizeLinear com.microsoft:DynamicQuantizeLSTM com.microsoft:DynamicQuantizeMatMul "
    "com.microsoft:MatMulIntegerToFloat "
    "ReduceMax ReduceMin Relu Reshape Resize ReverseSequence ScatterElements "
    "ScatterND Shape Size Slice SpaceToDepth Split Squeeze Tile TopK Transpose Trilu Unsqueeze "
    "Upsample Where ";
// Those whose result is not of their operand's element type.
constexpr absl::string_view kOtherType =
    " ArgMax ArgMin Cast CastLike com.microsoft:DynamicQuantizeLSTM "
    "com.microsoft:DynamicQuantizeMatMul "
    "com.microsoft:MatMulIntegerToFloat ConvInteger DequantizeLinear MatMulInteger NonZero "
    "QLinearConv "
    "QLinearMatMul QuantizeLinear Shape Size ";

bool IsNarrowInteger(const Operand& x) { return x.narrow != 0 && !IsReal(x.type.dtype); }

// Refuses operands of a kind that the operator does not know.
absl::Status CheckKinds(absl::string_view op, absl::Span<const Operand> inputs) {
  for (const Operand& x : inputs) {
    if (x.merged > 0 && !IsElementwise(op) && !Contains(kTakeMerged, op)) {
      return Unimplemented("the batch of ", x.shape().ToString(), " and other axes taken together");
    }
    if ((x.per_row != 0 || x.row_first) && !Contains(kTakeRows, op)) {
      return Unimplemented("it computes with the numbers of rows");
    }
    // An exponent may be of any type.
    const bool exponent = op == "Pow" && &x != &inputs[0] && IsReal(inputs[0].type.dtype);
    if (IsNarrowInteger(x) && !Contains(kTakeNarrow, op) && !exponent) {
      return Unimplemented("it computes on ", ElementTypeName(x.narrow),
                           ", which goes round at its limits");
    }
  }
  return absl::OkStatus();
}

// The numbers of rows in a result.
absl::Status SetRows(absl::string_view op, absl::Span<const Operand> inputs, Operand& y) {
  const bool any = std::any_of(inputs.begin(), inputs.end(),
                               [](const Operand& x) { return x.per_row != 0 || x.row_first; });
  if (!any || op == "Shape" || op == "Size" || op == "Concat" || op == "Gather" ||
      op == "GatherND") {
    return absl::OkStatus();
  }
  y.row_first = inputs[0].row_first;
  y.per_row = inputs[0].per_row;
  if (op == "Add" && inputs.size() == 2) {
    y.per_row += inputs[1].per_row;
    y.row_first |= inputs[1].row_first;
  }
  if (op == "Mul" && inputs.size() == 2) {
    const Operand& rows = inputs[0].per_row != 0 ? inputs[0] : inputs[1];
    const Operand& by = inputs[0].per_row != 0 ? inputs[1] : inputs[0];
    constexpr double kMost = 1 << 30;
    if (by.known == nullptr || by.known->num_elements() != 1 || HoldsBatch(*by.known)) {
      return Unimplemented("it computes with the numbers of rows");
    }
    const double factor = by.known->Cast(DType::kFloat64).Elements<double>()[0];
    if (!(factor >= 1 && factor * static_cast<double>(rows.per_row) <= kMost)) {
      return Unimplemented("it computes with the numbers of rows");
    }
    y.per_row = rows.per_row * static_cast<int64_t>(factor);
  }
  const bool moves = op != "Add" && op != "Mul";
  if (y.row_first && !(moves && y.rank() == inputs[0].rank())) {
    return Unimplemented("it computes with the numbers of rows");
  }
  // Rows lie along the first axis, as the batch does.
  if (y.rank() > 0 && y.shape()[0].is_batch()) return absl::OkStatus();
  return Unimplemented("it moves the numbers of rows");
}

// What passes from operands to results.
absl::Status PassOn(absl::string_view op, absl::Span<const Operand> inputs, bool first,
                    Operand& y) {
  for (const Operand& x : inputs) {
    if (IsElementwise(op)) y.merged = std::max(y.merged, x.merged);
    if (x.narrow != 0 && y.narrow == 0 && !y.boolean && x.type.dtype == y.type.dtype &&
        !Contains(kOtherType, op)) {
      y.narrow = x.narrow;
    }
  }
  return first ? SetRows(op, inputs, y) : absl::OkStatus();
}

// Its own, or that of its first output.
std::string NameOf(const NodeProto& node) {
  std::string name = Shown(node.name());
  if (name.empty() && node.output_size() > 0) name = Shown(node.output(0));
  return name.empty() ? "node" : name;
}

}  // namespace

std::string Shown(absl::string_view name) {
  name = absl::StripPrefix(name, "/");
  // What is cut could end within a character.
  return name.size() <= kMaxShownName ? absl::Utf8SafeCEscape(name)
                                      : absl::CEscape(name.substr(0, kMaxShownName));
}

std::string KeyOf(absl::string_view domain, absl::string_view op) {
  const bool standard = domain.empty() || domain == "ai.onnx";
  return standard ? std::string(op) : absl::StrCat(domain, ":", op);
}

bool KnowsOperator(absl::string_view op) {
  return op == "If" || op == "Loop" || op == "Scan" || FindConverter(op) != nullptr;
}

const Operand* Scope::Find(const std::string& name) const {
  for (const Scope* scope = this; scope != nullptr; scope = scope->outer) {
    const auto found = scope->values.find(name);
    if (found != scope->values.end()) return &found->second;
  }
  return nullptr;
}

absl::Status Define(Scope& scope, const std::string& name, Operand operand) {
  if (name.empty() || name.size() > kMaxNameBytes) {
    return InvalidArgument("a name of ", name.size(), " bytes");
  }
  if (scope.Find(name) != nullptr) return InvalidArgument(Shown(name), " is there twice");
  scope.values.emplace(name, std::move(operand));
  return absl::OkStatus();
}

absl::Status NodeReader::ReadInitializers(const GraphProto& graph, Scope& scope) {
  if (graph.sparse_initializer_size() > 0) return Unimplemented("sparse initializers");
  tensors_ += graph.initializer_size();
  if (tensors_ > kMaxTensors) return ResourceExhausted("more than ", kMaxTensors, " tensors");
  for (const TensorProto& proto : graph.initializer()) {
    const std::string where = absl::StrCat("initializer ", Shown(proto.name()));
    absl::StatusOr<Tensor> tensor = TensorFromOnnx(proto, &external_);
    if (absl::IsUnimplemented(tensor.status())) {
      refused_[proto.name()] = tensor.status();
      continue;
    }
    if (!tensor.ok()) return Annotate(tensor.status(), where);
    if (HoldsBatch(*tensor)) return Unimplemented(where, " has a number that stands for the batch");
    const bool weight = IsReal(tensor->dtype()) && tensor->shape().rank() > 0;
    SEQ_RETURN_IF_ERROR(Define(
        scope, proto.name(),
        OperandOfType(*std::move(tensor), proto.data_type(), weight ? Shown(proto.name()) : "")));
  }
  return absl::OkStatus();
}

void NodeReader::SetFunctions(const onnx_proto::ModelProto& model) {
  for (const auto& function : model.functions()) {
    const auto [place, is_new] =
        functions_.emplace(KeyOf(function.domain(), function.name()), &function);
    if (!is_new) place->second = nullptr;
  }
}

absl::StatusOr<Operand> NodeReader::Lookup(const std::string& name, const Scope& scope) const {
  if (name.empty()) return Absent();
  const Operand* found = scope.Find(name);
  if (found != nullptr) return *found;
  if (const auto refused = refused_.find(name); refused != refused_.end()) {
    return Annotate(refused->second, absl::StrCat("initializer ", Shown(name)));
  }
  return InvalidArgument("it reads ", Shown(name), ", which nothing computes before");
}

absl::StatusOr<std::vector<Operand>> NodeReader::Inputs(const NodeProto& node,
                                                        const Scope& scope) const {
  std::vector<Operand> inputs;
  for (const std::string& input : node.input()) {
    SEQ_ASSIGN_OR_RETURN(inputs.emplace_back(), Lookup(input, scope));
  }
  return inputs;
}

absl::Status NodeReader::ReadNodes(const GraphProto& graph, Scope& scope, int depth) {
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

absl::Status NodeReader::ReadNode(const NodeProto& node, const std::string& name, Scope& scope,
                                  int depth) {
  const std::string op = KeyOf(node.domain(), node.op_type());
  if (const auto found = functions_.find(op); found != functions_.end()) {
    if (found->second == nullptr) return Unimplemented("a function with overloads");
    return ReadCall(node, *found->second, scope, depth);
  }
  if (op == "If") return ReadIf(node, scope, depth);
  if (op == "Loop") return ReadLoop(node, scope, depth);
  if (op == "Scan") return ReadScan(node, scope, depth);
  const ConverterRow* row = FindConverter(op);
  if (row == nullptr && op != node.op_type()) {
    return Unimplemented("the operator of domain ", Shown(node.domain()), " is not supported");
  }
  if (row == nullptr) return Unimplemented("the operator is not supported (opset ", opset_, ")");
  SEQ_ASSIGN_OR_RETURN(const std::vector<Operand> inputs, Inputs(node, scope));
  SEQ_RETURN_IF_ERROR(CheckKinds(op, inputs));
  NodeImport context(graph_, node, row->ours, opset_, inputs, name);
  SEQ_ASSIGN_OR_RETURN(Operand first, row->convert(context));
  context.SetOutput(0, std::move(first));
  SEQ_RETURN_IF_ERROR(context.CheckAllRead());
  for (int i = 0; i < node.output_size(); ++i) {
    if (node.output(i).empty()) continue;
    Operand output = context.outputs()[i];
    if (!output.present()) return Unimplemented("output ", i, " is not supported");
    SEQ_RETURN_IF_ERROR(PassOn(op, inputs, i == 0, output));
    SEQ_RETURN_IF_ERROR(Define(scope, node.output(i), std::move(output)));
  }
  return absl::OkStatus();
}

}  // namespace seqgraph::onnx
