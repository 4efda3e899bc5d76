#include "serialization/keras/layer_config.h"

#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/status_macros.h"
#include "serialization/keras/cudnn_cells.h"
#include "serialization/keras/graph_config.h"
#include "serialization/keras/setting_config.h"

namespace seqgraph::keras {
namespace {

constexpr char kResetAfter[] = "reset_after";
// Names of layers have at most this many bytes.
constexpr size_t kMaxLayerName = 200;

absl::Status CheckName(const std::string& name) {
  if (!name.empty() && name.size() <= kMaxLayerName && !absl::StrContains(name, '/') &&
      !absl::StrContains(name, '\0')) {
    return absl::OkStatus();
  }
  return InvalidArgument("the name of a layer must have 1 to ", kMaxLayerName,
                         " bytes and no slash, got ", Shown(name));
}

// The text of a setting that Keras has as null.
constexpr char kNull[] = "none";

bool CanBeNull(const LayerField& field) {
  return !field.rule.activation && absl::c_linear_search(field.rule.choices, kNull);
}

// Whether what the key says changes nothing of what a trained layer gives.
bool IsOfTraining(absl::string_view key) {
  return absl::EndsWith(key, "_constraint") || key == "activity_regularizer";
}

// Reads the fields of a layer's definition out of its configuration.
class FieldReader {
 public:
  FieldReader(Config& config, const LayerReading& reading, bool trainable)
      : config_(config), reading_(reading), trainable_(trainable) {}

  void Read(const LayerField& field, LayerKind& layer) {
    key_ = field.name;
    if (!field.rule.keras2.empty() && !config_.Has(key_)) key_ = field.rule.keras2;
    field_ = &field;
    LayerSetting& value = layer.settings[field.name];
    value = field.default_value;
    // Keras 2.0 and 2.1 had no such cells; later ones always say it.
    if (field.name == kResetAfter && reading_.version < 3) value = false;
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
      ReadActivation(config_, key_, field_->rule.choices, reading_.version, &value);
    } else if (config_.Has(key_) && config_.IsNull(key_)) {
      (void)config_.Take(key_);
      if (CanBeNull(*field_)) {
        value = kNull;
        return;
      }
      config_.Refuse(key_, Json(), "this is not known here");
    } else {
      config_.Choice(key_, field_->rule.choices, &value);
    }
  }
  void Get(Initializer& value) { ReadInitializer(config_, key_, &value, reading_.notes); }
  void Get(Regularizer& value) { ReadRegularizer(config_, key_, &value); }
  // A list, or one number for a list of one.
  void Get(std::vector<int64_t>& value) {
    const Json* json = config_.Take(key_);
    if (json == nullptr) return;
    const Json list = json->is_array() ? *json : Json::array({*json});
    value.clear();
    for (const Json& number : list) {
      if (!number.is_number_integer() || list.size() > Shape::kMaxRank) {
        config_.Refuse(key_, *json, "it can be a few whole numbers");
        return;
      }
      value.push_back(number.get<int64_t>());
    }
  }
  // Numbers, or one; lists around them, with which Keras says along which axis they lie, fall away.
  void Get(std::vector<double>& value) {
    const Json* json = config_.Take(key_);
    if (json == nullptr) return;
    const Json* list = json;
    while (list->is_array() && list->size() == 1 && list->front().is_array()) list = &list->front();
    value.clear();
    for (const Json& number : list->is_array() ? *list : Json::array({*list})) {
      if (!number.is_number()) {
        config_.Refuse(key_, *json, "it can be numbers, of which only the last axis has several");
        return;
      }
      value.push_back(number.get<double>());
    }
  }
  void Get(std::vector<Layer>& value) {
    const Json* json = config_.Take(key_);
    if (json == nullptr) return;
    value.clear();
    if (!field_->rule.several) return AddLayer(*json, value);
    if (!json->is_array()) return config_.Refuse(key_, *json, "it must be a list of layers");
    for (const Json& each : *json) AddLayer(each, value);
  }
  void AddLayer(const Json& json, std::vector<Layer>& to) {
    absl::StatusOr<Layer> inner = ReadLayer(json, reading_);
    if (!inner.ok()) {
      config_.Fail(Annotate(inner.status(), key_));
      return;
    }
    if (trainable_ && !inner->trainable) {
      config_.Refuse(key_, inner->name, "it is frozen, and the layer around it is not");
    }
    inner->trainable = true;
    to.push_back(*std::move(inner));
  }

  Config& config_;
  const LayerReading& reading_;
  const bool trainable_;  // of the layer
  const LayerField* field_ = nullptr;
  std::string key_;
};

// The settings with each list under the keys of the fields that it holds.
Json WithoutLists(Json settings, const KerasFacts& facts) {
  for (const auto& [key, fields] : facts.lists) {
    if (!settings.is_object() || !settings.contains(key)) continue;
    const Json list = settings[key];
    if (list.is_array() && list.size() != fields.size()) continue;  // refused by its key
    settings.erase(key);
    for (size_t i = 0; i < fields.size(); ++i) {
      settings[fields[i]] = list.is_array() ? list[i] : list;
    }
  }
  return settings;
}

absl::StatusOr<Layer> ReadClass(const Json& json, const LayerDef& def,
                                const LayerReading& reading) {
  const Json settings =
      WithoutLists(json.contains("config") ? json["config"] : Json::object(), def.keras);
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
  FieldReader reader(config, reading, layer.trainable);
  for (const LayerField& field : def.fields) reader.Read(field, layer.kind);
  config.Ignore(def.keras.ignored);
  for (const std::string& key : def.keras.unset) {
    if (reading.of_training == nullptr || !IsOfTraining(key)) {
      config.RefuseUnlessUnset({key});
    } else if (const Json* found = config.TakeSet(key)) {
      reading.of_training->push_back(
          absl::StrCat(config.where(), ": ", key, " is ", Shown(*found)));
    }
  }
  for (const auto& [key, value] : def.keras.fixed) {
    std::string found = value;
    config.Choice(key, {value}, &found);
  }
  SEQ_RETURN_IF_ERROR(config.Finish());
  if (def.complete) def.complete(layer.kind);
  config.Fail(CheckLayer(layer.kind, reading.registry));
  SEQ_RETURN_IF_ERROR(config.Finish());
  return layer;
}

struct SettingJson {
  const LayerRegistry& registry;
  bool trainable;
  bool several;  // whether a list of layers may have several
  Dialect dialect;

  absl::StatusOr<OrderedJson> operator()(const Initializer& value) const {
    return InitializerJson(value);
  }
  absl::StatusOr<OrderedJson> operator()(const Regularizer& value) const {
    return RegularizerJson(value);
  }
  absl::StatusOr<OrderedJson> operator()(const std::vector<Layer>& value) const {
    if (!several) return value.empty() ? OrderedJson() : Inner(value[0]);
    OrderedJson list = OrderedJson::array();
    for (const Layer& layer : value) {
      SEQ_ASSIGN_OR_RETURN(list.emplace_back(), Inner(layer));
    }
    return list;
  }
  absl::StatusOr<OrderedJson> Inner(Layer layer) const {
    layer.trainable = trainable;
    // Within another layer all dialects name the module.
    if (dialect != Dialect::kKeras2) return LayerJson(layer, registry, Dialect::kKeras3);
    SEQ_ASSIGN_OR_RETURN(OrderedJson json, LayerJson(layer, registry, dialect));
    SEQ_ASSIGN_OR_RETURN(const LayerDef* def, registry.Get(layer.kind.class_name));
    return ClassJson(def->keras.module.c_str(), def->class_name, std::move(json["config"]),
                     Dialect::kKeras3);
  }
  absl::StatusOr<OrderedJson> operator()(const std::vector<double>& value) const {
    return value.empty() ? OrderedJson() : OrderedJson(value);
  }
  template <typename T>
  absl::StatusOr<OrderedJson> operator()(const T& value) const {
    return OrderedJson(value);
  }
};

bool IsKerasLayer(const LayerDef& def) { return def.keras.exists && !def.keras.operation; }

}  // namespace

absl::StatusOr<Layer> ReadLayer(const Json& json, const LayerReading& reading) {
  const std::string class_name = ClassName(json);
  if (std::string cell = ClassOfCuDnn(class_name); !cell.empty() && json.contains("config")) {
    Json same = json;
    same["class_name"] = std::move(cell);
    same["config"] = SettingsOfCuDnn(class_name, json["config"]);
    return ReadLayer(same, reading);
  }
  if (IsModelConfig(json)) {  // in a wrapper
    SEQ_ASSIGN_OR_RETURN(const Json chain, ChainOf(json, reading));
    SEQ_ASSIGN_OR_RETURN(const LayerDef* def, reading.registry.Get(ClassName(chain)));
    return ReadClass(chain, *def, reading);
  }
  const LayerDef* def = reading.registry.Find(class_name);
  if (def != nullptr && IsKerasLayer(*def)) return ReadClass(json, *def, reading);
  std::vector<std::string> known;
  for (const LayerDef& candidate : reading.registry.all()) {
    if (IsKerasLayer(candidate)) known.push_back(candidate.class_name);
  }
  const std::string layer = absl::StrCat("layer \"", NameOf(json), "\" ");
  const std::string all = absl::StrJoin(known, ", ");
  if (class_name == "Lambda") {
    return Unimplemented(
        layer,
        "(Lambda): it is Python code, which only Python runs. Build the model in Keras with "
        "layers in its place that do the same, take the weights over (set_weights(old.get_weights()"
        "), as a Lambda has none) and save it anew; known here are ",
        all);
  }
  return Unimplemented(layer, "of class ", class_name.empty() ? Shown(json) : class_name,
                       " is not known here; ", all, " are");
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
    return Unimplemented(
        "layer ", layer.name, ": Keras has no layer ", def->class_name,
        "; what it gives is the input of a Keras model, so such a layer can only be "
        "the first");
  }
  OrderedJson config = {{"name", layer.name}};
  if (def->keras.takes_trainable) config["trainable"] = layer.trainable;
  config["dtype"] = "float32";
  for (const LayerField& field : def->fields) {
    const auto set = layer.kind.settings.find(field.name);
    const LayerSetting& value =
        set != layer.kind.settings.end() ? set->second : field.default_value;
    // Keras 3 takes a text in ".h5" for a function of that name ("dot") if there is one.
    if (dialect == Dialect::kLegacy && std::holds_alternative<std::string>(value) &&
        !field.rule.activation && value == field.default_value) {
      continue;
    }
    const bool old_name = dialect == Dialect::kKeras2 && !field.rule.keras2.empty();
    OrderedJson& to = config[old_name ? field.rule.keras2 : field.name];
    if (CanBeNull(field) && value == LayerSetting(kNull)) continue;
    if (field.rule.activation && std::holds_alternative<std::string>(value)) {
      SEQ_ASSIGN_OR_RETURN(to, Annotate(KerasActivation(std::get<std::string>(value),
                                                        dialect == Dialect::kKeras2 ? 2 : 3),
                                        absl::StrCat("layer ", layer.name)));
      continue;
    }
    SEQ_ASSIGN_OR_RETURN(
        to, std::visit(SettingJson{registry, layer.trainable, field.rule.several, dialect}, value));
  }
  for (const auto& [key, fields] : def->keras.lists) {
    OrderedJson list = OrderedJson::array();
    for (const std::string& field : fields) {
      list.push_back(config[field]);
      config.erase(field);
    }
    config[key] = std::move(list);
  }
  return ClassJson(def->keras.module.c_str(), def->class_name, std::move(config), dialect);
}

}  // namespace seqgraph::keras
