#include "serialization/keras/setting_config.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "serialization/keras/layer_config.h"

namespace seqgraph::keras {
namespace {

const Json& NoConfig() {
  static const Json* none = new Json(Json::object());
  return *none;
}

const Json& ConfigOf(const Json& object) {
  return object.is_object() && object.contains("config") && object["config"].is_object()
             ? object["config"]
             : NoConfig();
}

// "GlorotUniform" and "glorot_uniform" alike.
std::string Folded(absl::string_view name) {
  std::string folded;
  for (const char c : name) {
    if (c != '_') folded += absl::ascii_tolower(c);
  }
  return folded;
}

// A class by name alone, or with its configuration.
std::string FoldedClass(const Json& object) {
  return Folded(object.is_string() ? object.get<std::string>() : ClassName(object));
}

// Activations that Keras 2 and 3 give one name and different meanings, or two names.
struct ActivationRow {
  const char* keras;
  int version;  // 0: any
  const char* ours;
};
constexpr ActivationRow kActivations[] = {
    {"hard_sigmoid", 2, "hard_sigmoid(0.2,0.5)"},
    {"swish", 0, "silu"},
    {"hard_swish", 0, "hard_silu"},
};

std::string OurActivation(const std::string& name, int version) {
  for (const ActivationRow& row : kActivations) {
    if (name == row.keras && (row.version == 0 || row.version == version)) return row.ours;
  }
  return name;
}

}  // namespace

void ReadInitializer(Config& config, const std::string& key, Initializer* value,
                     std::vector<std::string>* notes) {
  const Json* found = config.Take(key);
  if (found == nullptr) return;
  const std::string name = FoldedClass(*found);
  const Json& settings = ConfigOf(*found);
  const auto number = [&](const char* setting, double otherwise) {
    return settings.contains(setting) && settings[setting].is_number()
               ? settings[setting].get<double>()
               : otherwise;
  };
  if (name == "zeros" || name == "zero") {
    *value = Initializer::Zeros();
  } else if (name == "ones" || name == "one") {
    *value = Initializer::Constant(1);
  } else if (name == "constant") {
    *value = Initializer::Constant(number("value", 0));
  } else if (name == "glorotuniform" || name == "xavieruniform" ||
             // As Keras 2.0 to 2.2 write it.
             (name == "variancescaling" && number("scale", 1) == 1 &&
              settings.value("mode", Json()) == "fan_avg" &&
              settings.value("distribution", Json()) == "uniform")) {
    *value = Initializer::GlorotUniform();
  } else if ((name == "orthogonal" || name == "orthogonalinitializer") && number("gain", 1) == 1) {
    *value = Initializer::Orthogonal();
  } else if ((name == "randomuniform" || name == "uniform") && number("maxval", 0.05) > 0 &&
             number("minval", -0.05) == -number("maxval", 0.05)) {
    *value = Initializer::Uniform(number("maxval", 0.05));
  } else {
    notes->push_back(absl::StrCat(config.where(), ": ", key, " ", Shown(*found),
                                  " is not known here; it matters only to whoever starts anew"));
  }
}

void ReadRegularizer(Config& config, const std::string& key, Regularizer* value) {
  const Json* found = config.Take(key);
  if (found == nullptr) return;
  const std::string name = FoldedClass(*found);
  if (name != "l1" && name != "l2" && name != "l1l2") {
    config.Refuse(key, *found, "it can be L1, L2 or L1L2");
    return;
  }
  Config settings(ConfigOf(*found), absl::StrCat(config.where(), ": ", key));
  // A name alone stands for Keras's default strength.
  const double otherwise = found->is_string() ? 0.01 : 0;
  Regularizer read{.l1 = name == "l2" ? 0 : otherwise, .l2 = name == "l1" ? 0 : otherwise};
  settings.Real("l1", &read.l1);
  settings.Real("l2", &read.l2);
  config.Fail(settings.Finish());
  *value = read;
}

absl::StatusOr<std::string> KerasActivation(const std::string& ours, int version) {
  for (const ActivationRow& row : kActivations) {
    if (ours == row.ours && row.version == version) return std::string(row.keras);
    if ((ours == row.ours && row.version != 0) || (ours == row.keras && row.version == version)) {
      return Unimplemented("activation ", ours, ": Keras ", version, " calls another function ",
                           row.keras, "; write a .h5 file in the layout of Keras ", 5 - version,
                           " (--h5_layout)");
    }
  }
  return ours;
}

void ReadActivation(Config& config, const std::string& key, const std::vector<std::string>& known,
                    int version, std::string* value) {
  const Json* found = config.Take(key);
  if (found == nullptr) {
    if (config.Has(key)) *value = "linear";
    for (const std::string& name : known) {
      if (*value == name) return;
    }
    if (config.Has(key)) config.Refuse(key, Json(), "no activation is not known here");
    return;
  }
  // A function that was serialized as an object: its name is the configuration.
  const Json* name = found;
  if (found->is_object() && found->contains("config")) name = &(*found)["config"];
  const std::string text =
      OurActivation(name->is_string() ? name->get<std::string>() : "", version);
  for (const std::string& candidate : known) {
    // Some have parameters behind the name.
    if (text == candidate || absl::StartsWith(text, absl::StrCat(candidate, "("))) {
      *value = text;
      return;
    }
  }
  config.Refuse(key, *found, "this activation is not known here");
}

OrderedJson InitializerJson(const Initializer& initializer) {
  const auto object = [](const char* name, OrderedJson config) {
    return ClassJson("keras.initializers", name, std::move(config), Dialect::kKeras3);
  };
  switch (initializer.kind) {
    case Initializer::Kind::kZeros:
      return object("Zeros", OrderedJson::object());
    case Initializer::Kind::kConstant:
      return object("Constant", {{"value", initializer.value}});
    case Initializer::Kind::kUniform:
      return object(
          "RandomUniform",
          {{"seed", nullptr}, {"minval", -initializer.value}, {"maxval", initializer.value}});
    case Initializer::Kind::kGlorotUniform:
      return object("GlorotUniform", {{"seed", nullptr}});
    case Initializer::Kind::kOrthogonal:
      break;
  }
  return object("Orthogonal", {{"seed", nullptr}, {"gain", 1.0}});
}

OrderedJson RegularizerJson(const Regularizer& regularizer) {
  if (!regularizer.present()) return nullptr;
  return ClassJson("keras.regularizers", "L1L2", {{"l1", regularizer.l1}, {"l2", regularizer.l2}},
                   Dialect::kKeras3);
}

}  // namespace seqgraph::keras
