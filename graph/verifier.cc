#include "graph/verifier.h"

#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "graph/op_def.h"

namespace seqgraph {
namespace {

// Walks a function once, knowing which values exist so far.
class FunctionVerifier {
 public:
  explicit FunctionVerifier(const Function& function)
      : function_(function), defined_(function.values().size(), false) {}

  absl::Status Verify() {
    if (function_.name().empty()) return Wrong("has no name");
    if (function_.results().empty() && function_.updates().empty()) {
      return Wrong("has neither result nor update");
    }
    for (size_t i = 0; i < function_.inputs().size(); ++i) {
      SEQ_RETURN_IF_ERROR(Define(function_.inputs()[i], Origin::kInput, i, 0));
    }
    for (size_t i = 0; i < function_.variables().size(); ++i) {
      SEQ_RETURN_IF_ERROR(VerifyVariable(i));
    }
    for (size_t n = 0; n < function_.nodes().size(); ++n) {
      SEQ_RETURN_IF_ERROR(
          Annotate(VerifyNode(n), absl::StrCat("node ", function_.nodes()[n].name)));
    }
    return VerifyResults();
  }

 private:
  static absl::Status Wrong(const std::string& what) { return InvalidArgument(what); }

  absl::Status Define(Value value, Origin origin, size_t source, size_t output) {
    if (!value.present() || value.index >= static_cast<int>(defined_.size())) {
      return Wrong("a value's index is out of range");
    }
    const ValueInfo& info = function_.info(value);
    if (defined_[value.index]) return Wrong(absl::StrCat("value ", info.name, " is defined twice"));
    if (info.origin != origin || info.source != static_cast<int>(source) ||
        info.output != static_cast<int>(output)) {
      return Wrong(absl::StrCat("value ", info.name, " does not name where it comes from"));
    }
    if (info.name.empty() || !value_names_.insert(info.name).second) {
      return Wrong(absl::StrCat("value name \"", info.name, "\" is empty or used twice"));
    }
    defined_[value.index] = true;
    return info.type.shape.Validate();
  }

  absl::Status VerifyVariable(size_t i) {
    const VariableRead& read = function_.variables()[i];
    SEQ_RETURN_IF_ERROR(Define(read.value, Origin::kVariable, i, 0));
    const ValueInfo& info = function_.info(read.value);
    if (info.name != read.def.name || info.type != read.def.type || !info.type.shape.is_static()) {
      return Wrong(absl::StrCat("variable ", read.def.name, " and its value ", info.name,
                                " differ in name or type, or depend on the batch"));
    }
    return absl::OkStatus();
  }

  absl::Status VerifyNode(size_t n) {
    const Node& node = function_.nodes()[n];
    if (node.op == nullptr) return Wrong("has no op");
    if (node.name.empty() || !node_names_.insert(node.name).second) {
      return Wrong("the name is empty or used twice");
    }
    SEQ_ASSIGN_OR_RETURN(const Attributes complete, node.op->CompleteAttributes(node.attributes));
    if (!(complete == node.attributes)) return Wrong("attributes are missing");
    std::vector<std::optional<TensorType>> types;
    for (Value input : node.inputs) {
      types.emplace_back();
      if (!input.present()) continue;
      if (input.index >= static_cast<int>(defined_.size()) || !defined_[input.index]) {
        return Wrong("reads a value that is not computed before it");
      }
      types.back() = function_.type(input);
    }
    SEQ_ASSIGN_OR_RETURN(const std::vector<TensorType> outputs,
                         node.op->InferTypes(types, node.attributes));
    if (outputs.size() != node.outputs.size()) return Wrong("has a wrong number of outputs");
    for (size_t i = 0; i < outputs.size(); ++i) {
      SEQ_RETURN_IF_ERROR(Define(node.outputs[i], Origin::kNode, n, i));
      if (function_.type(node.outputs[i]) != outputs[i]) {
        return Wrong(absl::StrCat("output ", i, " is ", function_.type(node.outputs[i]).ToString(),
                                  ", should be ", outputs[i].ToString()));
      }
    }
    return absl::OkStatus();
  }

  absl::Status VerifyNamed(const std::vector<NamedValue>& named, const char* what) {
    std::set<std::string> names;
    for (const NamedValue& entry : named) {
      if (entry.name.empty() || !names.insert(entry.name).second) {
        return Wrong(absl::StrCat(what, " \"", entry.name, "\" is empty or named twice"));
      }
      if (!entry.value.present() || entry.value.index >= static_cast<int>(defined_.size()) ||
          !defined_[entry.value.index]) {
        return Wrong(absl::StrCat(what, " ", entry.name, " has no value"));
      }
    }
    return absl::OkStatus();
  }

  absl::Status VerifyResults() {
    for (bool defined : defined_) {
      if (!defined) return Wrong("a value is defined nowhere");
    }
    SEQ_RETURN_IF_ERROR(VerifyNamed(function_.results(), "result"));
    SEQ_RETURN_IF_ERROR(VerifyNamed(function_.updates(), "update"));
    for (const NamedValue& update : function_.updates()) {
      const VariableRead* read = function_.FindVariable(update.name);
      if (read == nullptr || function_.type(update.value) != read->def.type) {
        return Wrong(
            absl::StrCat("update of ", update.name, ": no such variable, or of another type"));
      }
    }
    return absl::OkStatus();
  }

  const Function& function_;
  std::vector<bool> defined_;
  std::set<std::string> value_names_;
  std::set<std::string> node_names_;
};

}  // namespace

absl::Status VerifyFunction(const Function& function) {
  return Annotate(FunctionVerifier(function).Verify(), absl::StrCat("function ", function.name()));
}

absl::Status VerifyModel(const Model& model) {
  std::set<std::string> names;
  for (const Function& function : model.functions) {
    if (!names.insert(function.name()).second) {
      return InvalidArgument("two functions are named ", function.name());
    }
    SEQ_RETURN_IF_ERROR(VerifyFunction(function));
    for (const VariableRead& read : function.variables()) {
      const Variable* variable = model.variables.Find(read.def.name);
      if (variable == nullptr) {
        return InvalidArgument("function ", function.name(), " reads variable ", read.def.name,
                               ", which the model does not have");
      }
      if (variable->def.type != read.def.type || variable->value.type() != read.def.type) {
        return InvalidArgument("function ", function.name(), " reads variable ", read.def.name,
                               " as ", read.def.type.ToString(), ", but the model has ",
                               variable->value.type().ToString());
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace seqgraph
