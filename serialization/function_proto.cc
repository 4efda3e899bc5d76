#include "serialization/function_proto.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "graph/function_builder.h"
#include "graph/op_def.h"
#include "serialization/enum_table.h"
#include "serialization/proto_guard.h"

namespace seqgraph {
namespace {

using Kind = Initializer::Kind;

constexpr EnumRow<Kind, proto::Initializer::Kind> kInitializers[] = {
    {Kind::kZeros, proto::Initializer::ZEROS},
    {Kind::kConstant, proto::Initializer::CONSTANT},
    {Kind::kUniform, proto::Initializer::UNIFORM},
    {Kind::kGlorotUniform, proto::Initializer::GLOROT_UNIFORM},
    {Kind::kOrthogonal, proto::Initializer::ORTHOGONAL},
};

constexpr EnumRow<VariableRole, proto::VariableDef::Role> kRoles[] = {
    {VariableRole::kWeight, proto::VariableDef::WEIGHT},
    {VariableRole::kOptimizer, proto::VariableDef::OPTIMIZER},
};

absl::Status CheckCount(absl::string_view what, int count, int most = kMaxFunctionVariables) {
  if (count <= most) return absl::OkStatus();
  return InvalidArgument(count, " ", what, "; at most ", most);
}

absl::Status CheckNode(const proto::Node& node) {
  SEQ_RETURN_IF_ERROR(CheckName("an op", node.op()));
  for (const proto::Attribute& attribute : node.attributes()) {
    SEQ_RETURN_IF_ERROR(CheckName("an attribute", attribute.name()));
    SEQ_RETURN_IF_ERROR(AttributeFromProto(attribute).status());
  }
  for (const std::string& output : node.outputs()) {
    if (!output.empty()) SEQ_RETURN_IF_ERROR(CheckName("an output", output));
  }
  return absl::OkStatus();
}

absl::Status CheckParts(const proto::Function& function) {
  SEQ_RETURN_IF_ERROR(CheckCount("variables", function.variables_size()));
  SEQ_RETURN_IF_ERROR(CheckCount("results", function.results_size()));
  SEQ_RETURN_IF_ERROR(CheckCount("updates", function.updates_size()));
  SEQ_RETURN_IF_ERROR(CheckCount("nodes", function.nodes_size(), kMaxFunctionNodes));
  SEQ_RETURN_IF_ERROR(CheckCount("inputs", function.inputs_size(), kMaxFunctionNodes));
  for (const proto::Input& input : function.inputs()) {
    SEQ_RETURN_IF_ERROR(CheckName("an input", input.name()));
  }
  for (const proto::VariableDef& variable : function.variables()) {
    SEQ_RETURN_IF_ERROR(VariableDefFromProto(variable).status());
  }
  for (const proto::Node& node : function.nodes()) {
    SEQ_RETURN_IF_ERROR(CheckName("a node", node.name()));
    SEQ_RETURN_IF_ERROR(Annotate(CheckNode(node), absl::StrCat("node ", node.name())));
  }
  for (const proto::Result& result : function.results()) {
    SEQ_RETURN_IF_ERROR(CheckName("a result", result.name()));
  }
  return absl::OkStatus();
}

struct AttributeWriter {
  proto::Attribute* out;
  TensorEncoding encoding;
  void operator()(int64_t value) const { out->set_int_value(value); }
  void operator()(double value) const { out->set_float_value(value); }
  void operator()(bool value) const { out->set_bool_value(value); }
  void operator()(const std::string& value) const { out->set_string_value(value); }
  void operator()(const std::vector<int64_t>& value) const {
    out->mutable_ints_value()->mutable_values()->Add(value.begin(), value.end());
  }
  void operator()(DType value) const { out->set_dtype_value(DTypeToProto(value)); }
  void operator()(const TensorAttribute& value) const {
    *out->mutable_tensor_value() = TensorToProto(*value, encoding);
  }
};

proto::Node NodeToProto(const Function& function, const Node& node, TensorEncoding encoding) {
  proto::Node out;
  out.set_name(node.name);
  out.set_op(node.op->name());
  const int version = NodeVersion(node);
  out.set_op_version(version);
  for (const auto& [name, value] : node.attributes.entries()) {
    if (node.op->attributes()[node.op->FindAttribute(name)].since > version) continue;
    *out.add_attributes() = AttributeToProto(name, value, encoding);
  }
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (node.op->inputs()[i].since > version) break;  // they are the last ones, and absent
    const Value input = node.inputs[i];
    out.add_inputs(input.present() ? function.info(input).name : "");
  }
  for (const Value output : node.outputs) out.add_outputs(function.info(output).name);
  return out;
}

// What the node uses must be of the version that it says.
absl::Status CheckUse(const proto::Node& node, const OpDef& op) {
  if (node.op_version() == 0) return absl::OkStatus();
  const auto check = [&](absl::string_view what, absl::string_view name, int since) {
    if (since <= node.op_version()) return absl::OkStatus();
    return InvalidArgument(what, " ", name, " came with version ", since, " of op ", op.name(),
                           "; the node says version ", node.op_version());
  };
  for (const proto::Attribute& attribute : node.attributes()) {
    const int a = op.FindAttribute(attribute.name());
    if (a < 0) continue;  // reported where the node is built
    SEQ_RETURN_IF_ERROR(check("attribute", attribute.name(), op.attributes()[a].since));
  }
  const int count = std::min(node.inputs_size(), static_cast<int>(op.inputs().size()));
  for (int i = 0; i < count; ++i) {
    if (node.inputs(i).empty()) continue;
    SEQ_RETURN_IF_ERROR(check("input", op.inputs()[i].name, op.inputs()[i].since));
  }
  return absl::OkStatus();
}

// Rebuilds one function.
class Importer {
 public:
  Importer(const proto::Function& from, const OpRegistry& registry)
      : from_(from), registry_(registry), builder_(from.name(), registry) {}

  absl::StatusOr<Function> Run() && {
    SEQ_RETURN_IF_ERROR(Sources());
    for (const proto::Node& node : from_.nodes()) {
      SEQ_RETURN_IF_ERROR(Annotate(AddNode(node), absl::StrCat("node ", node.name())));
    }
    for (const proto::Result& result : from_.results()) {
      SEQ_ASSIGN_OR_RETURN(const Value value, Find(result.value(), "result " + result.name()));
      builder_.Result(result.name(), value);
    }
    for (const proto::Update& update : from_.updates()) {
      SEQ_ASSIGN_OR_RETURN(const Value value, Find(update.value(), "update " + update.variable()));
      builder_.Update(update.variable(), value);
    }
    return std::move(builder_).Build();
  }

 private:
  absl::Status Sources() {
    for (const proto::Input& input : from_.inputs()) {
      SEQ_ASSIGN_OR_RETURN(TensorType type,
                           Annotate(TypeFromProto(input.type()), "input " + input.name()));
      SEQ_RETURN_IF_ERROR(Define(input.name(), builder_.Input(input.name(), std::move(type))));
    }
    for (const proto::VariableDef& variable : from_.variables()) {
      SEQ_ASSIGN_OR_RETURN(VariableDef def, VariableDefFromProto(variable));
      SEQ_RETURN_IF_ERROR(Define(variable.name(), builder_.Variable(std::move(def))));
    }
    return absl::OkStatus();
  }

  absl::Status AddNode(const proto::Node& node) {
    if (!node_names_.insert(node.name()).second) {
      return InvalidArgument("there are two nodes of this name");
    }
    SEQ_ASSIGN_OR_RETURN(const OpDef* op, registry_.Get(node.op()));
    Attributes attributes;
    for (const proto::Attribute& attribute : node.attributes()) {
      if (attributes.Find(attribute.name()) != nullptr) {
        return InvalidArgument("attribute ", attribute.name(), " is given twice");
      }
      SEQ_ASSIGN_OR_RETURN(AttributeValue value, AttributeFromProto(attribute));
      attributes.Set(attribute.name(), std::move(value));
    }
    SEQ_RETURN_IF_ERROR(op->UpgradeAttributes(node.op_version(), attributes));
    SEQ_RETURN_IF_ERROR(CheckUse(node, *op));
    std::vector<Value> inputs;
    for (const std::string& name : node.inputs()) {
      Value value;
      if (!name.empty()) {
        SEQ_ASSIGN_OR_RETURN(value, Find(name, absl::StrCat("input ", inputs.size())));
      }
      inputs.push_back(value);
    }
    if (node.outputs_size() > static_cast<int>(op->outputs().size())) {
      return InvalidArgument("names ", node.outputs_size(), " outputs; op ", op->name(), " has ",
                             op->outputs().size());
    }
    const std::vector<Value> outputs =
        builder_.AddNode(node.op(), inputs, std::move(attributes), node.name());
    SEQ_RETURN_IF_ERROR(builder_.status());
    for (int i = 0; i < node.outputs_size(); ++i) {
      if (node.outputs(i).empty()) continue;
      SEQ_RETURN_IF_ERROR(Define(node.outputs(i), outputs[i]));
    }
    return absl::OkStatus();
  }

  absl::Status Define(const std::string& name, Value value) {
    SEQ_RETURN_IF_ERROR(builder_.status());
    if (values_.emplace(name, value).second) return absl::OkStatus();
    return InvalidArgument("there are two values named ", name);
  }

  absl::StatusOr<Value> Find(const std::string& name, absl::string_view where) const {
    const auto it = values_.find(name);
    if (it != values_.end()) return it->second;
    return InvalidArgument(where, " reads value \"", name,
                           "\", which is no input, variable or output of a node before it");
  }

  const proto::Function& from_;
  const OpRegistry& registry_;
  FunctionBuilder builder_;
  absl::flat_hash_map<std::string, Value> values_;
  absl::flat_hash_set<std::string> node_names_;
};

}  // namespace

absl::Status CheckNoZeroByte(absl::string_view what, const std::string& text) {
  if (text.find('\0') == text.npos) return absl::OkStatus();
  return InvalidArgument(what, " holds a zero byte");
}

absl::Status CheckName(absl::string_view what, const std::string& name) {
  SEQ_RETURN_IF_ERROR(CheckNoZeroByte(absl::StrCat("the name of ", what), name));
  if (!name.empty() && name.size() <= kMaxNameBytes) return absl::OkStatus();
  return InvalidArgument("the name of ", what, " has ", name.size(), " bytes; it must have 1 to ",
                         kMaxNameBytes);
}

proto::Initializer InitializerToProto(const Initializer& initializer) {
  proto::Initializer out;
  out.set_kind(EnumToProto(kInitializers, initializer.kind));
  out.set_value(initializer.value);
  return out;
}

absl::StatusOr<Initializer> InitializerFromProto(const proto::Initializer& from) {
  const std::optional<Kind> kind = EnumFromProto(kInitializers, from.kind());
  if (kind.has_value() && !std::isnan(from.value())) return Initializer{*kind, from.value()};
  return InvalidArgument(
      "its initializer is of a kind that this program does not know, or NaN (kind ",
      static_cast<int>(from.kind()), ")");
}

proto::VariableDef VariableDefToProto(const VariableDef& def) {
  proto::VariableDef out;
  out.set_name(def.name);
  *out.mutable_type() = TypeToProto(def.type);
  *out.mutable_initializer() = InitializerToProto(def.initializer);
  out.set_role(EnumToProto(kRoles, def.role));
  out.set_frozen(!def.trainable);
  return out;
}

absl::StatusOr<VariableDef> VariableDefFromProto(const proto::VariableDef& from) {
  const std::string where = absl::StrCat("variable ", from.name());
  SEQ_RETURN_IF_ERROR(CheckName("a variable", from.name()));
  SEQ_ASSIGN_OR_RETURN(TensorType type, Annotate(TypeFromProto(from.type()), where));
  VariableDef def{from.name(), std::move(type)};
  SEQ_ASSIGN_OR_RETURN(def.initializer, Annotate(InitializerFromProto(from.initializer()), where));
  const std::optional<VariableRole> role = EnumFromProto(kRoles, from.role());
  if (!role.has_value()) {
    return InvalidArgument(where, ": this program does not know role ",
                           static_cast<int>(from.role()));
  }
  def.role = *role;
  def.trainable = !from.frozen();
  return def;
}

proto::Attribute AttributeToProto(const std::string& name, const AttributeValue& value,
                                  TensorEncoding encoding) {
  proto::Attribute attribute;
  attribute.set_name(name);
  std::visit(AttributeWriter{&attribute, encoding}, value);
  return attribute;
}

absl::StatusOr<AttributeValue> AttributeFromProto(const proto::Attribute& attribute) {
  switch (attribute.value_case()) {
    case proto::Attribute::kIntValue:
      return AttributeValue(attribute.int_value());
    case proto::Attribute::kFloatValue:
      if (std::isnan(attribute.float_value())) break;
      return AttributeValue(attribute.float_value());
    case proto::Attribute::kBoolValue:
      return AttributeValue(attribute.bool_value());
    case proto::Attribute::kStringValue:
      return AttributeValue(attribute.string_value());
    case proto::Attribute::kIntsValue:
      return AttributeValue(std::vector<int64_t>(attribute.ints_value().values().begin(),
                                                 attribute.ints_value().values().end()));
    case proto::Attribute::kDtypeValue:
      if (const auto dtype = DTypeFromProto(attribute.dtype_value()); dtype.ok()) {
        return AttributeValue(*dtype);
      }
      break;
    case proto::Attribute::kTensorValue: {
      SEQ_ASSIGN_OR_RETURN(Tensor tensor, Annotate(TensorFromProto(attribute.tensor_value()),
                                                   absl::StrCat("attribute ", attribute.name())));
      return AttributeValue(std::move(tensor));
    }
    case proto::Attribute::VALUE_NOT_SET:
      break;
  }
  return InvalidArgument("attribute ", attribute.name(),
                         " has no value, NaN, or an unknown element type");
}

proto::Function FunctionToProto(const Function& function, TensorEncoding encoding) {
  proto::Function out;
  out.set_name(function.name());
  for (const Value input : function.inputs()) {
    proto::Input* saved = out.add_inputs();
    saved->set_name(function.info(input).name);
    *saved->mutable_type() = TypeToProto(function.type(input));
  }
  for (const VariableRead& variable : function.variables()) {
    *out.add_variables() = VariableDefToProto(variable.def);
  }
  for (const Node& node : function.nodes()) {
    *out.add_nodes() = NodeToProto(function, node, encoding);
  }
  for (const NamedValue& result : function.results()) {
    proto::Result* saved = out.add_results();
    saved->set_name(result.name);
    saved->set_value(function.info(result.value).name);
  }
  for (const NamedValue& update : function.updates()) {
    proto::Update* saved = out.add_updates();
    saved->set_variable(update.name);
    saved->set_value(function.info(update.value).name);
  }
  return out;
}

absl::Status CheckFunctionProto(const proto::Function& function) {
  SEQ_RETURN_IF_ERROR(CheckName("a function", function.name()));
  return Annotate(CheckParts(function), absl::StrCat("function ", function.name()));
}

absl::StatusOr<Function> FunctionFromProto(const proto::Function& function,
                                           const OpRegistry& registry) {
  SEQ_RETURN_IF_ERROR(CheckFunctionProto(function));
  absl::StatusOr<Function> built = Importer(function, registry).Run();
  if (built.ok()) return built;
  const std::string where = absl::StrCat("function ", function.name());
  // The builder's own errors say so already.
  if (absl::StartsWith(built.status().message(), where + ":")) return built.status();
  return Annotate(built.status(), where);
}

}  // namespace seqgraph
