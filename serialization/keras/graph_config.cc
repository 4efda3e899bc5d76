#include "serialization/keras/graph_config.h"

#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "serialization/keras/operation_call.h"
#include "serialization/keras/operation_config.h"
#include "serialization/keras/python_code.h"

namespace seqgraph::keras {
namespace {

constexpr int kMaxDepth = 8;  // of models in models

bool IsFunctional(const std::string& class_name) {
  return class_name == "Functional" || class_name == "Model";
}

absl::StatusOr<int> Index(const Json& json) {
  if (json.is_number_integer() && json >= 0 && json <= kMaxStackLayers) return json.get<int>();
  return InvalidArgument("expected the number of a call or output, got ", Shown(json));
}

}  // namespace

absl::StatusOr<ValueRef> ReadRef(const Json& json) {
  if (!json.is_array() || json.size() < 3 || !json[0].is_string()) {
    return InvalidArgument("expected [layer, call, output], got ", Shown(json));
  }
  ValueRef ref{.entry = json[0].get<std::string>()};
  SEQ_ASSIGN_OR_RETURN(ref.call, Index(json[1]));
  SEQ_ASSIGN_OR_RETURN(ref.output, Index(json[2]));
  return ref;
}

namespace {

bool IsRef(const Json& json) { return json.is_array() && !json.empty() && json[0].is_string(); }

// One value or a list of them.
absl::StatusOr<std::vector<ValueRef>> ReadRefs(const Json& json) {
  std::vector<ValueRef> refs;
  if (IsRef(json)) {
    SEQ_ASSIGN_OR_RETURN(refs.emplace_back(), ReadRef(json));
    return refs;
  }
  // Keras takes the values of a dictionary in the order of their keys, which Json keeps.
  if (!(json.is_array() || json.is_object()) || json.size() > kMaxStackLayers) {
    return Unimplemented("its values are no list and no dictionary: ", Shown(json));
  }
  for (const Json& each : json) {
    SEQ_ASSIGN_OR_RETURN(refs.emplace_back(), ReadRef(each));
  }
  return refs;
}

// The arguments of one call.
class CallReader {
 public:
  absl::StatusOr<EntryCall> Read(const Json& node) {
    if (node.is_object()) {
      SEQ_RETURN_IF_ERROR(ReadKeras3(node));
    } else {
      SEQ_RETURN_IF_ERROR(ReadKeras2(node));
    }
    return std::move(call_);
  }

 private:
  // {"args": [...], "kwargs": {...}}, where values are __keras_tensor__ objects.
  absl::Status ReadKeras3(const Json& node) {
    if (!node.contains("args") || !node["args"].is_array()) {
      return InvalidArgument("a call has no arguments");
    }
    SEQ_RETURN_IF_ERROR(Positional(node["args"]));
    if (!node.contains("kwargs") || !node["kwargs"].is_object()) return absl::OkStatus();
    return Named(node["kwargs"]);
  }

  absl::Status Positional(const Json& arguments) {
    for (const Json& argument : arguments) {
      if (argument.is_null()) continue;
      if (argument.is_array()) {
        SEQ_RETURN_IF_ERROR(Positional(argument));
        continue;
      }
      SEQ_ASSIGN_OR_RETURN(const ValueRef ref, TensorRef(argument));
      call_.inputs.push_back(ref);
    }
    return absl::OkStatus();
  }

  static bool IsTensor(const Json& json) {
    return json.is_object() && ClassName(json) == "__keras_tensor__";
  }

  static absl::StatusOr<ValueRef> TensorRef(const Json& json) {
    if (IsTensor(json) && json.contains("config") && json["config"].is_object() &&
        json["config"].contains("keras_history")) {
      return ReadRef(json["config"]["keras_history"]);
    }
    return Unimplemented("a call has the argument ", Shown(json), ", which is not known here");
  }

  // [[name, call, output, {...}], ...], or one of these alone.
  absl::Status ReadKeras2(const Json& node) {
    if (IsRef(node)) return Keras2Value(node);
    if (!node.is_array()) return InvalidArgument("a call is ", Shown(node));
    for (const Json& value : node) SEQ_RETURN_IF_ERROR(Keras2Value(value));
    return absl::OkStatus();
  }

  absl::Status Keras2Value(const Json& value) {
    SEQ_ASSIGN_OR_RETURN(const ValueRef ref, ReadRef(value));
    call_.inputs.push_back(ref);
    return value.size() > 3 && value[3].is_object() ? Named(value[3]) : absl::OkStatus();
  }

  absl::Status Named(const Json& arguments) {
    for (const auto& [key, value] : arguments.items()) {
      if (value.is_null() || value == false || key == "training") continue;
      if (key == "mask") {
        call_.has_mask |= HasTensor(value);
      } else if (key == "initial_state") {
        call_.has_states = true;
        SEQ_RETURN_IF_ERROR(States(value));
      } else {
        return Unimplemented("it is called with ", key, " = ", Shown(value),
                             ", which is not known here");
      }
    }
    return absl::OkStatus();
  }

  // An attention has a list of masks, each of which may be null.
  static bool HasTensor(const Json& masks) {
    if (!masks.is_array() || IsRef(masks)) return !masks.is_null();
    for (const Json& mask : masks) {
      if (!mask.is_null()) return true;
    }
    return false;
  }

  absl::Status States(const Json& value) {
    if (IsTensor(value)) return Positional(Json::array({value}));
    if (IsRef(value)) return Keras2Value(value);
    if (!value.is_array()) return InvalidArgument("its states are ", Shown(value));
    for (const Json& state : value) SEQ_RETURN_IF_ERROR(States(state));
    return absl::OkStatus();
  }

  EntryCall call_;
};

class ModelReader {
 public:
  ModelReader(const LayerReading& reading, int depth) : reading_(reading), depth_(depth) {}

  absl::StatusOr<ModelConfig> Read(const Json& json) {
    const std::string class_name = ClassName(json);
    if (depth_ > kMaxDepth) {
      return InvalidArgument("models lie in each other more than ", kMaxDepth, " deep");
    }
    if (!IsModelConfig(json) || !json.contains("config")) {
      return Unimplemented(
          "the model is ",
          class_name.empty() ? "of no class" : absl::StrCat("of class ", class_name),
          "; Sequential and Functional models are read");
    }
    const Json& settings = json["config"];
    // The first versions of Keras had the list alone.
    if (settings.is_array()) {
      SEQ_RETURN_IF_ERROR(ReadEntries(settings, /*chain=*/true));
    } else {
      SEQ_RETURN_IF_ERROR(ReadSettings(settings, !IsFunctional(class_name)));
    }
    return std::move(model_);
  }

 private:
  absl::Status ReadSettings(const Json& settings, bool chain) {
    Config config(settings, "model");
    config.Text("name", &model_.name);
    config.Bool("trainable", &model_.trainable);
    config.Float32("dtype");
    config.Ignore({"build_config"});
    model_.shape = config.Take("build_input_shape");
    const Json* layers = config.Take("layers");
    const Json* inputs = config.Take("input_layers");
    const Json* outputs = config.Take("output_layers");
    SEQ_RETURN_IF_ERROR(config.Finish());
    if (layers == nullptr || !layers->is_array()) {
      return InvalidArgument("model: it has no list of layers");
    }
    SEQ_RETURN_IF_ERROR(ReadEntries(*layers, chain));
    if (chain) return absl::OkStatus();
    if (inputs == nullptr || outputs == nullptr) {
      return InvalidArgument("model: it does not say its inputs and outputs");
    }
    SEQ_ASSIGN_OR_RETURN(model_.inputs, Annotate(ReadRefs(*inputs), "model"));
    SEQ_ASSIGN_OR_RETURN(model_.outputs, Annotate(ReadRefs(*outputs), "model"));
    // Calls of a model are counted from 1 there.
    if (reading_.version >= 3) CountFromZero(model_.outputs, /*sequential_too=*/false);
    if (reading_.version < 3) {
      CountFromZero(model_.outputs, /*sequential_too=*/true);
      for (EntryConfig& entry : model_.entries) {
        for (EntryCall& call : entry.calls) CountFromZero(call.inputs, /*sequential_too=*/true);
      }
    }
    return absl::OkStatus();
  }

  void CountFromZero(std::vector<ValueRef>& refs, bool sequential_too) {
    for (ValueRef& ref : refs) {
      for (const EntryConfig& entry : model_.entries) {
        if (entry.name != ref.entry || entry.model == nullptr || ref.call == 0) continue;
        if (sequential_too || IsFunctional(entry.class_name)) --ref.call;
      }
    }
  }

  absl::Status ReadEntries(const Json& entries, bool chain) {
    if (entries.size() > kMaxStackLayers) {
      return InvalidArgument("model: it has ", entries.size(), " layers; at most ",
                             kMaxStackLayers);
    }
    std::set<std::string> names;
    for (const Json& json : entries) {
      EntryConfig entry{.name = NameOf(json), .class_name = ClassName(json), .json = &json};
      if (!names.insert(entry.name).second) {
        return InvalidArgument("model: two layers are named ", entry.name);
      }
      if (!chain && IsOperation(json)) {
        // It may make masks alone, which are known without it.
        entry.json = nullptr;
        entry.operation = ReadOperation(json, &entry.calls.emplace_back());
        model_.entries.push_back(std::move(entry));
        continue;
      }
      if (entry.class_name == "Lambda") {
        SEQ_RETURN_IF_ERROR(chain ? Chain(entry) : ReadCalls(json, entry));
        SEQ_RETURN_IF_ERROR(ReadLambda(json, std::move(entry), names));
        continue;
      }
      if (IsModelConfig(json)) {
        SEQ_ASSIGN_OR_RETURN(ModelConfig inner,
                             Annotate(ModelReader(reading_, depth_ + 1).Read(json),
                                      absl::StrCat("model ", entry.name)));
        entry.model = std::make_unique<ModelConfig>(std::move(inner));
      }
      SEQ_RETURN_IF_ERROR(chain ? Chain(entry) : ReadCalls(json, entry));
      model_.entries.push_back(std::move(entry));
    }
    if (model_.entries.empty()) return InvalidArgument("model: it has no layers");
    if (chain) {
      model_.outputs = {{.entry = model_.entries.back().name}};
      // An input that no layer stands for.
      if (!model_.entries[0].is_input()) model_.inputs = {{}};
    }
    return absl::OkStatus();
  }

  // A Lambda as the operations that its Python code is; why it is none is said where its output is
  // taken.
  absl::Status ReadLambda(const Json& json, EntryConfig entry, std::set<std::string>& names) {
    const auto operations = [&]() -> absl::StatusOr<std::vector<Json>> {
      if (entry.calls.size() != 1) return Unimplemented("it is called more than once");
      return OperationsOfLambda(json, entry.calls[0].inputs);
    }();
    if (!operations.ok()) {
      entry.json = nullptr;
      entry.operation = Unimplemented(
          "layer ", entry.name, " (Lambda): ", operations.status().message(),
          ". Of Python code only formulas of tensor operations are read; build the model in Keras "
          "with layers in its place that do the same, take the weights over "
          "(set_weights(old.get_weights()), as a Lambda has none) and save it anew");
      model_.entries.push_back(std::move(entry));
      return absl::OkStatus();
    }
    std::vector<std::string> classes;
    for (const Json& operation : *operations) {
      EntryConfig part{.name = NameOf(operation), .class_name = ClassName(operation)};
      if (part.name != entry.name && !names.insert(part.name).second) {
        return InvalidArgument("model: two layers are named ", part.name);
      }
      part.operation = ReadOperation(operation, &part.calls.emplace_back());
      classes.push_back(part.class_name);
      model_.entries.push_back(std::move(part));
    }
    reading_.notes->push_back(absl::StrCat("layer ", entry.name,
                                           " (Lambda) is Python code; it is read as ",
                                           absl::StrJoin(classes, ", "), " of Keras's operations"));
    return absl::OkStatus();
  }

  // As `x + y` is. Of Keras 3: unlike layers it lies among the operations or, where files do not
  // say where, is not said to be trainable.
  bool IsOperation(const Json& json) const {
    if (!json.is_object() || IsModelConfig(json)) return false;
    if (reading_.version < 3 || IsTensorFlowFunction(json)) return IsTensorFlowFunction(json);
    if (json.contains("module") && json["module"].is_string()) {
      const std::string module = json["module"].get<std::string>();
      if (HasConstant(json)) return true;
      return absl::StartsWith(module, "keras.src.ops") || absl::StartsWith(module, "keras.ops");
    }
    if (!json.contains("config") || !json["config"].is_object()) return false;
    if (HasConstant(json)) return true;
    const Json& settings = json["config"];
    const std::string class_name = ClassName(json);
    const bool known = class_name == "InputLayer" || reading_.registry.Find(class_name) != nullptr;
    return !settings.contains("trainable") && !(known && settings.contains("dtype"));
  }

  // A merging layer of a tensor and an array: what it does is an operation of both.
  static bool HasConstant(const Json& json) {
    if (!json.contains("inbound_nodes") || !json["inbound_nodes"].is_array()) return false;
    for (const Json& node : json["inbound_nodes"]) {
      if (!node.is_object() || !node.contains("args") || !node["args"].is_array()) continue;
      for (const Json& list : node["args"]) {
        for (const Json& each : list.is_array() ? list : Json::array()) {
          const std::string class_name = each.is_object() ? ClassName(each) : std::string();
          if (class_name == "__tensor__" || class_name == "__numpy__") return true;
        }
      }
    }
    return false;
  }

  absl::Status Chain(EntryConfig& entry) {
    if (entry.is_input()) {
      if (!model_.entries.empty()) {
        return InvalidArgument("model: its input is not the first layer alone");
      }
      model_.inputs = {{.entry = entry.name}};
      return absl::OkStatus();
    }
    EntryCall& call = entry.calls.emplace_back();
    call.inputs.emplace_back();
    if (!model_.entries.empty()) call.inputs[0].entry = model_.entries.back().name;
    return absl::OkStatus();
  }

  static absl::Status ReadCalls(const Json& json, EntryConfig& entry) {
    if (entry.is_input()) return absl::OkStatus();
    if (!json.contains("inbound_nodes") || !json["inbound_nodes"].is_array()) {
      return InvalidArgument("layer ", entry.name, ": it does not say what it takes");
    }
    for (const Json& node : json["inbound_nodes"]) {
      SEQ_ASSIGN_OR_RETURN(EntryCall call,
                           Annotate(CallReader().Read(node), absl::StrCat("layer ", entry.name)));
      if (call.inputs.empty()) return InvalidArgument("layer ", entry.name, ": it takes nothing");
      entry.calls.push_back(std::move(call));
    }
    return absl::OkStatus();
  }

  const LayerReading& reading_;
  const int depth_;
  ModelConfig model_;
};

}  // namespace

bool IsModelConfig(const Json& json) {
  const std::string class_name = ClassName(json);
  return class_name == "Sequential" || IsFunctional(class_name);
}

absl::StatusOr<ModelConfig> ParseModelConfig(const Json& json, const LayerReading& reading) {
  return ModelReader(reading, 1).Read(json);
}

absl::StatusOr<Json> ChainOf(const Json& json, const LayerReading& reading) {
  SEQ_ASSIGN_OR_RETURN(const ModelConfig model, ParseModelConfig(json, reading));
  std::map<std::string, const EntryConfig*> entries;
  size_t layers = 0;
  for (const EntryConfig& entry : model.entries) {
    entries[entry.name] = &entry;
    // An operation is none in a chain, but may make a mask, which is known without it.
    layers += !entry.is_input() && entry.json != nullptr;
  }
  const std::string name = model.name.empty() ? "sequential" : model.name;
  const auto no_chain = [&name] {
    return Unimplemented("model ", name, " in a layer: its layers must be a chain there, each of ",
                         "one input; build the model in Keras with each layer in a wrapper of its ",
                         "own, take the weights over and save it anew");
  };
  std::vector<const EntryConfig*> chain;  // from its end
  if (model.inputs.size() != 1 || model.outputs.size() != 1) return no_chain();
  for (std::string next = model.outputs[0].entry; next != model.inputs[0].entry;) {
    const auto found = entries.find(next);
    if (found == entries.end() || chain.size() == layers) return no_chain();
    const EntryConfig& entry = *found->second;
    if (entry.json == nullptr || entry.calls.size() != 1 || entry.calls[0].inputs.size() != 1) {
      return no_chain();
    }
    chain.push_back(&entry);
    next = entry.calls[0].inputs[0].entry;
  }
  if (chain.size() != layers) return no_chain();
  Json settings = {{"name", name}, {"trainable", model.trainable}, {"layers", Json::array()}};
  for (size_t i = chain.size(); i-- > 0;) settings["layers"].push_back(*chain[i]->json);
  return Json{{"class_name", "Sequential"}, {"config", std::move(settings)}};
}

}  // namespace seqgraph::keras
