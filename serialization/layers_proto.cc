#include "serialization/layers_proto.h"

#include <cmath>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "serialization/function_proto.h"

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
  void operator()(const std::vector<int64_t>& value) const {
    to.mutable_ints_value()->mutable_values()->Add(value.begin(), value.end());
  }
  void operator()(const std::vector<double>& value) const {
    to.mutable_floats_value()->mutable_values()->Add(value.begin(), value.end());
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

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

absl::Status Unknown(const char* what, int number) {
  return InvalidArgument("this program does not know ", what, " ", number);
}

// A field by its type; fields have Keras's keys.
absl::Status ReadLayerField(const Message& from, const FieldDescriptor& field, LayerKind& to) {
  const google::protobuf::Reflection& reflection = *from.GetReflection();
  LayerSetting& value = to.settings[field.name()];
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT64:
      value = int64_t{reflection.GetInt64(from, &field)};
      return absl::OkStatus();
    case FieldDescriptor::CPPTYPE_BOOL:
      value = reflection.GetBool(from, &field);
      return absl::OkStatus();
    case FieldDescriptor::CPPTYPE_DOUBLE:
      value = reflection.GetDouble(from, &field);
      if (std::isfinite(std::get<double>(value))) return absl::OkStatus();
      return InvalidArgument(field.name(), " is not finite");
    case FieldDescriptor::CPPTYPE_STRING: {
      const std::string text = reflection.GetString(from, &field);
      value = text;
      if (!text.empty() && text.size() <= kMaxNameBytes) return absl::OkStatus();
      return InvalidArgument(field.name(), " has ", text.size(), " bytes; it must have 1 to ",
                             kMaxNameBytes);
    }
    case FieldDescriptor::CPPTYPE_MESSAGE:
      break;
    default:
      to.settings.erase(field.name());  // an enumerator: it chose the class
      return absl::OkStatus();
  }
  const Message& message = reflection.GetMessage(from, &field);
  if (field.message_type() == proto::Initializer::descriptor()) {
    SEQ_ASSIGN_OR_RETURN(value,
                         InitializerFromProto(static_cast<const proto::Initializer&>(message)));
    return absl::OkStatus();
  }
  const auto& penalty = static_cast<const proto::Regularizer&>(message);
  value = Regularizer{.l1 = penalty.l1(), .l2 = penalty.l2()};
  if (std::isfinite(penalty.l1()) && std::isfinite(penalty.l2())) return absl::OkStatus();
  return InvalidArgument(field.name(), " is not finite");
}

absl::StatusOr<LayerKind> ReadLayerFields(const char* class_name, const Message& from) {
  LayerKind kind;
  kind.class_name = class_name;
  for (int i = 0; i < from.GetDescriptor()->field_count(); ++i) {
    SEQ_RETURN_IF_ERROR(ReadLayerField(from, *from.GetDescriptor()->field(i), kind));
  }
  return kind;
}

absl::StatusOr<LayerKind> Recurrent(const proto::RecurrentLayer& from) {
  const bool lstm = from.kind() == proto::RecurrentLayer::LSTM;
  const bool gru = from.kind() == proto::RecurrentLayer::GRU;
  if (!lstm && !gru && from.kind() != proto::RecurrentLayer::SIMPLE_RNN) {
    return Unknown("recurrent kind", from.kind());
  }
  SEQ_ASSIGN_OR_RETURN(LayerKind kind, ReadLayerFields(lstm  ? "LSTM"
                                                       : gru ? "GRU"
                                                             : "SimpleRNN",
                                                       from));
  // Every kind had the fields of all.
  if (!gru) kind.settings.erase("reset_after");
  if (!lstm) kind.settings.erase("unit_forget_bias");
  if (lstm || gru) kind.settings["recurrent_activation"] = std::string("sigmoid");
  kind.settings["return_state"] = false;
  return kind;
}

absl::StatusOr<LayerKind> Bidirectional(const proto::BidirectionalLayer& from) {
  constexpr const char* kModes[] = {"concat", "sum", "mul", "ave"};
  if (from.merge_mode() < 0 || from.merge_mode() > 3) {
    return Unknown("merge mode", from.merge_mode());
  }
  LayerKind kind;
  kind.class_name = "Bidirectional";
  kind.settings["merge_mode"] = kModes[from.merge_mode()];
  Layer forward{.name = from.forward_name()}, backward{.name = from.backward_name()};
  SEQ_ASSIGN_OR_RETURN(forward.kind, Recurrent(from.forward()));
  SEQ_ASSIGN_OR_RETURN(backward.kind, Recurrent(from.backward()));
  for (const Layer& inner : {forward, backward}) {
    if (inner.name.empty() || inner.name.size() > kMaxNameBytes) {
      return InvalidArgument("the name of a layer in it is empty or too long");
    }
  }
  kind.settings["layer"] = std::vector<Layer>{std::move(forward)};
  kind.settings["backward_layer"] = std::vector<Layer>{std::move(backward)};
  return kind;
}

// The layer of a message of format version 3, which had one for each kind. InvalidArgument for an
// enumerator that it did not have, a text that is too long, a number that is not finite.
absl::StatusOr<LayerKind> OldLayerKind(const proto::Layer& layer) {
  switch (layer.kind_case()) {
    case proto::Layer::kEmbedding:
      return ReadLayerFields("Embedding", layer.embedding());
    case proto::Layer::kOneHot:
      return ReadLayerFields("OneHot", layer.one_hot());
    case proto::Layer::kRecurrent:
      return Recurrent(layer.recurrent());
    case proto::Layer::kBidirectional:
      return Bidirectional(layer.bidirectional());
    case proto::Layer::kDense:
      return ReadLayerFields("Dense", layer.dense());
    case proto::Layer::kDropout: {
      SEQ_ASSIGN_OR_RETURN(
          LayerKind kind,
          ReadLayerFields(layer.dropout().spatial() ? "SpatialDropout1D" : "Dropout",
                          layer.dropout()));
      kind.settings.erase("spatial");
      return kind;
    }
    case proto::Layer::kPooling:
      if (layer.pooling().kind() != proto::PoolingLayer::AVERAGE &&
          layer.pooling().kind() != proto::PoolingLayer::MAX) {
        return Unknown("kind of pooling", layer.pooling().kind());
      }
      return ReadLayerFields(layer.pooling().kind() == proto::PoolingLayer::MAX
                                 ? "GlobalMaxPooling1D"
                                 : "GlobalAveragePooling1D",
                             layer.pooling());
    case proto::Layer::kActivation:
      return ReadLayerFields("Activation", layer.activation());
    case proto::Layer::KIND_NOT_SET:
      break;
  }
  return InvalidArgument("is of no kind");
}

absl::StatusOr<Layer> ReadLayer(const proto::Layer& from, int depth);

absl::StatusOr<LayerSetting> ReadSetting(const proto::LayerSetting& from, int depth) {
  const auto finite = [](double value) -> absl::StatusOr<double> {
    if (std::isfinite(value)) return value;
    return InvalidArgument("is not finite");
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
    case proto::LayerSetting::kIntsValue: {
      const auto& values = from.ints_value().values();
      return LayerSetting(std::vector<int64_t>(values.begin(), values.end()));
    }
    case proto::LayerSetting::kFloatsValue: {
      const auto& values = from.floats_value().values();
      for (const double value : values) SEQ_RETURN_IF_ERROR(finite(value).status());
      return LayerSetting(std::vector<double>(values.begin(), values.end()));
    }
    case proto::LayerSetting::VALUE_NOT_SET:
      break;
  }
  return InvalidArgument("has no value, or one that is too long");
}

absl::StatusOr<Layer> ReadLayer(const proto::Layer& from, int depth) {
  if (depth > kMaxLayerDepth) {
    return InvalidArgument("layers lie in each other more than ", kMaxLayerDepth, " deep");
  }
  SEQ_RETURN_IF_ERROR(CheckName("a layer", from.name()));
  Layer layer{.name = from.name(), .trainable = !from.frozen()};
  const std::string where = absl::StrCat("layer ", from.name());
  if (from.kind_case() != proto::Layer::KIND_NOT_SET) {
    if (!from.class_name().empty() || from.settings_size() > 0) {
      return InvalidArgument(where, ": is of two kinds");
    }
    SEQ_ASSIGN_OR_RETURN(layer.kind, Annotate(OldLayerKind(from), where));
    return layer;
  }
  if (from.class_name().empty() || from.class_name().size() > kMaxNameBytes) {
    return InvalidArgument(where, ": is of no kind");
  }
  layer.kind.class_name = from.class_name();
  for (const proto::LayerSetting& setting : from.settings()) {
    SEQ_RETURN_IF_ERROR(Annotate(CheckName("a setting", setting.name()), where));
    SEQ_ASSIGN_OR_RETURN(LayerSetting value, Annotate(ReadSetting(setting, depth),
                                                      absl::StrCat(where, ": ", setting.name())));
    if (!layer.kind.settings.emplace(setting.name(), std::move(value)).second) {
      return InvalidArgument(where, ": ", setting.name(), " is there twice");
    }
  }
  return layer;
}

absl::StatusOr<LayerInput> InputFromProto(const proto::LayerInput& from) {
  const auto fits = [](int64_t extent) { return extent >= 0 && extent <= kMaxLayerExtent; };
  const bool vector = from.time() == 0 && from.features() > 0;
  for (const int64_t extent : from.between()) {
    if (!vector && extent > 0 && fits(extent)) continue;
    return InvalidArgument("its input has the extent ", extent, " behind the time");
  }
  if (from.between_size() > Shape::kMaxRank) return InvalidArgument("its input has too many axes");
  if ((from.time() < 1 && !vector) || !fits(from.time()) || !fits(from.features()) ||
      !fits(from.batch())) {
    return InvalidArgument("its input has time ", from.time(), ", features ", from.features(),
                           " and batch ", from.batch(), ", which must be from 1 to ",
                           kMaxLayerExtent);
  }
  if (from.name().empty() || from.name().size() > kMaxNameBytes) {
    return InvalidArgument("the name of its input is empty or too long");
  }
  LayerInput to{.name = from.name(), .time = from.time()};
  to.open_time = from.open_time();
  if (from.features() > 0) to.features = from.features();
  to.between.assign(from.between().begin(), from.between().end());
  if (from.batch() > 0) to.batch = from.batch();
  return to;
}

void SaveInput(const LayerInput& input, proto::LayerInput& to) {
  to.set_name(input.name);
  to.set_time(input.time);
  to.set_features(input.features.value_or(0));
  for (const int64_t extent : input.between) to.add_between(extent);
  to.set_batch(input.batch.value_or(0));
  to.set_open_time(input.open_time);
}

void SaveValue(const LayerValue& value, proto::LayerValue& to) {
  to.set_call(value.call + 1);
  to.set_output(value.output);
}

// What makes a graph of the stack. Whether indices fit is checked with the layers (CheckStack).
absl::Status GraphFromProto(const proto::LayerStack& saved, LayerStack& stack) {
  const auto values = [](const auto& list) {
    std::vector<LayerValue> to;
    for (const proto::LayerValue& value : list) {
      to.push_back({.call = value.call() - 1, .output = value.output()});
    }
    return to;
  };
  for (const int count : {saved.more_inputs_size(), saved.calls_size(), saved.outputs_size()}) {
    if (count > kMaxStackLayers)
      return InvalidArgument("it has more than ", kMaxStackLayers, " parts");
  }
  for (const proto::LayerInput& input : saved.more_inputs()) {
    SEQ_ASSIGN_OR_RETURN(stack.more_inputs.emplace_back(), InputFromProto(input));
  }
  for (const proto::LayerCall& call : saved.calls()) {
    if (!proto::LayerCall::Masks_IsValid(call.masks()) || call.inputs_size() > kMaxStackLayers) {
      return InvalidArgument("a call is malformed");
    }
    stack.calls.push_back({.layer = call.layer(),
                           .inputs = values(call.inputs()),
                           .masks = static_cast<CallMasks>(call.masks())});
  }
  stack.outputs = values(saved.outputs());
  return absl::OkStatus();
}

}  // namespace

proto::LayerStack LayerStackToProto(const LayerStack& stack) {
  proto::LayerStack saved;
  saved.set_name(stack.name);
  SaveInput(stack.input, *saved.mutable_input());
  for (const Layer& layer : stack.layers) SaveLayer(layer, *saved.add_layers());
  for (const LayerInput& input : stack.more_inputs) SaveInput(input, *saved.add_more_inputs());
  for (const LayerCall& call : stack.calls) {
    proto::LayerCall& to = *saved.add_calls();
    to.set_layer(call.layer);
    for (const LayerValue& value : call.inputs) SaveValue(value, *to.add_inputs());
    to.set_masks(static_cast<proto::LayerCall::Masks>(call.masks));
  }
  for (const LayerValue& value : stack.outputs) SaveValue(value, *saved.add_outputs());
  return saved;
}

absl::StatusOr<LayerStack> LayerStackFromProto(const proto::LayerStack& saved) {
  if (saved.layers_size() > kMaxStackLayers) {
    return InvalidArgument("the stack has ", saved.layers_size(), " layers; at most ",
                           kMaxStackLayers);
  }
  if (saved.name().size() > kMaxNameBytes) {
    return InvalidArgument("the name of the stack is too long");
  }
  LayerStack stack{.name = saved.name()};
  SEQ_ASSIGN_OR_RETURN(stack.input, Annotate(InputFromProto(saved.input()), "the stack of layers"));
  std::set<std::string> names;
  for (const proto::Layer& from : saved.layers()) {
    SEQ_ASSIGN_OR_RETURN(Layer layer, ReadLayer(from, 1));
    if (!names.insert(layer.name).second) {
      return InvalidArgument("two layers are named ", layer.name);
    }
    stack.layers.push_back(std::move(layer));
  }
  SEQ_RETURN_IF_ERROR(Annotate(GraphFromProto(saved, stack), "the graph of layers"));
  return stack;
}

}  // namespace seqgraph
