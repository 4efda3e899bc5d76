#include "serialization/keras/training_config.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/status_macros.h"
#include "graph/function_builder.h"
#include "optimizers/all_optimizers.h"

namespace seqgraph::keras {
namespace {

void ReadOneLoss(Config& config, const Json& json, std::string* loss, Attributes* loss_settings) {
  const Json* found = &json;
  // One output's, in a list or by the output's name.
  if (found->size() == 1 && (found->is_array() || found->is_object())) found = &*found->begin();
  const std::string class_name = ClassName(*found);
  // A function that was serialized as an object: its name is the configuration.
  if (class_name == "function" && found->contains("config")) found = &(*found)["config"];
  if (found->is_string()) {  // a function's name, maybe short, or a class's: "MAE",
                             // "MeanSquaredError"
    *loss = SnakeCase(found->get<std::string>());
    return;
  }
  if (class_name.empty() || !found->contains("config")) {
    config.Refuse("loss", *found, "losses by name are known here");
    return;
  }
  Config settings((*found)["config"], absl::StrCat(config.where(), ": loss"));
  settings.Ignore({"name", "fn", "dtype"});
  settings.RefuseUnlessUnset({"from_logits", "label_smoothing"});
  std::string reduction;
  settings.Choice("reduction", {"sum_over_batch_size", "auto"}, &reduction);
  const Json* axis = settings.Take("axis");
  if (axis != nullptr && *axis != -1) settings.Refuse("axis", *axis, "losses are over the last");
  if (settings.Has("delta")) {
    double delta = 0;
    settings.Real("delta", &delta);
    loss_settings->Set("delta", delta);
  }
  config.Fail(settings.Finish());
  *loss = SnakeCase(class_name);
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

// What is said of one of several outputs, in a list by their order or in an object by their names;
// null: nothing.
const Json* PartOf(const Json* of_all, size_t output, const std::string& name) {
  if (of_all == nullptr) return nullptr;
  const Json* found = nullptr;
  if (of_all->is_array() && output < of_all->size()) found = &(*of_all)[output];
  if (of_all->is_object() && of_all->contains(name)) found = &(*of_all)[name];
  return found == nullptr || found->is_null() ? nullptr : found;
}

// Whether a list or object of parts is about these outputs.
bool IsOf(const Json& of_all, absl::Span<const std::string> outputs) {
  if (of_all.is_array() && !of_all.empty()) return of_all.size() == outputs.size();
  for (const auto& [key, value] : of_all.items()) {
    if (std::find(outputs.begin(), outputs.end(), key) == outputs.end()) return false;
  }
  return true;
}

// Of several outputs.
void ReadLosses(Config& config, const Json& losses, const Json* weights,
                absl::Span<const std::string> outputs, Training* training) {
  const bool one_for_all =
      !losses.is_array() && (!losses.is_object() || losses.contains("class_name"));
  for (const auto& [key, value] :
       {std::pair("loss", one_for_all ? nullptr : &losses), std::pair("loss_weights", weights)}) {
    if (value == nullptr || (value->is_structured() && IsOf(*value, outputs))) continue;
    config.Refuse(key, *value, absl::StrCat("the outputs are ", absl::StrJoin(outputs, ", ")));
  }
  const Json* metrics = config.Take("metrics");
  for (size_t i = 0; i < outputs.size(); ++i) {
    OutputLoss& each = training->losses.emplace_back();
    const Json* loss = one_for_all ? &losses : PartOf(&losses, i, outputs[i]);
    if (loss != nullptr) ReadOneLoss(config, *loss, &each.loss, &each.settings);
    const Json* weight = PartOf(weights, i, outputs[i]);
    if (weight != nullptr && weight->is_number()) each.weight = weight->get<double>();
    if (const Json* part = PartOf(metrics, i, outputs[i])) ReadMetrics(*part, &each.metrics);
  }
}

void ReadLoss(Config& config, absl::Span<const std::string> outputs, Training* training) {
  const Json* found = config.Take("loss");
  const Json* weights = config.Take("loss_weights");
  if (found == nullptr) return;
  if (outputs.size() > 1) return ReadLosses(config, *found, weights, outputs, training);
  ReadOneLoss(config, *found, &training->loss, &training->loss_settings);
  if (weights == nullptr || weights->empty()) return;
  const Json& weight = weights->is_structured() ? *weights->begin() : *weights;
  if (!weight.is_number() || weights->size() != 1) {
    return config.Refuse("loss_weights", *weights, "one loss has one number");
  }
  training->loss_weight = weight.get<double>();
}

// The rate that a schedule begins with; a note says that it stays there. False: it is none.
bool ReadSchedule(const Json& schedule, const std::string& where, double* rate,
                  std::vector<std::string>* notes) {
  if (!schedule.is_object() || !schedule.contains("config")) return false;
  const Json& config = schedule["config"];
  if (!config.is_object() || !config.contains("initial_learning_rate") ||
      !config["initial_learning_rate"].is_number()) {
    return false;
  }
  *rate = config["initial_learning_rate"];
  notes->push_back(absl::StrCat(where, ": the schedule ", ClassName(schedule),
                                " of its learning rate is left out: it stays at ", *rate));
  return true;
}

absl::StatusOr<Optimizer> ReadOptimizer(const Json& json, std::vector<std::string>* notes) {
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
      double& number = std::get<double>(value);
      if (!ReadSchedule(*found, config.where(), &number, notes)) {
        config.Refuse(key, *found, "this schedule is not known here");
      }
    } else if (!each.none_is_zero || *found != false) {  // false: none, in some versions
      double& number = std::get<double>(value);
      config.Real(key, &number);
      if (!each.limits.Allow(number)) {
        config.Refuse(key, *found, absl::StrCat("it must be ", each.limits.text));
      }
    }
    settings.Set(each.key, value);
  }
  config.Ignore({"name", "jit_compile", "is_legacy_optimizer", "ema_momentum",
                 "ema_overwrite_frequency", "schedule_decay"});
  config.RefuseUnlessUnset({"use_ema", "loss_scale_factor", "gradient_accumulation_steps"});
  double decay = 0;
  config.Real("decay", &decay);
  if (decay != 0) {
    notes->push_back(absl::StrCat(config.where(), ": the decay ", decay,
                                  " of its learning rate is left out: it stays as it is"));
  }
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

absl::StatusOr<Training> ReadTraining(const Json& json, absl::Span<const std::string> outputs,
                                      std::vector<std::string>* notes) {
  Training training;
  Config config(json, "training");
  ReadLoss(config, outputs, &training);
  const Json* metrics = config.Take("metrics");
  if (metrics != nullptr && training.losses.empty()) ReadMetrics(*metrics, &training.metrics);
  // How it is run and measured, not what: weights are there for rows and steps alike.
  config.Ignore({"run_eagerly", "steps_per_execution", "jit_compile", "auto_scale_loss",
                 "weighted_metrics", "sample_weight_mode"});
  const Json* optimizer = config.Take("optimizer");
  if (optimizer == nullptr) optimizer = config.Take("optimizer_config");
  SEQ_RETURN_IF_ERROR(config.Finish());
  if (optimizer != nullptr) {
    SEQ_ASSIGN_OR_RETURN(training.optimizer, ReadOptimizer(*optimizer, notes));
  } else {
    notes->push_back("the file does not say the optimizer's settings");
  }
  return training;
}

void TakeTraining(absl::StatusOr<Training> training, KerasModel& model) {
  if (training.ok()) {
    model.training = *std::move(training);
  } else {
    model.training_left_out = std::string(training.status().message());
  }
}

void LeaveOutTraining(const std::vector<std::string>& reasons, KerasModel& model) {
  if (reasons.empty()) return;
  model.training.reset();
  model.training_left_out = absl::StrJoin(reasons, "; ");
}

void TakeState(absl::StatusOr<std::vector<NamedTensor>> state, KerasModel& model) {
  if (state.ok()) {
    model.optimizer_state = *std::move(state);
  } else {
    model.notes.push_back(absl::StrCat("the optimizer's state is not taken over (",
                                       state.status().message(), "): training starts it anew"));
  }
}

namespace {

// The name, or where there are settings the class.
OrderedJson LossJson(const std::string& loss, const Attributes& settings, Dialect dialect) {
  if (loss.empty()) return nullptr;
  if (settings.entries().empty()) return loss;
  OrderedJson config;
  config["name"] = loss;
  config["reduction"] = "sum_over_batch_size";
  for (const auto& [key, value] : settings.entries()) {
    if (const double* number = std::get_if<double>(&value)) config[key] = *number;
  }
  std::string class_name;
  for (absl::string_view word : absl::StrSplit(loss, '_')) {
    absl::StrAppend(&class_name, absl::AsciiStrToUpper(word.substr(0, 1)), word.substr(1));
  }
  return ClassJson("keras.losses", class_name, std::move(config), dialect);
}

OrderedJson MetricsJson(const std::vector<std::string>& metrics) {
  return metrics.empty() ? OrderedJson(nullptr) : OrderedJson(metrics);
}

// Of several outputs: lists in their order, which Keras takes whatever labels it is given.
void AddLosses(const std::vector<OutputLoss>& losses, Dialect dialect, OrderedJson& json) {
  OrderedJson names = OrderedJson::array(), weights = names, metrics = names;
  bool weighted = false, measured = false;
  for (const OutputLoss& each : losses) {
    names.push_back(LossJson(each.loss, each.settings, dialect));
    weights.push_back(each.weight);
    metrics.push_back(MetricsJson(each.metrics));
    weighted |= each.weight != 1;
    measured |= !each.metrics.empty();
  }
  json["loss"] = std::move(names);
  json["loss_weights"] = weighted ? std::move(weights) : OrderedJson(nullptr);
  json["metrics"] = measured ? std::move(metrics) : OrderedJson(nullptr);
}

}  // namespace

OrderedJson TrainingJson(const Training& training, Dialect dialect) {
  OrderedJson json;
  if (training.losses.empty()) {
    json["loss"] = LossJson(training.loss, training.loss_settings, dialect);
    json["loss_weights"] = training.loss_weight == 1 ? OrderedJson(nullptr)
                                                     : OrderedJson::array({training.loss_weight});
    json["metrics"] = MetricsJson(training.metrics);
  } else {
    AddLosses(training.losses, dialect, json);
  }
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
  // Without it Keras 2 takes its optimizers of before 2.11, which have other settings.
  if (dialect == Dialect::kKeras2) config["is_legacy_optimizer"] = false;
  json[dialect == Dialect::kKeras3 ? "optimizer" : "optimizer_config"] =
      ClassJson("keras.optimizers", optimizer.name(), std::move(config), dialect);
  return json;
}

}  // namespace seqgraph::keras
