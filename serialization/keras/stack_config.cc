#include "serialization/keras/stack_config.h"

#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "layers/layer_emission.h"

namespace seqgraph::keras {
namespace {

constexpr char kFloatInput[] = "inputs";

class StackReader {
 public:
  StackReader(std::optional<int64_t> time, const LayerReading& reading)
      : time_(time), reading_(reading) {}

  absl::StatusOr<LayerStack> Read(const Json& json) {
    const std::string class_name = ClassName(json);
    if (class_name != "Sequential" || !json.contains("config")) {
      return Unimplemented(
          "the model is ",
          class_name.empty() ? "of no class" : absl::StrCat("of class ", class_name),
          "; Sequential models are read, not graphs of layers");
    }
    const Json& settings = json["config"];
    // The first versions of Keras had the list alone.
    if (settings.is_array()) {
      SEQ_RETURN_IF_ERROR(ReadLayers(settings));
    } else {
      Config config(settings, "model");
      config.Text("name", &stack_.name);
      bool trainable = true;
      config.Bool("trainable", &trainable);
      if (!trainable) config.Refuse("trainable", false, "freeze layers instead");
      config.Float32("dtype");
      config.Ignore({"build_config"});
      const Json* build_shape = config.Take("build_input_shape");
      const Json* layers = config.Take("layers");
      SEQ_RETURN_IF_ERROR(config.Finish());
      if (layers == nullptr || !layers->is_array()) {
        return InvalidArgument("model: it has no list of layers");
      }
      SEQ_RETURN_IF_ERROR(ReadLayers(*layers));
      if (shape_ == nullptr) shape_ = build_shape;
    }
    SEQ_RETURN_IF_ERROR(SetInput());
    return std::move(stack_);
  }

 private:
  absl::Status ReadLayers(const Json& layers) {
    if (layers.size() > kMaxStackLayers) {
      return InvalidArgument("model: it has ", layers.size(), " layers; at most ", kMaxStackLayers);
    }
    std::set<std::string> names;
    for (const Json& json : layers) {
      if (ClassName(json) == "InputLayer") {
        SEQ_RETURN_IF_ERROR(ReadInput(json));
        continue;
      }
      SEQ_ASSIGN_OR_RETURN(Layer layer, ReadLayer(json, reading_));
      if (!names.insert(layer.name).second) {
        return InvalidArgument("model: two layers are named ", layer.name);
      }
      if (stack_.layers.empty() && shape_ == nullptr) SetShape(json["config"]);
      stack_.layers.push_back(std::move(layer));
    }
    if (stack_.layers.empty()) return InvalidArgument("model: it has no layers");
    return absl::OkStatus();
  }

  absl::Status ReadInput(const Json& json) {
    if (!stack_.layers.empty() || shape_ != nullptr) {
      return InvalidArgument("model: its input is not the first layer alone");
    }
    if (!json.contains("config")) return InvalidArgument("model: its input has no config");
    Config config(json["config"], "input layer");
    // The input's name is the one that a function of ours has; its type follows from what reads it.
    config.Ignore({"name", "dtype", "trainable", "batch_shape", "batch_input_shape", "optional"});
    config.RefuseUnlessUnset({"sparse", "ragged", "input_tensor"});
    SEQ_RETURN_IF_ERROR(config.Finish());
    SetShape(json["config"]);
    return absl::OkStatus();
  }

  void SetShape(const Json& settings) {
    for (const char* key : {"batch_shape", "batch_input_shape"}) {
      if (settings.contains(key) && settings[key].is_array()) shape_ = &settings[key];
    }
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

  absl::Status SetInput() {
    if (shape_ == nullptr || !shape_->is_array()) {
      return InvalidArgument("model: the file does not say the shape of its input");
    }
    const Json& shape = *shape_;
    const LayerDef* first = reading_.registry.Find(stack_.layers[0].kind.class_name);
    const bool tokens = first->takes == LayerTakes::kTokens;
    if (shape.size() != (tokens ? 2 : 3)) {
      return Unimplemented("model: its input has the shape ", Shown(shape),
                           "; expected [batch, time] ",
                           "for an embedding and [batch, time, features] otherwise");
    }
    LayerInput& input = stack_.input;
    if (!shape[0].is_null()) {
      int64_t batch = 0;
      SEQ_RETURN_IF_ERROR(Extent(shape[0], "the batch", &batch));
      input.batch = batch;
    }
    if (!shape[1].is_null()) {
      SEQ_RETURN_IF_ERROR(Extent(shape[1], "the time", &input.time));
    } else if (time_.has_value()) {
      input.time = *time_;
      reading_.notes->push_back(
          absl::StrCat("the file leaves the length of sequences open; ", *time_, " was given"));
    } else {
      return InvalidArgument("model: the file leaves the length of sequences open: give one");
    }
    if (tokens) return absl::OkStatus();
    int64_t features = 0;
    SEQ_RETURN_IF_ERROR(Extent(shape[2], "the features", &features));
    input.features = features;
    input.name = kFloatInput;
    return absl::OkStatus();
  }

  std::optional<int64_t> time_;
  const LayerReading& reading_;
  LayerStack stack_;
  const Json* shape_ = nullptr;
};

// The batch where it is fixed, and the other extents.
OrderedJson InputShape(const TensorType& type) {
  OrderedJson shape = OrderedJson::array();
  for (const Dim dim : type.shape.dims()) {
    dim.is_batch() ? shape.push_back(nullptr) : shape.push_back(dim.size());
  }
  return shape;
}

}  // namespace

absl::StatusOr<LayerStack> ReadStack(const Json& json, std::optional<int64_t> time,
                                     const LayerReading& reading) {
  return StackReader(time, reading).Read(json);
}

absl::StatusOr<OrderedJson> StackJson(const LayerStack& stack, const LayerRegistry& registry,
                                      Dialect dialect) {
  SEQ_ASSIGN_OR_RETURN(const EmittedStack emitted, DescribeStack(stack, registry));
  const bool keras2 = dialect == Dialect::kKeras2;
  // What Keras does not have stands in front of its input.
  const bool outside = !emitted.layers[0].def->keras.exists;
  const TensorType type = outside ? emitted.layers[0].output : InputType(stack.input);
  const OrderedJson shape = InputShape(type);
  OrderedJson input;
  input[keras2 ? "batch_input_shape" : "batch_shape"] = shape;
  input["dtype"] = type.dtype == DType::kInt32 ? "int32" : "float32";
  input["sparse"] = false;
  input["name"] = "input_layer";
  OrderedJson layers = OrderedJson::array();
  layers.push_back(ClassJson("keras.layers", "InputLayer", std::move(input), dialect));
  for (const Layer& layer : stack.layers) {
    if (outside && &layer == &stack.layers[0]) continue;
    SEQ_ASSIGN_OR_RETURN(layers.emplace_back(), LayerJson(layer, registry, dialect));
  }
  OrderedJson config;
  config["name"] = stack.name;
  if (!keras2) {
    config["trainable"] = true;
    config["dtype"] = "float32";
  }
  config["layers"] = std::move(layers);
  if (!keras2) config["build_input_shape"] = shape;
  return ClassJson("keras", "Sequential", std::move(config), dialect);
}

}  // namespace seqgraph::keras
