#pragma once

// An optimizer is a value, and its update a formula.
//
// What a user writes is a plain struct (`Adagrad{.learning_rate = 0.1}`), one pair of files each.
// Its Fields() name the hyperparameters once: checks, command lines, Keras's configurations, model
// files and documentation all walk them.

#include <functional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "graph/attributes.h"

namespace seqgraph {

class OptimizerStep;  // optimizers/formula.h

/// What is done to gradients before the update: nothing, or one of Keras's three ways.
struct GradientClipping {
  enum class Kind {
    kNone,
    kValue,       ///< clipvalue: each element into [-limit, limit]
    kNorm,        ///< clipnorm: each gradient shortened to the norm `limit`
    kGlobalNorm,  ///< global_clipnorm: all together shortened to it
  };
  Kind kind = Kind::kNone;
  double limit = 0;

  static GradientClipping Value(double limit) { return {Kind::kValue, limit}; }
  static GradientClipping Norm(double limit) { return {Kind::kNorm, limit}; }
  static GradientClipping GlobalNorm(double limit) { return {Kind::kGlobalNorm, limit}; }
  friend bool operator==(const GradientClipping&, const GradientClipping&) = default;
};

/// The values that a number may have: finite, from 0 on.
struct Limits {
  double high;  ///< infinity: any
  bool includes_high;
  const char* text;  ///< for people: "in [0, 1)"

  bool Allow(double value) const;
};
extern const Limits kNotNegative;  ///< "finite and at least 0"
extern const Limits kDecay;        ///< "in [0, 1)"
extern const Limits kMomentum;     ///< "in [0, 1]"

/// One setting of an optimizer: a number (kFloat, within limits) or a switch (kBool).
struct Hyperparameter {
  std::string key;  ///< Keras's
  AttributeValue default_value;
  Limits limits;
  std::string doc;
  /// 0 stands for none, and Keras writes null.
  bool none_is_zero = false;
  std::string older_key = "";  ///< what Keras called it before; empty: the same
};

/// One kind of state.
struct SlotDef {
  std::string name;  ///< Keras 3's: "velocity". The variable is "optimizer/<weight>/velocity".
  double initial = 0;
  /// One number for all weights, "optimizer/<name>", instead of one tensor for each.
  bool shared = false;
  /// Not kept here, but Keras may: on PyTorch it has momenta that plain SGD never reads.
  bool idle = false;
  /// What Keras 2 calls it, TensorFlow 2.11's name first; empty: as Keras 3.
  std::vector<std::string> keras2 = {};
};

/// Slots that Keras's files keep side by side, weight by weight. The order of groups and within
/// them is that of Keras's state.
using SlotGroup = std::vector<SlotDef>;

/// All that is known about an optimizer. Clipping, decay of weights, schedules of the rate and
/// frozen weights are around it, once for all (training/optimizers.h).
struct OptimizerDef {
  std::string name;          ///< Keras's class: "RMSprop"
  std::string doc;           ///< the formula, and where it is from
  double learning_rate = 0;  ///< defaults
  double weight_decay = 0;
  std::vector<Hyperparameter> hyperparameters;
  std::function<std::vector<SlotGroup>(const Attributes&)> slots;
  /// Emits the update of all weights, of ordinary ops.
  std::function<void(const Attributes&, OptimizerStep&)> update;
  /// The op whose single node is a weight's update, with the hyperparameters as attributes; empty:
  /// a formula of several nodes. Files of old say by it alone what they were trained with.
  std::string update_op = "";

  /// All that can be set, by Keras's keys: learning_rate, weight_decay, clipnorm, global_clipnorm,
  /// clipvalue (0: not clipped so), then the hyperparameters.
  std::vector<Hyperparameter> Settings() const;
};

/// An optimizer with its settings: made from the struct of one, `Optimizer o = Adam{.beta_1 = .8}`.
struct Optimizer {
  const OptimizerDef* def;  ///< never null; lives as long as the program
  double learning_rate;
  GradientClipping clipping = {};
  /// w -= weight_decay lr w before the update (decoupled: Loshchilov & Hutter 2019).
  double weight_decay = 0;
  Attributes hyperparameters = {};  ///< a value for each of the definition's

  /// Keras's defaults.
  explicit Optimizer(const OptimizerDef& definition);
  template <typename T, typename = decltype(T::Def())>
  Optimizer(const T& settings);  // NOLINT(google-explicit-constructor): a struct is an optimizer

  const std::string& name() const { return def->name; }
  /// A value for each of the definition's Settings(), and the way back, where those that are left
  /// out take their defaults. InvalidArgument as Check(), and for two ways of clipping.
  Attributes Settings() const;
  static absl::StatusOr<Optimizer> FromSettings(const OptimizerDef& definition,
                                                const Attributes& settings);

  std::vector<SlotGroup> slots() const { return def->slots(hyperparameters); }
  /// InvalidArgument, naming the setting, for one that is missing, unknown or out of its limits.
  absl::Status Check() const;
  friend bool operator==(const Optimizer& a, const Optimizer& b) = default;
};

/// The values of a struct's fields, and the struct with these values.
template <typename T>
Attributes HyperparametersOf(const T& settings) {
  Attributes values;
  T::Fields([&](const char* key, auto T::*member, const Limits&, const char*) {
    values.Set(key, settings.*member);
  });
  return values;
}
template <typename T>
T SettingsOf(const Attributes& values) {
  T settings;
  T::Fields([&](const char* key, auto T::*member, const Limits&, const char*) {
    settings.*member = std::get<std::decay_t<decltype(settings.*member)>>(*values.Find(key));
  });
  return settings;
}

template <typename T, typename>
Optimizer::Optimizer(const T& settings)
    : def(&T::Def()),
      learning_rate(settings.learning_rate),
      clipping(settings.clipping),
      weight_decay(settings.weight_decay),
      hyperparameters(HyperparametersOf(settings)) {}

/// The definition of the optimizer whose settings are a T; see OptimizerDef.
template <typename T>
OptimizerDef DefineOptimizer(std::string name, std::string doc,
                             std::vector<SlotGroup> (*slots)(const T&),
                             void (*update)(const T&, OptimizerStep&), std::string update_op = "") {
  const T defaults;
  OptimizerDef def{.name = std::move(name),
                   .doc = std::move(doc),
                   .learning_rate = defaults.learning_rate,
                   .weight_decay = defaults.weight_decay,
                   .hyperparameters = {},
                   .slots = [slots](const Attributes& a) { return slots(SettingsOf<T>(a)); },
                   .update = [update](const Attributes& a,
                                      OptimizerStep& step) { update(SettingsOf<T>(a), step); },
                   .update_op = std::move(update_op)};
  T::Fields([&](const char* key, auto T::*member, const Limits& limits, const char* text) {
    def.hyperparameters.push_back({key, AttributeValue(defaults.*member), limits, text});
  });
  return def;
}

}  // namespace seqgraph
