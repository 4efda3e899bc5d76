#pragma once

// The settings of a layer as the fields of a struct, listed once:
//
//   struct DenseLayer {
//     static constexpr char kClass[] = "Dense";
//     int64_t units = 0;
//     bool use_bias = true;
//
//     template <typename Visitor>
//     void Fields(Visitor& field) {
//       field("units", units, Extent(), "outputs");
//       field("use_bias", use_bias, AnyValue(), "whether b is added");
//     }
//   };
//
// A name is Keras's key; the default is the member's; the type is the member's: int64_t, double,
// bool, std::string, Initializer, Regularizer, std::vector<int64_t> or std::vector<double>, whose
// elements the rule is for, Layer for a layer that is held, or std::vector<Layer> for several.

#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "graph/layer_stack.h"

namespace seqgraph {

/// Which values a field may have.
struct FieldRule {
  double low = -1e300;               ///< of a number, included
  double high = 1e300;               ///< of a number
  bool open = false;                 ///< `high` is not included
  bool must = false;                 ///< without a default: the field must be given
  bool several = false;              ///< of layers: one or more, else one
  std::vector<std::string> choices;  ///< of a text
  /// A text that is the name of an activation: Keras also writes it as an object, and "linear" as
  /// null.
  bool activation = false;
  std::string keras2;  ///< what Keras 2 calls the field, where it has another name
};

/// Any value of the field's type; a number must be finite.
inline FieldRule AnyValue() { return {}; }
/// From 1 to kMaxLayerExtent, without a default.
inline FieldRule Extent() {
  return {.low = 1, .high = static_cast<double>(kMaxLayerExtent), .must = true};
}
/// From `least` to kMaxLayerExtent.
inline FieldRule AtLeast(int64_t least) {
  return {.low = static_cast<double>(least), .high = static_cast<double>(kMaxLayerExtent)};
}
/// A probability below 1.
inline FieldRule Rate() { return {.low = 0, .high = 1, .open = true}; }
inline FieldRule OneOf(std::vector<std::string> choices) { return {.choices = std::move(choices)}; }
/// The name of an activation, one of these, perhaps with parameters (FindActivation).
inline FieldRule ActivationName(std::vector<std::string> names) {
  return {.choices = std::move(names), .activation = true};
}

/// A field of a layer as data.
struct LayerField {
  std::string name;
  LayerSetting default_value;
  FieldRule rule;
  std::string doc;
};

/// OK if the field may have this value; InvalidArgument names it and what it may be. Of layers it
/// is only checked that there is one.
absl::Status CheckField(const LayerField& field, const LayerSetting& value);

/// The setting as text, for documentation: `1`, `"tanh"`, `GlorotUniform`.
std::string SettingText(const LayerSetting& value);

namespace internal_layers {

// What these do is compiled once, not for each layer. A layer that is held is a list of one; none:
// a wrapper that nothing was put into.
struct Writer {
  LayerKind& kind;
  void operator()(const char* name, LayerSetting member, const FieldRule&, const char*) const;
  void operator()(const char* name, const Layer& member, const FieldRule&, const char*) const;
};

struct Reader {
  const LayerKind& kind;
  template <typename T>
  void operator()(const char* name, T& member, const FieldRule&, const char*) const {
    if (const LayerSetting* setting = Find(name)) Read(*setting, member);
  }

 private:
  const LayerSetting* Find(const char* name) const;
  // Leaves the member as it is where the setting is of another type.
  static void Read(const LayerSetting& setting, Layer& member);
  template <typename T>
  static void Read(const LayerSetting& setting, T& member) {
    if (const T* value = std::get_if<T>(&setting)) member = *value;
  }
};

struct Lister {
  std::vector<LayerField>& fields;
  void operator()(const char* name, LayerSetting member, const FieldRule& rule,
                  const char* doc) const;
  void operator()(const char* name, const Layer& member, const FieldRule& rule,
                  const char* doc) const;
};

}  // namespace internal_layers

/// A struct for layers of one class, or with class_name() and SetClass() for several that have
/// their fields in common.
template <typename T>
concept LayerStruct = requires(T& layer, internal_layers::Writer& visitor) {
  layer.Fields(visitor);
};

namespace internal_layers {

template <LayerStruct T>
std::string ClassName(const T& layer) {
  if constexpr (requires { T::kClass; }) {
    return T::kClass;
  } else {
    return layer.class_name();
  }
}

}  // namespace internal_layers

/// The layer as data. Compiled where the layer is (`extern template` in its header): it is a third
/// of what a program with three layers would have to compile.
template <LayerStruct T>
void FillLayerKind(const T& layer, LayerKind& kind) {
  kind.class_name = internal_layers::ClassName(layer);
  T copy = layer;
  internal_layers::Writer writer{kind};
  copy.Fields(writer);
}

/// The struct with the settings of a layer of its class; nullopt for one of another class. What the
/// layer does not say, or says with another type, keeps its default: CheckLayer() tells.
template <LayerStruct T>
std::optional<T> As(const LayerKind& kind) {
  T layer;
  if constexpr (requires { T::kClass; }) {
    if (kind.class_name != T::kClass) return std::nullopt;
  } else if (!layer.SetClass(kind.class_name)) {
    return std::nullopt;
  }
  internal_layers::Reader reader{kind};
  layer.Fields(reader);
  return layer;
}

/// The fields of the struct's class.
template <LayerStruct T>
std::vector<LayerField> FieldsOf(T prototype) {
  std::vector<LayerField> fields;
  internal_layers::Lister lister{fields};
  prototype.Fields(lister);
  return fields;
}

}  // namespace seqgraph
