#include "tools/training_flags.h"

#include <algorithm>
#include <variant>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

namespace seqgraph::tools {
namespace {

constexpr char kBalanced[] = "balanced";

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

std::vector<Flag> TrainingFlags::Declare(Flags& flags) {
  Flag optimizer = flags.Choice("--optimizer", &optimizer_, {"rmsprop", "adam", "sgd"},
                                "What updates the weights");
  rate_ = flags.Real("--learning_rate", &learning_rate_, 0, 1e38,
                     "Of the optimizer; by default 0.001 of adam and 0.01 of sgd");
  Flag norm = flags.Real("--clipnorm", &clipnorm_, 0, 1e38,
                         "Shorten each gradient to this norm; 0: none is");
  Flag value = flags.Real("--clipvalue", &clipvalue_, 0, 1e38,
                          "Clip each element of the gradients to this size");
  Flag global = flags
                    .Real("--global_clipnorm", &global_clipnorm_, 0, 1e38,
                          "Shorten all gradients together to this norm")
                    .Excludes(norm)
                    .Excludes(value);
  value.Excludes(norm);
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
      absl::StrCat("What is measured beside the loss, comma-separated; accuracy always is.\n",
                   absl::StrReplaceAll(MetricNames(), {{"auc, ", "auc,\n"}}),
                   ";\nweighted_NAME counts texts by --class_weight"));
  flags.Check("--metrics", [this]() -> std::string {
    for (absl::string_view name : absl::StrSplit(metrics_, ',')) {
      if (const auto metric = MetricByName(name); !metric.ok()) {
        return std::string(metric.status().message());
      }
    }
    return "";
  });
  return {optimizer, norm, value, global};
}

GradientClipping TrainingFlags::Clipping() const {
  if (clipnorm_ > 0) return GradientClipping::Norm(clipnorm_);
  if (clipvalue_ > 0) return GradientClipping::Value(clipvalue_);
  if (global_clipnorm_ > 0) return GradientClipping::GlobalNorm(global_clipnorm_);
  return {};
}

Optimizer TrainingFlags::MakeOptimizer() const {
  const auto with_rate = [this](auto optimizer) -> Optimizer {
    if (optimizer_ == "rmsprop" || rate_->given()) optimizer.learning_rate = learning_rate_;
    optimizer.clipping = Clipping();
    return optimizer;
  };
  return optimizer_ == "adam"  ? with_rate(Adam{})
         : optimizer_ == "sgd" ? with_rate(SGD{})
                               : with_rate(RMSProp{});
}

std::string TrainingFlags::Description() const {
  const Optimizer optimizer = MakeOptimizer();
  const double rate = std::visit(
      [](const auto& each) { return static_cast<double>(each.learning_rate); }, optimizer);
  std::string text = absl::StrFormat("%s, learning rate %g", OptimizerName(optimizer), rate);
  if (clipnorm_ > 0) absl::StrAppendFormat(&text, ", clipnorm %g", clipnorm_);
  if (clipvalue_ > 0) absl::StrAppendFormat(&text, ", clipvalue %g", clipvalue_);
  if (global_clipnorm_ > 0) absl::StrAppendFormat(&text, ", global clipnorm %g", global_clipnorm_);
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
      return absl::InvalidArgumentError(absl::StrCat("--class_weight: there is no class '",
                                                     each.label, "'; the classes are ",
                                                     absl::StrJoin(labels, ", ")));
    }
    if (!weights.emplace(static_cast<int32_t>(label - labels.begin()), each.weight).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("--class_weight: class '", each.label, "' is named twice"));
    }
  }
  return weights;
}

std::vector<Metric> TrainingFlags::Metrics() const {
  std::vector<Metric> metrics = {Accuracy()};
  for (absl::string_view name : absl::StrSplit(metrics_, ',')) {
    absl::StatusOr<Metric> metric = MetricByName(name);
    const auto same = [&](const Metric& other) { return other.name == metric->name; };
    if (metric.ok() && std::none_of(metrics.begin(), metrics.end(), same)) {
      metrics.push_back(*std::move(metric));
    }
  }
  return metrics;
}

}  // namespace seqgraph::tools
