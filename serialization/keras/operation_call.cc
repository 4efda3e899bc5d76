#include "serialization/keras/operation_call.h"

#include <utility>

#include "base/status_macros.h"

namespace seqgraph::keras {
namespace {

// What stands in the place of a layer's name where an argument is no tensor.
constexpr char kConstantValue[] = "_CONSTANT_VALUE";

bool IsTensorFlowRef(const Json& json) {
  return json.is_array() && json.size() >= 3 && json[0].is_string() && json[1].is_number();
}

}  // namespace

bool IsTensorFlowFunction(const Json& entry) {
  const std::string class_name = ClassName(entry);
  return class_name == "TFOpLambda" || class_name == "SlicingOpLambda";
}

absl::Status OperationCall::Read(const Json& entry, EntryCall* call) {
  if (!entry.contains("config") || !entry["config"].is_object() ||
      !entry.contains("inbound_nodes") || !entry["inbound_nodes"].is_array() ||
      entry["inbound_nodes"].size() != 1) {
    return Unimplemented("it is not called once");
  }
  const Json& node = entry["inbound_nodes"][0];
  call_ = call;
  if (IsTensorFlowFunction(entry)) {
    tensorflow_ = true;
    return ReadNode(node);
  }
  if (!node.is_object() || !node.contains("args") || !node["args"].is_array()) {
    return InvalidArgument("it does not say what it takes");
  }
  for (const Json& argument : node["args"]) SEQ_RETURN_IF_ERROR(Operand(argument));
  SEQ_RETURN_IF_ERROR(Name(entry["config"]));
  return node.contains("kwargs") ? Name(node["kwargs"]) : absl::OkStatus();
}

absl::StatusOr<double> OperationCall::NumberOf(const Json& json) {
  if (json.is_number()) return json.get<double>();
  return Unimplemented("its operand ", Shown(json), " is no number");
}

Json OperationCall::Take(const char* name) {
  const auto found = named_.find(name);
  if (found == named_.end()) return Json();
  Json value = std::move(found->second);
  named_.erase(found);
  return value;
}

absl::StatusOr<std::vector<int64_t>> OperationCall::Ints(const char* name) {
  const Json json = Take(name);
  std::vector<int64_t> values;
  if (json.is_null()) return values;
  for (const Json& each : json.is_array() ? json : Json::array({json})) {
    if (!each.is_number_integer() || json.size() > 2 * Shape::kMaxRank) {
      return Unimplemented(name, " = ", Shown(json), " is not known here");
    }
    values.push_back(each.get<int64_t>());
  }
  return values;
}

absl::StatusOr<double> OperationCall::Real(const char* name, double otherwise) {
  const Json json = Take(name);
  return json.is_null() ? absl::StatusOr<double>(otherwise) : NumberOf(json);
}

absl::Status OperationCall::Finish() const {
  for (const auto& [name, value] : named_) {
    if (value.is_null() || value == false || name == "name") continue;
    return Unimplemented("its argument ", name, " = ", Shown(value), " is not known here");
  }
  return absl::OkStatus();
}

absl::Status OperationCall::Name(const Json& named) {
  if (!named.is_object()) return absl::OkStatus();
  for (const auto& [key, value] : named.items()) named_[key] = value;
  return absl::OkStatus();
}

void OperationCall::Constant(Json value) {
  is_tensor_.push_back(false);
  constant_ = std::move(value);
}

absl::Status OperationCall::Tensor(const Json& ref) {
  SEQ_ASSIGN_OR_RETURN(call_->inputs.emplace_back(), ReadRef(ref));
  is_tensor_.push_back(true);
  return is_tensor_.size() <= kMaxStackLayers ? absl::OkStatus()
                                              : InvalidArgument("it takes too many values");
}

// Keras 3's: a tensor, a list of them, or a constant.
absl::Status OperationCall::Operand(const Json& json) {
  const auto is_tensor = [](const Json& each) {
    return each.is_object() && ClassName(each) == "__keras_tensor__" && each.contains("config") &&
           each["config"].is_object() && each["config"].contains("keras_history");
  };
  if (is_tensor(json)) return Tensor(json["config"]["keras_history"]);
  if (!json.is_array() || json.empty() || !is_tensor(json[0])) {
    Constant(json);
    return absl::OkStatus();
  }
  for (const Json& each : json) {
    if (is_tensor(each)) {
      SEQ_RETURN_IF_ERROR(Operand(each));
    } else if (json.size() != 2) {
      return Unimplemented("it takes tensors and others in one list");
    } else {
      Constant(each);
    }
  }
  return absl::OkStatus();
}

// tf_keras's: [name, call, output, {...}], a list of these, or a constant in the place of one.
absl::Status OperationCall::ReadNode(const Json& node) {
  if (!IsTensorFlowRef(node)) {
    if (!node.is_array() || node.empty() || node.size() > kMaxStackLayers) {
      return InvalidArgument("it is called with ", Shown(node));
    }
    for (const Json& each : node) {
      if (!IsTensorFlowRef(each)) return InvalidArgument("it is called with ", Shown(each));
      SEQ_RETURN_IF_ERROR(ReadNode(each));
    }
    return absl::OkStatus();
  }
  if (node[0] == kConstantValue) {
    Constant(node[2]);
  } else {
    SEQ_RETURN_IF_ERROR(Tensor(node));
  }
  if (node.size() < 4 || !node[3].is_object()) return absl::OkStatus();
  for (const auto& [key, value] : node[3].items()) {
    if (key != "y" && key != "b") {
      named_[key] = value;
    } else if (IsTensorFlowRef(value)) {
      SEQ_RETURN_IF_ERROR(Tensor(value));
    } else {
      Constant(value);
    }
  }
  return absl::OkStatus();
}

}  // namespace seqgraph::keras
