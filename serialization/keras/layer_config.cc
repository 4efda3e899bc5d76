#include "serialization/keras/layer_config.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "serialization/keras/value_config.h"

namespace seqgraph::keras {
namespace {

constexpr char kLayersModule[] = "keras.layers";
// Names of layers have at most this many bytes.
constexpr size_t kMaxLayerName = 200;

absl::Status CheckName(const std::string& name) {
  if (!name.empty() && name.size() <= kMaxLayerName && !absl::StrContains(name, '/') &&
      !absl::StrContains(name, '\0')) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat("the name of a layer must have 1 to ",
                                                 kMaxLayerName, " bytes and no slash, got ",
                                                 Shown(name)));
}

// Reads the fields of a layer's definition out of its configuration.
class FieldReader {
 public:
  FieldReader(Config& config, const LayerRegistry& registry, bool trainable,
              std::vector<std::string>* notes)
      : config_(config), registry_(registry), trainable_(trainable), notes_(notes) {}

  void Read(const LayerField& field, LayerKind& layer) {
    key_ = field.name;
    if (!field.rule.keras2.empty() && !config_.Has(key_)) key_ = field.rule.keras2;
    field_ = &field;
    LayerSetting& value = layer.settings[field.name];
    value = field.default_value;
    std::visit([this](auto& typed) { Get(typed); }, value);
    // Of what was read; what is missing is said once, when the layer is whole.
    if (config_.ok() && config_.Has(key_) && !config_.IsNull(key_)) {
      config_.Fail(CheckField(field, value));
    }
  }

 private:
  void Get(int64_t& value) {
    config_.Int(key_, static_cast<int64_t>(field_->rule.low),
                static_cast<int64_t>(field_->rule.high), &value);
  }
  void Get(double& value) { config_.Real(key_, &value); }
  void Get(bool& value) { config_.Bool(key_, &value); }
  void Get(std::string& value) {
    if (field_->rule.activation) {
      ReadActivation(config_, key_, field_->rule.choices, &value);
    } else if (config_.Has(key_) && config_.IsNull(key_)) {
      config_.Refuse(key_, Json(), "this is not known here");
    } else {
      config_.Choice(key_, field_->rule.choices, &value);
    }
  }
  void Get(Initializer& value) { ReadInitializer(config_, key_, &value, notes_); }
  void Get(Regularizer& value) { ReadRegularizer(config_, key_, &value); }
  void Get(std::vector<Layer>& value) {
    const Json* json = config_.Take(key_);
    if (json == nullptr) return;
    absl::StatusOr<Layer> inner = ReadLayer(*json, registry_, notes_);
    if (!inner.ok()) {
      config_.Fail(Annotate(inner.status(), key_));
      return;
    }
    if (trainable_ && !inner->trainable) {
      config_.Refuse(key_, inner->name, "it is frozen, and the layer around it is not");
    }
    inner->trainable = true;
    value = {*std::move(inner)};
  }

  Config& config_;
  const LayerRegistry& registry_;
  const bool trainable_;  // of the layer
  std::vector<std::string>* notes_;
  const LayerField* field_ = nullptr;
  std::string key_;
};

absl::StatusOr<Layer> ReadClass(const Json& json, const LayerDef& def,
                                const LayerRegistry& registry, std::vector<std::string>* notes) {
  static const Json* const kNone = new Json(Json::object());
  const Json& settings = json.contains("config") ? json["config"] : *kNone;
  const std::string shown = settings.is_object() && settings.contains("name")
                                ? Shown(settings["name"])
                                : std::string("without a name");
  Config config(settings, absl::StrCat("layer ", shown, " (", def.class_name, ")"));
  Layer layer;
  config.Text("name", &layer.name);
  config.Fail(CheckName(layer.name));
  config.Bool("trainable", &layer.trainable);
  config.Float32("dtype");
  // The input's shape is read with the stack.
  config.Ignore({"batch_input_shape", "batch_shape", "build_config"});
  layer.kind.class_name = def.class_name;
  FieldReader reader(config, registry, layer.trainable, notes);
  for (const LayerField& field : def.fields) reader.Read(field, layer.kind);
  config.Ignore(def.keras.ignored);
  config.RefuseUnlessUnset(def.keras.unset);
  for (const auto& [key, value] : def.keras.fixed) {
    std::string found = value;
    config.Choice(key, {value}, &found);
  }
  SEQ_RETURN_IF_ERROR(config.Finish());
  if (def.complete) def.complete(layer.kind);
  config.Fail(CheckLayer(layer.kind, registry));
  SEQ_RETURN_IF_ERROR(config.Finish());
  return layer;
}

struct SettingJson {
  const LayerRegistry& registry;
  bool trainable;

  absl::StatusOr<OrderedJson> operator()(const Initializer& value) const {
    return InitializerJson(value);
  }
  absl::StatusOr<OrderedJson> operator()(const Regularizer& value) const {
    return RegularizerJson(value);
  }
  absl::StatusOr<OrderedJson> operator()(const std::vector<Layer>& value) const {
    if (value.empty()) return OrderedJson();
    Layer inner = value[0];
    inner.trainable = trainable;
    // Within another layer all dialects name the module.
    return LayerJson(inner, registry, Dialect::kKeras3);
  }
  template <typename T>
  absl::StatusOr<OrderedJson> operator()(const T& value) const {
    return OrderedJson(value);
  }
};

}  // namespace

absl::StatusOr<Layer> ReadLayer(const Json& json, const LayerRegistry& registry,
                                std::vector<std::string>* notes) {
  const std::string class_name = ClassName(json);
  const LayerDef* def = registry.Find(class_name);
  if (def != nullptr && def->keras.exists) return ReadClass(json, *def, registry, notes);
  std::vector<std::string> known;
  for (const LayerDef& candidate : registry.all()) {
    if (candidate.keras.exists) known.push_back(candidate.class_name);
  }
  return absl::UnimplementedError(
      absl::StrCat("layer of class ", class_name.empty() ? Shown(json) : class_name,
                   " is not known here; ", absl::StrJoin(known, ", "), " are"));
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

absl::StatusOr<OrderedJson> LayerJson(const Layer& layer, const LayerRegistry& registry,
                                      Dialect dialect) {
  SEQ_RETURN_IF_ERROR(CheckName(layer.name));
  SEQ_ASSIGN_OR_RETURN(const LayerDef* def, registry.Get(layer.kind.class_name));
  if (!def->keras.exists) {
    return absl::UnimplementedError(
        absl::StrCat("layer ", layer.name, ": Keras has no layer ", def->class_name,
                     "; what it gives is the input of a Keras model, so such a layer can only be "
                     "the first"));
  }
  OrderedJson config = {{"name", layer.name}};
  if (def->keras.takes_trainable) config["trainable"] = layer.trainable;
  config["dtype"] = "float32";
  for (const LayerField& field : def->fields) {
    const auto set = layer.kind.settings.find(field.name);
    const LayerSetting& value =
        set != layer.kind.settings.end() ? set->second : field.default_value;
    const bool old_name = dialect == Dialect::kKeras2 && !field.rule.keras2.empty();
    SEQ_ASSIGN_OR_RETURN(config[old_name ? field.rule.keras2 : field.name],
                         std::visit(SettingJson{registry, layer.trainable}, value));
  }
  return ClassJson(kLayersModule, def->class_name, std::move(config), dialect);
}

}  // namespace seqgraph::keras
