#include "optimizers/optimizer.h"

#include <cmath>
#include <limits>

#include "base/status_macros.h"
#include "graph/op_def.h"

namespace seqgraph {
namespace {

absl::Status CheckNumber(absl::string_view key, double value, const Limits& limits) {
  if (limits.Allow(value)) return absl::OkStatus();
  return InvalidArgument("optimizer: ", key, " must be ", limits.text, ", got ", value);
}

constexpr char kLearningRate[] = "learning_rate";
constexpr char kWeightDecay[] = "weight_decay";

struct ClippingRow {
  const char* key;
  GradientClipping::Kind kind;
  const char* doc;
};
constexpr ClippingRow kClippings[] = {
    {"clipnorm", GradientClipping::Kind::kNorm, "shorten each gradient to this norm"},
    {"global_clipnorm", GradientClipping::Kind::kGlobalNorm,
     "shorten all gradients together to this norm"},
    {"clipvalue", GradientClipping::Kind::kValue,
     "clip each element of the gradients to this size"},
};

absl::Status CheckClipping(const GradientClipping& clipping) {
  if (clipping.kind == GradientClipping::Kind::kNone) return absl::OkStatus();
  if (std::isfinite(clipping.limit) && clipping.limit > 0) return absl::OkStatus();
  return InvalidArgument("optimizer: the limit of clipping must be finite and above 0, got ",
                         clipping.limit);
}

absl::Status Unknown(const OptimizerDef& def, absl::string_view key) {
  return InvalidArgument("optimizer: ", def.name, " has no ", key);
}

absl::Status CheckSetting(const OptimizerDef& def, const Hyperparameter& each,
                          const AttributeValue* value) {
  if (value == nullptr || KindOf(*value) != KindOf(each.default_value)) {
    return InvalidArgument("optimizer: ", def.name, " needs ", each.key, ", a ",
                           KindName(KindOf(each.default_value)));
  }
  const double* number = std::get_if<double>(value);
  return number == nullptr ? absl::OkStatus() : CheckNumber(each.key, *number, each.limits);
}

const Hyperparameter* Find(const std::vector<Hyperparameter>& list, absl::string_view key) {
  for (const Hyperparameter& each : list) {
    if (each.key == key) return &each;
  }
  return nullptr;
}

}  // namespace

constexpr double kInfinity = std::numeric_limits<double>::infinity();
const Limits kNotNegative = {kInfinity, false, "finite and at least 0"};
const Limits kDecay = {1, false, "in [0, 1)"};
const Limits kMomentum = {1, true, "in [0, 1]"};

bool Limits::Allow(double value) const {
  return value >= 0 && (value < high || (includes_high && value == high));
}

std::vector<Hyperparameter> OptimizerDef::Settings() const {
  std::vector<Hyperparameter> settings = {
      {kLearningRate, learning_rate, kNotNegative, "size of a step", /*none_is_zero=*/false, "lr"},
      {kWeightDecay, weight_decay, kNotNegative, "share of the rate by which weights decay",
       /*none_is_zero=*/weight_decay == 0}};
  for (const ClippingRow& row : kClippings) {
    settings.push_back({row.key, 0.0, kNotNegative, row.doc, /*none_is_zero=*/true});
  }
  settings.insert(settings.end(), hyperparameters.begin(), hyperparameters.end());
  return settings;
}

Optimizer::Optimizer(const OptimizerDef& definition)
    : def(&definition),
      learning_rate(definition.learning_rate),
      weight_decay(definition.weight_decay) {
  for (const Hyperparameter& each : definition.hyperparameters) {
    hyperparameters.Set(each.key, each.default_value);
  }
}

Attributes Optimizer::Settings() const {
  Attributes settings = hyperparameters;
  settings.Set(kLearningRate, learning_rate);
  settings.Set(kWeightDecay, weight_decay);
  for (const ClippingRow& row : kClippings) {
    settings.Set(row.key, clipping.kind == row.kind ? clipping.limit : 0.0);
  }
  return settings;
}

absl::StatusOr<Optimizer> Optimizer::FromSettings(const OptimizerDef& definition,
                                                  const Attributes& settings) {
  const std::vector<Hyperparameter> known = definition.Settings();
  for (const auto& [key, value] : settings.entries()) {
    const Hyperparameter* each = Find(known, key);
    if (each == nullptr) return Unknown(definition, key);
    SEQ_RETURN_IF_ERROR(CheckSetting(definition, *each, &value));
  }
  Optimizer optimizer(definition);
  const auto set = [&](const char* key, double* number) {
    if (settings.Find(key) != nullptr) *number = settings.GetFloat(key);
  };
  set(kLearningRate, &optimizer.learning_rate);
  set(kWeightDecay, &optimizer.weight_decay);
  for (const ClippingRow& row : kClippings) {
    double limit = 0;
    set(row.key, &limit);
    if (limit == 0) continue;
    if (optimizer.clipping.kind != GradientClipping::Kind::kNone) {
      return InvalidArgument("optimizer: ", row.key, " is ", limit,
                             ": gradients are clipped in another way already");
    }
    optimizer.clipping = {row.kind, limit};
  }
  for (const Hyperparameter& each : definition.hyperparameters) {
    const AttributeValue* value = settings.Find(each.key);
    if (value != nullptr) optimizer.hyperparameters.Set(each.key, *value);
  }
  return optimizer;
}

absl::Status Optimizer::Check() const {
  SEQ_RETURN_IF_ERROR(CheckNumber(kLearningRate, learning_rate, kNotNegative));
  SEQ_RETURN_IF_ERROR(CheckNumber(kWeightDecay, weight_decay, kNotNegative));
  SEQ_RETURN_IF_ERROR(CheckClipping(clipping));
  for (const auto& [key, value] : hyperparameters.entries()) {
    if (Find(def->hyperparameters, key) == nullptr) return Unknown(*def, key);
  }
  for (const Hyperparameter& each : def->hyperparameters) {
    SEQ_RETURN_IF_ERROR(CheckSetting(*def, each, hyperparameters.Find(each.key)));
  }
  return absl::OkStatus();
}

}  // namespace seqgraph
