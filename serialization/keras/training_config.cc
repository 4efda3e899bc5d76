#include "serialization/keras/training_config.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"

namespace seqgraph::keras {
namespace {

// The kinds of optimizers, with the names that Keras 3 gives to them.
struct KindRow {
  const char* kind;
  const char* name;
};
constexpr KindRow kKinds[] = {{"SGD", "sgd"}, {"RMSprop", "rm_sprop"}, {"Adam", "adam"}};

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

// Decay of weights and clipping of gradients; false stands for none in some versions.
void ReadLimits(Config& config, Optimizer* optimizer) {
  int clippings = 0;
  for (const auto& [key, value] : {std::pair{"weight_decay", &optimizer->weight_decay},
                                   {"clipvalue", &optimizer->clipvalue},
                                   {"clipnorm", &optimizer->clipnorm},
                                   {"global_clipnorm", &optimizer->global_clipnorm}}) {
    const Json* found = config.Take(key);
    if (found == nullptr || *found == false) continue;
    config.Real(key, value);
    if (*value < 0) config.Refuse(key, *found, "it must be at least 0");
    if (value != &optimizer->weight_decay && *value > 0 && ++clippings > 1) {
      config.Refuse(key, *found, "gradients are clipped in another way already");
    }
  }
}

absl::StatusOr<Optimizer> ReadOptimizer(const Json& json) {
  std::string kind = json.is_string() ? json.get<std::string>() : ClassName(json);
  Optimizer optimizer;
  for (const KindRow& row : kKinds) {
    if (absl::AsciiStrToLower(kind) == absl::AsciiStrToLower(row.kind)) optimizer.kind = row.kind;
  }
  if (optimizer.kind.empty()) {
    return absl::UnimplementedError(absl::StrCat("training: the optimizer ", Shown(json),
                                                 " is not known here; SGD, RMSprop and Adam are"));
  }
  if (optimizer.kind == "SGD") optimizer.learning_rate = 0.01;
  if (!json.is_object() || !json.contains("config")) return optimizer;
  Config config(json["config"], absl::StrCat("training: optimizer ", optimizer.kind));
  const Json* rate = config.Take("learning_rate");
  if (rate != nullptr && rate->is_object()) {
    config.Refuse("learning_rate", *rate, "schedules are not known here");
  } else {
    config.Real("learning_rate", &optimizer.learning_rate);
  }
  if (optimizer.kind == "SGD") config.Bool("nesterov", &optimizer.nesterov);
  if (optimizer.kind != "Adam") config.Real("momentum", &optimizer.momentum);
  if (optimizer.kind == "RMSprop") {
    config.Real("rho", &optimizer.rho);
    config.Bool("centered", &optimizer.centered);
  }
  if (optimizer.kind == "Adam") {
    config.Real("beta_1", &optimizer.beta_1);
    config.Real("beta_2", &optimizer.beta_2);
    config.RefuseUnlessUnset({"amsgrad"});
  }
  if (optimizer.kind != "SGD") config.Real("epsilon", &optimizer.epsilon);
  ReadLimits(config, &optimizer);
  config.Ignore(
      {"name", "jit_compile", "is_legacy_optimizer", "ema_momentum", "ema_overwrite_frequency"});
  config.RefuseUnlessUnset(
      {"use_ema", "loss_scale_factor", "gradient_accumulation_steps", "decay"});
  SEQ_RETURN_IF_ERROR(config.Finish());
  return optimizer;
}

}  // namespace

std::string OptimizerKindOfName(absl::string_view name) {
  // "adam_3" is the fourth of its kind in a session.
  const size_t end = name.find_last_not_of("0123456789");
  if (end != absl::string_view::npos && end + 1 < name.size() && name[end] == '_') {
    name = name.substr(0, end);
  }
  for (const KindRow& row : kKinds) {
    if (name == row.name) return row.kind;
  }
  return "";
}

std::string OptimizerName(const std::string& kind) {
  for (const KindRow& row : kKinds) {
    if (kind == row.kind) return row.name;
  }
  return "optimizer";
}

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
  config["name"] = OptimizerName(optimizer.kind);
  config["learning_rate"] = optimizer.learning_rate;
  const auto put = [&](const char* key, double value) {
    config[key] = value > 0 ? OrderedJson(value) : OrderedJson(nullptr);
  };
  put("weight_decay", optimizer.weight_decay);
  put("clipnorm", optimizer.clipnorm);
  put("global_clipnorm", optimizer.global_clipnorm);
  put("clipvalue", optimizer.clipvalue);
  if (optimizer.kind == "RMSprop") {
    config["rho"] = optimizer.rho;
    config["momentum"] = optimizer.momentum;
    config["epsilon"] = optimizer.epsilon;
    config["centered"] = optimizer.centered;
  } else if (optimizer.kind == "Adam") {
    config["beta_1"] = optimizer.beta_1;
    config["beta_2"] = optimizer.beta_2;
    config["epsilon"] = optimizer.epsilon;
    config["amsgrad"] = false;
  } else {
    config["momentum"] = optimizer.momentum;
    config["nesterov"] = optimizer.nesterov;
  }
  json[dialect == Dialect::kKeras3 ? "optimizer" : "optimizer_config"] =
      ClassJson("keras.optimizers", optimizer.kind, std::move(config), dialect);
  return json;
}

}  // namespace seqgraph::keras
