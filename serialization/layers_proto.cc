#include "serialization/layers_proto.h"

#include <cmath>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "graph/shape.h"
#include "serialization/function_proto.h"
#include "serialization/old_layers_proto.h"

namespace seqgraph {
namespace {

void SaveLayer(const Layer& layer, proto::Layer& to);

struct SaveSetting {
  proto::LayerSetting& to;

  void operator()(int64_t value) const { to.set_int_value(value); }
  void operator()(double value) const { to.set_float_value(value); }
  void operator()(bool value) const { to.set_bool_value(value); }
  void operator()(const std::string& value) const { to.set_string_value(value); }
  void operator()(const Initializer& value) const {
    *to.mutable_initializer_value() = InitializerToProto(value);
  }
  void operator()(const Regularizer& value) const {
    to.mutable_regularizer_value()->set_l1(value.l1);
    to.mutable_regularizer_value()->set_l2(value.l2);
  }
  void operator()(const std::vector<Layer>& value) const {
    for (const Layer& layer : value) SaveLayer(layer, *to.mutable_layers_value()->add_layers());
  }
};

void SaveLayer(const Layer& layer, proto::Layer& to) {
  to.set_name(layer.name);
  to.set_frozen(!layer.trainable);
  to.set_class_name(layer.kind.class_name);
  for (const auto& [name, value] : layer.kind.settings) {
    proto::LayerSetting& setting = *to.add_settings();
    setting.set_name(name);
    std::visit(SaveSetting{setting}, value);
  }
}

absl::Status CheckName(absl::string_view what, const std::string& name) {
  if (!name.empty() && name.size() <= kMaxNameBytes) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("the name of ", what, " has ", name.size(),
                                                 " bytes; it must have 1 to ", kMaxNameBytes));
}

absl::StatusOr<Layer> ReadLayer(const proto::Layer& from, int depth);

absl::StatusOr<LayerSetting> ReadSetting(const proto::LayerSetting& from, int depth) {
  const auto finite = [](double value) -> absl::StatusOr<double> {
    if (std::isfinite(value)) return value;
    return absl::InvalidArgumentError("is not finite");
  };
  switch (from.value_case()) {
    case proto::LayerSetting::kIntValue:
      return LayerSetting(int64_t{from.int_value()});
    case proto::LayerSetting::kFloatValue:
      return finite(from.float_value());
    case proto::LayerSetting::kBoolValue:
      return LayerSetting(from.bool_value());
    case proto::LayerSetting::kStringValue:
      if (from.string_value().size() > kMaxNameBytes) break;
      return LayerSetting(from.string_value());
    case proto::LayerSetting::kInitializerValue:
      return InitializerFromProto(from.initializer_value());
    case proto::LayerSetting::kRegularizerValue: {
      Regularizer value;
      SEQ_ASSIGN_OR_RETURN(value.l1, finite(from.regularizer_value().l1()));
      SEQ_ASSIGN_OR_RETURN(value.l2, finite(from.regularizer_value().l2()));
      return value;
    }
    case proto::LayerSetting::kLayersValue: {
      std::vector<Layer> layers;
      for (const proto::Layer& layer : from.layers_value().layers()) {
        SEQ_ASSIGN_OR_RETURN(layers.emplace_back(), ReadLayer(layer, depth + 1));
      }
      return layers;
    }
    case proto::LayerSetting::VALUE_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError("has no value, or one that is too long");
}

absl::StatusOr<Layer> ReadLayer(const proto::Layer& from, int depth) {
  if (depth > kMaxLayerDepth) {
    return absl::InvalidArgumentError(
        absl::StrCat("layers lie in each other more than ", kMaxLayerDepth, " deep"));
  }
  SEQ_RETURN_IF_ERROR(CheckName("a layer", from.name()));
  Layer layer{.name = from.name(), .trainable = !from.frozen()};
  const std::string where = absl::StrCat("layer ", from.name());
  if (from.kind_case() != proto::Layer::KIND_NOT_SET) {
    if (!from.class_name().empty() || from.settings_size() > 0) {
      return absl::InvalidArgumentError(absl::StrCat(where, ": is of two kinds"));
    }
    SEQ_ASSIGN_OR_RETURN(layer.kind, Annotate(OldLayerKind(from), where));
    return layer;
  }
  if (from.class_name().empty() || from.class_name().size() > kMaxNameBytes) {
    return absl::InvalidArgumentError(absl::StrCat(where, ": is of no kind"));
  }
  layer.kind.class_name = from.class_name();
  for (const proto::LayerSetting& setting : from.settings()) {
    SEQ_RETURN_IF_ERROR(Annotate(CheckName("a setting", setting.name()), where));
    SEQ_ASSIGN_OR_RETURN(LayerSetting value, Annotate(ReadSetting(setting, depth),
                                                      absl::StrCat(where, ": ", setting.name())));
    if (!layer.kind.settings.emplace(setting.name(), std::move(value)).second) {
      return absl::InvalidArgumentError(
          absl::StrCat(where, ": ", setting.name(), " is there twice"));
    }
  }
  return layer;
}

absl::StatusOr<LayerInput> InputFromProto(const proto::LayerInput& from) {
  const auto fits = [](int64_t extent) { return extent >= 0 && extent <= kMaxLayerExtent; };
  if (from.time() < 1 || !fits(from.time()) || !fits(from.features()) || !fits(from.batch())) {
    return absl::InvalidArgumentError(
        absl::StrCat("its input has time ", from.time(), ", features ", from.features(),
                     " and batch ", from.batch(), ", which must be from 1 to ", kMaxLayerExtent));
  }
  if (from.name().empty() || from.name().size() > kMaxNameBytes) {
    return absl::InvalidArgumentError("the name of its input is empty or too long");
  }
  LayerInput to{.name = from.name(), .time = from.time()};
  if (from.features() > 0) to.features = from.features();
  if (from.batch() > 0) to.batch = from.batch();
  return to;
}

}  // namespace

proto::LayerStack LayerStackToProto(const LayerStack& stack) {
  proto::LayerStack saved;
  saved.set_name(stack.name);
  saved.mutable_input()->set_name(stack.input.name);
  saved.mutable_input()->set_time(stack.input.time);
  saved.mutable_input()->set_features(stack.input.features.value_or(0));
  saved.mutable_input()->set_batch(stack.input.batch.value_or(0));
  for (const Layer& layer : stack.layers) SaveLayer(layer, *saved.add_layers());
  return saved;
}

absl::StatusOr<LayerStack> LayerStackFromProto(const proto::LayerStack& saved) {
  if (saved.layers_size() > kMaxStackLayers) {
    return absl::InvalidArgumentError(
        absl::StrCat("the stack has ", saved.layers_size(), " layers; at most ", kMaxStackLayers));
  }
  if (saved.name().size() > kMaxNameBytes) {
    return absl::InvalidArgumentError("the name of the stack is too long");
  }
  LayerStack stack{.name = saved.name()};
  SEQ_ASSIGN_OR_RETURN(stack.input, Annotate(InputFromProto(saved.input()), "the stack of layers"));
  std::set<std::string> names;
  for (const proto::Layer& from : saved.layers()) {
    SEQ_ASSIGN_OR_RETURN(Layer layer, ReadLayer(from, 1));
    if (!names.insert(layer.name).second) {
      return absl::InvalidArgumentError(absl::StrCat("two layers are named ", layer.name));
    }
    stack.layers.push_back(std::move(layer));
  }
  return stack;
}

}  // namespace seqgraph
