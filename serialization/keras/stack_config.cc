#include "serialization/keras/stack_config.h"

#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "layers/layer_emission.h"
#include "layers/operation.h"
#include "serialization/keras/graph_config.h"

namespace seqgraph::keras {
namespace {

constexpr char kFloatInput[] = "inputs";
// The length that is taken where neither file nor caller say one.
constexpr int64_t kOpenTime = 32;

class StackReader {
 public:
  StackReader(std::optional<int64_t> time, const LayerReading& reading)
      : time_(time), reading_(reading) {}

  absl::StatusOr<ConfiguredStack> Read(const Json& json) {
    SEQ_ASSIGN_OR_RETURN(const ModelConfig model, ParseModelConfig(json, reading_));
    if (!model.name.empty()) stack_.name = model.name;
    SEQ_RETURN_IF_ERROR(Define(model, "", "", true));
    std::vector<LayerValue> inputs;
    for (size_t i = 0; i < model.inputs.size(); ++i) {
      inputs.push_back({.output = static_cast<int>(i)});
    }
    SEQ_ASSIGN_OR_RETURN(stack_.outputs, Instantiate(model, inputs));
    if (stack_.layers.empty()) return InvalidArgument("model: it has no layers");
    SEQ_RETURN_IF_ERROR(SetInputs(model));
    if (has_operations_) PutInOrder();
    MakeChain();
    std::vector<std::string> outputs;
    for (const ValueRef& output : model.outputs) outputs.push_back(output.entry);
    return ConfiguredStack{std::move(stack_), std::move(places_), std::move(outputs)};
  }

 private:
  // The layers of the model, in its order, with those of the models in it. `path` is where
  // ".weights.h5" has its layers, `around` the outermost model that it lies in.
  absl::Status Define(const ModelConfig& model, const std::string& path, const std::string& around,
                      bool trainable) {
    trainable = trainable && model.trainable;
    std::map<std::string, int> used;
    for (const EntryConfig& entry : model.entries) {
      if (entry.json == nullptr) continue;
      const std::string base = SnakeCase(entry.class_name);
      const int number = used[base]++;
      const std::string group =
          absl::StrCat(path, base, number == 0 ? "" : absl::StrCat("_", number));
      const std::string outermost = around.empty() ? entry.name : around;
      if (entry.is_input()) {
        SEQ_RETURN_IF_ERROR(CheckInput(entry));
      } else if (entry.model != nullptr) {
        SEQ_RETURN_IF_ERROR(
            Define(*entry.model, absl::StrCat(group, "/layers/"), outermost, trainable));
      } else {
        SEQ_ASSIGN_OR_RETURN(Layer layer, ReadLayer(*entry.json, reading_));
        layer.trainable = layer.trainable && trainable;
        // Layers of different models may have one name.
        const std::string name = layer.name;
        for (int i = 0; !names_.insert(layer.name).second; ++i) {
          layer.name = absl::StrCat(outermost, "_", name, i == 0 ? "" : absl::StrCat("_", i));
        }
        if (stack_.layers.size() == kMaxStackLayers) {
          return InvalidArgument("model: it has more than ", kMaxStackLayers, " layers");
        }
        layer_of_[&entry] = static_cast<int>(stack_.layers.size());
        stack_.layers.push_back(std::move(layer));
        places_.push_back({group, outermost});
      }
    }
    return absl::OkStatus();
  }

  static absl::Status CheckInput(const EntryConfig& entry) {
    if (!entry.json->contains("config")) return InvalidArgument("model: its input has no config");
    Config config((*entry.json)["config"], "input layer");
    // Its type follows from what reads it.
    config.Ignore({"name", "dtype", "trainable", "batch_shape", "batch_input_shape", "optional"});
    config.RefuseUnlessUnset({"sparse", "ragged", "input_tensor"});
    return config.Finish();
  }

  // What one call of a model gives.
  struct Instance {
    const ModelConfig& model;
    const std::vector<LayerValue>& inputs;
    std::map<std::string, const EntryConfig*> entries = {};
    /// By entry and number of its call: its outputs, or the call of the layer.
    std::map<std::pair<const EntryConfig*, int>, std::vector<LayerValue>> known = {};
    std::set<std::pair<const EntryConfig*, int>> pending = {};
  };

  absl::StatusOr<std::vector<LayerValue>> Instantiate(const ModelConfig& model,
                                                      const std::vector<LayerValue>& inputs) {
    if (inputs.size() != model.inputs.size()) {
      return InvalidArgument("model ", model.name, ": it takes ", model.inputs.size(),
                             " inputs, got ", inputs.size());
    }
    // Models that hand on what they take call no layer, so that calls of layers are no limit.
    if (++instances_ > kMaxStackLayers) {
      return InvalidArgument("model: it calls models more than ", kMaxStackLayers, " times");
    }
    Instance instance{model, inputs};
    for (const EntryConfig& entry : model.entries) instance.entries[entry.name] = &entry;
    for (const EntryConfig& entry : model.entries) {
      // What operations give is asked for by those that take it, if at all.
      for (size_t i = 0; entry.json != nullptr && i < entry.calls.size(); ++i) {
        SEQ_RETURN_IF_ERROR(Call(instance, entry, static_cast<int>(i)));
      }
    }
    std::vector<LayerValue> outputs;
    for (const ValueRef& ref : model.outputs) {
      SEQ_ASSIGN_OR_RETURN(outputs.emplace_back(), Resolve(instance, ref));
    }
    return outputs;
  }

  absl::StatusOr<LayerValue> Resolve(Instance& in, const ValueRef& ref) {
    if (ref.entry.empty()) return in.inputs[0];
    const auto found = in.entries.find(ref.entry);
    if (found == in.entries.end()) {
      return InvalidArgument("model: it takes a value from ", ref.entry,
                             ", which it does not have");
    }
    const EntryConfig& entry = *found->second;
    if (entry.is_input()) {
      for (size_t i = 0; i < in.model.inputs.size(); ++i) {
        if (in.model.inputs[i].entry == ref.entry) return in.inputs[i];
      }
      return InvalidArgument("model: ", ref.entry, " is none of its inputs");
    }
    if (entry.json == nullptr) SEQ_RETURN_IF_ERROR(entry.operation.status());
    SEQ_RETURN_IF_ERROR(Call(in, entry, ref.call));
    const std::vector<LayerValue>& given = in.known[{&entry, ref.call}];
    if (entry.model == nullptr) return LayerValue{given[0].call, ref.output};
    if (ref.output < static_cast<int>(given.size())) return given[ref.output];
    return InvalidArgument("model ", entry.name, " has no output ", ref.output);
  }

  absl::Status Call(Instance& in, const EntryConfig& entry, int number) {
    if (number >= static_cast<int>(entry.calls.size())) {
      return InvalidArgument("model: ", entry.name, " has no call ", number);
    }
    if (in.known.count({&entry, number}) != 0) return absl::OkStatus();
    if (!in.pending.insert({&entry, number}).second) {
      return InvalidArgument("model: ", entry.name, " takes what it gives");
    }
    const EntryCall& call = entry.calls[number];
    std::vector<LayerValue> taken;
    for (const ValueRef& ref : call.inputs) {
      SEQ_ASSIGN_OR_RETURN(taken.emplace_back(), Resolve(in, ref));
    }
    std::vector<LayerValue>& given = in.known[{&entry, number}];
    if (entry.model != nullptr) {
      SEQ_ASSIGN_OR_RETURN(given, Instantiate(*entry.model, taken));
      return absl::OkStatus();
    }
    if (entry.json == nullptr) {
      SEQ_ASSIGN_OR_RETURN(const int layer, AddOperation(entry));
      return AddCall(layer, call, std::move(taken), given, /*operation=*/true);
    }
    return AddCall(layer_of_[&entry], call, std::move(taken), given, /*operation=*/false);
  }

  // An operation has no weights, and so no place in Keras's files.
  absl::StatusOr<int> AddOperation(const EntryConfig& entry) {
    if (stack_.layers.size() == kMaxStackLayers) {
      return InvalidArgument("model: it has more than ", kMaxStackLayers, " layers");
    }
    Layer layer{.name = entry.name, .kind = *entry.operation};
    for (int i = 1; !names_.insert(layer.name).second; ++i) {
      layer.name = absl::StrCat(entry.name, "_", i);
    }
    SEQ_RETURN_IF_ERROR(Annotate(CheckLayer(layer.kind, reading_.registry),
                                 absl::StrCat("operation ", entry.name)));
    has_operations_ = true;
    places_.push_back({"", layer.name});
    stack_.layers.push_back(std::move(layer));
    return static_cast<int>(stack_.layers.size()) - 1;
  }

  // Whether it makes a mask of its tokens.
  static bool MasksTokens(const LayerKind& kind) {
    const auto zero = kind.settings.find("mask_zero");
    return zero != kind.settings.end() && zero->second == LayerSetting(true);
  }

  static bool HoldsWhatMasksTokens(const LayerKind& kind) {
    return absl::c_any_of(InnerLayers(kind),
                          [](const auto& inner) { return MasksTokens(inner.second.kind); });
  }

  absl::Status AddCall(int layer, const EntryCall& call, std::vector<LayerValue> taken,
                       std::vector<LayerValue>& given, bool operation) {
    if (stack_.calls.size() == kMaxStackLayers) {
      return InvalidArgument("model: it calls layers more than ", kMaxStackLayers, " times");
    }
    const LayerKind& kind = stack_.layers[layer].kind;
    bool masked = kind.class_name == "Masking" || MasksTokens(kind);
    for (const LayerValue& value : taken) masked |= value.call >= 0 && masked_[value.call];
    if (reading_.version < 3 && kind.class_name == "TimeDistributed" &&
        HoldsWhatMasksTokens(kind)) {
      return Unimplemented("layer ", stack_.layers[layer].name,
                           ": in Keras 2 it hands on a mask of [batch, time, ...], for which there "
                           "is no place here; with the layers behind it as one model in a "
                           "TimeDistributed, masks stay within steps");
    }
    if (call.has_mask && !masked) {
      return Unimplemented("layer ", stack_.layers[layer].name,
                           ": it is given a mask that no layer in front of it makes");
    }
    const bool recurrent = reading_.registry.Find(kind.class_name)->keras.takes_states;
    CallMasks masks = CallMasks::kKeras3;
    if (reading_.version < 3) {
      if (masked && taken.size() > 1 && !recurrent) masks = CallMasks::kKeras2;
    } else if (call.has_states && !call.has_mask && masked) {
      masks = CallMasks::kIgnored;
    }
    if (operation && masked) {
      const bool drops = kind.class_name == OperationLayer::kClass;
      masks = drops ? CallMasks::kKeras3 : CallMasks::kDropped;
      masked = false;
    }
    given = {{.call = static_cast<int>(stack_.calls.size())}};
    masked_.push_back(masked);
    stack_.calls.push_back({.layer = layer, .inputs = std::move(taken), .masks = masks});
    return absl::OkStatus();
  }

  static absl::Status Extent(const Json& json, absl::string_view what, int64_t* value) {
    if (json.is_number_integer()) {
      const int64_t extent = json.get<int64_t>();
      if (extent >= 1 && extent <= kMaxLayerExtent) {
        *value = extent;
        return absl::OkStatus();
      }
    }
    return InvalidArgument("model: ", what, " of its input is ", Shown(json),
                           ": expected a number from 1 to ", kMaxLayerExtent);
  }

  // The shape that the configuration of a layer has for its input; null: none.
  static const Json* ShapeOf(const Json* entry) {
    if (entry == nullptr || !entry->is_object() || !entry->contains("config")) return nullptr;
    const Json& settings = (*entry)["config"];
    for (const char* key : {"batch_shape", "batch_input_shape"}) {
      if (settings.is_object() && settings.contains(key) && settings[key].is_array()) {
        return &settings[key];
      }
    }
    return nullptr;
  }

  static const Json* ShapeOfInput(const ModelConfig& model, size_t i) {
    for (const EntryConfig& entry : model.entries) {
      if (!model.inputs[i].entry.empty() && entry.name != model.inputs[i].entry) continue;
      const Json* shape = ShapeOf(entry.json);
      if (shape == nullptr && entry.model != nullptr && entry.model->inputs.size() == 1) {
        shape = ShapeOfInput(*entry.model, 0);
      }
      return shape != nullptr ? shape : model.shape;
    }
    return model.shape;
  }

  absl::Status SetInputs(const ModelConfig& model) {
    if (model.inputs.empty()) return InvalidArgument("model: it has no inputs");
    for (size_t i = 0; i < model.inputs.size(); ++i) {
      const Json* shape = ShapeOfInput(model, i);
      if (shape == nullptr || !shape->is_array()) {
        return InvalidArgument("model: the file does not say the shape of its input");
      }
      bool tokens = false;
      for (const LayerCall& call : stack_.calls) {
        const LayerKind& kind = stack_.layers[call.layer].kind;
        for (const LayerValue& value : call.inputs) {
          tokens |= value.call < 0 && value.output == static_cast<int>(i) &&
                    TakesTokens(kind, reading_.registry);
        }
      }
      LayerInput& input = i == 0 ? stack_.input : stack_.more_inputs.emplace_back();
      SEQ_RETURN_IF_ERROR(SetInput(*shape, tokens, input));
      input.name = model.inputs[i].entry;
    }
    return absl::OkStatus();
  }

  absl::Status SetInput(const Json& shape, bool tokens, LayerInput& input) {
    if (shape.size() < 2 || shape.size() > size_t{Shape::kMaxRank} - (tokens ? 1 : 0)) {
      return Unimplemented("model: its input has the shape ", Shown(shape), "; expected ",
                           "[batch, time, ...] for an embedding, otherwise [batch, features] or ",
                           "[batch, time, ..., features]");
    }
    if (!shape[0].is_null()) {
      int64_t batch = 0;
      SEQ_RETURN_IF_ERROR(Extent(shape[0], "the batch", &batch));
      input.batch = batch;
    }
    if (!tokens) {
      int64_t features = 0;
      SEQ_RETURN_IF_ERROR(Extent(shape.back(), "the features", &features));
      input.features = features;
      if (shape.size() == 2) return absl::OkStatus();
    }
    for (size_t i = 2; i + (tokens ? 0 : 1) < shape.size(); ++i) {
      SEQ_RETURN_IF_ERROR(
          Extent(shape[i], absl::StrCat("axis ", i), &input.between.emplace_back()));
    }
    if (!shape[1].is_null()) return Extent(shape[1], "the time", &input.time);
    input.open_time = true;
    input.time = time_.value_or(kOpenTime);
    if (!noted_) {
      reading_.notes->push_back(
          absl::StrCat("the file leaves the length of sequences open; ", input.time,
                       time_ ? " was given" : " is taken: --time gives another"));
    }
    noted_ = true;
    return absl::OkStatus();
  }

  // Layers and calls as they come back from a file that is written of them: in Keras's order, with
  // operations among the layers. Models in models keep theirs, which their weights are stored in.
  void PutInOrder() {
    for (const LayerPlace& place : places_) {
      if (absl::StrContains(place.group, '/')) return;
    }
    LayerStack sorted = stack_;
    std::vector<LayerPlace> places;
    std::vector<int> calls(stack_.calls.size(), -1);  // by their numbers of before
    sorted.layers.clear();
    sorted.calls.clear();
    const auto remap = [&calls](std::vector<LayerValue> values) {
      for (LayerValue& value : values) {
        if (value.call >= 0) value.call = calls[value.call];
      }
      return values;
    };
    const std::function<void(int)> add = [&](int i) {
      if (calls[i] >= 0) return;
      LayerCall call = stack_.calls[i];
      for (const LayerValue& value : call.inputs) {
        if (value.call >= 0) add(value.call);
      }
      call.inputs = remap(std::move(call.inputs));
      calls[i] = static_cast<int>(sorted.calls.size());
      sorted.calls.push_back(std::move(call));
    };
    std::vector<int> layers(stack_.layers.size(), -1);
    for (const int layer : KerasOrder(stack_)) {
      if (layer < 0) continue;
      layers[layer] = static_cast<int>(sorted.layers.size());
      sorted.layers.push_back(stack_.layers[layer]);
      places.push_back(places_[layer]);
      for (size_t i = 0; i < stack_.calls.size(); ++i) {
        if (stack_.calls[i].layer == layer) add(static_cast<int>(i));
      }
    }
    if (sorted.layers.size() != stack_.layers.size()) return;  // some lead to no output
    for (LayerCall& call : sorted.calls) call.layer = layers[call.layer];
    sorted.outputs = remap(stack_.outputs);
    stack_ = std::move(sorted);
    places_ = std::move(places);
  }

  // A plain chain is a stack, whose input has a name of ours.
  void MakeChain() {
    stack_ = AsStack(std::move(stack_));
    if (stack_.is_graph()) return;
    stack_.input.name = stack_.input.features.has_value() ? kFloatInput : LayerInput().name;
  }

  std::optional<int64_t> time_;
  const LayerReading& reading_;
  LayerStack stack_;
  std::vector<LayerPlace> places_;
  std::set<std::string> names_;
  std::map<const EntryConfig*, int> layer_of_;
  std::vector<bool> masked_;  // of each call, whether its output may bear a mask
  bool noted_ = false;
  bool has_operations_ = false;
  int instances_ = 0;
};

}  // namespace

absl::StatusOr<ConfiguredStack> ReadStack(const Json& json, std::optional<int64_t> time,
                                          const LayerReading& reading) {
  return StackReader(time, reading).Read(json);
}

}  // namespace seqgraph::keras
