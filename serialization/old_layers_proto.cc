#include "serialization/old_layers_proto.h"

#include <cmath>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "serialization/function_proto.h"

namespace seqgraph {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

absl::Status Unknown(const char* what, int number) {
  return absl::InvalidArgumentError(absl::StrCat("this program does not know ", what, " ", number));
}

absl::StatusOr<LayerKind> Recurrent(const proto::RecurrentLayer& from);

// A field by its type; fields have Keras's keys.
absl::Status ReadField(const Message& from, const FieldDescriptor& field, LayerKind& to) {
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
      return absl::InvalidArgumentError(absl::StrCat(field.name(), " is not finite"));
    case FieldDescriptor::CPPTYPE_STRING: {
      const std::string text = reflection.GetString(from, &field);
      value = text;
      if (!text.empty() && text.size() <= kMaxNameBytes) return absl::OkStatus();
      return absl::InvalidArgumentError(absl::StrCat(field.name(), " has ", text.size(),
                                                     " bytes; it must have 1 to ", kMaxNameBytes));
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
  return absl::InvalidArgumentError(absl::StrCat(field.name(), " is not finite"));
}

absl::StatusOr<LayerKind> ReadFields(const char* class_name, const Message& from) {
  LayerKind kind;
  kind.class_name = class_name;
  for (int i = 0; i < from.GetDescriptor()->field_count(); ++i) {
    SEQ_RETURN_IF_ERROR(ReadField(from, *from.GetDescriptor()->field(i), kind));
  }
  return kind;
}

absl::StatusOr<LayerKind> Recurrent(const proto::RecurrentLayer& from) {
  const bool lstm = from.kind() == proto::RecurrentLayer::LSTM;
  const bool gru = from.kind() == proto::RecurrentLayer::GRU;
  if (!lstm && !gru && from.kind() != proto::RecurrentLayer::SIMPLE_RNN) {
    return Unknown("recurrent kind", from.kind());
  }
  SEQ_ASSIGN_OR_RETURN(LayerKind kind, ReadFields(lstm ? "LSTM" : gru ? "GRU" : "SimpleRNN", from));
  // Every kind had the fields of all.
  if (!gru) kind.settings.erase("reset_after");
  if (!lstm) kind.settings.erase("unit_forget_bias");
  if (lstm || gru) kind.settings["recurrent_activation"] = "sigmoid";
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
      return absl::InvalidArgumentError("the name of a layer in it is empty or too long");
    }
  }
  kind.settings["layer"] = std::vector<Layer>{std::move(forward)};
  kind.settings["backward_layer"] = std::vector<Layer>{std::move(backward)};
  return kind;
}

}  // namespace

absl::StatusOr<LayerKind> OldLayerKind(const proto::Layer& layer) {
  switch (layer.kind_case()) {
    case proto::Layer::kEmbedding:
      return ReadFields("Embedding", layer.embedding());
    case proto::Layer::kOneHot:
      return ReadFields("OneHot", layer.one_hot());
    case proto::Layer::kRecurrent:
      return Recurrent(layer.recurrent());
    case proto::Layer::kBidirectional:
      return Bidirectional(layer.bidirectional());
    case proto::Layer::kDense:
      return ReadFields("Dense", layer.dense());
    case proto::Layer::kDropout: {
      SEQ_ASSIGN_OR_RETURN(
          LayerKind kind,
          ReadFields(layer.dropout().spatial() ? "SpatialDropout1D" : "Dropout", layer.dropout()));
      kind.settings.erase("spatial");
      return kind;
    }
    case proto::Layer::kPooling:
      if (layer.pooling().kind() != proto::PoolingLayer::AVERAGE &&
          layer.pooling().kind() != proto::PoolingLayer::MAX) {
        return Unknown("kind of pooling", layer.pooling().kind());
      }
      return ReadFields(layer.pooling().kind() == proto::PoolingLayer::MAX
                            ? "GlobalMaxPooling1D"
                            : "GlobalAveragePooling1D",
                        layer.pooling());
    case proto::Layer::kActivation:
      return ReadFields("Activation", layer.activation());
    case proto::Layer::KIND_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError("is of no kind");
}

}  // namespace seqgraph
