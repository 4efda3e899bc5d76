#include "graph/function.h"

#include <algorithm>

#include "graph/op_def.h"

namespace seqgraph {
namespace {

Value FindNamed(const std::vector<NamedValue>& named, absl::string_view name) {
  for (const NamedValue& entry : named) {
    if (entry.name == name) return entry.value;
  }
  return {};
}

}  // namespace

int NodeVersion(const Node& node) {
  int version = node.op->oldest_version();
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (node.inputs[i].present()) version = std::max(version, node.op->inputs()[i].since);
  }
  for (const AttributeDef& def : node.op->attributes()) {
    const AttributeValue* value = node.attributes.Find(def.name);
    const bool is_default = value == nullptr || def.default_value == *value;
    if (!is_default) version = std::max(version, def.since);
  }
  return version;
}

Function::Function() = default;
Function::Function(const Function&) = default;
Function::Function(Function&&) noexcept = default;
Function& Function::operator=(const Function&) = default;
Function& Function::operator=(Function&&) noexcept = default;
Function::~Function() = default;

const Node* Function::producer(Value value) const {
  if (!value.present()) return nullptr;
  const ValueInfo& info = values_[value.index];
  return info.origin == Origin::kNode ? &nodes_[info.source] : nullptr;
}

Value Function::FindValue(absl::string_view name) const {
  for (size_t i = 0; i < values_.size(); ++i) {
    if (values_[i].name == name) return Value{static_cast<int>(i)};
  }
  return {};
}

Value Function::FindResult(absl::string_view name) const { return FindNamed(results_, name); }

const VariableRead* Function::FindVariable(absl::string_view name) const {
  for (const VariableRead& read : variables_) {
    if (read.def.name == name) return &read;
  }
  return nullptr;
}

std::vector<bool> Function::UsedValues() const {
  std::vector<bool> used(values_.size(), false);
  for (const Node& node : nodes_) {
    for (Value input : node.inputs) {
      if (input.present()) used[input.index] = true;
    }
  }
  for (const NamedValue& result : results_) used[result.value.index] = true;
  for (const NamedValue& update : updates_) used[update.value.index] = true;
  return used;
}

bool Function::has_symbolic_batch() const {
  for (const ValueInfo& value : values_) {
    if (!value.type.shape.is_static()) return true;
  }
  return false;
}

std::optional<int64_t> IndexLimit(const Function& function, Value value) {
  std::optional<int64_t> limit;
  for (const Node& node : function.nodes()) {
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const std::string& below = node.op->inputs()[i].below;
      if (node.inputs[i] != value || below.empty()) continue;
      const int indexed = node.op->FindInput(below);
      const int64_t here = indexed < 0 ? node.attributes.GetInt(below)
                                       : function.type(node.inputs[indexed]).shape[0].size();
      limit = std::min(limit.value_or(here), here);
    }
  }
  return limit;
}

}  // namespace seqgraph
