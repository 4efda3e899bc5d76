#include "serialization/onnx/node_export.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "serialization/onnx/tensor.h"

namespace seqgraph::onnx {

using onnx_proto::AttributeProto;
using onnx_proto::NodeProto;

GraphExport::GraphExport(const Model& model, const Function& function,
                         onnx_proto::GraphProto* graph)
    : model_(model),
      function_(function),
      graph_(graph),
      consumers_(function.Consumers()),
      names_(function.values().size()) {
  // What callers know by name comes first: inputs, then results.
  for (Value input : function.inputs()) names_[input.index] = Fresh(function.info(input).name);
  for (const NamedValue& result : function.results()) {
    const bool computed = function.info(result.value).origin == Origin::kNode;
    std::string& name = names_[result.value.index];
    if (computed && name.empty()) name = result.name;
    taken_.insert(result.name);
  }
  for (size_t i = 0; i < names_.size(); ++i) {
    if (names_[i].empty() && function.values()[i].origin == Origin::kNode) {
      names_[i] = Fresh(function.values()[i].name);
    }
  }
}

std::string GraphExport::Fresh(const std::string& prefix) {
  std::string name = prefix;
  for (int i = 1; !taken_.insert(name).second; ++i) name = absl::StrCat(prefix, "_", i);
  return name;
}

std::string GraphExport::NameOf(Value value) {
  if (!value.present()) return "";
  std::string& name = names_[value.index];
  if (name.empty()) {
    const std::string& variable = function_.variables()[function_.info(value).source].def.name;
    name = Initializer(model_.variables.Find(variable)->value, variable);
  }
  return name;
}

std::string GraphExport::Initializer(const Tensor& content, const std::string& prefix) {
  std::string name = Fresh(prefix);
  *graph_->add_initializer() = TensorToOnnx(content, name);
  return name;
}

std::string GraphExport::Ints(const std::vector<int64_t>& values, const std::string& prefix) {
  return Initializer(Tensor::Of<int64_t>({static_cast<int64_t>(values.size())}, values), prefix);
}

NodeProto* GraphExport::Add(const std::string& op, const std::vector<std::string>& inputs,
                            const std::string& output) {
  NodeProto* node = graph_->add_node();
  node->set_op_type(op);
  for (const std::string& input : inputs) node->add_input(input);
  node->add_output(output);
  return node;
}

void GraphExport::NameNodes() {
  absl::flat_hash_set<std::string> taken;
  const auto name = [&taken](NodeProto& node, const std::string& prefix) {
    node.set_name(prefix);
    for (int i = 1; !taken.insert(node.name()).second; ++i) {
      node.set_name(absl::StrCat(prefix, "_", i));
    }
  };
  for (NodeProto& node : *graph_->mutable_node()) {
    if (!node.name().empty()) name(node, node.name());
  }
  for (NodeProto& node : *graph_->mutable_node()) {
    if (node.name().empty()) name(node, node.output(0));
  }
}

absl::StatusOr<Tensor> GraphExport::Content(Value value) const {
  if (function_.info(value).origin != Origin::kVariable) {
    return Unimplemented("its weights are computed, not variables");
  }
  const VariableDef& def = function_.variables()[function_.info(value).source].def;
  return model_.variables.Find(def.name)->value;
}

bool NodeExport::uses_output(int i) const {
  const Value value = node_.outputs[i];
  const auto& results = graph_.function().results();
  return !graph_.consumers()[value.index].empty() ||
         std::any_of(results.begin(), results.end(),
                     [&](const NamedValue& result) { return result.value == value; });
}

std::string OnnxActivation(const std::string& activation) {
  return activation == "tanh" ? "Tanh" : activation == "relu" ? "Relu" : "Sigmoid";
}

namespace {
// Adds an attribute that `set` gives its value.
template <typename Set>
NodeProto* AddAttribute(NodeProto* node, const char* name, AttributeProto::AttributeType type,
                        Set set) {
  AttributeProto* attribute = node->add_attribute();
  attribute->set_name(name);
  attribute->set_type(type);
  set(*attribute);
  return node;
}
}  // namespace

NodeProto* SetInt(NodeProto* node, const char* name, int64_t value) {
  return AddAttribute(node, name, AttributeProto::INT, [&](auto& to) { to.set_i(value); });
}

NodeProto* SetFloat(NodeProto* node, const char* name, double value) {
  return AddAttribute(node, name, AttributeProto::FLOAT,
                      [&](auto& to) { to.set_f(static_cast<float>(value)); });
}

NodeProto* SetInts(NodeProto* node, const char* name, const std::vector<int64_t>& values) {
  return AddAttribute(node, name, AttributeProto::INTS,
                      [&](auto& to) { to.mutable_ints()->Add(values.begin(), values.end()); });
}

NodeProto* SetString(NodeProto* node, const char* name, const std::string& value) {
  return AddAttribute(node, name, AttributeProto::STRING, [&](auto& to) { to.set_s(value); });
}

NodeProto* SetStrings(NodeProto* node, const char* name, const std::vector<std::string>& values) {
  return AddAttribute(node, name, AttributeProto::STRINGS,
                      [&](auto& to) { to.mutable_strings()->Add(values.begin(), values.end()); });
}

NodeProto* SetTensor(NodeProto* node, const char* name, const Tensor& value) {
  return AddAttribute(node, name, AttributeProto::TENSOR,
                      [&](auto& to) { *to.mutable_t() = TensorToOnnx(value, ""); });
}

}  // namespace seqgraph::onnx
