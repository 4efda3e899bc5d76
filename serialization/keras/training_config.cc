#include "serialization/keras/training_config.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "graph/function_builder.h"
#include "optimizers/all_optimizers.h"

namespace seqgraph::keras {
namespace {

// Losses by the name of their class, and short names.
struct LossRow {
  const char* name;
  const char* class_name;
  const char* alias;
};
constexpr LossRow kLosses[] = {
    {"binary_crossentropy", "BinaryCrossentropy", "bce"},
    {"categorical_crossentropy", "CategoricalCrossentropy", ""},
    {"sparse_categorical_crossentropy", "SparseCategoricalCrossentropy", ""},
    {"mean_squared_error", "MeanSquaredError", "mse"},
};

std::string LossName(const std::string& given) {
  for (const LossRow& row : kLosses) {
    if (given == row.name || given == row.class_name || given == row.alias) return row.name;
  }
  return given;
}

void ReadLoss(Config& config, std::string* loss) {
  const Json* found = config.Take("loss");
  if (found == nullptr) return;
  if (found->is_string()) {
    *loss = LossName(found->get<std::string>());
    return;
  }
  const std::string class_name = ClassName(*found);
  if (class_name.empty() || !found->contains("config") || class_name == "function") {
    config.Refuse("loss", *found, "one loss by name is known here");
    return;
  }
  Config settings((*found)["config"], absl::StrCat(config.where(), ": loss"));
  settings.Ignore({"name", "fn", "axis", "dtype"});
  settings.RefuseUnlessUnset({"from_logits", "label_smoothing"});
  std::string reduction;
  settings.Choice("reduction", {"sum_over_batch_size", "auto"}, &reduction);
  config.Fail(settings.Finish());
  *loss = LossName(class_name);
}

// Names alone, or objects, in up to two lists around each other.
void ReadMetrics(const Json& json, std::vector<std::string>* metrics) {
  if (json.is_string()) {
    metrics->push_back(json.get<std::string>());
  } else if (json.is_array()) {
    for (const Json& inner : json) ReadMetrics(inner, metrics);
  } else if (json.is_object() && json.contains("config") && json["config"].is_object() &&
             json["config"].contains("name") && json["config"]["name"].is_string()) {
    metrics->push_back(json["config"]["name"].get<std::string>());
  }
}

absl::StatusOr<Optimizer> ReadOptimizer(const Json& json) {
  const std::string name = json.is_string() ? json.get<std::string>() : ClassName(json);
  const OptimizerDef* def = FindOptimizer(name);
  if (def == nullptr) {
    return Unimplemented("training: the optimizer ", Shown(json), " is not known here; ",
                         OptimizerNames(), " are");
  }
  if (!json.is_object() || !json.contains("config")) return Optimizer(*def);
  Config config(json["config"], absl::StrCat("training: optimizer ", def->name));
  Attributes settings;
  for (const Hyperparameter& each : def->Settings()) {
    const char* key = each.key.c_str();
    AttributeValue value = each.default_value;
    const Json* found = config.Take(key);
    if (found == nullptr && !each.older_key.empty()) {
      key = each.older_key.c_str();
      found = config.Take(key);
    }
    if (found == nullptr) continue;
    if (bool* on = std::get_if<bool>(&value)) {
      config.Bool(key, on);
    } else if (found->is_object()) {
      config.Refuse(key, *found, "schedules are not known here");
    } else if (!each.none_is_zero || *found != false) {  // false: none, in some versions
      double& number = std::get<double>(value);
      config.Real(key, &number);
      if (!each.limits.Allow(number)) {
        config.Refuse(key, *found, absl::StrCat("it must be ", each.limits.text));
      }
    }
    settings.Set(each.key, value);
  }
  config.Ignore(
      {"name", "jit_compile", "is_legacy_optimizer", "ema_momentum", "ema_overwrite_frequency"});
  config.RefuseUnlessUnset(
      {"use_ema", "loss_scale_factor", "gradient_accumulation_steps", "decay"});
  SEQ_RETURN_IF_ERROR(config.Finish());
  absl::StatusOr<Optimizer> optimizer = Optimizer::FromSettings(*def, settings);
  if (optimizer.ok()) return optimizer;
  return Unimplemented(config.where(), ": ", optimizer.status().message());
}

}  // namespace

const OptimizerDef* OptimizerOfName(absl::string_view name) {
  // "adam_3" is the fourth of its kind in a session.
  const size_t end = name.find_last_not_of("0123456789");
  if (end != absl::string_view::npos && end + 1 < name.size() && name[end] == '_') {
    name = name.substr(0, end);
  }
  for (const OptimizerDef* def : AllOptimizers()) {
    if (name == SnakeCase(def->name)) return def;
  }
  return nullptr;
}

std::string OptimizerName(const Optimizer& optimizer) { return SnakeCase(optimizer.name()); }

absl::StatusOr<Training> ReadTraining(const Json& json, std::vector<std::string>* notes) {
  Training training;
  Config config(json, "training");
  ReadLoss(config, &training.loss);
  if (const Json* metrics = config.Take("metrics")) ReadMetrics(*metrics, &training.metrics);
  config.RefuseUnlessUnset({"loss_weights", "weighted_metrics", "sample_weight_mode"});
  // How it is run, not what.
  config.Ignore({"run_eagerly", "steps_per_execution", "jit_compile", "auto_scale_loss"});
  const Json* optimizer = config.Take("optimizer");
  if (optimizer == nullptr) optimizer = config.Take("optimizer_config");
  SEQ_RETURN_IF_ERROR(config.Finish());
  if (optimizer != nullptr) {
    SEQ_ASSIGN_OR_RETURN(training.optimizer, ReadOptimizer(*optimizer));
  } else {
    notes->push_back("the file does not say the optimizer's settings");
  }
  return training;
}

OrderedJson TrainingJson(const Training& training, Dialect dialect) {
  OrderedJson json;
  json["loss"] = training.loss.empty() ? OrderedJson(nullptr) : OrderedJson(training.loss);
  json["loss_weights"] = nullptr;
  json["metrics"] = training.metrics.empty() ? OrderedJson(nullptr) : OrderedJson(training.metrics);
  json["weighted_metrics"] = nullptr;
  json["run_eagerly"] = false;
  json["steps_per_execution"] = 1;
  json["jit_compile"] = false;
  if (!training.optimizer.has_value()) return json;
  const Optimizer& optimizer = *training.optimizer;
  OrderedJson config;
  config["name"] = OptimizerName(optimizer);
  const Attributes settings = optimizer.Settings();
  for (const Hyperparameter& each : optimizer.def->Settings()) {
    const AttributeValue& value = *settings.Find(each.key);
    const double* number = std::get_if<double>(&value);
    if (each.none_is_zero && *number == 0) {
      config[each.key] = nullptr;
    } else if (number != nullptr) {
      config[each.key] = *number;
    } else {
      config[each.key] = std::get<bool>(value);
    }
  }
  json[dialect == Dialect::kKeras3 ? "optimizer" : "optimizer_config"] =
      ClassJson("keras.optimizers", optimizer.name(), std::move(config), dialect);
  return json;
}

}  // namespace seqgraph::keras
