#include "tools/training_flags.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"

namespace seqgraph::tools {
namespace {

constexpr char kBalanced[] = "balanced";
constexpr char kLearningRate[] = "learning_rate";
// The tutorial's, with the optimizer that is taken if none is named.
constexpr char kDefaultOptimizer[] = "rmsprop";
constexpr double kDefaultRate = 1e-4;

struct NamedWeight {
  std::string label;
  double weight = 0;
};

// "NAME=W,NAME=W"; nothing for any other text. A name may have "=" in it, but no comma.
std::optional<std::vector<NamedWeight>> ParseWeights(const std::string& text) {
  std::vector<NamedWeight> weights;
  for (absl::string_view part : absl::StrSplit(text, ',')) {
    const size_t equals = part.rfind('=');
    if (equals == absl::string_view::npos) return std::nullopt;
    NamedWeight weight{std::string(part.substr(0, equals))};
    if (!absl::SimpleAtod(part.substr(equals + 1), &weight.weight) ||
        !(weight.weight >= 0 && weight.weight <= 1e6)) {
      return std::nullopt;
    }
    weights.push_back(std::move(weight));
  }
  return weights;
}

}  // namespace

std::vector<Flag> TrainingFlags::DeclareSettings(Flags& flags) {
  std::map<std::string, std::string> defaults;  // "rmsprop 0.9, adadelta 0.95"
  std::vector<Hyperparameter> all;
  for (const OptimizerDef* def : AllOptimizers()) {
    for (const Hyperparameter& each : def->Settings()) {
      if (settings_.try_emplace(each.key).second) all.push_back(each);
      const std::string name = absl::AsciiStrToLower(def->name);
      const double* number = std::get_if<double>(&each.default_value);
      const bool tutorial = name == kDefaultOptimizer && each.key == kLearningRate;
      std::string& text = defaults[each.key];
      absl::StrAppend(&text, text.empty() ? "" : ", ", name);
      if (number != nullptr) absl::StrAppendFormat(&text, " %g", tutorial ? kDefaultRate : *number);
    }
  }
  std::vector<Flag> declared;
  for (const Hyperparameter& each : all) {
    Setting& setting = settings_[each.key];
    const std::string name = absl::StrCat("--", each.key);
    const std::string& of = defaults[each.key];
    std::string help = each.doc;
    help[0] = absl::ascii_toupper(help[0]);
    if (each.key == kLearningRate) {
      setting.flag = flags.Number(
          name, &setting.number, [](double x) { return x > 0 && x < 1e38; },
          "a number between 0 and 1e+38", absl::StrFormat("%g", kDefaultRate),
          absl::StrCat("Of the optimizer; by default\n", of));
    } else if (std::holds_alternative<bool>(each.default_value)) {
      setting.flag = flags.Switch(name, &setting.on, absl::StrCat(help, "\n(", of, ")"));
    } else {
      setting.flag = flags.Number(
          name, &setting.number, [limits = each.limits](double x) { return limits.Allow(x); },
          absl::StrCat("a number ", each.limits.text), "",
          each.none_is_zero ? absl::StrCat(help, "; 0: none") : absl::StrCat(help, "\n(", of, ")"));
    }
    keys_.push_back(each.key);
    if (each.key != kLearningRate) declared.push_back(*setting.flag);
  }
  flags.Check("--optimizer", [this] { return CheckSettings(); });
  return declared;
}

std::string TrainingFlags::CheckSettings() const {
  const OptimizerDef& def = *FindOptimizer(optimizer_);
  Attributes known;
  for (const Hyperparameter& each : def.Settings()) known.Set(each.key, each.default_value);
  for (const std::string& key : keys_) {
    if (!settings_.at(key).flag->given() || known.Find(key) != nullptr) continue;
    return absl::StrCat(
        optimizer_, " has no --", key, "; it has ",
        absl::StrJoin(known.entries(), ", ", [](std::string* out, const auto& entry) {
          absl::StrAppend(out, "--", entry.first);
        }));
  }
  const absl::StatusOr<Optimizer> made = Make();
  return std::string(absl::StripPrefix(made.status().message(), "optimizer: "));
}

std::vector<Flag> TrainingFlags::Declare(Flags& flags) {
  std::vector<std::string> names;
  for (const OptimizerDef* def : AllOptimizers()) names.push_back(absl::AsciiStrToLower(def->name));
  optimizer_flag_ = flags.Choice("--optimizer", &optimizer_, names, "What updates the weights");
  std::vector<Flag> declared = {*optimizer_flag_};
  for (const Flag& flag : DeclareSettings(flags)) declared.push_back(flag);
  flags.Text(
      "--class_weight", &class_weight_, "balanced|NAME=W,...",
      "What texts of a class count for in training; balanced: all classes alike. 1 for those\n"
      "not named");
  flags.Check("--class_weight", [this]() -> std::string {
    if (class_weight_.empty() || class_weight_ == kBalanced || ParseWeights(class_weight_)) {
      return "";
    }
    return absl::StrCat(
        "expected balanced, or names of classes with weights from 0 to 1e6 such as ",
        "good=1,bad=2.5; got '", class_weight_, "'");
  });
  flags.Text(
      "--metrics", &metrics_, "NAMES",
      absl::StrCat(
          "What is measured beside the loss and what always is (accuracy of classes),\n"
          "comma-separated.\n",
          absl::StrReplaceAll(MetricNames(), {{"auc, ", "auc,\n"},
                                              {"logarithmic_error, ", "logarithmic_error,\n"}}),
          ";\nweighted_NAME counts texts by --class_weight"));
  flags.Check("--metrics", [this]() -> std::string {
    for (absl::string_view name : absl::StrSplit(metrics_, ',', absl::SkipEmpty())) {
      if (const auto metric = MetricByName(name); !metric.ok()) {
        return std::string(metric.status().message());
      }
    }
    return "";
  });
  return declared;
}

std::optional<double> TrainingFlags::given_learning_rate() const {
  const Setting& rate = settings_.at(kLearningRate);
  return rate.flag->given() ? std::make_optional(rate.number) : std::nullopt;
}

absl::StatusOr<Optimizer> TrainingFlags::Make() const {
  const OptimizerDef& def = *FindOptimizer(optimizer_);
  Attributes settings;
  if (optimizer_ == kDefaultOptimizer) settings.Set(kLearningRate, kDefaultRate);
  for (const auto& [key, setting] : settings_) {
    if (!setting.flag->given()) continue;
    if (setting.on) {
      settings.Set(key, true);
    } else {
      settings.Set(key, setting.number);
    }
  }
  return Optimizer::FromSettings(def, settings);
}

Optimizer TrainingFlags::MakeOptimizer() const { return Make().value(); }  // as CheckSettings saw

std::string TrainingFlags::Description() const {
  const Optimizer optimizer = MakeOptimizer();
  std::string text =
      absl::StrFormat("%s, learning rate %g", optimizer.name(), optimizer.learning_rate);
  for (const std::string& key : keys_) {
    const Setting& setting = settings_.at(key);
    if (!setting.flag->given() || key == kLearningRate) continue;
    absl::StrAppend(&text, ", ", absl::StrReplaceAll(key, {{"_", " "}}));
    if (!setting.on) absl::StrAppendFormat(&text, " %g", setting.number);
  }
  if (weighs_classes()) absl::StrAppend(&text, ", class weights ", class_weight_);
  return text;
}

absl::StatusOr<std::map<int32_t, double>> TrainingFlags::ClassWeights(
    absl::Span<const int32_t> targets, const std::vector<std::string>& labels) const {
  std::map<int32_t, double> weights;
  if (class_weight_ == kBalanced) {
    std::map<int32_t, int64_t> rows;
    for (int32_t target : targets) ++rows[target];
    for (const auto& [target, count] : rows) {
      weights[target] = static_cast<double>(targets.size()) /
                        (static_cast<double>(labels.size()) * static_cast<double>(count));
    }
    return weights;
  }
  if (class_weight_.empty()) return weights;
  const std::vector<NamedWeight> named = ParseWeights(class_weight_).value();
  for (const NamedWeight& each : named) {
    const auto label = std::find(labels.begin(), labels.end(), each.label);
    if (label == labels.end()) {
      return InvalidArgument("--class_weight: there is no class '", each.label,
                             "'; the classes are ", absl::StrJoin(labels, ", "));
    }
    if (!weights.emplace(static_cast<int32_t>(label - labels.begin()), each.weight).second) {
      return InvalidArgument("--class_weight: class '", each.label, "' is named twice");
    }
  }
  return weights;
}

void TrainingFlags::PreferOptimizer(const std::string& name) {
  if (!optimizer_flag_->given()) optimizer_ = name;
}

std::vector<Metric> TrainingFlags::Metrics(std::vector<Metric> metrics) const {
  for (absl::string_view name : absl::StrSplit(metrics_, ',', absl::SkipEmpty())) {
    absl::StatusOr<Metric> metric = MetricByName(name);
    const auto same = [&](const Metric& other) { return other.name == metric->name; };
    if (metric.ok() && std::none_of(metrics.begin(), metrics.end(), same)) {
      metrics.push_back(*std::move(metric));
    }
  }
  return metrics;
}

}  // namespace seqgraph::tools
