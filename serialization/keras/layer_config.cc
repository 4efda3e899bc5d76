#include "serialization/keras/layer_config.h"

#include <iterator>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "serialization/keras/layer_limits.h"
#include "serialization/keras/recurrent_config.h"
#include "serialization/keras/value_config.h"

namespace seqgraph::keras {
namespace {

constexpr char kLayersModule[] = "keras.layers";

using Notes = std::vector<std::string>;

// The weights of a layer trained somewhere: of a bidirectional layer the two inside count too.
absl::Status CheckName(const std::string& name) {
  if (!name.empty() && name.size() <= kMaxLayerName && !absl::StrContains(name, '/') &&
      !absl::StrContains(name, '\0')) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat("the name of a layer must have 1 to ",
                                                 kMaxLayerName, " bytes and no slash, got ",
                                                 Shown(name)));
}

void ReadCommon(Config& config, std::string* name, bool* trainable) {
  config.Text("name", name);
  config.Fail(CheckName(*name));
  config.Bool("trainable", trainable);
  config.Float32("dtype");
  // The input's shape is read with the stack.
  config.Ignore({"batch_input_shape", "batch_shape", "build_config"});
}

LayerKind ReadEmbedding(Config& config, Notes* notes) {
  EmbeddingLayer layer;
  config.Int("input_dim", 1, kMaxExtent, &layer.input_dim);
  config.Int("output_dim", 1, kMaxExtent, &layer.output_dim);
  config.Bool("mask_zero", &layer.mask_zero);
  ReadInitializer(config, "embeddings_initializer", &layer.embeddings_initializer, notes);
  ReadRegularizer(config, "embeddings_regularizer", &layer.embeddings_regularizer);
  config.Ignore({"input_length", "sparse"});
  config.RefuseUnlessUnset({"activity_regularizer", "embeddings_constraint", "lora_rank",
                            "lora_alpha", "quantization_config", "weights"});
  return layer;
}

LayerKind ReadDense(Config& config, Notes* notes) {
  DenseLayer layer;
  config.Int("units", 1, kMaxExtent, &layer.units);
  ReadActivation(config, "activation", {"linear", "tanh", "relu", "sigmoid", "softmax"},
                 &layer.activation);
  config.Bool("use_bias", &layer.use_bias);
  ReadInitializer(config, "kernel_initializer", &layer.kernel_initializer, notes);
  ReadInitializer(config, "bias_initializer", &layer.bias_initializer, notes);
  ReadRegularizer(config, "kernel_regularizer", &layer.kernel_regularizer);
  ReadRegularizer(config, "bias_regularizer", &layer.bias_regularizer);
  config.RefuseUnlessUnset({"activity_regularizer", "kernel_constraint", "bias_constraint",
                            "lora_rank", "lora_alpha", "quantization_config"});
  return layer;
}

LayerKind ReadDropout(Config& config, Notes*) {
  DropoutLayer layer;
  config.Real("rate", &layer.rate);
  config.Ignore({"seed"});
  config.RefuseUnlessUnset({"noise_shape"});
  return layer;
}

LayerKind ReadSpatialDropout(Config& config, Notes*) {
  DropoutLayer layer{.spatial = true};
  config.Real("rate", &layer.rate);
  config.Ignore({"seed"});
  config.RefuseUnlessUnset({"noise_shape"});
  return layer;
}

template <PoolingLayer::Kind kKind>
LayerKind ReadPooling(Config& config, Notes*) {
  std::string format = "channels_last";
  config.Choice("data_format", {"channels_last"}, &format);
  config.RefuseUnlessUnset({"keepdims"});
  return PoolingLayer{.kind = kKind};
}

LayerKind ReadActivationLayer(Config& config, Notes*) {
  ActivationLayer layer;
  ReadActivation(config, "activation", {"linear", "tanh", "relu", "sigmoid", "softmax"},
                 &layer.activation);
  config.RefuseUnlessUnset({"activity_regularizer"});
  return layer;
}

template <RecurrentKind kKind>
LayerKind ReadRecurrentLayer(Config& config, Notes* notes) {
  return ReadRecurrent(config, kKind, notes);
}

// One of the two layers inside. `trainable` is that of the whole.
RecurrentLayer ReadInner(Config& config, const char* key, const Json& json, bool trainable,
                         std::string* name, Notes* notes) {
  RecurrentKind kind = RecurrentKind::kSimpleRNN;
  if (!ParseRecurrentKind(ClassName(json), &kind) || !json.contains("config")) {
    config.Refuse(key, json, "it can be SimpleRNN, LSTM or GRU");
    return {};
  }
  Config inner(json["config"], absl::StrCat(config.where(), ": ", key));
  bool inner_trainable = true;
  ReadCommon(inner, name, &inner_trainable);
  RecurrentLayer layer = ReadRecurrent(inner, kind, notes);
  config.Fail(inner.Finish());
  if (trainable && !inner_trainable) {
    config.Refuse(key, json["config"]["name"], "it is frozen, and the layer around it is not");
  }
  return layer;
}

// What the wrapper makes of the layer that it is given, if the file has only that.
RecurrentLayer Mirrored(RecurrentLayer layer) {
  layer.go_backwards = !layer.go_backwards;
  return layer;
}

LayerKind ReadBidirectional(Config& config, Notes* notes) {
  BidirectionalLayer layer;
  std::string merge = "concat";
  // Null gives two outputs.
  if (config.Has("merge_mode") && config.Take("merge_mode") == nullptr) {
    config.Refuse("merge_mode", Json(), "two outputs apart are not known here");
  }
  config.Choice("merge_mode", {"concat", "sum", "mul", "ave"}, &merge);
  layer.merge_mode = merge == "concat" ? MergeMode::kConcat
                     : merge == "sum"  ? MergeMode::kSum
                     : merge == "mul"  ? MergeMode::kMul
                                       : MergeMode::kAve;
  bool trainable = true;
  config.Bool("trainable", &trainable);
  const Json* forward = config.Take("layer");
  const Json* backward = config.Take("backward_layer");
  if (forward == nullptr) {
    config.Fail(absl::InvalidArgumentError("layer is missing"));
    return layer;
  }
  layer.forward = ReadInner(config, "layer", *forward, trainable, &layer.forward_name, notes);
  if (backward != nullptr) {
    layer.backward =
        ReadInner(config, "backward_layer", *backward, trainable, &layer.backward_name, notes);
  } else {
    // The wrapper keeps the name of the layer that it was given, and puts words before it.
    layer.backward = Mirrored(layer.forward);
    std::string base = layer.forward_name;
    if (absl::StartsWith(base, "forward_")) base = base.substr(8);
    layer.forward_name = absl::StrCat("forward_", base);
    layer.backward_name = absl::StrCat("backward_", base);
  }
  if (layer.forward_name == layer.backward_name) layer.backward_name += "_backward";
  if (config.ok() && layer.forward.go_backwards == layer.backward.go_backwards) {
    config.Fail(absl::InvalidArgumentError("both layers go the same way"));
  }
  config.RefuseUnlessUnset({"activity_regularizer"});
  return layer;
}

// A layer's class with its reader.
struct Row {
  const char* class_name;
  LayerKind (*read)(Config&, Notes*);
};

constexpr Row kRows[] = {
    {"Embedding", ReadEmbedding},
    {"SimpleRNN", ReadRecurrentLayer<RecurrentKind::kSimpleRNN>},
    {"LSTM", ReadRecurrentLayer<RecurrentKind::kLSTM>},
    {"GRU", ReadRecurrentLayer<RecurrentKind::kGRU>},
    {"Bidirectional", ReadBidirectional},
    {"Dense", ReadDense},
    {"Dropout", ReadDropout},
    {"SpatialDropout1D", ReadSpatialDropout},
    {"GlobalAveragePooling1D", ReadPooling<PoolingLayer::Kind::kAverage>},
    {"GlobalMaxPooling1D", ReadPooling<PoolingLayer::Kind::kMax>},
    {"Activation", ReadActivationLayer},
};

// Classes by kind, and attributes, for the way back.
struct ClassOf {
  std::string operator()(const EmbeddingLayer&) const { return "Embedding"; }
  std::string operator()(const OneHotLayer&) const { return ""; }
  std::string operator()(const RecurrentLayer& layer) const { return RecurrentClass(layer.kind); }
  std::string operator()(const BidirectionalLayer&) const { return "Bidirectional"; }
  std::string operator()(const DenseLayer&) const { return "Dense"; }
  std::string operator()(const DropoutLayer& layer) const {
    return layer.spatial ? "SpatialDropout1D" : "Dropout";
  }
  std::string operator()(const PoolingLayer& layer) const {
    return layer.kind == PoolingLayer::Kind::kMax ? "GlobalMaxPooling1D" : "GlobalAveragePooling1D";
  }
  std::string operator()(const ActivationLayer&) const { return "Activation"; }
};

OrderedJson Common(const std::string& name, bool trainable) {
  return {{"name", name}, {"trainable", trainable}, {"dtype", "float32"}};
}

struct WriteKind {
  OrderedJson& config;
  bool trainable;

  void operator()(const EmbeddingLayer& layer) const {
    config["input_dim"] = layer.input_dim;
    config["output_dim"] = layer.output_dim;
    config["embeddings_initializer"] = InitializerJson(layer.embeddings_initializer);
    config["embeddings_regularizer"] = RegularizerJson(layer.embeddings_regularizer);
    config["activity_regularizer"] = nullptr;
    config["embeddings_constraint"] = nullptr;
    config["mask_zero"] = layer.mask_zero;
  }
  void operator()(const OneHotLayer&) const {}
  void operator()(const RecurrentLayer& layer) const { WriteRecurrent(layer, config); }
  void operator()(const BidirectionalLayer& layer) const {
    constexpr const char* kModes[] = {"concat", "sum", "mul", "ave"};
    config["merge_mode"] = kModes[static_cast<int>(layer.merge_mode)];
    config["layer"] = Inner(layer.forward, layer.forward_name);
    config["backward_layer"] = Inner(layer.backward, layer.backward_name);
  }
  void operator()(const DenseLayer& layer) const {
    config["units"] = layer.units;
    config["activation"] = layer.activation;
    config["use_bias"] = layer.use_bias;
    config["kernel_initializer"] = InitializerJson(layer.kernel_initializer);
    config["bias_initializer"] = InitializerJson(layer.bias_initializer);
    config["kernel_regularizer"] = RegularizerJson(layer.kernel_regularizer);
    config["bias_regularizer"] = RegularizerJson(layer.bias_regularizer);
    config["activity_regularizer"] = nullptr;
    config["kernel_constraint"] = nullptr;
    config["bias_constraint"] = nullptr;
  }
  void operator()(const DropoutLayer& layer) const {
    config["rate"] = layer.rate;
    config["seed"] = nullptr;
    if (!layer.spatial) config["noise_shape"] = nullptr;
  }
  void operator()(const PoolingLayer&) const {
    config["data_format"] = "channels_last";
    config["keepdims"] = false;
  }
  void operator()(const ActivationLayer& layer) const { config["activation"] = layer.activation; }

  // Within another layer both dialects name the module.
  OrderedJson Inner(const RecurrentLayer& layer, const std::string& name) const {
    OrderedJson inner = Common(name, trainable);
    WriteRecurrent(layer, inner);
    return ClassJson(kLayersModule, RecurrentClass(layer.kind), std::move(inner), Dialect::kKeras3);
  }
};

}  // namespace

std::string RecurrentClass(RecurrentKind kind) {
  switch (kind) {
    case RecurrentKind::kSimpleRNN:
      return "SimpleRNN";
    case RecurrentKind::kLSTM:
      return "LSTM";
    case RecurrentKind::kGRU:
      break;
  }
  return "GRU";
}

std::string LayerClass(const Layer& layer) { return std::visit(ClassOf(), layer.kind); }

absl::StatusOr<Layer> ReadLayer(const Json& json, std::vector<std::string>* notes) {
  const std::string class_name = ClassName(json);
  for (const Row& row : kRows) {
    if (class_name != row.class_name) continue;
    static const Json* const kNone = new Json(Json::object());
    const Json& settings = json.contains("config") ? json["config"] : *kNone;
    Layer layer;
    const std::string name = settings.is_object() && settings.contains("name")
                                 ? Shown(settings["name"])
                                 : std::string("without a name");
    Config config(settings, absl::StrCat("layer ", name, " (", class_name, ")"));
    ReadCommon(config, &layer.name, &layer.trainable);
    layer.kind = row.read(config, notes);
    SEQ_RETURN_IF_ERROR(config.Finish());
    return layer;
  }
  return absl::UnimplementedError(absl::StrCat(
      "layer of class ", class_name.empty() ? Shown(json) : class_name, " is not known here; ",
      absl::StrJoin(kRows, ", ", [](std::string* out, const Row& row) { *out += row.class_name; }),
      " are"));
}

OrderedJson ClassJson(const char* module, const std::string& class_name, OrderedJson config,
                      Dialect dialect) {
  OrderedJson json;
  if (dialect == Dialect::kKeras3) json["module"] = module;
  json["class_name"] = class_name;
  json["config"] = std::move(config);
  if (dialect == Dialect::kKeras3) json["registered_name"] = nullptr;
  return json;
}

absl::StatusOr<OrderedJson> LayerJson(const Layer& layer, Dialect dialect) {
  SEQ_RETURN_IF_ERROR(CheckName(layer.name));
  const std::string class_name = LayerClass(layer);
  if (class_name.empty()) {
    return absl::UnimplementedError(absl::StrCat(
        "layer ", layer.name,
        ": one-hot words are the input of a Keras model, so such a layer can only be the first"));
  }
  OrderedJson config = Common(layer.name, layer.trainable);
  std::visit(WriteKind{config, layer.trainable}, layer.kind);
  // Its class in Keras takes no such argument.
  if (class_name == "SpatialDropout1D") config.erase("trainable");
  return ClassJson(kLayersModule, class_name, std::move(config), dialect);
}

}  // namespace seqgraph::keras
